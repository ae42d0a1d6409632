import { invalidArgument } from '../errors.ts';
import { INT32_MAX, LIST_MAX } from '../limits.ts';

/** The part of `key` up to and with the first `delimiter` after `prefix`: what it is rolled up to, if anything. */
export function commonPrefix(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (!delimiter) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/** `encoding-type=url`: form encoding with `/` left as it is. */
export function urlEncode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+')
    .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The encoder of an answer's keys. Throws `InvalidArgument` for another encoding than `url`. */
export function encoderFor(encodingType: string | undefined): (text: string) => string {
  if (encodingType === undefined) return (text) => text;
  if (encodingType.toLowerCase() !== 'url') {
    throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encodingType);
  }
  return urlEncode;
}

/** `max-keys` and its like: default and at most 1,000, 0 is allowed. Throws `InvalidArgument`. */
export function pageSize(value: number | undefined, name: string, max = LIST_MAX): number {
  if (value === undefined) return max;
  if (!Number.isInteger(value) || value < 0 || value > INT32_MAX) {
    throw invalidArgument(`Argument ${name} must be an integer between 0 and ${INT32_MAX}`, name, String(value));
  }
  return Math.min(value, max);
}

/** Opaque tokens: a version digit and the position, in base64url. */
export function encodeToken(position: string): string {
  return Buffer.from(`1${position}`, 'utf8').toString('base64url');
}

/** Throws `InvalidArgument` for what was not made by {@link encodeToken}. */
export function decodeToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  if (!text.startsWith('1') || Buffer.from(text, 'utf8').toString('base64url') !== token) {
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token');
  }
  return text.slice(1);
}
