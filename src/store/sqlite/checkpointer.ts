import { parentPort, workerData } from 'node:worker_threads';
import type { FromCheckpointer, ToCheckpointer, WriterData } from './messages.ts';
import { numberOf, openForWriting } from './schema.ts';

/** The checkpointer thread copies the write-ahead log into the database, so that the writer never waits for that. */

const port = parentPort;
if (!port) throw new Error('the checkpointer runs as a worker thread');
const db = openForWriting((workerData as WriterData).file);
const pageBytes = numberOf(db, 'PRAGMA page_size');
const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');

port.on('message', (message: ToCheckpointer) => {
  if (message.kind === 'close') {
    db.close();
    port.close();
    return;
  }
  port.postMessage(run());
});

function run(): FromCheckpointer {
  try {
    const row = checkpoint.get() as { log: number; checkpointed: number } | undefined;
    const log = Math.max(0, row?.log ?? 0);
    return { walBytes: log * pageBytes, behindBytes: (log - Math.max(0, row?.checkpointed ?? 0)) * pageBytes };
  } catch (error) {
    // Nothing is lost: what the log holds is durable there, and the next attempt copies it.
    return { walBytes: 0, behindBytes: 0, error: error instanceof Error ? error.message : String(error) };
  }
}
