import { once } from 'node:events';
import { openStore } from '../open.ts';
import type { Store } from '../store.ts';

/** A process beside others on one database: `node peer.fixture.ts <url> <name> <rounds>`. Waits for a line, works, prints what it saw. */

const [, , url = '', name = '', roundsText = '10'] = process.argv;
const rounds = Number(roundsText);

/** What one process saw. */
export interface PeerReport {
  readonly counted: string[];
  readonly drawn: string[];
  readonly slotsWon: number[];
  readonly sidesWon: string[];
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
    const key = `drawn/${String(tx.sequence('shard')).padStart(8, '0')}`;
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

async function work(store: Store): Promise<PeerReport> {
  const report: PeerReport = { counted: [], drawn: [], slotsWon: [], sidesWon: [] };
  for (let round = 0; round < rounds; round++) {
    await Promise.all([
      ...Array.from({ length: 6 }, async (_, client) => report.counted.push(await count(store, client))),
      ...Array.from({ length: 4 }, async () => report.drawn.push(await draw(store))),
      takeSlot(store, round, round % 2 === 0).then((won) => won && report.slotsWon.push(round)),
      takeSide(store, round).then((won) => won && report.sidesWon.push(`${round}`)),
      transfer(store, round % 5, (round * 3 + 1) % 5),
    ]);
  }
  return report;
}

const store = await openStore({ store: url });
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const report = await work(store);
await store.close();
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exit(0);
