import type { Ids } from '../kit/ids.ts';
import type { Key } from '../kit/key.ts';
import type { Declaration, KeyRange, RangeOptions, Tx } from './store.ts';

/** One step of a random transaction. */
export type Step =
  | { readonly op: 'get' | 'delete' | 'sequence'; readonly key: Key }
  | { readonly op: 'put'; readonly key: Key; readonly value: Uint8Array }
  | { readonly op: 'copy'; readonly key: Key; readonly to: Key }
  | { readonly op: 'add'; readonly key: Key; readonly delta: bigint }
  | { readonly op: 'range'; readonly options: RangeOptions }
  | { readonly op: 'throw' };

/** A random transaction: what it does, and what it declares (all, some or nothing of it). */
export interface Script {
  readonly steps: readonly Step[];
  readonly declaration: Declaration;
}

/** What a transaction saw, in a form that two runs can be compared by. */
export type Seen = readonly string[];

export class ScriptError extends Error {}

/** Runs the steps on any Tx, the store's or the reference's. */
export function play(script: Script, tx: Tx): Seen {
  const seen: string[] = [];
  for (const step of script.steps) {
    switch (step.op) {
      case 'get':
        seen.push(show(tx.get(step.key)));
        break;
      case 'put':
        tx.put(step.key, step.value);
        break;
      case 'delete':
        tx.delete(step.key);
        break;
      case 'copy': {
        // A write that depends on a read: stale state would spread.
        const value = tx.get(step.key);
        seen.push(show(value));
        if (value) tx.put(step.to, value);
        break;
      }
      case 'add':
        tx.add(step.key, step.delta);
        break;
      case 'sequence':
        seen.push(`sequence ${tx.sequence(step.key)}`);
        break;
      case 'range': {
        const page = tx.range(step.options);
        seen.push(`${page.entries.map(([key, value]) => `${escape(key)}=${show(value)}`).join(' ')}${page.more ? ' …' : ''}`);
        break;
      }
      case 'throw':
        throw new ScriptError(seen.join('|'));
    }
  }
  return seen;
}

export function show(value: Uint8Array | undefined): string {
  return value === undefined ? 'absent' : value.length > 16 ? `${value.length} bytes of ${value[0]}` : Buffer.from(value).toString('hex');
}

/** Makes random transactions over a small space of awkward keys, so that they meet. */
export function createScripts(ids: Ids, prefix: Key): { next(): Script; range(): RangeOptions; readonly keys: readonly Key[] } {
  const int = (below: number) => Math.floor(ids.float() * below);
  const pick = <T>(from: readonly T[]): T => from[int(from.length)] as T;
  const parts = [
    '',
    '\x00',
    '\x00\x00',
    '\x00\x01',
    '\x00\xff',
    '\x01',
    'a',
    'a\x00',
    'a\x00\x01b',
    'a\xff',
    'b',
    '\x7f',
    '\x80',
    '\xfe',
    '\xff',
    '\xff\x00',
    '\xff\xff',
  ];
  const keys = parts.flatMap((first) => ['', '\x00\x01', 'z'].map((second) => `${prefix}v${first}${second}`));
  const counters = ['c\x00', 'c\x80', 'c\xff'].map((name) => prefix + name);
  const shards = ['s1', 's\x00'].map((name) => prefix + name);
  const all = [...keys, ...counters];

  const range = (): RangeOptions => {
    const [a = prefix, b = prefix] = [pick(all), int(4) === 0 ? `${prefix}\xff` : pick(all)];
    const [from, to] = int(10) === 0 ? [a, b] : [a, b].sort();
    return {
      from: from ?? '',
      to: to ?? '',
      reverse: int(2) === 0,
      ...(int(2) === 0 ? { limit: 1 + int(8) } : {}),
      ...(int(3) === 0 ? { maxBytes: 1 + int(200) } : {}),
    };
  };
  const step = (): Step => {
    switch (int(10)) {
      case 0:
      case 1:
        return { op: 'get', key: pick(all) };
      case 2:
      case 3:
        return { op: 'put', key: pick(keys), value: new Uint8Array(int(8) === 0 ? int(5000) : int(12)).fill(int(256)) };
      case 4:
        return { op: 'delete', key: pick(all) };
      case 5:
        return { op: 'copy', key: pick(keys), to: pick(keys) };
      case 6:
        return { op: 'add', key: pick(counters), delta: BigInt(int(1000) - 500) };
      case 7:
        return { op: 'sequence', key: pick(shards) };
      default:
        return { op: 'range', options: range() };
    }
  };
  return {
    keys: all,
    range,
    next() {
      const steps = Array.from({ length: 1 + int(6) }, step);
      if (int(12) === 0) steps.push({ op: 'throw' });
      const honesty = int(3);
      const declared = <T>(items: T[]): T[] => (honesty === 0 ? [] : honesty === 1 ? items.filter(() => int(2) === 0) : items);
      return {
        steps,
        declaration: {
          keys: declared(steps.flatMap((s) => (s.op === 'put' || s.op === 'delete' || s.op === 'add' ? [s.key] : s.op === 'copy' ? [s.to] : []))),
          reads: declared(steps.flatMap((s) => (s.op === 'get' || s.op === 'copy' ? [s.key] : []))),
          ranges: declared(steps.flatMap((s): KeyRange[] => (s.op === 'range' ? [s.options] : []))),
        },
      };
    },
  };
}
