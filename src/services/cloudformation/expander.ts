import { Worker } from 'node:worker_threads';
import { AwsError } from '../../kit/errors.ts';
import { workerUrl } from '../../kit/worker.ts';
import { type Expanded, type ExpandTask, expand } from './domain/expand.ts';
import { validationError } from './errors.ts';
import type { ExpandAnswer } from './expand-worker.ts';
import { EXPAND_TIMEOUT_MS, INLINE_TEMPLATE_BYTES_MAX } from './limits.ts';

/** {@link expand}, by a thread where the template is not short. Rejects with what the API answers; a template that takes too long is refused. */
export async function expandTemplate(task: ExpandTask): Promise<Expanded> {
  // Loops can make much of little.
  if (task.text.length <= INLINE_TEMPLATE_BYTES_MAX && !task.includes?.length && !task.text.includes('Fn::ForEach')) return expand(task);
  const answer = await runThread(task);
  if ('expanded' in answer) return answer.expanded;
  throw new AwsError(answer.refused.code, answer.refused.message, { status: answer.refused.status });
}

function runThread(task: ExpandTask): Promise<ExpandAnswer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl('services/cloudformation/expand-worker'), { workerData: task });
    const timer = setTimeout(() => {
      reject(validationError('Template format error: the template takes too long to read.'));
      void worker.terminate();
    }, EXPAND_TIMEOUT_MS);
    worker.once('message', (answer: ExpandAnswer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    worker.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    worker.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the template thread ended with code ${code} and no answer`));
    });
  });
}
