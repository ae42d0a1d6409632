import { Worker } from 'node:worker_threads';
import type { Clock } from '../../kit/clock.ts';
import { workerUrl } from '../../kit/worker.ts';
import { StoreError, StoreFullError } from '../errors.ts';
import { encodeBatch } from './batch.ts';
import type { Coordinator, Sendable } from './coordinator.ts';
import type { FromCheckpointer, FromWriter, ToCheckpointer, ToWriter, WriterData } from './messages.ts';

/** So much written since the last checkpoint begins the next. */
const CHECKPOINT_EVERY_BYTES = 4 * 1024 * 1024;
/** A write-ahead log longer than this is begun anew: the writer helps, since the checkpointer alone never catches up with steady writing. */
const WAL_RESET_BYTES = 32 * 1024 * 1024;
/** Longer still, and the writer waits a moment for pages that are being read from the log. */
const WAL_BYTES_WANTED_MAX = 128 * 1024 * 1024;
/** With nothing written for this long, the log is copied whatever its size, so that a restart has little to recover. */
const QUIET_MS = 1000;

export interface Writer {
  send(batch: Sendable, epoch: number): void;
  stats(): Record<string, number>;
  close(): Promise<void>;
}

export interface WriterOptions extends WriterData {
  readonly dataDir: string;
  readonly clock: Pick<Clock, 'real'>;
  readonly coordinator: Coordinator;
}

/** Starts the writer thread and resolves when it can take batches. The checkpointer follows when there is something to copy. */
export async function startWriter({ file, dataDir, clock, coordinator }: WriterOptions): Promise<Writer> {
  const worker = startThread('store/sqlite/writer', { file });
  const say = (message: ToWriter, transfer: ArrayBuffer[] = []) => worker.postMessage(message, transfer);
  const checkpoints = createCheckpoints(file, (wait) => say({ kind: 'resetWal', wait }));
  const stats = { batches: 0, batchesFailed: 0, bytesWritten: 0, walResetsFailed: 0 };
  let exited = false;

  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      exited = true;
      coordinator.stop(new StoreError('The thread that writes to disk has ended. Nothing acknowledged is lost; restart Croft.'));
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    worker.on('error', (error) => {
      coordinator.stop(new StoreError(`The thread that writes to disk has failed: ${error instanceof Error ? error.message : String(error)}`, error));
      reject(error);
    });
    worker.on('message', (message: FromWriter) => {
      if (message.kind === 'ready') resolve();
      else if (message.kind === 'done') {
        stats.batches++;
        coordinator.done(message.number);
      } else if (message.kind === 'resetFailed') {
        stats.walResetsFailed++;
      } else {
        stats.batchesFailed++;
        coordinator.failed(message.epoch, storeError(message, dataDir));
      }
    });
  });

  return {
    send(batch, epoch) {
      const data = encodeBatch(batch);
      stats.bytesWritten += data.byteLength;
      say({ kind: 'batch', number: batch.number, epoch, nowMs: clock.real(), data }, [data]);
      checkpoints.wrote(batch.bytes);
    },
    stats: () => ({ ...stats, ...checkpoints.stats() }),
    async close() {
      await checkpoints.close();
      if (!exited) say({ kind: 'close' });
      await ended;
    },
  };
}

function storeError(failure: Extract<FromWriter, { kind: 'failed' }>, dataDir: string): StoreError {
  if (failure.full) return new StoreFullError(`The disk under ${dataDir} is full. Nothing of this request was written; free some space and try again.`);
  return new StoreError(`Writing to ${dataDir} failed, and nothing of this request was written: ${failure.message}`);
}

interface Checkpoints {
  wrote(bytes: number): void;
  stats(): Record<string, number>;
  close(): Promise<void>;
}

/** Decides when the checkpointer thread runs. Started on first need. */
function createCheckpoints(file: string, resetWal: (wait: boolean) => void): Checkpoints {
  let worker: Worker | undefined;
  let ended: Promise<void> | undefined;
  let behindBytes = 0;
  let running = false;
  let quiet: NodeJS.Timeout | undefined;
  const stats = { checkpoints: 0, checkpointsFailed: 0, walBytes: 0 };

  const run = () => {
    if (running || behindBytes === 0) return;
    running = true;
    behindBytes = 0;
    worker ??= start();
    worker.postMessage({ kind: 'checkpoint' } satisfies ToCheckpointer);
  };
  const start = () => {
    const thread = startThread('store/sqlite/checkpointer', { file });
    // It copies what is durable already: losing it loses nothing, and the next need starts another.
    thread.on('error', () => {
      stats.checkpointsFailed++;
    });
    ended = new Promise((resolve) => {
      thread.once('exit', () => {
        worker = undefined;
        running = false;
        resolve();
      });
    });
    thread.on('message', ({ walBytes, error }: FromCheckpointer) => {
      running = false;
      if (error) stats.checkpointsFailed++;
      else stats.checkpoints++;
      stats.walBytes = walBytes;
      if (walBytes > WAL_RESET_BYTES) resetWal(walBytes > WAL_BYTES_WANTED_MAX);
      if (behindBytes >= CHECKPOINT_EVERY_BYTES) run();
    });
    return thread;
  };
  return {
    wrote(bytes) {
      behindBytes += bytes;
      if (behindBytes >= CHECKPOINT_EVERY_BYTES) run();
      if (quiet) quiet.refresh();
      else quiet = setTimeout(run, QUIET_MS).unref();
    },
    stats: () => stats,
    async close() {
      clearTimeout(quiet);
      worker?.postMessage({ kind: 'close' } satisfies ToCheckpointer);
      await ended;
    },
  };
}

function startThread(entry: string, data: WriterData): Worker {
  return new Worker(workerUrl(entry), { workerData: data });
}
