import type { InvocationRequest, InvocationResponse, InvokeAsyncRequest, InvokeAsyncResponse } from '@aws-sdk/client-lambda';
import type { Ctx, Operation, StreamingBody } from '../../service.ts';
import { enqueueInvoke } from '../async-invocation.ts';
import { checkJson } from '../domain/json-text.ts';
import { checkTenant } from '../domain/tenancy.ts';
import { checkDurable, endOf, startDurable } from '../durable/invoke.ts';
import { entityTooLarge, invalidParameter, invalidRequestContent } from '../errors.ts';
import type { LambdaRoom } from '../functions.ts';
import { ASYNC_INLINE_BYTES_MAX, ASYNC_PAYLOAD_BYTES_MAX, INVOKE_ASYNC_BYTES_MAX, SYNC_PAYLOAD_BYTES_MAX } from '../limits.ts';
import { causeOf, enterFunction } from '../recursion.ts';
import { type InvokeTarget, invokeTarget } from './target.ts';

export const NO_PAYLOAD = Buffer.from('{}');
const NOTHING = new Uint8Array();

/** "Invoke". */
export function invoke(room: LambdaRoom): Operation<InvocationRequest, InvocationResponse> {
  return async (ctx, input) => {
    const type = input.InvocationType ?? 'RequestResponse';
    const payload = input.Payload && input.Payload.length > 0 ? input.Payload : NO_PAYLOAD;
    checkSize(payload, type);
    if (payload !== NO_PAYLOAD) await checkJson(payload);
    const target = await invokeTarget(ctx, room, input.FunctionName ?? '', input.Qualifier);
    if (target.row.durable) checkDurable(target, type !== 'Event');
    else if (input.DurableExecutionName !== undefined) throw invalidParameter('DurableExecutionName can only be given to durable functions.');
    checkTenant(target.row, input.TenantId);
    if (type === 'DryRun') return { StatusCode: 204, Payload: asPayload(NOTHING) };
    if (target.row.durable)
      return invokeDurable(ctx, room, target, { payload, name: input.DurableExecutionName, event: type === 'Event', tenantId: input.TenantId });
    if (type === 'Event') {
      await invokeEvent(ctx, target, input.Qualifier ?? qualifierOf(input.FunctionName ?? ''), payload, input.TenantId);
      return { StatusCode: 202, Payload: asPayload(NOTHING) };
    }
    const clientContext = readClientContext(input.ClientContext);
    const result = await room.runner.run(ctx, {
      ...target,
      payload,
      requestId: ctx.requestId,
      trace: enterFunction(ctx, target.fn, causeOf(ctx)),
      ...(input.TenantId === undefined ? {} : { tenantId: input.TenantId }),
      ...(clientContext === undefined ? {} : { clientContext }),
      ...(input.LogType === 'Tail' ? { tail: true } : {}),
    });
    return {
      StatusCode: 200,
      ExecutedVersion: target.row.version,
      Payload: asPayload(result.payload),
      ...(result.functionError ? { FunctionError: result.functionError } : {}),
      ...(result.logTail === undefined ? {} : { LogResult: result.logTail }),
    };
  };
}

/** A durable function's answer is its execution's, or that one has begun. */
async function invokeDurable(
  ctx: Ctx,
  room: LambdaRoom,
  target: InvokeTarget,
  call: { readonly payload: Uint8Array; readonly name: string | undefined; readonly event: boolean; readonly tenantId: string | undefined },
): Promise<InvocationResponse> {
  const row = await startDurable(ctx, target, {
    payload: call.payload,
    synchronous: !call.event,
    tenantId: call.tenantId,
    ...(call.name === undefined ? {} : { name: call.name }),
    ...(call.event ? { event: { requestId: ctx.requestId, qualifier: target.invokedArn.split(':').at(-1) ?? '' } } : {}),
  });
  if (call.event) return { StatusCode: 202, Payload: asPayload(NOTHING), DurableExecutionArn: row.arn };
  const result = await endOf(ctx, room.durable, row);
  return {
    StatusCode: 200,
    ExecutedVersion: row.version,
    Payload: asPayload(result.payload),
    DurableExecutionArn: row.arn,
    ...(result.functionError ? { FunctionError: result.functionError } : {}),
  };
}

/** "InvokeAsync", deprecated: an event invocation that answers a status of its own. */
export function invokeAsync(room: LambdaRoom): Operation<InvokeAsyncRequest, InvokeAsyncResponse> {
  return async (ctx, input) => {
    const chunks: Uint8Array[] = [];
    const body = input.InvokeArgs as unknown as StreamingBody | Uint8Array | undefined;
    if (body instanceof Uint8Array) chunks.push(body);
    else if (body) for await (const chunk of body) chunks.push(chunk);
    const payload = Buffer.concat(chunks);
    if (payload.length > INVOKE_ASYNC_BYTES_MAX) throw tooLarge(payload.length, 'Event', INVOKE_ASYNC_BYTES_MAX);
    await checkJson(payload);
    const target = await invokeTarget(ctx, room, input.FunctionName ?? '');
    await invokeEvent(ctx, target, qualifierOf(input.FunctionName ?? ''), payload);
    return { Status: 202 };
  };
}

/** The 202 is given once the event is on disk. */
async function invokeEvent(ctx: Ctx, target: InvokeTarget, qualifier: string | undefined, payload: Uint8Array, tenantId?: string): Promise<void> {
  const { store, blobs } = ctx.platform;
  const large = payload.length > ASYNC_INLINE_BYTES_MAX;
  const blob = large
    ? await blobs.write(
        (async function* () {
          yield payload;
        })(),
      )
    : undefined;
  const event = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  await store.transact({}, (tx) =>
    enqueueInvoke(ctx, tx, {
      functionName: target.fn.name,
      ...(qualifier === undefined ? {} : { qualifier }),
      requestId: ctx.requestId,
      ...(tenantId === undefined ? {} : { tenantId }),
      ...(blob ? { blobId: blob.id } : { event: event.toString('utf8') }),
    }),
  );
}

export function checkSize(payload: Uint8Array, type: string): void {
  const max = type === 'Event' ? ASYNC_PAYLOAD_BYTES_MAX : SYNC_PAYLOAD_BYTES_MAX;
  if (payload.length > max) throw tooLarge(payload.length, type, max);
}

function tooLarge(size: number, type: string, max: number): Error {
  return entityTooLarge(`${size} byte payload is too large for the ${type} invocation type (limit ${max} bytes)`);
}

/** The qualifier that an ARN or a name ends in. */
function qualifierOf(functionName: string): string | undefined {
  return /(?:^|:function:|^function:)[a-zA-Z0-9-_.]+:(\$LATEST|[a-zA-Z0-9-_]+)$/.exec(functionName)?.[1];
}

export function readClientContext(base64: string | undefined): string | undefined {
  if (base64 === undefined || base64 === '') return undefined;
  const text = Buffer.from(base64, 'base64').toString('utf8');
  try {
    return JSON.stringify(JSON.parse(text)).replaceAll(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  } catch {
    throw invalidRequestContent('Client context must be a valid Base64-encoded JSON object.');
  }
}

/** The SDK's payload type adds a method that only its client needs. */
function asPayload(bytes: Uint8Array): NonNullable<InvocationResponse['Payload']> {
  return bytes as NonNullable<InvocationResponse['Payload']>;
}
