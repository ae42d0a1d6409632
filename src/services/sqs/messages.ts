import { decodeJson, encodeJson } from '../../kit/json.ts';
import { type Key, readUint64, uint64 } from '../../kit/key.ts';
import type { Page, Tx } from '../../store/store.ts';
import type { Address, Scope } from './domain/address.ts';
import { queueArn } from './domain/address.ts';
import { type Settings, settingsOf } from './domain/settings.ts';
import type { Heads } from './heads.ts';
import { IN_FLIGHT_MAX, LOOK_AHEAD } from './limits.ts';
import {
  bytesOf,
  type ContentKeys,
  contentKeys,
  counted,
  decodeMessage,
  decodeState,
  dueAfter,
  dueBy,
  encodeMessage,
  encodeState,
  keyFrom,
  keys,
  type MessageRow,
  NOTHING,
  placeKey,
  type QueueRow,
  rangeOf,
  type StateRow,
  seqOf,
  timeAfter,
  txQueue,
} from './store.ts';

/** A queue as a transaction sees it. */
export interface OpenQueue {
  readonly address: Address;
  readonly row: QueueRow;
  readonly settings: Settings;
  readonly at: ContentKeys;
  readonly fifo: boolean;
  readonly heads: Heads;
}

/** The queue at `address` now; undefined where there is none. */
export function openQueue(tx: Tx, address: Address, heads: Heads): OpenQueue | undefined {
  const row = txQueue(tx, address);
  return row && opened(address, row, heads);
}

export function opened(address: Address, row: QueueRow, heads: Heads): OpenQueue {
  const scope: Scope = address;
  const settings = settingsOf(row);
  return { address, row, settings, at: contentKeys(scope, row.id, row.contents), fifo: settings.fifo, heads };
}

export type NewMessage = Omit<MessageRow, 'seq' | 'sequenceNumber'>;

/** Twenty digits, as AWS's; it grows with every message of the queue. */
const SEQUENCE_BASE = 18_876_543_219_876_543_232n;

/** Puts a message at the end of its queue (of its group, where FIFO). */
export function insertMessage(tx: Tx, queue: OpenQueue, message: NewMessage): MessageRow {
  const { at } = queue;
  const number = tx.sequence(keys.sequence(queue.address, queue.row.id));
  const seq = Number(number);
  const row: MessageRow = { ...message, seq, ...(queue.fifo ? { sequenceNumber: String(SEQUENCE_BASE + number * 256n) } : {}) };
  tx.put(at.message(seq), encodeMessage(row));
  tx.add(at.total, 1n);
  if (!queue.fifo || row.visibleMs > row.sentMs) tx.put(at.freshAt(row.visibleMs, seq), NOTHING);
  if (!queue.fifo) queue.heads.lower(queue.row.contents, placeKey(row.visibleMs, seq));
  if (queue.fifo) {
    const group = row.group ?? '';
    tx.put(at.inGroup(group, seq), bytesOf(uint64(row.visibleMs)));
    if (!tx.get(at.groupPlace(group))) placeGroup(tx, queue, group);
  }
  return row;
}

/** A group stands at the time its first message can be received: what follows an invisible message waits for it. */
function placeGroup(tx: Tx, queue: OpenQueue, group: string): void {
  const { at } = queue;
  const head = tx.range({ ...rangeOf(at.group(group)), limit: 1 }).entries[0];
  const old = tx.get(at.groupPlace(group));
  const oldPlace = old && keyFrom(old);
  const place = head ? placeKey(visibleAt(tx, at, head), seqOf(head[0])) : undefined;
  if (place !== undefined) queue.heads.lower(queue.row.contents, place);
  if (place === oldPlace) return;
  if (oldPlace !== undefined) tx.delete(at.groupAt(oldPlace));
  if (place === undefined) tx.delete(at.groupPlace(group));
  else {
    tx.put(at.groupAt(place), Buffer.from(group, 'utf8'));
    tx.put(at.groupPlace(group), bytesOf(place));
  }
}

function stateOf(tx: Tx, at: ContentKeys, seq: number): StateRow | undefined {
  const value = tx.get(at.state(seq));
  return value && decodeState(value);
}

function visibleAt(tx: Tx, at: ContentKeys, [key, value]: readonly [Key, Uint8Array]): number {
  return stateOf(tx, at, seqOf(key))?.visibleMs ?? Number(readUint64(keyFrom(value), 0));
}

