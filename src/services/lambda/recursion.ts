import { hash } from 'node:crypto';
import { AwsError } from '../../kit/errors.ts';
import { formatTrace, type Trace, withoutLineage } from '../../kit/trace.ts';
import type { Ctx } from '../service.ts';
import { functionArn } from './domain/names.ts';
import { RECURSION_HOPS_MAX, RECURSION_LINEAGE_MAX } from './limits.ts';
import type { FunctionRow } from './store.ts';

/** Lambda's answer to an invocation that it stopped; "Use Lambda recursive loop detection to prevent infinite loops". */
export const recursiveInvocation = (): AwsError => {
  const message =
    "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources and stopped your function's invocation.";
  return new AwsError('RecursiveInvocationException', message, { status: 400, members: { Type: 'User', Message: message } });
};

export const isRecursive = (error: unknown): boolean => error instanceof AwsError && error.code === 'RecursiveInvocationException';

/** "Supported AWS services and SDKs": what others pass on does not count, so that a loop over an event bus, which may be meant, goes on as on AWS. */
const COUNTED = new Set(['lambda.amazonaws.com', 's3.amazonaws.com', 'sns.amazonaws.com']);

/** The trace of an invocation by a client, or by another service: without its lineage where that service's loops are not looked for. */
export function causeOf({ trace, principal }: Ctx): Trace {
  if (trace.lineage === undefined || principal.type !== 'service' || COUNTED.has(principal.arn)) return trace;
  return withoutLineage(trace);
}

/**
 * The trace that an invocation of `fn` hands to the function, which hands it on: one more run of `fn` in its lineage. Throws
 * {@link recursiveInvocation} where the function ran 16 times in this trace already, unless it is allowed to.
 */
export function enterFunction(ctx: Ctx, fn: FunctionRow, trace: Trace): Trace {
  const id = hash('sha256', functionArn(ctx, fn.name), 'hex').slice(0, 8);
  const runs = new Map((trace.lineage?.split('|') ?? []).map((entry) => entry.split(':') as [string, string]));
  const before = Number(runs.get(id) ?? 0);
  if (before >= RECURSION_HOPS_MAX && fn.recursiveLoop !== 'Allow') {
    ctx.meter('RecursiveInvocationsDropped', 1);
    ctx.platform.log.warn(
      { function: fn.name, account: ctx.account, region: ctx.region, hops: before, trace: formatTrace(trace) },
      `a recursive loop was stopped: ${fn.name} ran ${before} times because of one event, and was not invoked again (RecursiveInvocationsDropped)`,
    );
    throw recursiveInvocation();
  }
  runs.delete(id);
  const kept = [...runs].slice(-(RECURSION_LINEAGE_MAX - 1));
  const lineage = [...kept, [id, String(Math.min(before + 1, 99_999))]].map((entry) => entry.join(':')).join('|');
  return { ...trace, lineage };
}

/** The one of several traces whose functions ran most often: of a batch, the furthest in a loop. */
export function deepest(traces: readonly Trace[]): Trace | undefined {
  const depth = ({ lineage }: Trace) => Math.max(0, ...(lineage?.split('|') ?? []).map((entry) => Number(entry.split(':')[1])));
  return traces.reduce<Trace | undefined>((most, trace) => (most && depth(most) >= depth(trace) ? most : trace), undefined);
}
