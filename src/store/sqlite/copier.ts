import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { decodeBatch, OP_PUT, OP_SEQUENCE } from './batch.ts';
import { syncDirectory } from './format.ts';
import type { CopierData, FromCopier, ToCopier } from './messages.ts';
import { APPLICATION_ID, BUSY_TIMEOUT_MS, PAGE_BYTES, SCHEMA, UPSERT_SEQUENCE, UPSERT_VALUE } from './schema.ts';

/** The thread of one backup: a copy of a running database, or a new file from records that are sent to it. */

const port = parentPort;
if (!port) throw new Error('the copier runs as a worker thread');
const { from, to, version } = workerData as CopierData;
/** Only a whole and durable backup gets its name. */
const unfinished = `${to}.unfinished`;
const say = (message: FromCopier) => port.postMessage(message);

rmSync(unfinished, { force: true });
if (from !== undefined) {
  attempt(() => {
    const source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    // One read transaction: a consistent state, while others go on writing.
    source.prepare('VACUUM INTO ?').run(unfinished);
    source.close();
    publish();
  });
  port.close();
} else {
  const db = create();
  port.on('message', (message: ToCopier) => {
    attempt(() => {
      if (message.kind === 'records') insert(db, message.data);
      else {
        db.exec('COMMIT');
        db.close();
        publish();
      }
    });
    if (message.kind === 'finish') port.close();
  });
}

function attempt(step: () => void): void {
  try {
    step();
    say({});
  } catch (error) {
    rmSync(unfinished, { force: true });
    say({ error: error instanceof Error ? error.message : String(error) });
    port?.close();
  }
}

function create(): DatabaseSync {
  const db = new DatabaseSync(unfinished);
  db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;`);
  db.exec(`${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version};`);
  db.exec('BEGIN');
  return db;
}

function insert(db: DatabaseSync, data: ArrayBuffer): void {
  const put = db.prepare(UPSERT_VALUE);
  const sequence = db.prepare(UPSERT_SEQUENCE);
  for (const { op, name, value } of decodeBatch(data)) {
    if (op === OP_PUT) put.run(name, value);
    else if (op === OP_SEQUENCE) sequence.run(name, Buffer.from(value.buffer, value.byteOffset, 8).readBigUInt64BE());
    else throw new Error(`operation ${op} has no place in a backup`);
  }
}

function publish(): void {
  const fd = openSync(unfinished, 'r+');
  fsyncSync(fd);
  closeSync(fd);
  // Somebody may have made it meanwhile; a backup replaces nothing.
  if (existsSync(to)) throw new Error(`${to} exists already`);
  renameSync(unfinished, to);
  syncDirectory(dirname(to));
}
