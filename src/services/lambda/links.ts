import { createHmac, timingSafeEqual } from 'node:crypto';
import type { WireResponse } from '../../protocol/wire.ts';
import type { HttpEndpoint, Platform } from '../service.ts';
import type { CodeLinks } from './functions.ts';
import { CODE_LINK_MS } from './limits.ts';

/** GetFunction's download links: a blob, an end in real time, and a signature of this process. Anybody who has the link may read. */
export function createCodeLinks(): CodeLinks & { readonly endpoint: HttpEndpoint } {
  let secret: Buffer | undefined;
  const sign = (platform: Platform, blobId: string, untilMs: number) => {
    secret ??= platform.ids.bytes(32);
    return createHmac('sha256', secret).update(`${blobId} ${untilMs}`).digest('hex');
  };
  return {
    make(platform, blobId) {
      const { scheme, host, port } = platform.address();
      const untilMs = platform.clock.real() + CODE_LINK_MS;
      const query = `Expires=${untilMs}&Signature=${sign(platform, blobId, untilMs)}`;
      return `${scheme}://${host}:${port}/_aws/lambda-code/${blobId}?${query}`;
    },
    async endpoint(ctx, request) {
      const { platform } = ctx;
      const query = new URLSearchParams(request.query);
      const untilMs = Number(query.get('Expires'));
      const blobId = request.id;
      const given = Buffer.from(query.get('Signature') ?? '');
      const right = Buffer.from(sign(platform, blobId, untilMs));
      if (given.length !== right.length || !timingSafeEqual(given, right) || untilMs < platform.clock.real())
        return refusal(403, 'The link is wrong or has expired.');
      try {
        return { status: 200, headers: { 'content-type': 'application/zip' }, body: await platform.blobs.read(blobId) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        return refusal(404, 'This code is gone: the function was updated or deleted.');
      }
    },
  };
}

function refusal(status: number, message: string): WireResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message }) };
}
