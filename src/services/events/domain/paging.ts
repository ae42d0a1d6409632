import { invalidToken } from '../errors.ts';
import { LIST_DEFAULT } from '../limits.ts';

/** A page token is the name of the last row shown. */
export const tokenOf = (name: string | undefined): { NextToken?: string } =>
  name === undefined ? {} : { NextToken: Buffer.from(JSON.stringify({ after: name }), 'utf8').toString('base64') };

/** Throws ValidationException for what is no token of ours. */
export function pageOf({ NextToken, Limit }: { NextToken?: string | undefined; Limit?: number | undefined }): { after?: string; limit: number } {
  const limit = Limit ?? LIST_DEFAULT;
  if (NextToken === undefined) return { limit };
  try {
    const { after } = JSON.parse(Buffer.from(NextToken, 'base64').toString('utf8')) as { after?: unknown };
    if (typeof after === 'string') return { after, limit };
  } catch {
    // Said below, as for all else that is no token.
  }
  throw invalidToken();
}
