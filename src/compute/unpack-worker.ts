/** A thread that unpacks one package: inflating and writing thousands of files is not for the main thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { CodePackageError } from './failures.ts';
import { unpackZip } from './zip.ts';

/** What the thread is given. */
export interface UnpackTask {
  readonly zip: Uint8Array;
  readonly directory: string;
}

/** What it says at its end: nothing went wrong, or the package is not usable. Any other failure is the thread's error. */
export interface UnpackAnswer {
  readonly refused?: string;
}

const { zip, directory } = workerData as UnpackTask;
let answer: UnpackAnswer = {};
try {
  await unpackZip(zip, directory);
} catch (error) {
  if (!(error instanceof CodePackageError)) throw error;
  answer = { refused: error.message };
}
parentPort?.postMessage(answer);
