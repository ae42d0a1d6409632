import { PATTERN_INPUT_MAX } from '../limits.ts';
import { linearTest } from './linear.ts';

const compiled = new Map<string, (text: string) => boolean>();

/** A repetition of at least this many may make a backtracking matcher slow. */
const LONG_REPEAT = 16;

/**
 * A test whether the whole of a text is of `pattern` (Java's `matches`), compiled once. One long repetition leaves a backtracking
 * matcher linear; a pattern with more of them runs in {@link linearTest}, or, where it looks around, on short texts only: a longer one
 * passes, and fails by its length.
 */
export function patternTest(pattern: string): (text: string) => boolean {
  let test = compiled.get(pattern);
  if (!test) {
    test = compile(pattern);
    compiled.set(pattern, test);
  }
  return test;
}

function compile(pattern: string): (text: string) => boolean {
  // Java writes an inline flag and POSIX classes where ECMAScript has none.
  const insensitive = pattern.startsWith('(?i)');
  const source = (insensitive ? pattern.slice(4) : pattern).replaceAll('\\p{Print}', '[\\x20-\\x7e]');
  const regexp = toRegExp(source, insensitive);
  if (longRepeats(source) < 2) return (text) => regexp.test(text);
  return linearTest(source, insensitive) ?? ((text) => text.length > PATTERN_INPUT_MAX || regexp.test(text));
}

/** How many repetitions of the pattern, outside character classes, can run long. */
export function longRepeats(source: string): number {
  const plain = source.replace(/\\./g, 'x').replace(/\[\^?\]?[^\]]*\]/g, 'x');
  let count = 0;
  for (const [, sign, low, comma, high] of plain.matchAll(/([*+])|\{(\d+)(,(\d*))?\}/g)) {
    const max = sign || (comma && high === '') ? Number.POSITIVE_INFINITY : Number(comma ? high : low);
    if (max >= LONG_REPEAT) count++;
  }
  return count;
}

function toRegExp(source: string, insensitive: boolean): RegExp {
  const whole = `^(?:${source})$`;
  try {
    return new RegExp(whole, insensitive ? 'ui' : 'u');
  } catch {
    return new RegExp(whole, insensitive ? 'i' : '');
  }
}
