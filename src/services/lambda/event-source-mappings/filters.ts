import { compilePattern } from '../../../kit/event-pattern/index.ts';

/** Whether a record is for the function: where there are filters, one of them must match. */
export type RecordFilter = (record: Readonly<Record<string, unknown>>) => boolean;

/** "Control which events Lambda sends to your function". */
export function recordFilter(patterns: readonly string[] | undefined): RecordFilter {
  if (!patterns || patterns.length === 0) return () => true;
  const matchers = patterns.map((pattern) => compilePattern(pattern));
  return (record) => matchers.some((matches) => matches(record));
}

/** A queue's message as its filters see it: a body of JSON is looked into. */
export function filterable(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const body = record['body'];
  if (typeof body !== 'string') return record;
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? { ...record, body: parsed } : record;
  } catch (error) {
    if (error instanceof SyntaxError) return record;
    throw error;
  }
}
