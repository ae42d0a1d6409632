import type { Key } from '../../../kit/key.ts';
import { invalidNextToken } from '../errors.ts';

/** The first key after the one that a token holds; throws InvalidNextToken. */
export function startAfter(prefix: Key, token: string | undefined): Key | undefined {
  if (token === undefined || token === '') return undefined;
  const bytes = Buffer.from(token, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== token) throw invalidNextToken();
  return `${prefix}${bytes.toString('latin1')}\x00`;
}

export const tokenOf = (prefix: Key, last: Key): string => Buffer.from(last.slice(prefix.length), 'latin1').toString('base64');
