/** A failure that the user can act on: one sentence, no stack. Exit code 1 = it failed, 2 = it was asked wrongly. */
export class CliError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export type OutputForm = 'json' | 'table';

/** Answers go to stdout, progress to stderr, so that `croft … --output json | jq` works while a person still sees what happens. */
export interface Output {
  readonly form: OutputForm;
  /** The command's result. `table` is what a person reads; `json` what a program does. */
  result(json: unknown, table: () => string): void;
  /** What is being done; plain lines where stderr is not a terminal. */
  progress(line: string): void;
}

export function createOutput(form: OutputForm): Output {
  return {
    form,
    result(json, table) {
      process.stdout.write(form === 'json' ? `${JSON.stringify(json, null, 2)}\n` : `${table()}\n`);
    },
    progress(line) {
      process.stderr.write(`${line}\n`);
    },
  };
}

const color = (code: number) => (text: string) =>
  process.stderr.isTTY && process.stdout.isTTY && !process.env['NO_COLOR'] ? `\x1b[${code}m${text}\x1b[0m` : text;
export const paint = { bold: color(1), dim: color(2), red: color(31), green: color(32), yellow: color(33), cyan: color(36) };

/** Columns padded to their widest cell; plain text, no lines. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ')).join('\n');
}
