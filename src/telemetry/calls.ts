import { AsyncLocalStorage } from 'node:async_hooks';
import type { Trace } from '../kit/trace.ts';
import { NOTE_LENGTH_MAX } from '../store/notes.ts';
import type { Store } from '../store/store.ts';
import type { Units } from './meters.ts';

/** On whose behalf something is written: a call, or a delivery. */
export interface Cause {
  /** `dynamodb:PutItem`, or a delivery's target. */
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly requestId?: string | undefined;
  /** What it is about, e.g. ARNs. */
  readonly resources?: readonly string[] | undefined;
  /** The trace that a commit of this cause carries: its root, and this cause's span for parent. */
  readonly commitTrace: Trace;
  /** For what follows from it: whoever reads it passes it on. */
  readonly trace: Trace;
}

/** A commit, as its note tells of it. */
export interface CommitNote {
  readonly trace: string;
  /** The span that committed. */
  readonly parent: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** Virtual time. */
  readonly atMs: number;
  readonly requestId?: string;
  readonly resources?: readonly string[];
  /** Billable units of this commit, by dimension. */
  readonly units?: Readonly<Record<string, number>>;
}

/** Knows, wherever a store is written to, on whose behalf: rooms need not hand it down. */
export class Calls {
  readonly #storage = new AsyncLocalStorage<Cause | undefined>();
  /** Of the transaction whose function runs right now: drivers may run it in another one's turn. */
  #running: Cause | undefined;

  run<T>(cause: Cause | undefined, work: () => T): T {
    return this.#storage.run(cause, work);
  }

  current(): Cause | undefined {
    return this.#running ?? this.#storage.getStore();
  }

  /** For the synchronous `work` of a transaction. */
  within<T>(cause: Cause | undefined, work: () => T): T {
    const outer = this.#running;
    this.#running = cause;
    try {
      return work();
    } finally {
      this.#running = outer;
    }
  }
}

interface Parts {
  readonly calls: Calls;
  readonly nowMs: () => number;
  /** Collects what `work` meters, instead of adding it at once: it may be run again. */
  readonly metering: <T>(work: () => T) => { readonly result: T; readonly units: Units | undefined };
  readonly add: (units: Units) => void;
}

/**
 * The same store, whose every commit carries what caused it: trace, call and the units that were metered inside the transaction, as its
 * note. They are one with the commit, whatever becomes of the process.
 */
export function noteCommits(store: Store, { calls, nowMs, metering, add }: Parts): Store {
  return {
    ...store,
    transact(declaration, fn) {
      const cause = calls.current();
      if (!cause) return store.transact(declaration, fn);
      let units: Units | undefined;
      const done = store.transact({ note: () => formatNote(cause, units, nowMs()), ...declaration }, (tx) => {
        units = undefined;
        const run = metering(() => calls.within(cause, () => fn(tx)));
        units = run.units;
        return run.result;
      });
      return done.then((result) => {
        if (units) add(units);
        return result;
      });
    },
  };
}

export function formatNote(cause: Cause, units: Units | undefined, atMs: number): string {
  const { root, parent = '' } = cause.commitTrace;
  const totals: Record<string, number> = {};
  for (const { dimension, quantity } of units ?? []) totals[dimension] = (totals[dimension] ?? 0) + quantity;
  const fields = [root, parent, cause.name, cause.account, cause.region, atMs, cause.requestId ?? '', units ? totals : 0];
  const whole = JSON.stringify([...fields, ...(cause.resources ?? [])]);
  return whole.length <= NOTE_LENGTH_MAX ? whole : JSON.stringify(fields);
}

/** Reads {@link formatNote} back; undefined for a note that is somebody else's. */
export function parseNote(line: string): CommitNote | undefined {
  const fields: unknown = JSON.parse(line);
  if (!Array.isArray(fields) || fields.length < 8) return undefined;
  const [trace, parent, name, account, region, atMs, requestId, units, ...resources] = fields as [...string[]];
  return {
    trace: String(trace),
    parent: String(parent),
    name: String(name),
    account: String(account),
    region: String(region),
    atMs: Number(atMs),
    ...(requestId ? { requestId } : {}),
    ...(units ? { units: units as unknown as Record<string, number> } : {}),
    ...(resources.length > 0 ? { resources } : {}),
  };
}
