import { parseArn } from '../../../kit/arn.ts';
import type { Store } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import { tableArn } from '../domain/table.ts';
import { expiredIterator, streamNotFound, validation } from '../errors.ts';
import { SHARD_ITERATOR_MS, STREAM_RETENTION_MS } from '../limits.ts';
import { findStream, type StreamRecord } from './store.ts';

export function streamArn({ account, region, tableName, label }: Pick<StreamRecord, 'account' | 'region' | 'tableName' | 'label'>): string {
  return `${tableArn(account, region, tableName)}/stream/${label}`;
}

/** A stream has one shard, which is open as long as the stream is enabled. */
export function shardId({ id, createdMs }: StreamRecord): string {
  return `shardId-${String(createdMs).padStart(20, '0')}-${id.slice(0, 8)}`;
}

const RESOURCE = /^table\/([a-zA-Z0-9_.-]{3,255})\/stream\/([0-9T:.-]{1,64})$/;

/** Table and label in a stream's ARN; undefined where it is none. */
export function partsOfStreamArn(arn: string): { tableName: string; label: string } | undefined {
  const [, tableName, label] = RESOURCE.exec(parseArn(arn)?.resource ?? '') ?? [];
  return tableName && label ? { tableName, label } : undefined;
}

/** The stream that an ARN names, in the caller's account and region, until a day after it was disabled. Throws ResourceNotFoundException. */
export async function openStream(store: Store, ctx: Ctx, arn: string): Promise<StreamRecord> {
  const parts = partsOfStreamArn(arn);
  const stream = parts && (await findStream(store, ctx.account, ctx.region, parts.tableName, parts.label));
  if (!stream || streamArn(stream) !== arn || isGone(stream, ctx.platform.clock.virtual())) throw streamNotFound(arn);
  return stream;
}

export function isGone({ disabledMs }: StreamRecord, nowMs: number): boolean {
  return disabledMs !== undefined && nowMs >= disabledMs + STREAM_RETENTION_MS;
}

/** A place in a shard. */
export interface Position {
  /** Records after this sequence number. */
  readonly after: bigint;
  /** From the oldest record there is: what is trimmed meanwhile is not missed. */
  readonly horizon: boolean;
}

/** The ARN, a version and the place: whose stream is read is plain to see, and is checked anew. */
export function formatIterator(arn: string, { after, horizon }: Position, nowMs: number): string {
  return `${arn}|1|${Buffer.from(JSON.stringify({ a: String(after), t: nowMs, ...(horizon ? { h: 1 } : {}) }), 'utf8').toString('base64url')}`;
}

/** Throws ValidationException for what is no iterator, ExpiredIteratorException for one that is older than 15 minutes. */
export function parseIterator(text: string, nowMs: number): Position & { readonly arn: string } {
  const [arn = '', version, encoded = ''] = text.split('|');
  const fields = version === '1' ? fieldsOf(encoded) : undefined;
  if (!fields) throw validation('Invalid ShardIterator');
  if (nowMs >= fields.t + SHARD_ITERATOR_MS) throw expiredIterator();
  return { arn, after: BigInt(fields.a), horizon: fields.h === 1 };
}

function fieldsOf(encoded: string): { a: string; t: number; h?: number } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const fields = value as { a?: unknown; t?: unknown; h?: number } | null;
  if (typeof fields?.a !== 'string' || !/^\d{1,18}$/.test(fields.a) || typeof fields.t !== 'number') return undefined;
  return { a: fields.a, t: fields.t, ...(fields.h === undefined ? {} : { h: fields.h }) };
}
