import { invalidPattern, Scanner } from './condition.ts';

type Fields = ReadonlyMap<string, string>;

const FIELDS_MAX = 128;

/** `[ip, user, ..., status_code = 4*, bytes > 1000]`: fields split at spaces, `"…"` and `[…]` held together; the number must agree unless `...` stands in. */
export function spacePattern(text: string): (message: string) => boolean {
  const scanner = new Scanner(text);
  scanner.expect('[');
  const columns: { name: string; test?: (fields: Fields) => boolean }[] = [];
  let ellipsisAt: number | undefined;
  do {
    if (columns.length >= FIELDS_MAX) throw invalidPattern();
    scanner.skipSpace();
    if (scanner.take('...')) {
      if (ellipsisAt !== undefined) throw invalidPattern();
      ellipsisAt = columns.length;
    } else columns.push(column(scanner));
  } while (scanner.take(','));
  scanner.expect(']');
  scanner.skipSpace();
  if (scanner.at !== text.length) throw invalidPattern();
  return (message) => {
    const found = splitFields(message);
    if (ellipsisAt === undefined ? found.length !== columns.length : found.length < columns.length) return false;
    const fields = new Map(
      columns.map((c, i) => [c.name, found[ellipsisAt === undefined || i < ellipsisAt ? i : found.length - columns.length + i] ?? ''] as const),
    );
    return columns.every((c) => c.test === undefined || c.test(fields));
  };
}

/** A name alone, or conditions on it: `status = 4* && status != 404`. */
function column(scanner: Scanner): { name: string; test?: (fields: Fields) => boolean } {
  const start = scanner.at;
  let name: string | undefined;
  const readName = () => {
    scanner.skipSpace();
    const from = scanner.at;
    while (/[A-Za-z0-9_\-$.]/.test(scanner.text[scanner.at] ?? '')) scanner.at++;
    return scanner.text.slice(from, scanner.at);
  };
  const leaf = () => {
    const own = readName();
    if (own === '') throw invalidPattern();
    name ??= own;
    const op = scanner.comparison();
    if (op === undefined) return () => true;
    const test = scanner.operand(op, /[\s,&|()\]]/);
    return (fields: Fields) => test(fields.get(own));
  };
  scanner.skipSpace();
  if (/[,\]]/.test(scanner.text[scanner.at] ?? '')) return { name: `#${start}` };
  const test = scanner.expression(leaf);
  return { name: name ?? '', test };
}

function splitFields(message: string): string[] {
  const fields: string[] = [];
  // Once no closing mark is left it is not sought again: the whole is linear.
  const exhausted = new Set<string>();
  for (let at = 0; at < message.length; ) {
    const char = message[at];
    if (char === ' ' || char === '\t' || char === '\n' || char === '\r') {
      at++;
      continue;
    }
    const close = char === '"' ? '"' : char === '[' ? ']' : undefined;
    const end = close === undefined || exhausted.has(close) ? -1 : message.indexOf(close, at + 1);
    if (close !== undefined && end === -1) exhausted.add(close);
    if (end !== -1) {
      fields.push(message.slice(at + 1, end));
      at = end + 1;
      continue;
    }
    const from = at++;
    while (at < message.length && !/\s/.test(message[at] ?? '')) at++;
    fields.push(message.slice(from, at));
  }
  return fields;
}
