import { FILTER_REGEX_MAX } from '../limits.ts';
import { invalidPattern, Scanner } from './condition.ts';
import { jsonPattern } from './json-pattern.ts';
import { compileRegex } from './regex.ts';
import { spacePattern } from './space-pattern.ts';

export type MessageTest = (message: string) => boolean;

/**
 * Compiles a filter pattern: terms, `{ $.json … }` or `[space, delimited]`; throws InvalidParameterException.
 * "Filter pattern syntax for metric filters, subscription filters, and filter log events" in the CloudWatch Logs guide.
 */
export function compileFilterPattern(pattern: string | undefined): MessageTest {
  const text = (pattern ?? '').trim();
  if (text === '') return () => true;
  if (text.startsWith('{')) return jsonPattern(text);
  if (text.startsWith('[')) return spacePattern(text);
  return termPattern(text);
}

/** All plain terms, none of the `-excluded`; `?optional` ones count only where there is no plain term, as on AWS. */
function termPattern(text: string): MessageTest {
  const required: MessageTest[] = [];
  const optional: MessageTest[] = [];
  const excluded: MessageTest[] = [];
  const scanner = new Scanner(text);
  let regexes = 0;
  for (;;) {
    scanner.skipSpace();
    if (scanner.at >= text.length) break;
    const sign = text[scanner.at];
    const list = sign === '?' ? optional : sign === '-' ? excluded : required;
    if (list !== required) scanner.at++;
    const next = text[scanner.at];
    if (next === undefined || /\s/.test(next)) throw invalidPattern();
    if (next === '"') {
      const phrase = scanner.quoted();
      list.push((message) => message.includes(phrase));
      continue;
    }
    if (next === '%') {
      const end = text.indexOf('%', scanner.at + 1);
      if (end === -1 || ++regexes > FILTER_REGEX_MAX) throw invalidPattern();
      list.push(compileRegex(text.slice(scanner.at + 1, end)));
      scanner.at = end + 1;
      continue;
    }
    const start = scanner.at;
    while (scanner.at < text.length && !/\s/.test(text[scanner.at] ?? '')) scanner.at++;
    const term = text.slice(start, scanner.at);
    list.push((message) => message.includes(term));
  }
  return (message) => {
    if (excluded.some((test) => test(message)) || !required.every((test) => test(message))) return false;
    return required.length > 0 || optional.length === 0 || optional.some((test) => test(message));
  };
}