/** Removes a message whatever its state. Its group is not placed anew. */
function drop(tx: Tx, queue: OpenQueue, message: Pick<MessageRow, 'seq' | 'visibleMs' | 'group'>, state: StateRow | undefined): void {
  const { at } = queue;
  const { seq } = message;
  tx.delete(at.message(seq));
  tx.add(at.total, -1n);
  if (state) {
    tx.delete(at.state(seq));
    tx.delete(at.receivedAt(state.visibleMs, seq));
    tx.add(at.totalReceived, -1n);
  } else tx.delete(at.freshAt(message.visibleMs, seq));
  if (queue.fifo) tx.delete(at.inGroup(message.group ?? '', seq));
}

/** Removes a message. */
export function removeMessage(tx: Tx, queue: OpenQueue, message: MessageRow): void {
  drop(tx, queue, message, stateOf(tx, queue.at, message.seq));
  if (queue.fifo) placeGroup(tx, queue, message.group ?? '');
}

export function messageAt(tx: Tx, queue: OpenQueue, seq: number): MessageRow | undefined {
  const value = tx.get(queue.at.message(seq));
  return value && decodeMessage(value);
}

/** Hides a message until `state.visibleMs`. */
function putState(tx: Tx, queue: OpenQueue, message: Pick<MessageRow, 'seq' | 'visibleMs'>, before: StateRow | undefined, state: StateRow): void {
  const { at } = queue;
  const { seq } = message;
  if (before) tx.delete(at.receivedAt(before.visibleMs, seq));
  else {
    tx.delete(at.freshAt(message.visibleMs, seq));
    tx.add(at.totalReceived, 1n);
  }
  tx.put(at.receivedAt(state.visibleMs, seq), NOTHING);
  tx.put(at.state(seq), encodeState(state));
}

export interface TakeOptions {
  readonly nowMs: number;
  readonly max: number;
  /** Absent: the queue's own. */
  readonly visibilityMs?: number;
  /** One for each message that may be taken. */
  readonly tokens: readonly string[];
}

export interface Taken {
  readonly message: MessageRow;
  readonly state: StateRow;
}

export interface TakeResult {
  readonly taken: readonly Taken[];
  /** Nothing was taken, but not everything has been looked at: try again. */
  readonly again: boolean;
  /** When something can be taken, as things stand; undefined where nothing waits. */
  readonly nextMs?: number;
  readonly overLimit: boolean;
}

/**
 * Takes up to `max` messages that can be received: the rule of ReceiveMessage. What has expired, or has been received
 * too often, is set aside on the way.
 */
export function takeMessages(tx: Tx, queue: OpenQueue, options: TakeOptions): TakeResult {
  const room = IN_FLIGHT_MAX - inFlight(tx, queue, options.nowMs);
  if (room <= 0) return { taken: [], again: false, overLimit: true };
  const bounded = { ...options, max: Math.min(options.max, room) };
  const deadLetters = deadLetterQueue(tx, queue);
  const { taken, more } = queue.fifo ? takeFromGroups(tx, queue, deadLetters, bounded) : takeInOrder(tx, queue, deadLetters, bounded);
  if (taken.length > 0) return { taken, again: false, overLimit: false };
  if (more) return { taken, again: true, overLimit: false };
  const nextMs = nextDue(tx, queue, options.nowMs);
  return { taken, again: false, overLimit: false, ...(nextMs === undefined ? {} : { nextMs }) };
}

/** Exact only near the limit, where it matters: elsewhere those that could be received again are counted too. */
function inFlight(tx: Tx, queue: OpenQueue, nowMs: number): number {
  const received = counted(tx.get(queue.at.totalReceived));
  if (received < IN_FLIGHT_MAX) return received;
  const needed = received - IN_FLIGHT_MAX + LOOK_AHEAD;
  return received - tx.range({ ...dueBy(queue.at.received, nowMs), limit: needed }).entries.length;
}

function nextDue(tx: Tx, queue: OpenQueue, nowMs: number): number | undefined {
  const prefixes = queue.fifo ? [queue.at.groups] : [queue.at.fresh, queue.at.received];
  const times = prefixes.flatMap((prefix) => {
    const first = tx.range({ ...dueAfter(prefix, nowMs), limit: 1 }).entries[0];
    return first ? [timeAfter(prefix, first[0])] : [];
  });
  return times.length > 0 ? Math.min(...times) : undefined;
}

interface Found {
  readonly taken: Taken[];
  readonly more: boolean;
}

