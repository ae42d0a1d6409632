import type { FullRange } from '../limits.ts';

/** What the main thread and the store's worker threads say to each other. */

export interface WriterData {
  readonly file: string;
}

export type ToWriter =
  | { readonly kind: 'batch'; readonly number: number; readonly epoch: number; readonly nowMs: number; readonly data: ArrayBuffer }
  /** Between two batches: end the checkpoint, so that the log can begin anew; `wait` for readers that are still in it. */
  | { readonly kind: 'resetWal'; readonly wait: boolean }
  | { readonly kind: 'close' };

export type FromWriter =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly number: number }
  | { readonly kind: 'resetFailed'; readonly message: string }
  /** Nothing of batch `number`, nor of any later batch of that epoch, was or will be written. */
  | { readonly kind: 'failed'; readonly number: number; readonly epoch: number; readonly full: boolean; readonly message: string };

export type ToCheckpointer = { readonly kind: 'checkpoint' } | { readonly kind: 'close' };

export interface FromCheckpointer {
  /** Bytes in the write-ahead log, and how many of them are not yet in the database. */
  readonly walBytes: number;
  readonly behindBytes: number;
  readonly error?: string;
}

export interface CopierData {
  /** The database to copy; without it, the records of `ToCopier` are written. */
  readonly from: string | undefined;
  readonly to: string;
  /** The format of records that are sent. */
  readonly version: number;
}

/** Each is answered by one {@link FromCopier}. */
export type ToCopier = { readonly kind: 'records'; readonly data: ArrayBuffer } | { readonly kind: 'finish' };

/** A step is done, or has failed: then the thread ends. */
export interface FromCopier {
  readonly error?: string;
}

export type ToReader = { readonly kind: 'page'; readonly number: number; readonly range: FullRange } | { readonly kind: 'close' };

/** A page as records of `encodeBatch`, in its order. */
export type FromReader = { readonly number: number; readonly more: boolean; readonly data: ArrayBuffer } | { readonly number: number; readonly error: string };
