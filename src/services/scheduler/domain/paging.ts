import { invalidToken } from '../errors.ts';
import { LIST_DEFAULT } from '../limits.ts';

/** A page token is where the last row shown stands. */
export const tokenOf = (place: string | undefined): { NextToken?: string } =>
  place === undefined ? {} : { NextToken: Buffer.from(JSON.stringify({ after: place }), 'utf8').toString('base64url') };

/** Throws ValidationException for what is no token of ours. */
export function pageOf({ NextToken, MaxResults }: { NextToken?: string | undefined; MaxResults?: number | undefined }): { after?: string; limit: number } {
  const limit = MaxResults ?? LIST_DEFAULT;
  if (NextToken === undefined) return { limit };
  try {
    const { after } = JSON.parse(Buffer.from(NextToken, 'base64url').toString('utf8')) as { after?: unknown };
    if (typeof after === 'string') return { after, limit };
  } catch {
    // Said below, as for all else that is no token.
  }
  throw invalidToken();
}
