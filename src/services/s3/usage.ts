import type { Ctx, OperationEntry } from '../service.ts';

/**
 * "Amazon S3 pricing": requests of two classes (PUT, COPY, POST, LIST; GET and others; deletes are free), bytes in and out.
 * What is stored is a sum over the bucket's objects, not a meter.
 */
export const S3_USAGE = {
  RequestsTier1: 'requests',
  RequestsTier2: 'requests',
  BytesIn: 'bytes',
  BytesOut: 'bytes',
} as const;

export type RequestClass = 'tier1' | 'tier2' | 'free';

/** Counts the request, whatever comes of it: S3 bills answers of 2xx and 4xx alike. */
export function metered(run: OperationEntry['run'], requests: RequestClass): OperationEntry['run'] {
  if (requests === 'free') return run;
  const dimension = requests === 'tier1' ? 'RequestsTier1' : 'RequestsTier2';
  return (ctx: Ctx, input: unknown) => {
    ctx.meter(dimension, 1);
    return run(ctx, input);
  };
}
