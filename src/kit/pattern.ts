import { createContext, Script } from 'node:vm';

const TEST = new Script("new RegExp('^(?:' + pattern + ')$', 's').test(value)");

/**
 * Whether all of `value` matches a caller's pattern. Java's patterns are close enough to JavaScript's for what templates and parameters use.
 * Throws where the pattern is no regular expression, or goes on backtracking for longer than `timeoutMs`.
 */
export function matchesPattern(pattern: string, value: string, timeoutMs: number): boolean {
  // The context is made first: on a busy machine that alone can take as long as the pattern may.
  const context = createContext({ pattern, value });
  return TEST.runInContext(context, { timeout: timeoutMs }) === true;
}
