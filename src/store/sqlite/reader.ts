import { parentPort, workerData } from 'node:worker_threads';
import { PageBuilder } from '../run.ts';
import { encodeBatch } from './batch.ts';
import type { FromReader, ToReader, WriterData } from './messages.ts';
import { cursorOf, openReader } from './readers.ts';

/** A reader thread: long pages, so that the main thread only takes what is ready. */

const CACHE_BYTES = 8 * 1024 * 1024;

const port = parentPort;
if (!port) throw new Error('the reader runs as a worker thread');
const reader = openReader((workerData as WriterData).file, CACHE_BYTES);
const none = new Map<never, never>();

port.on('message', (message: ToReader) => {
  if (message.kind === 'close') {
    reader.db.close();
    port.close();
    return;
  }
  const answer = read(message);
  port.postMessage(answer, 'data' in answer ? [answer.data] : []);
});

function read({ number, range }: Extract<ToReader, { kind: 'page' }>): FromReader {
  try {
    const page = new PageBuilder(range);
    const cursor = cursorOf(reader, range);
    try {
      for (let change = cursor.next(); change?.[1] !== undefined; change = cursor.next()) if (!page.add(change[0], change[1])) break;
    } finally {
      cursor.close();
    }
    return { number, more: page.more, data: encodeBatch({ values: new Map(page.entries), sequences: none, commitIds: [] }) };
  } catch (error) {
    return { number, error: error instanceof Error ? error.message : String(error) };
  }
}
