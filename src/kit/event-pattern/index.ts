import { matcher } from './match.ts';
import { parsePattern } from './parse.ts';
import { EventPatternError } from './tokens.ts';

export { EventPatternError } from './tokens.ts';

/** Whether an event (parsed JSON) matches. */
export type EventMatcher = (event: unknown) => boolean;

/**
 * Compiles a pattern ("Amazon EventBridge event patterns").
 *
 * @param pattern The pattern's JSON text.
 * @throws EventPatternError with AWS's reason, e.g. `"source" must be an object or an array\n at [Source: …]`.
 * @example compilePattern('{"detail": {"state": ["running"]}}')({ detail: { state: 'running' } }) // true
 */
export function compilePattern(pattern: string): EventMatcher {
  return matcher(parsePattern(pattern));
}

/** Why the pattern is refused, in AWS's words with its place in the source; undefined where it is valid. */
export function validatePattern(pattern: string): string | undefined {
  try {
    parsePattern(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof EventPatternError) return error.reason;
    throw error;
  }
}
