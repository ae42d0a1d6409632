import type { MessageAttributeValue } from '@aws-sdk/client-sns';
import { invalidParameter, invalidValue, missing } from '../errors.ts';
import { ATTRIBUTE_NAME_BYTES_MAX, IDENTIFIER_CHARS_MAX, MESSAGE_BYTES_MAX, SUBJECT_CHARS_MAX } from '../limits.ts';

/** An attribute of a message; a binary value is base64. */
export interface StoredAttribute {
  readonly type: string;
  readonly value: string;
}

/** A message as it was published; what fan-out hands on. */
export interface Message {
  readonly id: string;
  readonly publishedMs: number;
  readonly subject?: string;
  /** The text for everybody, or, where the message has a structure, for those that no text of their own is given. */
  readonly body: string;
  /** By protocol: MessageStructure `json`. */
  readonly bodies?: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, StoredAttribute>>;
  readonly group?: string;
  readonly deduplicationId?: string;
  readonly sequenceNumber?: string;
  /** It comes from the topic's archive. */
  readonly replayed?: boolean;
  /** The caller's X-Ray header, handed on as it came. */
  readonly traceHeader?: string;
}

/** What Publish and an entry of PublishBatch share. */
export interface GivenMessage {
  readonly Message?: string | undefined;
  readonly Subject?: string | undefined;
  readonly MessageStructure?: string | undefined;
  readonly MessageAttributes?: Readonly<Record<string, MessageAttributeValue>> | undefined;
  readonly MessageDeduplicationId?: string | undefined;
  readonly MessageGroupId?: string | undefined;
}

/** Bytes that count against the limit: the text, and every attribute's name, type and value. */
export function messageBytes({ Message, MessageAttributes }: GivenMessage): number {
  let bytes = Buffer.byteLength(Message ?? '', 'utf8');
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(MessageAttributes ?? {}))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(DataType ?? '') + (BinaryValue?.length ?? Buffer.byteLength(StringValue ?? ''));
  return bytes;
}

/** The text that is published: not empty, within the limit. Throws InvalidParameter. */
export function checkText(given: GivenMessage): string {
  const { Message, Subject } = given;
  if (Message === undefined) throw missing('message');
  if (Message === '') throw invalidParameter('Empty message');
  if (messageBytes(given) > MESSAGE_BYTES_MAX) throw invalidParameter('Message too long');
  // "Publish": a subject begins with a letter, number or punctuation mark and has no line breaks or control characters.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (Subject !== undefined && (Subject === '' || Subject.length > SUBJECT_CHARS_MAX || /[\x00-\x1f\x7f]/.test(Subject) || /^\s/.test(Subject)))
    throw invalidParameter('Subject');
  return Message;
}

/** MessageStructure `json`: the texts by protocol, of which there must be a `default`. */
export function checkStructure(text: string, structure: string | undefined): Record<string, string> | undefined {
  if (structure === undefined || structure === '') return undefined;
  if (structure !== 'json') throw invalidParameter('MessageStructure');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalidParameter('Message Structure - JSON message body failed to parse');
  }
  const bodies = Object.fromEntries(Object.entries(parsed ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  if (bodies['default'] === undefined) throw invalidParameter('Message Structure - No default entry in JSON message body');
  return bodies;
}

/** "Amazon SNS message attributes": names, types and values; throws ParameterValueInvalid. */
export function checkAttributes(given: GivenMessage['MessageAttributes'], path: string): Record<string, StoredAttribute> {
  const checked: Record<string, StoredAttribute> = {};
  for (const [name, value] of Object.entries(given ?? {})) {
    checkName(name);
    checked[name] = checkValue(name, value, path);
  }
  return checked;
}

function checkName(name: string): void {
  if (Buffer.byteLength(name) > ATTRIBUTE_NAME_BYTES_MAX)
    throw invalidValue(`Length of message attribute name must be less than ${ATTRIBUTE_NAME_BYTES_MAX} bytes.`);
  const wrong = /[^\w.-]/.exec(name)?.[0];
  if (wrong !== undefined) {
    const code = wrong.charCodeAt(0).toString(16).toUpperCase();
    throw invalidValue(
      `Invalid non-alphanumeric character '#x${code}' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.`,
    );
  }
  if (name.startsWith('.')) throw invalidValue("Invalid message attribute name starting with character '.' was found.");
  if (name.endsWith('.')) throw invalidValue("Invalid message attribute name ending with character '.' was found.");
  if (name.includes('..')) throw invalidValue("Message attribute name can not have successive '.' character.");
}

function checkValue(name: string, { DataType: type, StringValue, BinaryValue }: MessageAttributeValue, path: string): StoredAttribute {
  if (type === undefined) throw missing(`${path}messageAttributes.${name}.member.dataType`);
  const what = `The message attribute '${name}'`;
  const kind = /^(Binary|Number|String)(\..+)?$/.exec(type)?.[1];
  if (kind === undefined)
    throw invalidValue(`${what} has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`);
  const field = kind === 'Binary' ? 'Binary' : 'String';
  const [right, other] = field === 'Binary' ? [BinaryValue, StringValue] : [StringValue, BinaryValue];
  if (other !== undefined && other.length > 0) throw invalidValue(`${what} with type '${type}' must use field '${field}'.`);
  if (right === undefined || right.length === 0)
    throw invalidValue(`${what} must contain non-empty message attribute value for message attribute type '${type}'.`);
  if (kind === 'Number' && (StringValue ?? '').trim() !== '' && !Number.isFinite(Number(StringValue)))
    throw invalidValue(`Could not cast message attribute '${name}' value to number.`);
  return { type, value: BinaryValue && field === 'Binary' ? Buffer.from(BinaryValue).toString('base64') : (StringValue ?? '') };
}

/** Letters, digits and punctuation, 1 to 128 of them. */
export function checkIdentifier(parameter: string, value: string): string {
  if (!/^[\x21-\x7e]+$/.test(value) || value.length > IDENTIFIER_CHARS_MAX)
    throw invalidParameter(parameter, 'Can only include alphanumeric and punctuation characters. 1 to 128 in length');
  return value;
}

/** The text for a protocol. */
export const bodyFor = ({ body, bodies }: Pick<Message, 'body' | 'bodies'>, protocol: string): string => bodies?.[protocol] ?? body;
