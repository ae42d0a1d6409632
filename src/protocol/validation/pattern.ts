import { PATTERN_INPUT_MAX } from '../limits.ts';

const compiled = new Map<string, (text: string) => boolean>();

/** A test whether the whole of a text is of `pattern` (Java's `matches`), compiled once. */
export function patternTest(pattern: string): (text: string) => boolean {
  let test = compiled.get(pattern);
  if (!test) {
    const regexp = toRegExp(pattern);
    test = (text) => text.length > PATTERN_INPUT_MAX || regexp.test(text);
    compiled.set(pattern, test);
  }
  return test;
}

function toRegExp(pattern: string): RegExp {
  // Java writes an inline flag and POSIX classes where ECMAScript has none.
  const insensitive = pattern.startsWith('(?i)');
  const source = `^(?:${(insensitive ? pattern.slice(4) : pattern).replaceAll('\\p{Print}', '[\\x20-\\x7e]')})$`;
  try {
    return new RegExp(source, insensitive ? 'ui' : 'u');
  } catch {
    return new RegExp(source, insensitive ? 'i' : '');
  }
}
