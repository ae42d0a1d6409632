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

/** One kind of work at a time: what several kinds have in common would keep the processes apart. */
async function work(store: Store, kind: string, round: number, report: PeerReport): Promise<void> {
  const all = <T>(times: number, run: (n: number) => Promise<T>) => Promise.all(Array.from({ length: times }, (_, n) => run(n)));
  const slotOf = (n: number) => round * slots + n;
  switch (kind) {
    case 'sides':
      report.sidesWon.push(...(await all(slots, async (n) => ((await takeSide(store, slotOf(n))) ? [slotOf(n)] : []))).flat());
      break;
    case 'slots':
      report.slotsWon.push(...(await all(slots, async (n) => ((await takeSlot(store, slotOf(n), n % 2 === 0)) ? [slotOf(n)] : []))).flat());
      break;
    case 'count':
      report.counted.push(...(await all(6, (client) => count(store, client))));
      break;
    case 'draw':
      report.drawn.push(...(await all(4, () => draw(store))));
      break;
    case 'transfer':
      await transfer(store, round % 5, (round * 3 + 1) % 5);
      break;
    default:
      throw new Error(`no work is called ${kind}`);
  }
}

const store = await openStore({ store: url });
const report: PeerReport = { counted: [], drawn: [], slotsWon: [], sidesWon: [] };
process.stdout.write('ready\n');
for await (const line of createInterface(process.stdin)) {
  if (line === 'finish') break;
  const [kind = '', round] = line.split(' ');
  await work(store, kind, Number(round), report);
  process.stdout.write('done\n');
}
await store.close();
process.stdout.write(`${JSON.stringify(report)}\n`);
process.stdin.destroy();
