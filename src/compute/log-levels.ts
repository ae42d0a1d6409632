import { LOG_LEVELS, type LogLevel } from './log-frames.ts';
import type { FunctionLogging } from './types.ts';

/** Longer lines are not looked into: they pass every level. */
const LINE_CHARACTERS_MAX = 65_536;
/** Other words for levels, as the logging libraries of the runtimes have them. */
const SYNONYMS: Readonly<Record<string, LogLevel>> = { WARNING: 'WARN', CRITICAL: 'FATAL' };

/** The level that a word stands for. */
export function levelOf(word: unknown): LogLevel | undefined {
  if (typeof word !== 'string') return undefined;
  const upper = word.toUpperCase();
  return SYNONYMS[upper] ?? LOG_LEVELS.find((level) => level === upper);
}

/** Whether a line of `level` is kept where `least` is asked for. */
export function passes(level: LogLevel, least: string | undefined): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(levelOf(least) ?? 'INFO');
}

/**
 * Whether a line of the function's own reaches its log; "Log-level filtering". Only JSON logs are filtered: by the level of its
 * frame, else by its own `level`, else as INFO. Lines that are no JSON object pass.
 */
export function isWanted(message: string, frameLevel: LogLevel | undefined, logging: FunctionLogging | undefined): boolean {
  if (logging?.format !== 'JSON') return true;
  if (frameLevel) return passes(frameLevel, logging.applicationLevel);
  const line = jsonObject(message);
  return line === undefined || passes(levelOf(line['level']) ?? 'INFO', logging.applicationLevel);
}

/** A log line that is one JSON object. */
export function jsonObject(message: string): Readonly<Record<string, unknown>> | undefined {
  if (!message.startsWith('{') || message.length > LINE_CHARACTERS_MAX) return undefined;
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Text that begins with a brace.
    return undefined;
  }
}
