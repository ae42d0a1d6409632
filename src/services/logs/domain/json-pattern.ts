import { invalidPattern, Scanner, type ValueTest } from './condition.ts';

type Step = string | number | '*';

const STEPS_MAX = 64;

/** `{ $.a.b[0] = "x" && ($.c > 1 || $.d NOT EXISTS) }` over a message that is a JSON object. */
export function jsonPattern(text: string): (message: string) => boolean {
  const scanner = new Scanner(text);
  scanner.expect('{');
  const test = scanner.expression<unknown>(() => condition(scanner));
  scanner.expect('}');
  scanner.skipSpace();
  if (scanner.at !== text.length) throw invalidPattern();
  return (message) => {
    const parsed = parseObject(message);
    return parsed !== undefined && test(parsed);
  };
}

/** A JSON object in the message, else undefined; most lines are no JSON, so the first character is looked at first. */
function parseObject(message: string): object | undefined {
  if (!/^\s*[{[]/.test(message)) return undefined;
  try {
    const parsed: unknown = JSON.parse(message);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    // Text that is no JSON does not match a JSON pattern.
    return undefined;
  }
}

function condition(scanner: Scanner): (root: unknown) => boolean {
  const steps = selector(scanner);
  const on =
    (test: ValueTest) =>
    (root: unknown): boolean =>
      valuesAt(root, steps).some(test);
  const op = scanner.comparison();
  if (op !== undefined) return on(scanner.operand(op, /[\s&|(){}]/));
  if (scanner.takeWord('NOT') && scanner.takeWord('EXISTS')) return (root) => valuesAt(root, steps).every((value) => value === undefined);
  if (scanner.takeWord('EXISTS')) return on((value) => value !== undefined);
  if (scanner.takeWord('IS')) {
    if (scanner.takeWord('NULL')) return on((value) => value === null);
    if (scanner.takeWord('TRUE')) return on((value) => value === true);
    if (scanner.takeWord('FALSE')) return on((value) => value === false);
  }
  throw invalidPattern();
}

/** `$.a.b[0]`, `$.['a.b']`, `$['a']`, `$.list[*]`. */
function selector(scanner: Scanner): Step[] {
  scanner.expect('$');
  const steps: Step[] = [];
  for (;;) {
    if (steps.length > STEPS_MAX) throw invalidPattern();
    const rest = scanner.text[scanner.at];
    if (rest === '.') {
      scanner.at++;
      if (scanner.text[scanner.at] === '[') continue;
      const start = scanner.at;
      while (/[^\s.[\]=!<>&|(){}]/.test(scanner.text[scanner.at] ?? ' ')) scanner.at++;
      if (scanner.at === start) throw invalidPattern();
      steps.push(scanner.text.slice(start, scanner.at));
    } else if (rest === '[') {
      const end = scanner.text.indexOf(']', scanner.at);
      const inner = end === -1 ? '' : scanner.text.slice(scanner.at + 1, end).trim();
      scanner.at = end + 1;
      if (inner === '*') steps.push('*');
      else if (/^\d{1,9}$/.test(inner)) steps.push(Number(inner));
      else if (/^(['"]).+\1$/.test(inner)) steps.push(inner.slice(1, -1));
      else throw invalidPattern();
    } else if (steps.length === 0) throw invalidPattern();
    else return steps;
  }
}

/** The values that a selector reaches, `[undefined]` where there is none. */
function valuesAt(root: unknown, steps: readonly Step[]): unknown[] {
  let values: unknown[] = [root];
  for (const step of steps) {
    values = values.flatMap((value) => {
      if (Array.isArray(value)) return step === '*' ? (value as unknown[]) : typeof step === 'number' ? [value[step]] : [];
      if (typeof value !== 'object' || value === null || typeof step === 'number') return [];
      return Object.hasOwn(value, step) ? [(value as Record<string, unknown>)[step]] : [];
    });
  }
  return values.length === 0 ? [undefined] : values;
}
