import { createContext, Script } from 'node:vm';

/** A pattern may take this long on one text: they are written by the API's owner, in a syntax that can backtrack for ever. */
const PATTERN_MS_MAX = 20;

const TEXT_MAX = 16 * 1024;
/** Made at first use: a context costs a megabyte, and most APIs have no patterns. */
let runner: { script: Script; sandbox: { source: string; text: string } } | undefined;

function run(source: string, text: string): unknown {
  runner ??= { script: new Script('new RegExp(source, "s").test(text)'), sandbox: createContext({ source: '', text: '' }) as { source: string; text: string } };
  Object.assign(runner.sandbox, { source, text });
  return runner.script.runInContext(runner.sandbox, { timeout: PATTERN_MS_MAX });
}

/** Whether the whole of `text` matches; false for a pattern that is no regular expression or takes too long. */
export function matchesWhole(pattern: string, text: string): boolean {
  try {
    return run(`^(?:${pattern})$`, text.slice(0, TEXT_MAX)) === true;
  } catch {
    // Malformed or too slow: AWS, too, treats such a pattern as one that does not match.
    return false;
  }
}
