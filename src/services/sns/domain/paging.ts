import type { Key } from '../../../kit/key.ts';
import type { Page } from '../../../store/store.ts';
import { invalidParameter } from '../errors.ts';

/** Where a page begins: after the key that the token holds. Throws InvalidParameter. */
export function startAfter(prefix: Key, token: string | undefined): Key | undefined {
  if (token === undefined || token === '') return undefined;
  const bytes = Buffer.from(token, 'base64');
  if (bytes.length === 0 || bytes.toString('base64').replace(/=+$/, '') !== token.replace(/=+$/, '')) throw invalidParameter('NextToken');
  return prefix + bytes.toString('latin1');
}

/** `NextToken` of a page that is not the last. */
export function nextToken(prefix: Key, page: Page): { NextToken?: string } {
  const last = page.entries.at(-1)?.[0];
  return page.more && last !== undefined ? { NextToken: Buffer.from(last.slice(prefix.length), 'latin1').toString('base64') } : {};
}