/** The first of each index, by their places in the queue: a message that comes back takes its old place again. */
function takeInOrder(tx: Tx, queue: OpenQueue, deadLetters: OpenQueue | undefined, options: TakeOptions): Found {
  const { at, heads } = queue;
  const limit = options.max;
  const due = dueBy(at.fresh, options.nowMs);
  const head = at.fresh + (heads.from(queue.row.contents) ?? '');
  const fresh = head < due.to ? tx.range({ from: head, to: due.to, limit }) : NO_PAGE;
  const received = tx.range({ ...dueBy(at.received, options.nowMs), limit });
  const seqs = [...fresh.entries, ...received.entries].map(([key]) => seqOf(key)).sort((a, b) => a - b);
  const taken: Taken[] = [];
  const done = new Set<number>();
  for (const seq of seqs) {
    if (taken.length >= options.max) break;
    done.add(seq);
    const one = takeOne(tx, queue, deadLetters, seq, options, taken.length);
    if (one) taken.push(one);
  }
  const next = fresh.entries.find(([key]) => !done.has(seqOf(key)))?.[0];
  const last = fresh.entries.at(-1)?.[0];
  if (last !== undefined) heads.raise(queue.row.contents, (next ?? `${last}\x00`).slice(at.fresh.length));
  return { taken, more: fresh.more || received.more };
}

const NO_PAGE: Page = { entries: [], more: false };

function takeFromGroups(tx: Tx, queue: OpenQueue, deadLetters: OpenQueue | undefined, options: TakeOptions): Found {
  const { at, heads } = queue;
  const { contents } = queue.row;
  const due = dueBy(at.groups, options.nowMs);
  const head = at.groups + (heads.from(contents) ?? '');
  const groups = head < due.to ? tx.range({ from: head, to: due.to, limit: options.max + LOOK_AHEAD }) : NO_PAGE;
  const taken: Taken[] = [];
  const seen: string[] = [];
  let more = groups.more;
  for (const [, name] of groups.entries) {
    if (taken.length >= options.max) break;
    const group = Buffer.from(name).toString('utf8');
    seen.push(group);
    const page = tx.range({ ...rangeOf(at.group(group)), limit: options.max - taken.length + LOOK_AHEAD });
    more ||= page.more;
    for (const entry of page.entries) {
      if (taken.length >= options.max || visibleAt(tx, at, entry) > options.nowMs) break;
      const one = takeOne(tx, queue, deadLetters, seqOf(entry[0]), options, taken.length);
      if (one) taken.push(one);
    }
  }
  const last = groups.entries.at(-1)?.[0];
  const next = groups.entries[seen.length]?.[0] ?? (last === undefined ? undefined : `${last}\x00`);
  if (next !== undefined) heads.raise(contents, next.slice(at.groups.length));
  // After that: a group may stand before it again.
  for (const group of seen) placeGroup(tx, queue, group);
  return { taken, more };
}

/** Takes one message, or sets it aside. */
function takeOne(tx: Tx, queue: OpenQueue, deadLetters: OpenQueue | undefined, seq: number, options: TakeOptions, index: number): Taken | undefined {
  const message = messageAt(tx, queue, seq);
  if (!message) throw new Error(`message ${seq} of queue ${queue.row.name} has an index entry but no row`);
  const { nowMs } = options;
  const before = stateOf(tx, queue.at, seq);
  if (isExpired(queue, message, nowMs)) {
    drop(tx, queue, message, before);
    return undefined;
  }
  if (deadLetters && before && before.receives >= (queue.settings.redrive?.maxReceiveCount ?? Number.POSITIVE_INFINITY)) {
    drop(tx, queue, message, before);
    insertMessage(tx, deadLetters, deadLetter(queue, message, before, nowMs));
    return undefined;
  }
  const state: StateRow = {
    visibleMs: nowMs + (options.visibilityMs ?? queue.settings.visibilityMs),
    receives: (before?.receives ?? 0) + 1,
    firstReceivedMs: before?.firstReceivedMs ?? message.firstReceivedMs ?? nowMs,
    receivedMs: nowMs,
    token: options.tokens[index] ?? '',
  };
  putState(tx, queue, message, before, state);
  return { message, state };
}

export const isExpired = (queue: OpenQueue, message: Pick<MessageRow, 'sentMs'>, nowMs: number): boolean =>
  message.sentMs + queue.settings.retentionMs <= nowMs;

/** The queue that over-received messages go to; they stay where it is gone. */
function deadLetterQueue(tx: Tx, queue: OpenQueue): OpenQueue | undefined {
  const { redrive } = queue.settings;
  if (!redrive) return undefined;
  const target = openQueue(tx, redrive.target, queue.heads);
  return target?.fifo === queue.fifo ? target : undefined;
}

