import { afterAll, beforeAll } from 'vitest';
import { createIds } from '../../kit/ids.ts';
import type { Place } from '../conformance.ts';
import type { Store } from '../store.ts';

export const soak = process.env['CROFT_SOAK'] === '1';

/** `CROFT_SEED` repeats a run; otherwise a new one is drawn. */
export const seed = process.env['CROFT_SEED'] ?? createIds().text(8);

/** One open store for a group of tests; each test takes a prefix of its own. */
export function sharedStore(make: () => Promise<Place>): { readonly store: Store; readonly place: Place; prefix(): string } {
  let place: Place | undefined;
  let store: Store | undefined;
  let prefixes = 0;
  beforeAll(async () => {
    place = await make();
    store = await place.open();
  });
  afterAll(async () => {
    await store?.close();
    await place?.remove();
  });
  return {
    get store() {
      if (!store) throw new Error('the store is open only while tests run');
      return store;
    },
    get place() {
      if (!place) throw new Error('the place exists only while tests run');
      return place;
    },
    prefix: () => `t${prefixes++}\x00\x01`,
  };
}

export const text = (value: string) => Buffer.from(value, 'utf8');

/** Drivers may return a Uint8Array or a Buffer. */
export const string = (value: Uint8Array | undefined) => value && Buffer.from(value).toString('utf8');

export const counter = (value: Uint8Array | undefined) => (value ? Buffer.from(value.buffer, value.byteOffset, 8).readBigInt64BE() : 0n);

export const names = (entries: readonly (readonly [string, Uint8Array])[]) => entries.map(([key]) => key);

/** Lets the event loop turn: the memory driver answers without, and a loop over it would starve everything else. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
