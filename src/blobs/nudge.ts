import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { COLLECT_EVERY_BYTES } from './limits.ts';

type Collect = (options: { readonly type: 'minor'; readonly execution: 'sync' }) => void;

let collect: Collect | undefined;
let streamedBytes = 0;

/**
 * Counts bytes that went through short-lived buffers, and every {@link COLLECT_EVERY_BYTES} has the young generation collected (under a
 * millisecond). V8 does not see how much memory such buffers hold outside its heap until about 64 MiB of them are dead, and then answers with
 * full collections: measured on a 256 MiB upload and download, 80 MiB above idle without this, 30 MiB with it.
 */
export function streamed(bytes: number): void {
  streamedBytes += bytes;
  if (streamedBytes < COLLECT_EVERY_BYTES) return;
  streamedBytes = 0;
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
  }
  collect({ type: 'minor', execution: 'sync' });
}
