import { keyOf } from '../../kit/key.ts';
import type { Platform } from '../service.ts';

/** The key that seals session tokens: one for the whole installation. */
const SEALING_KEY = keyOf('sts', 'sealing-key');
const SEALING_KEY_BYTES = 32;

const cache = new WeakMap<Platform['store'], Promise<Buffer>>();

/** The installation's sealing key, made at its first use. */
export function sealingKey(platform: Platform): Promise<Buffer> {
  const cached = cache.get(platform.store);
  if (cached) return cached;
  const fresh = platform.ids.bytes(SEALING_KEY_BYTES);
  const made = platform.store.transact({ keys: [SEALING_KEY] }, (tx) => {
    const present = tx.get(SEALING_KEY);
    if (present) return Buffer.from(present);
    tx.put(SEALING_KEY, fresh);
    return Buffer.from(fresh);
  });
  cache.set(platform.store, made);
  made.catch(() => cache.delete(platform.store));
  return made;
}
