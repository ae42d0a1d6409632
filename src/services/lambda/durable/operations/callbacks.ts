import type {
  SendDurableExecutionCallbackFailureRequest,
  SendDurableExecutionCallbackFailureResponse,
  SendDurableExecutionCallbackHeartbeatRequest,
  SendDurableExecutionCallbackHeartbeatResponse,
  SendDurableExecutionCallbackSuccessRequest,
  SendDurableExecutionCallbackSuccessResponse,
} from '@aws-sdk/client-lambda';
import type { Operation } from '../../../service.ts';
import { editCallback } from '../find.ts';
import { endCallback } from '../lifecycle.ts';
import type { ErrorObject } from '../store.ts';

/** "SendDurableExecutionCallbackSuccess". */
export const sendCallbackSuccess: Operation<SendDurableExecutionCallbackSuccessRequest, SendDurableExecutionCallbackSuccessResponse> = async (ctx, input) => {
  const bytes = input.Result;
  const text = bytes && bytes.length > 0 ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8') : undefined;
  await editCallback(ctx, input.CallbackId ?? '', (editor, operation) =>
    endCallback(editor, operation, 'SUCCEEDED', text === undefined ? {} : { result: editor.keep(`${operation.id}.end`, text) }),
  );
  return {};
};

/** "SendDurableExecutionCallbackFailure". */
export const sendCallbackFailure: Operation<SendDurableExecutionCallbackFailureRequest, SendDurableExecutionCallbackFailureResponse> = async (ctx, input) => {
  const error = (input.Error ?? {}) as ErrorObject;
  await editCallback(ctx, input.CallbackId ?? '', (editor, operation) =>
    endCallback(editor, operation, 'FAILED', { error: editor.keepError(`${operation.id}.end`, error) }),
  );
  return {};
};

/** "SendDurableExecutionCallbackHeartbeat": puts the heartbeat timeout off; the timer that is under way finds the new time. */
export const sendCallbackHeartbeat: Operation<SendDurableExecutionCallbackHeartbeatRequest, SendDurableExecutionCallbackHeartbeatResponse> = async (
  ctx,
  input,
) => {
  await editCallback(ctx, input.CallbackId ?? '', (editor, operation) => {
    if (operation.heartbeatSeconds === undefined || operation.heartbeatDueMs === undefined) return;
    const heartbeatDueMs = editor.nowMs + operation.heartbeatSeconds * 1000;
    editor.disarm('heartbeat', operation.id, operation.heartbeatDueMs);
    editor.arm('heartbeat', operation.id, heartbeatDueMs);
    editor.change({ ...operation, heartbeatDueMs });
  });
  return {};
};
