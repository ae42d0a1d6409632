/** JSON whose numbers keep their text: an event may carry 64-bit integers, which doubles cannot hold. */

interface RawJson {
  rawJSON?: (text: string) => unknown;
}
/** ECMAScript's JSON.parse source text access: in Node.js ≥ 21, not yet in TypeScript's library. */
const rawJson = (JSON as RawJson).rawJSON;

/** Parses; numbers that a double would change become raw JSON, which {@link JSON.stringify} writes as it was. */
export function parseExact(text: string): unknown {
  // Without a long number or an exponent nothing can be lost, and a reviver is slow.
  if (!rawJson || !/\d{16}|\d[eE.]/.test(text)) return JSON.parse(text);
  const revive = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && context?.source !== undefined && context.source !== String(value) ? rawJson(context.source) : value;
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

/** The value of a text that may be JSON; undefined where it is none. */
export function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a value is an object made of members: raw numbers are not. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('rawJSON' in value && Object.isFrozen(value));
}

/** The same JSON text without white space between its tokens, and how deep it nests. The text must be valid. */
export function minify(text: string): { readonly text: string; readonly depth: number } {
  let out = '';
  let from = 0;
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      i = endOfString(text, i);
    } else if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      out += text.slice(from, i);
      from = i + 1;
    } else if (code === 0x7b || code === 0x5b) {
      deepest = Math.max(deepest, ++depth);
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return { text: from === 0 ? text : out + text.slice(from), depth: deepest };
}

/** Index of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i;
  }
  return text.length;
}
