/** Text forms of timestamps, blobs and numbers, shared by all codecs. */

export type TimestampFormat = 'iso8601' | 'unixTimestamp' | 'rfc822' | 'iso8601Millis';

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:[Zz]|([+-])(\d{2}):?(\d{2}))?)?$/;
const HTTP_DATE = /^(?:[A-Za-z]{3,9},? )?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}) (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))? (?:GMT|UTC|Z|[+-]0000)$/;
const EPOCH = /^[+-]?\d{1,15}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?$/;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Dates beyond this are none (ECMAScript's own bound). */
const DATE_MS_MAX = 8.64e15;

/** Reads an ISO 8601 date with milliseconds; undefined where it is none. A missing offset means UTC. */
export function parseIsoDate(text: string): Date | undefined {
  const m = ISO.exec(text);
  if (!m) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = m;
  const millis = Number(fraction.padEnd(3, '0').slice(0, 3));
  return checkedDate(
    [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), millis],
    sign,
    Number(offsetHour),
    Number(offsetMinute),
  );
}

/** Reads an HTTP date (`Sun, 02 Jan 2000 20:34:56.000 GMT`); undefined where it is none. */
export function parseHttpDate(text: string): Date | undefined {
  const m = HTTP_DATE.exec(text);
  if (!m) return undefined;
  const [, day, month = '', year, hour, minute, second, fraction = ''] = m;
  const monthIndex = MONTHS.indexOf(month.toLowerCase());
  if (monthIndex < 0) return undefined;
  return checkedDate([Number(year), monthIndex, Number(day), Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0').slice(0, 3))]);
}

type DateParts = [year: number, month: number, day: number, hour: number, minute: number, second: number, millis: number];

function checkedDate(parts: DateParts, sign?: string, offsetHours = 0, offsetMinutes = 0): Date | undefined {
  const [year, month, day, hour, minute, second] = parts;
  if (hour > 24 || minute > 59 || second > 60) return undefined;
  const date = new Date(Date.UTC(...parts));
  if (year < 100) date.setUTCFullYear(year);
  // Date.UTC rolls 31 April over into May: such a date is none.
  if (second < 60 && hour < 24 && (date.getUTCMonth() !== month || date.getUTCDate() !== day)) return undefined;
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000;
  return new Date(date.getTime() + (sign === '-' ? offsetMs : sign === '+' ? -offsetMs : 0));
}

/** Seconds since the epoch, with a fraction, as a Date with milliseconds; undefined where no date can be. */
export function dateFromEpoch(seconds: number): Date | undefined {
  const ms = Math.round(seconds * 1000);
  return Math.abs(ms) <= DATE_MS_MAX ? new Date(ms) : undefined;
}

/** Reads a timestamp in any of the three forms, as AWS's services do; undefined where it is none. */
export function parseTimestamp(text: string): Date | undefined {
  if (EPOCH.test(text)) return dateFromEpoch(Number(text));
  return parseIsoDate(text) ?? parseHttpDate(text);
}

/** The text of a timestamp; `unixTimestamp` in seconds with at most three decimals. */
export function formatTimestamp(date: Date, format: TimestampFormat): string {
  switch (format) {
    case 'iso8601': {
      const text = date.toISOString();
      return text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : text;
    }
    case 'iso8601Millis':
      return date.toISOString();
    case 'rfc822':
      return date.toUTCString();
    case 'unixTimestamp':
      return String(epochSeconds(date));
  }
}

export function epochSeconds(date: Date): number {
  return date.getTime() / 1000;
}

/** An output value that stands for a timestamp: rooms give a Date, or epoch milliseconds as a number. */
export function toDate(value: unknown): Date {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TypeError('an invalid Date in an output');
    return value;
  }
  if (typeof value === 'number') return new Date(value);
  throw new TypeError(`a timestamp in an output must be a Date, not ${typeof value}`);
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Why `text` is no base64, in AWS's words (spelling included); undefined where it is. */
export function base64Fault(text: string): string | undefined {
  if (text.length % 4 !== 0) return `Base64 encoded length is expected a multiple of 4 bytes but found: ${text.length}`;
  if (!BASE64.test(text)) return 'Invalid Base64 character';
  // The bits of the last character that no byte uses must be zero.
  if (text.endsWith('==')) {
    if (!'AQgw'.includes(text.charAt(text.length - 3))) return INVALID_LAST;
  } else if (text.endsWith('=') && !'AEIMQUYcgkosw048'.includes(text.charAt(text.length - 2))) return INVALID_LAST;
  return undefined;
}

const INVALID_LAST = 'Invalid last non-pad Base64 character dectected';

export function toBase64(value: Uint8Array): string {
  return asBuffer(value).toString('base64');
}

export function asBuffer(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** Bytes of an output blob: rooms give a Uint8Array, or text for its UTF-8. */
export function toBytes(value: unknown): Buffer {
  if (value instanceof Uint8Array) return asBuffer(value);
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  throw new TypeError(`a blob in an output must be bytes, not ${typeof value}`);
}

export interface IntegerRange {
  readonly min: number;
  readonly max: number;
  /** Java's name, for messages. */
  readonly java: string;
}

export const INTEGER_RANGES: Readonly<Record<string, IntegerRange>> = {
  byte: { min: -128, max: 127, java: 'Byte' },
  short: { min: -32768, max: 32767, java: 'Short' },
  integer: { min: -(2 ** 31), max: 2 ** 31 - 1, java: 'Integer' },
  long: { min: -(2 ** 63), max: 2 ** 63, java: 'Long' },
};

const LONG_MAX = 2n ** 63n - 1n;
const LONG_MIN = -(2n ** 63n);

/** The text of an integer in an answer: a number past 2^63 came from reading 2^63-1 as a double. */
export function integerText(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return value;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError(`an integer in an output must be a number, not ${String(value)}`);
  if (Number.isSafeInteger(value)) return String(value);
  const whole = BigInt(Math.trunc(value));
  return String(whole > LONG_MAX ? LONG_MAX : whole < LONG_MIN ? LONG_MIN : whole);
}

/** The text of a float or double: `NaN`, `Infinity` and `-Infinity` as words. */
export function floatText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string' && (value === 'NaN' || value === 'Infinity' || value === '-Infinity' || /^[+-]?[\d.]+(?:[eE][+-]?\d+)?$/.test(value)))
    return value;
  throw new TypeError(`a number in an output must be a number, not ${String(value)}`);
}

const FLOAT = /^[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?$/;

/** Reads a float's text, with the three words; undefined where it is none. */
export function parseFloatText(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN;
  if (text === 'Infinity') return Number.POSITIVE_INFINITY;
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY;
  return FLOAT.test(text) ? Number(text) : undefined;
}

/** Reads an integer's text within the range of its type; undefined where it is none. */
export function parseIntegerText(text: string, range: IntegerRange): number | undefined {
  if (!/^[+-]?\d{1,40}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= range.min && value <= range.max ? value : undefined;
}
