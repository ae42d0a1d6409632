import { createHash } from 'node:crypto';
import { ALPHABET_LOWER } from '../../../kit/ids.ts';

/** Makes the ids of what is new: random, or the same again for the same stack operation. */
export type NewId = (length: number) => string;

/** Ids that follow from a stack operation's token, so that its retry names what the first try made. */
export function idsFrom(token: string): NewId {
  let count = 0;
  return (length) => {
    const digest = createHash('sha512').update(`${token}:${count++}`).digest();
    return Array.from({ length }, (_, i) => ALPHABET_LOWER[(digest[i] ?? 0) % ALPHABET_LOWER.length]).join('');
  };
}
