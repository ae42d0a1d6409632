import type { Tx } from '../../store/store.ts';
import type { Address } from './domain/address.ts';
import { addressOfArn } from './domain/address.ts';
import { MOVED_CHARS_PER_COMMIT } from './limits.ts';
import { insertMessage, isExpired, messageAt, type OpenQueue, openQueue, removeMessage } from './messages.ts';
import { dueBy, type MessageRow, rangeOf, seqOf } from './store.ts';

export type MoveStep = { readonly moved: number; readonly done: boolean } | { readonly failure: string };

/** Sequence numbers of up to `max` messages that could be received now, in order. */
function available(tx: Tx, queue: OpenQueue, nowMs: number, max: number): number[] {
  const { at } = queue;
  if (!queue.fifo) {
    const entries = [at.fresh, at.received].flatMap((prefix) => tx.range({ ...dueBy(prefix, nowMs), limit: max }).entries);
    const seqs = entries.map(([key]) => seqOf(key)).sort((a, b) => a - b);
    return seqs.slice(0, max);
  }
  const found: number[] = [];
  for (const [, name] of tx.range({ ...dueBy(at.groups, nowMs), limit: max }).entries) {
    if (found.length >= max) break;
    const first = tx.range({ ...rangeOf(at.group(Buffer.from(name).toString('utf8'))), limit: 1 }).entries[0];
    if (first) found.push(seqOf(first[0]));
  }
  return found;
}

/**
 * Moves up to `ids.length` messages out of a dead-letter queue: to `destination`, or each to the queue that it came from.
 * "Configure a dead-letter queue redrive": they are new messages, with a new id and time.
 */
export function moveMessages(tx: Tx, source: OpenQueue, destination: Address | undefined, ids: readonly string[], nowMs: number): MoveStep {
  const targets = new Map<string, OpenQueue | undefined>();
  const target = (address: Address) => {
    const key = JSON.stringify(address);
    if (!targets.has(key)) targets.set(key, openQueue(tx, address, source.heads));
    return targets.get(key);
  };
  const seqs = available(tx, source, nowMs, ids.length);
  let moved = 0;
  let chars = 0;
  for (const [i, seq] of seqs.entries()) {
    const message = messageAt(tx, source, seq);
    if (!message) continue;
    if (isExpired(source, message, nowMs)) {
      removeMessage(tx, source, message);
      continue;
    }
    const address = destination ?? (message.sourceArn === undefined ? undefined : addressOfArn(message.sourceArn));
    if (!address) return moved > 0 ? { moved, done: false } : { failure: 'CouldNotDetermineMessageSource' };
    const to = target(address);
    if (to?.fifo !== source.fifo) return moved > 0 ? { moved, done: false } : { failure: 'AWS.SimpleQueueService.NonExistentQueue' };
    removeMessage(tx, source, message);
    insertMessage(tx, to, renewed(message, ids[i] ?? message.id, nowMs));
    moved++;
    chars += message.body.length;
    if (chars > MOVED_CHARS_PER_COMMIT) break;
  }
  return { moved, done: seqs.length === 0 };
}

function renewed(message: MessageRow, id: string, nowMs: number) {
  const { seq: _seq, sequenceNumber: _number, sourceArn: _source, receivesBefore: _receives, firstReceivedMs: _first, ...kept } = message;
  return { ...kept, id, sentMs: nowMs, visibleMs: nowMs };
}
