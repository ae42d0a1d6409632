import { compilePattern, type EventMatcher, validatePattern } from '../../../kit/event-pattern/index.ts';
import { invalidPattern } from '../errors.ts';
import { PATTERNS_KEPT_MAX } from '../limits.ts';

const kept = new Map<string, EventMatcher>();

/** The matcher of a pattern that was checked when it was set; the newest are kept compiled. */
export function matcherOf(pattern: string): EventMatcher {
  const known = kept.get(pattern);
  if (known) return known;
  const compiled = compilePattern(pattern);
  if (kept.size >= PATTERNS_KEPT_MAX) kept.clear();
  kept.set(pattern, compiled);
  return compiled;
}

/** Throws InvalidEventPatternException with AWS's reason. */
export function checkPattern(pattern: string): void {
  const reason = validatePattern(pattern);
  if (reason !== undefined) throw invalidPattern(reason);
}
