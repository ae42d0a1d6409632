import type { Attempt } from '../../bus/bus.ts';
import type { InvokeResult } from '../../compute/types.ts';
import { parseArn } from '../../kit/arn.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Trace } from '../../kit/trace.ts';
import type { Ctx } from '../service.ts';
import { enqueueInvoke, type InvokePayload } from './async-invocation.ts';
import { type Dispatch, enqueueDispatch, packed } from './destinations.ts';
import { functionArn, readReference } from './domain/names.ts';
import { find } from './functions.ts';
import { DEAD_LETTER_MESSAGE_BYTES_MAX } from './limits.ts';
import type { EventInvokeRow, VersionRow } from './store.ts';

/** The end of an event's way: run, or given up. */
export interface Ending {
  readonly condition: 'Success' | 'RetriesExhausted' | 'EventAgeExceeded' | 'ZeroReservedConcurrency';
  /** What was to run. */
  readonly row?: VersionRow;
  readonly result?: InvokeResult;
  /** Why it could not run. */
  readonly error?: unknown;
  /** With the function in its lineage. */
  readonly trace?: Trace;
}

export interface EndedEvent {
  readonly payload: InvokePayload;
  readonly event: Buffer;
}

/**
 * Tells of an event that ended: its record goes to the destination, and the event itself to the dead-letter queue where it failed. Both
 * are enqueued in the commit that ends the event's delivery, so that each is sent once.
 */
export async function conclude(ctx: Ctx, config: EventInvokeRow | undefined, attempt: Attempt, ended: EndedEvent, ending: Ending): Promise<void> {
  const success = ending.condition === 'Success';
  const destination = success ? config?.onSuccess : config?.onFailure;
  const deadLetter = success ? undefined : await deadLetterOf(ctx, ended, ending);
  if (!destination && !deadLetter) return;
  const { platform } = ctx;
  const record = JSON.stringify(recordOf(ctx, ended, ending));
  const target = destination === undefined ? undefined : parseArn(destination)?.service === 'lambda' ? readReference(ctx, destination) : undefined;
  const arn = functionArn(ctx, ended.payload.functionName, ended.payload.qualifier ?? '$LATEST');
  const objectKey = `aws/lambda/async/${ended.payload.functionName}/${objectName(platform.clock.virtual(), platform.ids.uuid())}`;
  const dispatches = await Promise.all([
    ...(destination && !target
      ? [packed(platform, { arn: destination, body: record, functionArn: arn, outcome: success ? 'Success' : 'Failure', objectKey } satisfies Dispatch)]
      : []),
    ...(deadLetter ? [packed(platform, deadLetter)] : []),
  ]);
  const requestId = platform.ids.uuid();
  await platform.store.transact({}, (tx) => {
    if (target) {
      const { name, qualifier } = target;
      enqueueInvoke(ctx, tx, { functionName: name, ...(qualifier === undefined ? {} : { qualifier }), requestId, event: record });
    }
    for (const dispatch of dispatches) enqueueDispatch(ctx, tx, dispatch);
    attempt.settle(tx);
  });
}

/** `YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<Random UUID>`; "Capturing records of Lambda asynchronous invocations". */
function objectName(nowMs: number, uuid: string): string {
  const [day = '', time = ''] = new Date(nowMs).toISOString().slice(0, 19).split('T');
  return `${day.replaceAll('-', '/')}/${day}T${time.replaceAll(':', '.')}-${uuid}`;
}

/** "Invocation record". */
function recordOf(ctx: Ctx, { payload, event }: EndedEvent, { condition, row, result }: Ending): Record<string, unknown> {
  const { functionName, qualifier, requestId, failures = 0 } = payload;
  return {
    version: '1.0',
    timestamp: new Date(ctx.platform.clock.virtual()).toISOString(),
    requestContext: {
      requestId,
      functionArn: functionArn(ctx, functionName, qualifier ?? '$LATEST'),
      condition,
      approximateInvokeCount: result ? failures + 1 : failures,
    },
    requestPayload: jsonOf(event),
    ...(result
      ? {
          responseContext: {
            statusCode: 200,
            executedVersion: row?.version ?? '$LATEST',
            ...(result.functionError ? { functionError: result.functionError } : {}),
          },
          responsePayload: jsonOf(result.payload),
        }
      : {}),
  };
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** The event as it was, with why it failed beside it: "Adding a dead-letter queue". */
async function deadLetterOf(ctx: Ctx, { payload, event }: EndedEvent, ending: Ending): Promise<Dispatch | undefined> {
  const row = ending.row ?? (await rowOf(ctx, payload));
  const { TargetArn: arn } = (row?.recorded['DeadLetterConfig'] ?? {}) as { TargetArn?: string };
  if (arn === undefined) return undefined;
  const { code, message } = whyOf(ending);
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  return {
    arn,
    body: event.toString('utf8'),
    functionArn: functionArn(ctx, payload.functionName, payload.qualifier ?? '$LATEST'),
    attributes: {
      RequestID: text(payload.requestId),
      ErrorCode: { DataType: 'Number', StringValue: String(code) },
      ...(message === '' ? {} : { ErrorMessage: text(message) }),
    },
  };
}

async function rowOf(ctx: Ctx, { functionName: name, qualifier }: InvokePayload): Promise<VersionRow | undefined> {
  try {
    return (await find(ctx.platform, ctx, qualifier === undefined ? { name } : { name, qualifier })).row;
  } catch (error) {
    if (error instanceof AwsError) return undefined;
    throw error;
  }
}

/** The HTTP status that a synchronous invocation would have had, and the first of the error's message. */
function whyOf({ condition, result, error }: Ending): { readonly code: number; readonly message: string } {
  if (result) {
    const answer = jsonOf(result.payload) as { errorMessage?: unknown } | null;
    return { code: 200, message: cut(typeof answer?.errorMessage === 'string' ? answer.errorMessage : '') };
  }
  if (error instanceof AwsError) return { code: error.status, message: cut(error.message) };
  return { code: 429, message: condition === 'ZeroReservedConcurrency' ? 'Rate Exceeded.' : 'The event is older than it may be.' };
}

/** At most so many bytes, and no half character. */
function cut(text: string): string {
  const bytes = Buffer.from(text);
  return bytes.length <= DEAD_LETTER_MESSAGE_BYTES_MAX ? text : bytes.toString('utf8', 0, DEAD_LETTER_MESSAGE_BYTES_MAX).replace(/\ufffd$/, '');
}
