import type { OperationModel } from '../../models/model.ts';

type Segment = { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'label' | 'greedy'; readonly name: string };

/** A `requestUri` such as `/{Bucket}/{Key+}?acl`. */
export interface UriTemplate {
  readonly segments: readonly Segment[];
  /** Query parameters that the template itself demands; a null value means any. */
  readonly query: ReadonlyMap<string, string | null>;
  /** How exactly the path is named, for the order in which operations are tried: larger first. */
  readonly rank: readonly number[];
}

const templates = new WeakMap<OperationModel, UriTemplate>();

export function uriTemplate(operation: OperationModel): UriTemplate {
  let template = templates.get(operation);
  if (!template) {
    template = parseTemplate(operation.http.requestUri);
    templates.set(operation, template);
  }
  return template;
}

function parseTemplate(uri: string): UriTemplate {
  const mark = uri.indexOf('?');
  const path = mark < 0 ? uri : uri.slice(0, mark);
  const segments = splitPath(path).map((text): Segment => {
    const label = /^\{([^}]+)\}$/.exec(text)?.[1];
    if (label === undefined) return { kind: 'literal', text };
    return label.endsWith('+') ? { kind: 'greedy', name: label.slice(0, -1) } : { kind: 'label', name: label };
  });
  const query = new Map<string, string | null>();
  for (const part of mark < 0 ? [] : uri.slice(mark + 1).split('&')) {
    const [name = '', value] = part.split('=', 2);
    query.set(name, value ?? null);
  }
  const weights = { literal: 2, label: 1, greedy: 0 };
  return { segments, query, rank: segments.map((segment) => weights[segment.kind]) };
}

/** The path's segments, without the empty one after a trailing slash. */
export function splitPath(path: string): string[] {
  const segments = path.split('/').slice(1);
  if (segments.at(-1) === '') segments.pop();
  return segments;
}

/**
 * The labels of a percent-encoded path, still encoded; undefined where it does not match. A trailing slash counts only
 * inside a greedy label (an S3 key may end in one).
 */
export function matchPath(template: UriTemplate, path: string): Map<string, string> | undefined {
  const parts = splitPath(path);
  const labels = new Map<string, string>();
  const { segments } = template;
  let at = 0;
  for (const [index, segment] of segments.entries()) {
    if (segment.kind === 'greedy') {
      const after = segments.length - index - 1;
      const rest = greedyText(path, at, after);
      if (rest === undefined) return undefined;
      labels.set(segment.name, rest.text);
      at += rest.segments;
      continue;
    }
    const part = parts[at++];
    if (part === undefined) return undefined;
    if (segment.kind === 'literal') {
      if (part !== segment.text && safeDecode(part) !== segment.text) return undefined;
    } else if (part === '') return undefined;
    else labels.set(segment.name, part);
  }
  return at >= parts.length ? labels : undefined;
}

/** What a greedy label takes: all from segment `from` on but the last `after` segments. */
function greedyText(path: string, from: number, after: number): { text: string; segments: number } | undefined {
  const all = path.split('/').slice(1);
  if (after > 0 && all.at(-1) === '') all.pop();
  const taken = all.slice(from, all.length - after);
  const text = taken.join('/');
  return text === '' ? undefined : { text, segments: taken.length };
}

function safeDecode(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
