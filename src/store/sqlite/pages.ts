import { Worker } from 'node:worker_threads';
import { bytes } from '../../kit/key.ts';
import { workerUrl } from '../../kit/worker.ts';
import { StoreError } from '../errors.ts';
import { type FullRange, PAGE_THREADS_MAX } from '../limits.ts';
import type { Entry, Page } from '../store.ts';
import { decodeBatch } from './batch.ts';
import type { FromReader, ToReader, WriterData } from './messages.ts';

/** A page is taken over from its thread so many rows at a time. */
const ROWS_AT_ONCE = 1000;

interface PageThread {
  readonly worker: Worker;
  readonly ended: Promise<void>;
  readonly pending: Map<number, { resolve(answer: FromReader): void; reject(error: unknown): void }>;
}

/** Threads that read long pages, started when they are first needed. */
export class PageThreads {
  readonly #file: string;
  readonly #threads: PageThread[] = [];
  #lastNumber = 0;

  constructor(file: string) {
    this.#file = file;
  }

  async read(range: FullRange): Promise<Page> {
    const thread = this.#leastBusy();
    const number = ++this.#lastNumber;
    const answer = await new Promise<FromReader>((resolve, reject) => {
      thread.pending.set(number, { resolve, reject });
      thread.worker.postMessage({ kind: 'page', number, range } satisfies ToReader);
    });
    if ('error' in answer) throw new StoreError(`Reading the data failed: ${answer.error}`);
    const entries: Entry[] = [];
    for (const { name, value } of decodeBatch(answer.data)) {
      entries.push([bytes(name), value]);
      if (entries.length % ROWS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return { entries, more: answer.more };
  }

  /** Waits for pages that are being read. */
  async close(): Promise<void> {
    for (const { worker } of this.#threads) worker.postMessage({ kind: 'close' } satisfies ToReader);
    await Promise.all(this.#threads.map(({ ended }) => ended));
  }

  #leastBusy(): PageThread {
    const [least] = this.#threads.toSorted((a, b) => a.pending.size - b.pending.size);
    return least && (least.pending.size === 0 || this.#threads.length >= PAGE_THREADS_MAX) ? least : this.#start();
  }

  #start(): PageThread {
    const worker = new Worker(workerUrl('store/sqlite/reader'), { workerData: { file: this.#file } satisfies WriterData });
    const pending: PageThread['pending'] = new Map();
    let reason: unknown = 'its thread has ended';
    worker.on('error', (error) => {
      reason = error;
    });
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => {
        this.#threads.splice(this.#threads.indexOf(thread), 1);
        for (const { reject } of pending.values()) reject(new StoreError(`Reading the data failed: ${String(reason)}`, reason));
        resolve();
      });
    });
    worker.on('message', (answer: FromReader) => {
      pending.get(answer.number)?.resolve(answer);
      pending.delete(answer.number);
    });
    const thread = { worker, ended, pending };
    this.#threads.push(thread);
    return thread;
  }
}
