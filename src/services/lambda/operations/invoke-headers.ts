import { formatTrace } from '../../../kit/trace.ts';
import type { WireResponse } from '../../../protocol/wire.ts';
import type { Ctx } from '../../service.ts';

/** What the front door of AWS adds to the answer of an invocation, beside the model. "Invoke". */
export function withInvokeHeaders(ctx: Ctx, output: Record<string, unknown>, response: WireResponse): WireResponse {
  const headers: Record<string, string> = { ...response.headers, 'x-amzn-Remapped-Content-Length': '0', 'X-Amzn-Trace-Id': formatTrace(ctx.trace) };
  // An answer of a function is JSON, also where it is an error's; there is none for events and dry runs.
  if (output['StatusCode'] === 200) headers['Content-Type'] = 'application/json';
  return { ...response, headers };
}
