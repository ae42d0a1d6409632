/** One template asks for many paths of the same text: it is parsed once. */
let last: { readonly text: string; readonly value: unknown } = { text: '', value: {} };

function parsed(text: string): unknown {
  if (last.text === text) return last.value;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A body that is no JSON has no paths.
    return undefined;
  }
  last = { text, value };
  return value;
}

/** `$`, `$.a.b[0]` and `$['a']` of a JSON text; undefined where the text is no JSON or has no such value. */
export function jsonPath(text: string, path: string): unknown {
  let value = parsed(text);
  for (const [, name, index, quoted] of path.matchAll(/\.([^.[\]]+)|\[(\d+)\]|\[['"]([^'"]*)['"]\]/g)) {
    if (typeof value !== 'object' || value === null) return undefined;
    const key = name ?? index ?? quoted ?? '';
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}
