import { sha256Hex } from './hmac.ts';

/** What a signature covers. Header names in any case, values as received, repeats kept in order. */
export interface SignedRequest {
  readonly method: string;
  /** As on the wire. */
  readonly path: string;
  /** As on the wire, without `?`. */
  readonly query: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** How services differ: S3 signs the path as it is, the others normalize it and encode it once more. */
export type PathRule = 'single' | 'double';

/** "Create a signed AWS API request", step 1. `signedHeaders` are lower-case, in the order given by the client. */
export function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[], payloadHash: string, rule: PathRule): string {
  const path = rule === 'single' ? canonicalS3Path(request.path) : encode(normalizePath(request.path), true);
  return `${request.method}\n${path}\n${canonicalQuery(request.query)}\n${canonicalHeaders(request.headers, signedHeaders)}\n${signedHeaders.join(';')}\n${payloadHash}`;
}

/** Step 2: what is signed. */
export function stringToSign(timestamp: string, scope: string, canonical: string): string {
  return `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256Hex(canonical)}`;
}

/** Each parameter decoded and encoded again in AWS's way, in order of encoded name and value; the signature itself left out. */
export function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs: [string, string][] = [];
  for (const text of query.split('&')) {
    if (text === '') continue;
    const equals = text.indexOf('=');
    const name = reencode(equals < 0 ? text : text.slice(0, equals));
    if (name === 'X-Amz-Signature') continue;
    pairs.push([name, equals < 0 ? '' : reencode(text.slice(equals + 1))]);
  }
  pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

function canonicalHeaders(headers: SignedRequest['headers'], signed: readonly string[]): string {
  const values = new Map<string, string>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const before = values.get(lower);
    values.set(lower, before === undefined ? trim(value) : `${before},${trim(value)}`);
  }
  let text = '';
  for (const name of signed) text += `${name}:${values.get(name) ?? ''}\n`;
  return text;
}

/** Outer space removed, inner runs of space made one. */
function trim(value: string): string {
  return /^\s|\s$|\s\s|[\t\r\n]/.test(value) ? value.trim().split(/\s+/).join(' ') : value;
}

/** RFC 3986 section 6.2.2.3: dot segments removed, repeated slashes made one. */
function normalizePath(path: string): string {
  if (!/\/\/|\/\.{1,2}(\/|$)/.test(path)) return path === '' ? '/' : path;
  const out: string[] = [];
  const segments = path.split('/');
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') out.pop();
    else out.push(segment);
  }
  const last = segments.at(-1) ?? '';
  const slash = out.length > 0 && (last === '' || last === '.' || last === '..');
  return `/${out.join('/')}${slash ? '/' : ''}`;
}

function canonicalS3Path(path: string): string {
  // Whatever a client left unencoded on the wire, it encoded when it signed.
  return /^[A-Za-z0-9\-._~/]*$/.test(path) ? path : encode(decode(path), true);
}

function reencode(text: string): string {
  return /^[A-Za-z0-9\-._~]*$/.test(text) ? text : encode(decode(text.includes('+') ? text.replaceAll('+', ' ') : text), false);
}

const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
const HEX = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);
const PLAIN = Array.from({ length: 256 }, (_, byte) => UNRESERVED.test(String.fromCharCode(byte)));

/** AWS's UriEncode: everything but unreserved characters, in upper-case hex of its UTF-8 bytes. `text` is a byte string or text. */
function encode(text: string | Buffer, keepSlash: boolean): string {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  let out = '';
  for (const byte of bytes) out += PLAIN[byte] || (keepSlash && byte === 0x2f) ? String.fromCharCode(byte) : (HEX[byte] ?? '');
  return out;
}

/** The bytes behind a percent-encoded text; a `%` that encodes nothing stays. */
function decode(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const out = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    const high = byte === 0x25 ? hexDigit(bytes[i + 1]) : -1;
    const low = high >= 0 ? hexDigit(bytes[i + 2]) : -1;
    if (low >= 0) {
      out[length++] = high * 16 + low;
      i += 2;
    } else out[length++] = byte;
  }
  return out.subarray(0, length);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const upper = byte & 0xdf;
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : -1;
}
