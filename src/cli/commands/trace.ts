import { endpointOf, requireRunning } from '../endpoint.ts';
import { CliError, type Output, paint } from '../output.ts';
import type { CommonOptions } from '../program.ts';

/** One line of a trace, as `/_croft/lineage` tells it. */
interface Span {
  readonly trace: string;
  readonly id: string;
  readonly parent?: string;
  readonly kind: 'request' | 'call' | 'delivery' | 'commit';
  readonly name: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly status: number;
  readonly error?: string;
  readonly requestId?: string;
  readonly resources?: readonly string[];
  readonly units?: Readonly<Record<string, number>>;
}

const TRACE = /1-[0-9a-f]{8}-[0-9a-f]{24}/;

/** `croft trace`: what a request caused, as a tree: calls, deliveries with their retries, and what was written. */
export async function trace(id: string, options: CommonOptions, output: Output): Promise<void> {
  const endpoint = endpointOf(options.endpoint);
  await requireRunning(endpoint);
  const root = TRACE.exec(id)?.[0] ?? (await traceOf(endpoint, id));
  const spans = await ask(endpoint, `trace=${root}`);
  if (spans.length === 0) throw new CliError(`nothing is known of ${root}: lineage is kept for a day, and of requests that wrote or caused something`);
  output.result({ trace: root, spans }, () => treeOf(root, spans));
}

/** The trace of a request, by what it committed. */
async function traceOf(endpoint: string, requestId: string): Promise<string> {
  if (!/^[\w-]{8,64}$/.test(requestId)) throw new CliError(`${JSON.stringify(requestId)} is neither a trace (1-…) nor a request id`, 2);
  const [commit] = await ask(endpoint, `request=${encodeURIComponent(requestId)}`);
  if (!commit)
    throw new CliError(`request ${requestId} is not known: it wrote nothing, or is more than a day ago. Reads are known by the trace that they are sent with`);
  return commit.trace;
}

async function ask(endpoint: string, query: string): Promise<readonly Span[]> {
  const answer = await fetch(`${endpoint}/_croft/lineage?${query}`);
  if (!answer.ok) throw new CliError(`${endpoint} refused: ${await answer.text()}`);
  return ((await answer.json()) as { spans: readonly Span[] }).spans;
}

/** Each span below the one that caused it; those whose cause is not kept, at the top. */
export function treeOf(root: string, spans: readonly Span[]): string {
  const known = new Set(spans.map(({ id }) => id));
  const children = new Map<string, Span[]>();
  for (const span of spans) {
    const parent = span.parent !== undefined && known.has(span.parent) && span.parent !== span.id ? span.parent : '';
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const beganMs = Math.min(...spans.map(({ startMs }) => startMs));
  const lines = [`${root}  ${new Date(beganMs).toISOString()}`];
  const add = (parent: string, indent: string) => {
    const own = children.get(parent) ?? [];
    own.forEach((span, at) => {
      const last = at === own.length - 1;
      lines.push(`${indent}${last ? '└─ ' : '├─ '}${lineOf(span, beganMs)}`);
      if (span.kind !== 'commit') add(span.id, `${indent}${last ? '   ' : '│  '}`);
    });
  };
  add('', '');
  return lines.join('\n');
}

function lineOf(span: Span, beganMs: number): string {
  const { kind, name, startMs, durationMs, status, error, resources = [], units = {} } = span;
  const at = paint.dim(`+${Math.max(0, Math.round(startMs - beganMs))} ms`);
  const about = resources.filter((one) => one !== '*').join(' ');
  const what = kind === 'commit' ? `wrote by ${name}` : `${kind} ${paint.bold(name)}`;
  const took = kind === 'commit' ? '' : ` ${durationMs.toFixed(1)} ms`;
  const outcome = error ? paint.red(` ${error}`) : status >= 400 ? paint.red(` ${status}`) : '';
  const used = Object.entries(units).map(([unit, quantity]) => `${quantity} ${unit}`);
  return `${at} ${what}${about ? ` ${about}` : ''}${took}${outcome}${used.length > 0 ? paint.dim(` (${used.join(', ')})`) : ''}`;
}
