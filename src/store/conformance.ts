import { describe } from 'vitest';
import type { Clock } from '../kit/clock.ts';
import { contentionSuite } from './conformance/contention.ts';
import { durabilitySuite } from './conformance/durability.ts';
import { randomSuite } from './conformance/random.ts';
import { rulesSuite } from './conformance/rules.ts';
import type { Store } from './store.ts';

/** One place to keep data, and how to open a store on it. */
export interface Place {
  /** Opens the store: again on the same data, after a close. */
  open(options?: { clock?: Pick<Clock, 'real' | 'mono'> }): Promise<Store>;
  /** False where a close forgets everything. */
  readonly durable: boolean;
  /**
   * Makes every commit that writes `key` fail from now on, as a full disk would, until the returned function is called.
   * Undefined where commits cannot fail.
   */
  readonly sabotage?: (key: string) => Promise<() => Promise<void>>;
  remove(): Promise<void>;
}

/** The suite that every driver passes. `make` gives a new, empty place. */
export function describeStore(name: string, make: () => Promise<Place>): void {
  describe(`store: ${name}`, () => {
    rulesSuite(make);
    randomSuite(make);
    contentionSuite(make);
    durabilitySuite(make);
  });
}
