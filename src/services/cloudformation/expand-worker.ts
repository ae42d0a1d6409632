/** A thread that reads and transforms one template: a large one takes longer than the main thread has. */
import { parentPort, workerData } from 'node:worker_threads';
import { AwsError } from '../../kit/errors.ts';
import { type Expanded, type ExpandTask, expand } from './domain/expand.ts';

/** What it says at its end: the template, or why it is refused. Any other failure is the thread's error. */
export type ExpandAnswer = { readonly expanded: Expanded } | { readonly refused: { readonly code: string; readonly message: string; readonly status: number } };

let answer: ExpandAnswer;
try {
  answer = { expanded: expand(workerData as ExpandTask) };
} catch (error) {
  if (!(error instanceof AwsError)) throw error;
  answer = { refused: { code: error.code, message: error.message, status: error.status } };
}
parentPort?.postMessage(answer);
