import type { Readable } from 'node:stream';
import type { InvokeResult } from '../../compute/types.ts';
import type { Ctx } from '../service.ts';
import type { FunctionRunner, RunCall } from './runner.ts';

/** An answer as it comes. */
export interface StreamedAnswer {
  /** Empty for a function that answers at once. */
  readonly contentType: string;
  /** Present for a function that streams. */
  readonly body?: Readable;
  /** How it ended: after `body` was read; a streamed answer has no payload here. */
  readonly result: Promise<InvokeResult>;
}

/** Runs a function and resolves with the beginning of its answer. Rejects where it could not be run. */
export function runStreaming(runner: FunctionRunner, ctx: Ctx, call: RunCall): Promise<StreamedAnswer> {
  return new Promise((resolve, reject) => {
    const result: Promise<InvokeResult> = runner.run(ctx, { ...call, stream: (body, contentType) => resolve({ contentType, body, result }) });
    result.then(() => resolve({ contentType: '', result }), reject);
  });
}

/** The chunks of a streamed answer. A client that stops reading does not stop the function: the rest is dropped. */
export async function* chunksOf(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    // The connection is the runtime's, and carries its next request too: it is not destroyed with the reader.
    for await (const chunk of body.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
  } finally {
    body.resume();
  }
}
