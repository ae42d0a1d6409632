import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openStore } from '../open.ts';
import { parity, payload } from './crash.ts';

/**
 * Writes as fast as it can until it is killed: `node crash.fixture.ts <data dir> <first id> <clients>`.
 * A line with the id follows each acknowledgement; `full <message>` where a commit failed.
 */

const [, , dataDir = '', firstId = '0', clients = '16'] = process.argv;
// Straight to the pipe: what the parent has read was acknowledged before, whatever happens to this process.
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      // The pipe is full because the parent is slow: wait for it, as a blocking write would.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

const store = await openStore({ store: 'sqlite', dataDir });
say('opened');
let nextId = Number(firstId);
let stopping = false;

async function client(): Promise<void> {
  while (!stopping) {
    const id = nextId++;
    const value = payload(id);
    try {
      await store.transact({ keys: [`a/${id}`, `b/${id}`, 'count'], commitId: `id ${id}` }, (tx) => {
        const number = tx.sequence('shard');
        tx.put(`a/${id}`, value);
        tx.put(`b/${id}`, value);
        tx.put(`s/${String(number).padStart(12, '0')}`, Buffer.from(String(id)));
        tx.add('count', 1n);
        // Pages that are written again and again: checkpoints copy them while the next commits append.
        tx.put(`hot/${parity(id)}`, value);
      });
      say(String(id));
    } catch (error) {
      say(`failed ${error instanceof Error ? `${error.constructor.name}: ${error.message}` : String(error)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

createInterface(process.stdin).once('line', () => {
  stopping = true;
});
await Promise.all(Array.from({ length: Number(clients) }, client));
await store.close();
say('closed');
process.exit(0);
