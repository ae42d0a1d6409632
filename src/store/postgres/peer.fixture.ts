import { createInterface } from 'node:readline';
import { openStore } from '../open.ts';
import type { Store } from '../store.ts';

/** A process beside others on one database: `node peer.fixture.ts <url> <name> <slots>`. Works a round for every line, and prints at the end what it saw. */

const [, , url = '', name = '', slotsText = '1'] = process.argv;
const slots = Number(slotsText);

/** What one process saw. */
export interface PeerReport {
  readonly counted: string[];
  readonly drawn: string[];
  readonly slotsWon: number[];
  readonly sidesWon: number[];
}

const numberIn = (value: Uint8Array | undefined) => (value ? Buffer.from(value).readBigInt64BE() : 0n);

async function count(store: Store, client: number): Promise<string> {
  const declaration = client % 2 ? { keys: ['counter'] } : {};
  const value = await store.transact(declaration, (tx) => {
    const next = numberIn(tx.get('counter')) + 1n;
    if (client % 3 === 0) tx.add('counter', 1n);
    else {
      const sum = Buffer.alloc(8);
      sum.writeBigInt64BE(next);
      tx.put('counter', sum);
    }
    return next;
  });
  return String(value);
}

const draw = (store: Store) =>
  store.transact({}, (tx) => {
    // The name keeps the keys of two processes apart: only the sequence itself can keep their numbers apart.
    const key = `drawn/${String(tx.sequence('shard')).padStart(8, '0')}/${name}`;
    tx.put(key, Buffer.from(name));
    return key;
  });

/** Only the first into an empty range may write. */
const takeSlot = (store: Store, slot: number, declared: boolean) => {
  const range = { from: `slot\x00\x01${slot}\x00\x01`, to: `slot\x00\x01${slot}\x00\x02` };
  const mine = `${range.from}${name}`;
  return store.transact(declared ? { ranges: [range], keys: [mine] } : {}, (tx) => {
    if (tx.range(range).entries.length > 0) return false;
    tx.put(mine, Buffer.from(name));
    return true;
  });
};

/** Whoever finds the other side empty may write its own: both together would be write skew. */
const takeSide = (store: Store, round: number) => {
  const [own, other] = name === 'a' ? ['left', 'right'] : ['right', 'left'];
  const range = { from: `${other}\x00\x01${round}\x00\x01`, to: `${other}\x00\x01${round}\x00\x02` };
  return store.transact({}, (tx) => {
    if (tx.range({ ...range, limit: 1 }).entries.length > 0) return false;
    tx.put(`${own}\x00\x01${round}\x00\x01x`, Buffer.from(name));
    return true;
  });
};

const transfer = (store: Store, from: number, to: number) =>
  store.transact({ keys: [`account/${from}`, `account/${to}`] }, (tx) => {
    tx.add(`account/${from}`, -1n);
    tx.add(`account/${to}`, 1n);
  });

async function work(store: Store, round: number, report: PeerReport): Promise<void> {
  await Promise.all([
    ...Array.from({ length: slots }, async (_, n) => {
      const slot = round * slots + n;
      if (await takeSide(store, slot)) report.sidesWon.push(slot);
      if (await takeSlot(store, slot, n % 2 === 0)) report.slotsWon.push(slot);
    }),
    ...Array.from({ length: 6 }, async (_, client) => report.counted.push(await count(store, client))),
    ...Array.from({ length: 4 }, async () => report.drawn.push(await draw(store))),
    transfer(store, round % 5, (round * 3 + 1) % 5),
  ]);
}

const store = await openStore({ store: url });
const report: PeerReport = { counted: [], drawn: [], slotsWon: [], sidesWon: [] };
process.stdout.write('ready\n');
for await (const line of createInterface(process.stdin)) {
  if (line === 'finish') break;
  await work(store, Number(line), report);
  process.stdout.write('done\n');
}
await store.close();
process.stdout.write(`${JSON.stringify(report)}\n`);
process.stdin.destroy();
