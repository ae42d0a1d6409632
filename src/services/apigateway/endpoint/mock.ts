import type { WireResponse } from '../../../protocol/wire.ts';
import { internalError } from './gateway-error.ts';
import type { Invocation } from './invocation.ts';
import { mapResponse, requestBody, selectResponse } from './mapping.ts';

/** "Set up mock integrations": the request template names a status, which selects the response. */
export function mock(call: Invocation): WireResponse {
  const integration = call.method.methodIntegration ?? {};
  // The template's JSON may leave out the quotes: {statusCode: 200}.
  const status = /["']?statusCode["']?\s*:\s*["']?(\d{3})\b/.exec(requestBody(call).toString('utf8'))?.[1];
  if (status === undefined) throw internalError(500);
  return mapResponse(call, selectResponse(integration, status), { body: Buffer.alloc(0), headers: {} });
}
