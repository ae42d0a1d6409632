import type { InvokeWithResponseStreamRequest, InvokeWithResponseStreamResponse } from '@aws-sdk/client-lambda';
import type { Operation } from '../../service.ts';
import { checkJson } from '../domain/json-text.ts';
import { checkTenant } from '../domain/tenancy.ts';
import type { LambdaRoom } from '../functions.ts';
import { causeOf, enterFunction } from '../recursion.ts';
import { chunksOf, runStreaming, type StreamedAnswer } from '../streaming.ts';
import { checkSize, NO_PAYLOAD, readClientContext } from './invoke.ts';
import { invokeTarget } from './target.ts';

type Event = Record<string, unknown>;

/** "InvokeWithResponseStream": what the function streams arrives as it is written. */
export function invokeWithResponseStream(room: LambdaRoom): Operation<InvokeWithResponseStreamRequest, InvokeWithResponseStreamResponse> {
  return async (ctx, input) => {
    const payload = input.Payload && input.Payload.length > 0 ? input.Payload : NO_PAYLOAD;
    checkSize(payload, 'RequestResponse');
    if (payload !== NO_PAYLOAD) await checkJson(payload);
    const target = await invokeTarget(ctx, room, input.FunctionName ?? '', input.Qualifier);
    checkTenant(target.row, input.TenantId);
    if (input.InvocationType === 'DryRun') return { StatusCode: 204, EventStream: nothing() as never };
    const clientContext = readClientContext(input.ClientContext);
    const answer = await runStreaming(room.runner, ctx, {
      ...target,
      payload,
      requestId: ctx.requestId,
      trace: enterFunction(ctx, target.fn, causeOf(ctx)),
      ...(input.TenantId === undefined ? {} : { tenantId: input.TenantId }),
      ...(clientContext === undefined ? {} : { clientContext }),
      ...(input.LogType === 'Tail' ? { tail: true } : {}),
    });
    return { StatusCode: 200, ExecutedVersion: target.row.version, EventStream: eventsOf(answer) as never };
  };
}

async function* nothing(): AsyncGenerator<Event> {}

async function* eventsOf(answer: StreamedAnswer): AsyncGenerator<Event> {
  try {
    if (answer.body) for await (const chunk of chunksOf(answer.body)) yield { PayloadChunk: { Payload: chunk } };
  } catch (error) {
    // The runtime died while it streamed: how is told by the result.
    if (!(error instanceof Error)) throw error;
  }
  const { payload, functionError, logTail } = await answer.result;
  const log = logTail === undefined ? {} : { LogResult: logTail };
  if (functionError) yield { InvokeComplete: { ErrorCode: functionError, ErrorDetails: payload.toString('utf8'), ...log } };
  else {
    if (payload.length > 0) yield { PayloadChunk: { Payload: payload } };
    yield { InvokeComplete: log };
  }
}
