import { hash } from 'node:crypto';
import type { _Record } from '@aws-sdk/client-dynamodb-streams';

/** A record of a stream on its way to the function. */
export interface StreamItem {
  readonly sequence: string;
  readonly createdMs: number;
  readonly record: Readonly<Record<string, unknown>>;
  readonly json: string;
  /** Records of one key are of one lane. */
  readonly keyHash: number;
}

/** A record of DynamoDB Streams as a function gets it; "Using Lambda with Amazon DynamoDB". */
export function streamItem(sourceArn: string, record: _Record): StreamItem {
  const { dynamodb, userIdentity, ...rest } = record;
  const createdMs = dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0;
  // Of records that time to live made; here its members begin in lower case.
  const identity = userIdentity ? { userIdentity: { type: userIdentity.Type, principalId: userIdentity.PrincipalId } } : {};
  const event = { ...rest, dynamodb: plain(dynamodb), ...identity, eventSourceARN: sourceArn } as Record<string, unknown>;
  return {
    sequence: dynamodb?.SequenceNumber ?? '',
    createdMs,
    record: event,
    json: withFraction(JSON.stringify(event)),
    keyHash: Number.parseInt(hash('sha1', JSON.stringify(plain(dynamodb?.Keys ?? {})), 'hex').slice(0, 8), 16),
  };
}

/** AWS writes this time with a fraction, though it has none: languages that tell the two apart see a float. It comes before all that users wrote. */
function withFraction(json: string): string {
  return json.replace(/"dynamodb":\{"ApproximateCreationDateTime":\d+(?=[,}])/, (found) => `${found}.0`);
}

/** Decoded values as JSON: bytes in Base64, times in seconds. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** Compares sequence numbers: decimal, of any length. */
export function isAfter(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}
