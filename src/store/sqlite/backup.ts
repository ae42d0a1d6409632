import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Key } from '../../kit/key.ts';
import { workerUrl } from '../../kit/worker.ts';
import { StoreError } from '../errors.ts';
import { STEP_BYTES, STEP_ROWS } from '../limits.ts';
import type { Entry } from '../store.ts';
import { encodeBatch } from './batch.ts';
import { FORMAT_VERSION } from './format.ts';
import type { CopierData, FromCopier, ToCopier } from './messages.ts';

/** Copies a database that is in use to `path`, which must not exist. */
export async function backUpFile(file: string, path: string): Promise<void> {
  const copier = await startCopier(file, path);
  await copier.answer();
}

/**
 * Writes a backup from entries and sequences, whatever the driver: every backup is a SQLite file, so that it can be restored
 * into a data directory.
 */
export async function backUpEntries(path: string, entries: AsyncIterable<Entry> | Iterable<Entry>, sequences: ReadonlyMap<Key, bigint>): Promise<void> {
  const copier = await startCopier(undefined, path);
  const none = new Map<Key, never>();
  let values = new Map<Key, Uint8Array>();
  let bytes = 0;
  const send = async () => {
    const data = encodeBatch({ values, sequences: none, commitIds: [] });
    values = new Map();
    bytes = 0;
    await copier.ask({ kind: 'records', data }, [data]);
  };
  for await (const [key, value] of entries) {
    values.set(key, value);
    bytes += key.length + value.byteLength;
    if (bytes >= STEP_BYTES || values.size >= STEP_ROWS) await send();
  }
  await send();
  const data = encodeBatch({ values: none, sequences, commitIds: [] });
  await copier.ask({ kind: 'records', data }, [data]);
  await copier.ask({ kind: 'finish' });
}

interface Copier {
  ask(message: ToCopier, transfer?: ArrayBuffer[]): Promise<void>;
  answer(): Promise<void>;
}

async function startCopier(from: string | undefined, path: string): Promise<Copier> {
  const to = resolve(path);
  if (existsSync(to)) throw new StoreError(`The backup was not written: ${to} exists already.`);
  await mkdir(dirname(to), { recursive: true });
  const worker = new Worker(workerUrl('store/sqlite/copier'), { workerData: { from, to, version: FORMAT_VERSION } satisfies CopierData });
  const expectAnswer = () => {
    const next = Promise.withResolvers<void>();
    // A failure between two questions is what the next one is answered.
    next.promise.catch(() => undefined);
    return next;
  };
  let pending = expectAnswer();
  const fail = (reason: unknown) => pending.reject(new StoreError(`The backup to ${to} was not written: ${String(reason)}`, reason));
  worker.on('message', ({ error }: FromCopier) => (error === undefined ? pending.resolve() : fail(error)));
  worker.on('error', fail);
  worker.on('exit', () => fail('its thread has ended'));
  const answer = async () => {
    await pending.promise;
    pending = expectAnswer();
  };
  return {
    ask(message, transfer = []) {
      worker.postMessage(message, transfer);
      return answer();
    },
    answer,
  };
}
