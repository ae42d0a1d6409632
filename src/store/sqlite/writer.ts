import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { OUTCOME_KEPT_MS } from '../limits.ts';
import { type BatchRecord, decodeBatch, OP_DELETE, OP_OUTCOME, OP_PUT, OP_SEQUENCE } from './batch.ts';
import type { FromWriter, ToWriter, WriterData } from './messages.ts';
import { BUSY_TIMEOUT_MS, openForWriting, UPSERT_SEQUENCE, UPSERT_VALUE } from './schema.ts';

/** The writer thread: one group commit a batch, in the order they arrive. */

const SQLITE_FULL = 13;
const PRUNE_EVERY_MS = 60_000;
const PRUNE_ROWS = 1000;
const RESET_WAIT_MS = 100;

interface Statements {
  readonly db: DatabaseSync;
  readonly put: StatementSync;
  readonly delete: StatementSync;
  readonly sequence: StatementSync;
  readonly outcome: StatementSync;
  readonly prune: StatementSync;
}

const port = parentPort;
if (!port) throw new Error('the writer runs as a worker thread');
const { file } = workerData as WriterData;
const say = (message: FromWriter) => port.postMessage(message);

const db = openForWriting(file);
const statements: Statements = {
  db,
  put: db.prepare(UPSERT_VALUE),
  delete: db.prepare('DELETE FROM kv WHERE key = ?'),
  sequence: db.prepare(UPSERT_SEQUENCE),
  outcome: db.prepare('INSERT INTO outcomes (commit_id, at_ms) VALUES (?, ?) ON CONFLICT (commit_id) DO UPDATE SET at_ms = excluded.at_ms'),
  prune: db.prepare('DELETE FROM outcomes WHERE commit_id IN (SELECT commit_id FROM outcomes WHERE at_ms < ? ORDER BY at_ms LIMIT ?)'),
};
/** Batches up to this epoch stand on a batch that failed. */
let failedEpoch = -1;
let prunedAtMs = 0;

port.on('message', (message: ToWriter) => {
  switch (message.kind) {
    case 'batch':
      if (message.epoch > failedEpoch) commitBatch(message);
      break;
    case 'resetWal':
      resetWal(message.wait);
      break;
    case 'close':
      db.close();
      port.close();
      break;
  }
});
say({ kind: 'ready' });

/** The checkpointer has copied nearly all: with nobody appending meanwhile the rest is little, and the next commit starts the log anew. */
function resetWal(wait: boolean): void {
  try {
    // New readers need the log no more, so it is only the pages being read right now that are waited for; a backup is not.
    db.exec(wait ? `PRAGMA busy_timeout = ${RESET_WAIT_MS}; PRAGMA wal_checkpoint(RESTART)` : 'PRAGMA wal_checkpoint(PASSIVE)');
  } catch (error) {
    // Nothing is lost, the log only stays long: what it holds is durable there, and the next checkpoint tries again.
    say({ kind: 'resetFailed', message: error instanceof Error ? error.message : String(error) });
  } finally {
    if (wait) db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  }
}

function commitBatch({ number, epoch, nowMs, data }: Extract<ToWriter, { kind: 'batch' }>): void {
  try {
    db.exec('BEGIN IMMEDIATE');
    for (const record of decodeBatch(data)) write(record, nowMs);
    if (nowMs - prunedAtMs >= PRUNE_EVERY_MS || nowMs < prunedAtMs) {
      statements.prune.run(nowMs - OUTCOME_KEPT_MS, PRUNE_ROWS);
      prunedAtMs = nowMs;
    }
    db.exec('COMMIT');
  } catch (error) {
    failedEpoch = epoch;
    const message = error instanceof Error ? error.message : String(error);
    say({ kind: 'failed', number, epoch, full: isFull(error), message: rollback() ?? message });
    return;
  }
  say({ kind: 'done', number });
}

function write({ op, name, value }: BatchRecord, nowMs: number): void {
  switch (op) {
    case OP_PUT:
      statements.put.run(name, value);
      break;
    case OP_DELETE:
      statements.delete.run(name);
      break;
    case OP_SEQUENCE:
      statements.sequence.run(name, Buffer.from(value.buffer, value.byteOffset, 8).readBigUInt64BE());
      break;
    case OP_OUTCOME:
      statements.outcome.run(name, nowMs);
      break;
    default:
      throw new Error(`unknown operation ${op} in a batch`);
  }
}

/** SQLite rolls back by itself on some errors (a full disk), not on others. Returns what went wrong in that, if anything. */
function rollback(): string | undefined {
  try {
    if (db.isTransaction) db.exec('ROLLBACK');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isFull(error: unknown): boolean {
  // The low byte is the primary code; the rest tells kinds of it apart.
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_FULL;
}
