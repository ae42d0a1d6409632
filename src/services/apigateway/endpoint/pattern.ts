import { createContext, Script } from 'node:vm';

/** A pattern may take this long on one text: they are written by the API's owner, in a syntax that can backtrack for ever. */
const PATTERN_MS_MAX = 100;

const TEXT_MAX = 16 * 1024;
/** A template's text methods take a whole body. */
const LONG_TEXT_MAX = 1024 * 1024;

interface Sandbox {
  source: string;
  text: string;
  replacement: string;
}

const SCRIPTS = {
  test: 'new RegExp(source, "s").test(text)',
  replaceAll: 'text.replace(new RegExp(source, "g"), replacement)',
  replaceFirst: 'text.replace(new RegExp(source), replacement)',
  split: 'JSON.stringify(text.split(new RegExp(source)))',
} as const;

/** Made at first use: a context costs a megabyte, and most APIs have no patterns. */
let sandbox: Sandbox | undefined;
const compiled = new Map<keyof typeof SCRIPTS, Script>();

/** What the script gives; undefined for a pattern that is no regular expression or takes too long. */
function run(name: keyof typeof SCRIPTS, values: Sandbox): unknown {
  sandbox ??= createContext({ source: '', text: '', replacement: '' }) as unknown as Sandbox;
  const script = compiled.get(name) ?? new Script(SCRIPTS[name]);
  compiled.set(name, script);
  Object.assign(sandbox, values);
  try {
    return script.runInContext(sandbox, { timeout: PATTERN_MS_MAX });
  } catch {
    // Malformed or too slow: AWS, too, treats such a pattern as one that does not match.
    return undefined;
  }
}

/** Whether the whole of `text` matches; false for a pattern that is no regular expression or takes too long. */
export function matchesWhole(pattern: string, text: string): boolean {
  return run('test', { source: `^(?:${pattern})$`, text: text.slice(0, TEXT_MAX), replacement: '' }) === true;
}

/** `text` with the matches (or the first one) replaced, `$1` standing for groups; undefined where the pattern is no good. */
export function replaceAllMatches(pattern: string, text: string, replacement: string, all: boolean): string | undefined {
  if (text.length > LONG_TEXT_MAX) return undefined;
  const found = run(all ? 'replaceAll' : 'replaceFirst', {
    source: pattern,
    text,
    replacement: replacement.replace(/\\(.)/g, (_all, c: string) => (c === '$' ? '$$' : c)),
  });
  return typeof found === 'string' ? found : undefined;
}

/** Java's split: empty texts at the end are dropped. */
export function splitBy(pattern: string, text: string): string[] | undefined {
  if (text.length > LONG_TEXT_MAX) return undefined;
  const found = run('split', { source: pattern, text, replacement: '' });
  if (typeof found !== 'string') return undefined;
  const parts = JSON.parse(found) as (string | null)[];
  while (parts.length > 1 && !parts.at(-1)) parts.pop();
  return parts.map((part) => part ?? '');
}
