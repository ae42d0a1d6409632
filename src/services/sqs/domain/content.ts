import { createHash } from 'node:crypto';
import type { MessageAttributeValue, MessageSystemAttributeValue } from '@aws-sdk/client-sqs';
import { invalidMessageContents, invalidParameter, missingParameter } from '../errors.ts';
import { ATTRIBUTE_NAME_CHARS_MAX, ATTRIBUTE_TYPE_CHARS_MAX, MESSAGE_ATTRIBUTES_MAX, TRACE_HEADER_BYTES_MAX } from '../limits.ts';
import type { StoredAttribute } from '../store.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: SendMessage names the characters that a message may have
const UNICODE = /^[\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/** Letters, digits and punctuation; 1 to 128 of them. */
const IDENTIFIER = /^[\x21-\x7e]{1,128}$/;
export const isIdentifier = (text: string): boolean => IDENTIFIER.test(text);

/** "SendMessage": the body's characters. Throws MissingParameter, InvalidMessageContents. */
export function checkBody(body: string | undefined): string {
  if (body === undefined || body === '') throw missingParameter('MessageBody');
  if (!UNICODE.test(body)) throw invalidMessageContents();
  return body;
}

const attributeName = (name: string) => `Message (user) attribute '${name}'`;

/** "Amazon SQS message attributes": names, types and values; throws InvalidParameterValue. */
export function checkMessageAttributes(given: Readonly<Record<string, MessageAttributeValue>> | undefined): StoredAttribute[] {
  const entries = Object.entries(given ?? {});
  if (entries.length > MESSAGE_ATTRIBUTES_MAX)
    throw invalidParameter(`Number of message attributes [${entries.length}] exceeds the allowed maximum [${MESSAGE_ATTRIBUTES_MAX}].`);
  return entries.map(([name, value]) => {
    checkName(name);
    return { name, ...typedValue(attributeName(name), value) };
  });
}

function checkName(name: string): void {
  if (name === '') throw invalidParameter('The request must contain non-empty message (user) attribute names.');
  if (name.length > ATTRIBUTE_NAME_CHARS_MAX)
    throw invalidParameter(`Message (user) attribute names must be shorter than ${ATTRIBUTE_NAME_CHARS_MAX} bytes: Invalid attribute name '${name}'.`);
  if (!/^[\p{L}\p{N}_.-]+$/u.test(name))
    throw invalidParameter(
      `Message (user) attribute name '${name}' is invalid. Invalid characters: A message attribute name can contain alphanumeric characters, underscores, hyphens and periods.`,
    );
  if (name.startsWith('.') || name.endsWith('.')) throw invalidParameter(`Invalid attribute name '${name}': must not start or end with a period.`);
  if (name.includes('..')) throw invalidParameter(`Invalid attribute name '${name}': must not have periods in succession.`);
  if (/^(aws|amazon)\./i.test(name)) throw invalidParameter(`Invalid attribute name '${name}': the prefix is reserved for use by AWS.`);
}

function typedValue(what: string, value: MessageAttributeValue | MessageSystemAttributeValue): { type: string; value: string | Uint8Array } {
  const type = value.DataType ?? '';
  if (type === '') throw invalidParameter(`${what} must contain a non-empty attribute type.`);
  if (type.length > ATTRIBUTE_TYPE_CHARS_MAX)
    throw invalidParameter(`${what} has an invalid message attribute type: Invalid length, the maximum is ${ATTRIBUTE_TYPE_CHARS_MAX}.`);
  const kind = /^(String|Number|Binary)(\.[^\s]*)?$/.exec(type)?.[1];
  if (kind === undefined)
    throw invalidParameter(
      `The type of ${what.charAt(0).toLowerCase()}${what.slice(1)} is invalid. You must use only the following supported type prefixes: Binary, Number, String.`,
    );
  if ((value.StringListValues?.length ?? 0) > 0 || (value.BinaryListValues?.length ?? 0) > 0)
    throw invalidParameter('Message attribute list values in SendMessage operation are not supported.');
  if (kind === 'Binary') {
    if (!value.BinaryValue || value.BinaryValue.length === 0) throw invalidParameter(`${what} must contain a non-empty value of type 'Binary'.`);
    return { type, value: value.BinaryValue };
  }
  if (value.StringValue === undefined || value.StringValue === '') throw invalidParameter(`${what} must contain a non-empty value of type 'String'.`);
  if (!UNICODE.test(value.StringValue)) throw invalidParameter(`${what} contains invalid characters: Invalid value of type '${kind}'.`);
  if (kind === 'Number' && !/^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(value.StringValue))
    throw invalidParameter(`Can't cast the value of message (user) attribute '${what.split("'")[1] ?? ''}' to a number.`);
  return { type, value: value.StringValue };
}

/** The one system attribute that may be sent: `AWSTraceHeader`. Returns its value. */
export function checkSystemAttributes(given: Readonly<Record<string, MessageSystemAttributeValue>> | undefined): string | undefined {
  let header: string | undefined;
  for (const [name, value] of Object.entries(given ?? {})) {
    if (name !== 'AWSTraceHeader')
      throw invalidParameter(
        `Message system attribute name '${name}' is invalid. You can specify only the following message system attributes: [AWSTraceHeader].`,
      );
    const typed = typedValue(`Message system attribute '${name}'`, value);
    if (typed.type !== 'String' || typeof typed.value !== 'string' || Buffer.byteLength(typed.value, 'utf8') > TRACE_HEADER_BYTES_MAX)
      throw invalidParameter(`Message system attribute '${name}' must contain a non-empty value of type 'String'.`);
    header = typed.value;
  }
  return header;
}

/** What counts against the size limit: body, and name, type and value of each attribute. */
export function messageBytes(body: string, attributes: readonly StoredAttribute[]): number {
  return attributes.reduce(
    (sum, { name, type, value }) => sum + Buffer.byteLength(name, 'utf8') + Buffer.byteLength(type, 'utf8') + byteLength(value),
    Buffer.byteLength(body, 'utf8'),
  );
}

const byteLength = (value: string | Uint8Array): number => (typeof value === 'string' ? Buffer.byteLength(value, 'utf8') : value.length);

export const md5 = (text: string): string => createHash('md5').update(text, 'utf8').digest('hex');
export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

const STRING = Buffer.from([1]);
const BINARY = Buffer.from([2]);

/** "Calculating the MD5 message digest for message attributes": sorted by name, each part with its length before it; undefined for none. */
export function attributesMd5(attributes: readonly StoredAttribute[]): string | undefined {
  if (attributes.length === 0) return undefined;
  const hash = createHash('md5');
  const add = (part: string | Uint8Array) => {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.length, 0);
    hash.update(length).update(bytes);
  };
  for (const { name, type, value } of [...attributes].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))) {
    add(name);
    add(type);
    hash.update(typeof value === 'string' ? STRING : BINARY);
    add(value);
  }
  return hash.digest('hex');
}
