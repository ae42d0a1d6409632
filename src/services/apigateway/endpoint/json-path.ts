/** `$`, `$.a.b[0]` and `$['a']` of a JSON text; undefined where the text is no JSON or has no such value. */
export function jsonPath(text: string, path: string): unknown {
  let value: unknown;
  try {
    value = text === '' ? {} : JSON.parse(text);
  } catch {
    // A body that is no JSON has no paths.
    return undefined;
  }
  for (const [, name, index, quoted] of path.matchAll(/\.([^.[\]]+)|\[(\d+)\]|\[['"]([^'"]*)['"]\]/g)) {
    if (typeof value !== 'object' || value === null) return undefined;
    const key = name ?? index ?? quoted ?? '';
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}