/** "Using dead-letter queues": a standard queue's keeps the time of sending, a FIFO queue's begins anew. */
function deadLetter(queue: OpenQueue, message: MessageRow, state: StateRow, nowMs: number): NewMessage {
  const { seq: _seq, sequenceNumber: _number, ...kept } = message;
  return {
    ...kept,
    sentMs: queue.fifo ? nowMs : message.sentMs,
    visibleMs: nowMs,
    sourceArn: queueArn(queue.address),
    receivesBefore: (message.receivesBefore ?? 0) + state.receives,
    firstReceivedMs: state.firstReceivedMs,
  };
}

export type DeleteOutcome = 'deleted' | 'gone' | 'lapsed';

/** Removes the message of a receipt: `gone` where it is no more. A standard queue takes any receipt of the message, as recorded; a FIFO queue its newest, in time. */
export function deleteReceived(tx: Tx, queue: OpenQueue, receipt: { seq: number; token: string; group: string }, nowMs: number): DeleteOutcome {
  const state = stateOf(tx, queue.at, receipt.seq);
  if (!state) return 'gone';
  if (queue.fifo && (state.token !== receipt.token || state.visibleMs <= nowMs)) return 'lapsed';
  drop(tx, queue, { seq: receipt.seq, visibleMs: 0, group: receipt.group }, state);
  if (queue.fifo) placeGroup(tx, queue, receipt.group);
  return 'deleted';
}

export type VisibilityOutcome = 'changed' | 'unavailable' | 'too-long';

/** Hides a received message for `visibilityMs` from now; no more than `totalMsMax` since it was received. */
export function changeVisibility(
  tx: Tx,
  queue: OpenQueue,
  receipt: { seq: number; token: string; group: string },
  change: { nowMs: number; visibilityMs: number; totalMsMax: number },
): VisibilityOutcome {
  const { nowMs, visibilityMs } = change;
  const state = stateOf(tx, queue.at, receipt.seq);
  // A standard queue takes any receipt of the message, also after its time.
  if (!state || (queue.fifo && (state.token !== receipt.token || state.visibleMs <= nowMs))) return 'unavailable';
  if (nowMs + visibilityMs - state.receivedMs > change.totalMsMax) return 'too-long';
  putState(tx, queue, { seq: receipt.seq, visibleMs: 0 }, state, { ...state, visibleMs: nowMs + visibilityMs });
  if (queue.fifo) placeGroup(tx, queue, receipt.group);
  return 'changed';
}

/** Takes the same messages again for a repeated ReceiveRequestAttemptId, where none of them has changed since. */
export function takeAgain(
  tx: Tx,
  queue: OpenQueue,
  receipts: readonly { readonly seq: number; readonly token: string }[],
  options: Pick<TakeOptions, 'nowMs' | 'visibilityMs'>,
): Taken[] | undefined {
  const { nowMs } = options;
  const taken: Taken[] = [];
  for (const { seq, token } of receipts) {
    const state = stateOf(tx, queue.at, seq);
    const message = messageAt(tx, queue, seq);
    if (!state || !message || state.token !== token || state.visibleMs <= nowMs) return undefined;
    taken.push({ message, state });
  }
  return taken.map(({ message, state }) => {
    const again = { ...state, visibleMs: nowMs + (options.visibilityMs ?? queue.settings.visibilityMs) };
    putState(tx, queue, message, state, again);
    placeGroup(tx, queue, message.group ?? '');
    return { message, state: again };
  });
}

/** Keeps a row until `untilMs`, when {@link forget} takes it away. */
export function remember(tx: Tx, at: ContentKeys, key: Key, row: { readonly untilMs: number }): void {
  tx.put(key, encodeJson(row));
  tx.put(at.forgetAt(row.untilMs, key), bytesOf(key));
}

/** A row of {@link remember} that is still in force. */
export function remembered<T extends { readonly untilMs: number }>(tx: Tx, key: Key, nowMs: number): T | undefined {
  const value = tx.get(key);
  const row = value && decodeJson<T>(value);
  return row && row.untilMs > nowMs ? row : undefined;
}

const FORGOTTEN_PER_CALL = 24;

/** Takes away what is out of date, a few at a time: more than a call adds, so that they never pile up. */
export function forget(tx: Tx, at: ContentKeys, nowMs: number): void {
  for (const [place, value] of tx.range({ ...dueBy(at.forgets, nowMs), limit: FORGOTTEN_PER_CALL }).entries) {
    const key = keyFrom(value);
    tx.delete(place);
    if (!remembered(tx, key, nowMs)) tx.delete(key);
  }
}
