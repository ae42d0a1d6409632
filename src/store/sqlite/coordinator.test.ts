import { describe, expect, it } from 'vitest';
import type { Key } from '../../kit/key.ts';
import { BTree } from '../btree.ts';
import { StoreError } from '../errors.ts';
import { PENDING_BYTES_MAX } from '../limits.ts';
import type { Base } from '../run.ts';
import { Coordinator, type Sendable } from './coordinator.ts';

/** A coordinator over a map, with a writer that answers when the test says so. */
function setUp() {
  const committed = new BTree<Uint8Array>();
  const sequences = new Map<Key, bigint>();
  const base: Base = {
    get: (key) => committed.get(key),
    cursor: ({ from, to, reverse }) => ({ next: committed.walk(from, to, reverse).next, close() {} }),
    lastSequence: (shard) => sequences.get(shard) ?? 0n,
  };
  const sent: { batch: Sendable; epoch: number }[] = [];
  const notified: Key[][] = [];
  const coordinator = new Coordinator({
    clock: { real: () => 0 },
    committed: base,
    send: (batch, epoch) => sent.push({ batch, epoch }),
    durable: () => undefined,
    committedKeys: (keys) => notified.push([...keys]),
  });
  return {
    coordinator,
    notified,
    sent,
    /** Makes the oldest batch durable, as the writer would. */
    finish() {
      const next = sent.shift();
      if (!next) throw new Error('nothing was sent');
      for (const [key, value] of next.batch.values) value ? committed.set(key, value) : committed.delete(key);
      for (const [shard, last] of next.batch.sequences) sequences.set(shard, last);
      coordinator.done(next.batch.number);
    },
    fail(error: StoreError) {
      const next = sent.splice(0)[0];
      if (!next) throw new Error('nothing was sent');
      coordinator.failed(next.epoch, error);
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const one = Buffer.from('1');
const state = async (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => 'resolved').catch((error: unknown) => String(error)), turn().then(() => 'pending')]);

describe('coordinator', () => {
  it('shares one batch among the transactions of a turn, and writes a key once', async () => {
    const { coordinator, sent, finish, notified } = setUp();
    const results = Array.from({ length: 64 }, () => coordinator.transact({}, (tx) => tx.add('c', 1n)));
    await turn();
    expect(sent.map(({ batch }) => [batch.values.size, Buffer.from(batch.values.get('c') ?? []).readBigInt64BE()])).toEqual([[1, 64n]]);
    finish();
    await Promise.all(results);
    expect(notified).toEqual([['c']]);
  });

  it('answers nothing that was read from a pending write before it is durable: values, absences, ranges, sequences, errors', async () => {
    const { coordinator, finish } = setUp();
    await Promise.all([coordinator.transact({}, (tx) => tx.put('gone', one)), turn().then(finish)]);
    const write = coordinator.transact({}, (tx) => {
      tx.put('k', one);
      tx.delete('gone');
      tx.sequence('s');
    });
    const dependents = [
      coordinator.transact({}, (tx) => tx.get('k')),
      coordinator.transact({}, (tx) => tx.get('gone')),
      coordinator.transact({}, (tx) => tx.range({ from: 'a', to: 'z' }).entries.length),
      coordinator.transact({}, (tx) => {
        throw new Error(`saw ${tx.get('k')}`);
      }),
    ];
    const independent = coordinator.transact({}, (tx) => tx.get('other'));
    expect(await state(independent)).toBe('resolved');
    expect(await Promise.all(dependents.map(state))).toEqual(['pending', 'pending', 'pending', 'pending']);
    finish();
    await write;
    expect(await Promise.all(dependents.map(state))).toEqual(['resolved', 'resolved', 'resolved', 'Error: saw 1']);
  });

  it('fails everything that is pending behind a failed batch, and runs later transactions on what was committed', async () => {
    const { coordinator, sent, fail, finish } = setUp();
    const first = coordinator.transact({}, (tx) => tx.put('k', one));
    await turn();
    const second = coordinator.transact({}, (tx) => tx.put('copy', tx.get('k') ?? Buffer.from('none')));
    await turn();
    const third = coordinator.transact({}, (tx) => [tx.sequence('s'), tx.put('unrelated', one)]);
    const reader = coordinator.transact({}, (tx) => tx.get('k'));
    const thrower = coordinator.transact({}, (tx) => {
      throw new Error(`saw ${tx.get('k')}`);
    });
    expect(sent).toHaveLength(2);
    fail(new StoreError('disk on fire'));
    for (const promise of [first, second, third, reader, thrower]) await expect(promise).rejects.toThrow('disk on fire');
    const later = coordinator.transact({}, (tx) => [tx.get('k'), tx.get('unrelated'), tx.sequence('s')]);
    await turn();
    expect(sent.map(({ epoch }) => epoch)).toEqual([1]);
    finish();
    expect(await later).toEqual([undefined, undefined, 1n]);
  });

  it('keeps the newest value while an older one becomes durable', async () => {
    const { coordinator, sent, finish } = setUp();
    void coordinator.transact({}, (tx) => tx.put('k', Buffer.from('old')));
    await turn();
    const newer = coordinator.transact({}, (tx) => tx.put('k', Buffer.from('new')));
    await turn();
    finish();
    const reader = coordinator.transact({}, (tx) => String(tx.get('k')));
    expect(await state(reader)).toBe('pending');
    expect(sent).toHaveLength(1);
    finish();
    await newer;
    expect(await reader).toBe('new');
  });

  it('makes transactions wait once too much is pending, and lets them in again', async () => {
    const { coordinator, sent, finish } = setUp();
    const megabyte = Buffer.alloc(1024 * 1024);
    const writes = Array.from({ length: PENDING_BYTES_MAX / megabyte.length }, (_, n) => coordinator.transact({}, (tx) => tx.put(`k${n}`, megabyte)));
    let ran = false;
    const late = coordinator.transact({}, () => {
      ran = true;
    });
    await turn();
    expect([ran, coordinator.waitingTransactions]).toEqual([false, 1]);
    while (sent.length > 0) {
      finish();
      await turn();
    }
    await Promise.all([...writes, late]);
    expect(ran).toBe(true);
    expect(coordinator.pendingBytes).toBe(0);
  });

  it('fails what is pending and what comes when its writer ends', async () => {
    const { coordinator } = setUp();
    const pending = coordinator.transact({}, (tx) => tx.put('k', one));
    coordinator.stop(new StoreError('ended'));
    await expect(pending).rejects.toThrow('ended');
    await expect(coordinator.transact({}, () => 1)).rejects.toThrow('ended');
    await coordinator.idle();
  });
});
