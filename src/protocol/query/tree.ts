import { AwsError } from '../../kit/errors.ts';
import { BODY_DEPTH_MAX, QUERY_PARAMETERS_MAX } from '../limits.ts';

/** Parameters by their dotted names: `A.B.1` is node A → B → 1. */
export interface QueryNode {
  value: string | undefined;
  readonly children: Map<string, QueryNode>;
}

/** Names and values of an `application/x-www-form-urlencoded` text, decoded, in order. Throws `MalformedInput` on a broken escape. */
export function parseForm(text: string): [name: string, value: string][] {
  const out: [string, string][] = [];
  if (text === '') return out;
  for (const part of text.split('&', QUERY_PARAMETERS_MAX + 1)) {
    if (part === '') continue;
    if (out.length >= QUERY_PARAMETERS_MAX) throw malformedInput('Too many parameters');
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? '' : part.slice(equals + 1);
    out.push([unescapeForm(name), unescapeForm(value)]);
  }
  return out;
}

function unescapeForm(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw malformedInput('Invalid percent-encoding');
  }
}

/** The query protocols' answer to a parameter that is not of its type's form. */
export function malformedInput(message: string): AwsError {
  return new AwsError('MalformedInput', message);
}

/** Builds the tree of all parameters. Depth is bounded as in every body. */
export function queryTree(parameters: readonly (readonly [string, string])[]): QueryNode {
  const root: QueryNode = { value: undefined, children: new Map() };
  for (const [name, value] of parameters) {
    let node = root;
    const segments = name.split('.', BODY_DEPTH_MAX + 2);
    if (segments.length > BODY_DEPTH_MAX) throw malformedInput('Nesting Levels have exceeded supported limits');
    for (const segment of segments) {
      let child = node.children.get(segment);
      if (!child) {
        child = { value: undefined, children: new Map() };
        node.children.set(segment, child);
      }
      node = child;
    }
    node.value = value;
  }
  return root;
}
