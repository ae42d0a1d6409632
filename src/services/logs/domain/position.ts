import { invalidToken } from '../errors.ts';

/**
 * Where an event stands in its group: by its own time, then by the order in which batches were accepted, then within the chunk.
 * Totally ordered over the whole group, so that one token serves a stream and an interleaved search alike.
 */
export interface Position {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly seq: bigint;
  readonly index: number;
}

/** Negative where `a` stands before `b`. */
export function comparePositions(a: Position, b: Position): number {
  if (a.time !== b.time) return a.time - b.time;
  if (a.seq !== b.seq) return a.seq < b.seq ? -1 : 1;
  return a.index - b.index;
}

/** Before every event of time `timeMs`: batch sequences begin at 1. */
export function positionBefore(timeMs: number): Position {
  return { time: timeMs, seq: 0n, index: 0 };
}

const ID_DIGITS = 56;
const TIME_SHIFT = 144n;
const SEQ_SHIFT = 80n;
const INDEX_SHIFT = 64n;
const ID_MAX = 1n << 186n;

/** The `eventId` of FilterLogEvents: 56 digits of which the high bits are the time, as AWS's. */
export function eventIdOf(position: Position): string {
  const id = (BigInt(position.time) << TIME_SHIFT) | (position.seq << SEQ_SHIFT) | (BigInt(position.index) << INDEX_SHIFT);
  return id.toString().padStart(ID_DIGITS, '0');
}

function positionOf(eventId: string): Position {
  if (!/^\d{1,57}$/.test(eventId)) throw invalidToken();
  const id = BigInt(eventId);
  if (id > ID_MAX) throw invalidToken();
  return {
    time: Number(id >> TIME_SHIFT),
    seq: (id >> SEQ_SHIFT) & 0xffff_ffff_ffff_ffffn,
    index: Number((id >> INDEX_SHIFT) & 0xffffn),
  };
}

export type Direction = 'f' | 'b';

/** GetLogEvents' tokens: `f/<id>/s` continues after the event, `b/<id>/s` before it. */
export function formatToken(direction: Direction, position: Position): string {
  return `${direction}/${eventIdOf(position)}/s`;
}

/** Reads back {@link formatToken}; throws InvalidParameterException. */
export function parseToken(token: string): { direction: Direction; position: Position } {
  const match = /^([fb])\/(\d{1,57})\/s$/.exec(token);
  if (!match) throw invalidToken();
  return { direction: match[1] as Direction, position: positionOf(match[2] ?? '') };
}

/** FilterLogEvents' token: opaque, the event after which to go on. */
export function formatFilterToken(position: Position): string {
  return Buffer.from(`F1:${eventIdOf(position)}`, 'utf8').toString('base64url');
}

/** Reads back {@link formatFilterToken}; throws InvalidParameterException. */
export function parseFilterToken(token: string): Position {
  const text = token.length > 200 ? '' : Buffer.from(token, 'base64url').toString('utf8');
  if (!text.startsWith('F1:')) throw invalidToken();
  return positionOf(text.slice(3));
}
