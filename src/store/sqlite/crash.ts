import { closeSync, cpSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Ids } from '../../kit/ids.ts';
import { openStore } from '../open.ts';
import { DATABASE_FILE } from './schema.ts';

/** Helpers of the crash tests. */

/** A disk writes this much at once, or not at all. */
const SECTOR_BYTES = 512;

/** What transaction `id` writes: its size and its bytes follow from the id, so that any loss shows. */
export function payload(id: number): Buffer {
  const value = Buffer.alloc(((id * 7919) % 20_000) + 8, id % 251);
  value.writeDoubleBE(id, 0);
  return value;
}

export const parity = (id: number) => id % 8;

/** The shadow begins as what is on disk: all of it durable. */
export function beginShadow(dataDir: string, shadowDir: string): void {
  rmSync(shadowDir, { recursive: true, force: true });
  mkdirSync(shadowDir, { recursive: true });
  if (existsSync(dataDir)) cpSync(dataDir, shadowDir, { recursive: true });
}

/** Cuts the power: of each file, the synced bytes and a random part of the sectors that were written later are left. */
export function losePower(dataDir: string, shadowDir: string, ids: Ids): { sectorsLost: number } {
  let sectorsLost = 0;
  for (const name of readdirSync(dataDir)) {
    const path = join(dataDir, name);
    const shadow = join(shadowDir, name);
    if (name.endsWith('-shm') || (!existsSync(shadow) && ids.float() < 0.5)) rmSync(path);
    else sectorsLost += loseSectors(path, existsSync(shadow) ? readFileSync(shadow) : Buffer.alloc(0), ids);
  }
  return { sectorsLost };
}

function loseSectors(path: string, durable: Buffer, ids: Ids): number {
  const fd = openSync(path, 'r+');
  const size = fstatSync(fd).size;
  // Some disks keep nearly all of what was on its way, some nearly nothing.
  const kept = [0, 0.1, 0.5, 0.9][Math.floor(ids.float() * 4)] ?? 0;
  const live = Buffer.alloc(SECTOR_BYTES);
  let end = durable.length;
  let lost = 0;
  for (let at = 0; at < size; at += SECTOR_BYTES) {
    const length = readSync(fd, live, 0, SECTOR_BYTES, at);
    const before = durable.subarray(at, at + length);
    if (before.equals(live.subarray(0, length))) continue;
    if (ids.float() < kept) end = Math.max(end, at + length);
    else {
      lost++;
      const old = Buffer.alloc(length);
      before.copy(old);
      writeSync(fd, old, 0, length, at);
    }
  }
  // A file that was made shorter, and not synced since, may be either.
  if (size < durable.length && ids.float() < 0.5) {
    end = size;
  } else if (size < durable.length) writeSync(fd, durable, size, durable.length - size, size);
  ftruncateSync(fd, end);
  closeSync(fd);
  return lost;
}

/** Opens what is left and returns what is wrong with it, in words; empty where every acknowledged commit is there and all are whole. */
export async function check(dataDir: string, acknowledged: ReadonlySet<number>): Promise<string[]> {
  try {
    return await checkOpened(dataDir, acknowledged);
  } catch (error) {
    return [`cannot be read: ${error instanceof Error ? error.message : String(error)}`];
  }
}

async function checkOpened(dataDir: string, acknowledged: ReadonlySet<number>): Promise<string[]> {
  const wrong: string[] = [];
  const store = await openStore({ store: 'sqlite', dataDir });
  try {
    const idsUnder = async (prefix: string) => {
      const ids = new Set<number>();
      for (let from = prefix; ; ) {
        const { entries, more } = await store.range({ from, to: `${prefix}\xff` });
        for (const [key, value] of entries) {
          const id = Number(key.slice(prefix.length));
          if (payload(id).equals(value)) ids.add(id);
          else wrong.push(`${key} has other bytes than were written`);
        }
        const last = entries.at(-1)?.[0];
        if (!more || last === undefined) return ids;
        from = `${last}\x00`;
      }
    };
    const [a, b] = [await idsUnder('a/'), await idsUnder('b/')];
    for (const id of acknowledged) if (!a.has(id)) wrong.push(`${id} was acknowledged and is lost`);
    if (a.symmetricDifference(b).size > 0) wrong.push(`half written: ${[...a.symmetricDifference(b)].join(', ')}`);
    const count = await store.get('count');
    const counted = count ? Number(Buffer.from(count).readBigInt64BE()) : 0;
    if (counted !== a.size) wrong.push(`${a.size} commits, and the counter is ${counted}`);
    const drawn = await store.range({ from: 's/', to: 's0', limit: 1_000_000 });
    if (new Set(drawn.entries.map(([, id]) => Buffer.from(id).toString())).size !== a.size) wrong.push('the sequence does not fit the commits');
    const next = await store.transact({}, (tx) => tx.sequence('shard'));
    const last = drawn.entries.at(-1)?.[0].slice(2) ?? '0';
    if (next <= BigInt(last)) wrong.push(`the sequence goes on with ${next} after ${last}`);
  } finally {
    await store.close();
  }
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
  const verdict = db.prepare('PRAGMA integrity_check').get()?.['integrity_check'];
  db.close();
  if (verdict !== 'ok') wrong.push(`integrity_check: ${String(verdict)}`);
  return wrong;
}
