/** What the main thread and the store's worker threads say to each other. */

export interface WriterData {
  readonly file: string;
}

export type ToWriter =
  | { readonly kind: 'batch'; readonly number: number; readonly epoch: number; readonly nowMs: number; readonly data: ArrayBuffer }
  | { readonly kind: 'resetWal' }
  | { readonly kind: 'close' };

export type FromWriter =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly number: number }
  /** Nothing of batch `number`, nor of any later batch of that epoch, was or will be written. */
  | { readonly kind: 'failed'; readonly number: number; readonly epoch: number; readonly full: boolean; readonly message: string };

export type ToCheckpointer = { readonly kind: 'checkpoint' } | { readonly kind: 'close' };

export interface FromCheckpointer {
  /** Bytes in the write-ahead log, and how many of them are not yet in the database. */
  readonly walBytes: number;
  readonly behindBytes: number;
  readonly error?: string;
}
