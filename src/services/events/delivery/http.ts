import { DeliveryError } from '../domain/failures.ts';
import { HTTP_ANSWER_BYTES_MAX, HTTP_TIMEOUT_MS } from '../limits.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Of this very server, whose certificate is its own. */
  readonly own?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends one request; rejects with a {@link DeliveryError} where there is no answer in five seconds ("API destinations"). Redirects are not followed. */
export async function exchange({ url, method, headers, body, own }: HttpRequest): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(HTTP_TIMEOUT_MS);
  // Loaded by the first target that needs it.
  const { default: undici } = await import('undici');
  const dispatcher = own ? new undici.Agent({ connect: { rejectUnauthorized: false } }) : undefined;
  try {
    const answer = await undici.request(url, {
      method: method as 'POST',
      headers,
      body: body === undefined || method === 'GET' || method === 'HEAD' ? null : body,
      signal,
      ...(dispatcher ? { dispatcher } : {}),
    });
    return { status: answer.statusCode, headers: answer.headers, body: await readSome(answer.body) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (signal.aborted)
      throw new DeliveryError({ code: 'TIMEOUT', message: `The endpoint did not answer within ${HTTP_TIMEOUT_MS / 1000} seconds.`, retry: true });
    const unknownHost = (error as { code?: string }).code === 'ENOTFOUND';
    throw new DeliveryError({ code: 'CONNECTION_FAILURE', message, retry: !unknownHost });
  } finally {
    await dispatcher?.close();
  }
}

async function readSome(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > HTTP_ANSWER_BYTES_MAX) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Rejects where the status says that the call failed. 4xx are final but for those that AWS tries again: 401, 407, 409, 429. */
export function checkAnswer({ status, headers }: HttpAnswer): void {
  if (status < 400) return;
  const retry = status >= 500 || status === 401 || status === 407 || status === 409 || status === 429;
  const seconds = Number(headers['retry-after']);
  throw new DeliveryError({
    code: status === 429 ? 'THROTTLING' : 'ERROR_FROM_TARGET',
    message: `The endpoint answered with status ${status}.`,
    retry,
    ...(Number.isFinite(seconds) && seconds > 0 ? { afterMs: seconds * 1000 } : {}),
  });
}

/** `*` after `*` in a path takes the values in turn, percent-encoded. */
export function fillPath(path: string, values: readonly string[] = []): string {
  let at = 0;
  return path.replaceAll('*', () => encodeURIComponent(values[at++] ?? ''));
}

/** Key and value of a connection's parameters. */
export function valuesOf(parameters: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined): Record<string, string> {
  return Object.fromEntries((parameters ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
}
