import type { WireResponse } from '../../protocol/wire.ts';
import type { Access, Ctx, Operation, OperationEntry, Platform, Service } from '../service.ts';
import { registerBackground } from './background.ts';
import { resources } from './cloudformation.ts';
import { addressOfUrl, queueArn } from './domain/address.ts';
import { queryForm } from './domain/json-form.ts';
import { changeMessageVisibility, changeMessageVisibilityBatch } from './operations/change-message-visibility.ts';
import { createQueue } from './operations/create-queue.ts';
import { deleteMessage, deleteMessageBatch } from './operations/delete-message.ts';
import { deleteQueue, purgeQueue } from './operations/delete-queue.ts';
import { cancelMessageMoveTask, listMessageMoveTasks, startMessageMoveTask } from './operations/move-tasks.ts';
import { addPermission, removePermission } from './operations/permissions.ts';
import { getQueueAttributes, setQueueAttributes } from './operations/queue-attributes.ts';
import { getQueueUrl, listDeadLetterSourceQueues, listQueues } from './operations/queue-url.ts';
import { receiveMessage } from './operations/receive-message.ts';
import { sendMessage, sendMessageBatch } from './operations/send-message.ts';
import { listQueueTags, tagQueue, untagQueue } from './operations/tags.ts';
import { peek } from './peek.ts';
import { usage } from './usage.ts';
import { createWaiting, type Waiting } from './waiting.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const onUrl: Access = {
  resource: (ctx, input) => (text(input['QueueUrl']) === '' ? '*' : queueArn(addressOfUrl(ctx, input['QueueUrl']))),
};
const onName: Access = {
  resource: (ctx, input) => queueArn({ account: text(input['QueueOwnerAWSAccountId']) || ctx.account, region: ctx.region, name: text(input['QueueName']) }),
};
const onAll: Access = { resource: (ctx) => queueArn({ account: ctx.account, region: ctx.region, name: '*' }) };
const onSource: Access = { resource: (_ctx, input) => text(input['SourceArn']) || '*' };
/** Batches are allowed by the action of one message; "Amazon SQS API permissions". */
const as = (action: string, access: Access): Access => ({ action: `sqs:${action}`, ...access });

/** Amazon SQS; see README.md. It words and orders its checks unlike its model, so every operation checks its own input. */
export function createSqsRoom(): Service {
  let waiting: Waiting | undefined;
  const opened = (): Waiting => {
    if (!waiting) throw new Error('the sqs room has not been started');
    return waiting;
  };
  return {
    name: 'sqs',
    operations: operationsOf(opened),
    wording: { unknownOperationMessage: (action) => `The action ${action} is not valid for this endpoint.` },
    usage,
    resources,
    endpoints: { 'sqs-messages': peek },
    start(platform: Platform) {
      waiting = createWaiting(platform.store, platform.clock);
      registerBackground(platform);
    },
    stop() {
      waiting?.stop();
    },
  };
}

/** JSON answers are left alone without a look at them. */
function respond(ctx: Ctx, _output: Record<string, unknown>, response: WireResponse): WireResponse {
  const json = (ctx.http?.headers['content-type'] ?? '').startsWith('application/x-amz-json');
  return json ? response : queryForm(ctx.http?.headers['accept'], response);
}

function operationsOf(waiting: () => Waiting): Record<string, OperationEntry> {
  // biome-ignore lint/suspicious/noExplicitAny: the table holds operations of many types; the model guards the boundary
  const entry = (run: Operation<any, any>, access: Access, recorded?: readonly string[]): OperationEntry => ({
    run,
    access,
    ownValidation: true,
    respond,
    ...(recorded ? { recorded } : {}),
  });
  return {
    CreateQueue: entry(createQueue, onName, [
      'Attributes.Policy',
      'Attributes.KmsMasterKeyId',
      'Attributes.KmsDataKeyReusePeriodSeconds',
      'Attributes.SqsManagedSseEnabled',
      'Attributes.FifoThroughputLimit',
    ]),
    GetQueueUrl: entry(getQueueUrl, onName),
    ListQueues: entry(listQueues, onAll),
    DeleteQueue: entry(deleteQueue, onUrl),
    PurgeQueue: entry(purgeQueue, onUrl),
    GetQueueAttributes: entry(getQueueAttributes, onUrl),
    SetQueueAttributes: entry(setQueueAttributes, onUrl),
    TagQueue: entry(tagQueue, onUrl),
    UntagQueue: entry(untagQueue, onUrl),
    ListQueueTags: entry(listQueueTags, onUrl),
    AddPermission: entry(addPermission, onUrl),
    RemovePermission: entry(removePermission, onUrl),
    ListDeadLetterSourceQueues: entry(listDeadLetterSourceQueues, onUrl),
    SendMessage: entry(sendMessage, onUrl),
    SendMessageBatch: entry(sendMessageBatch, as('SendMessage', onUrl)),
    ReceiveMessage: entry(receiveMessage(waiting), onUrl),
    DeleteMessage: entry(deleteMessage, onUrl),
    DeleteMessageBatch: entry(deleteMessageBatch, as('DeleteMessage', onUrl)),
    ChangeMessageVisibility: entry(changeMessageVisibility, onUrl),
    ChangeMessageVisibilityBatch: entry(changeMessageVisibilityBatch, as('ChangeMessageVisibility', onUrl)),
    StartMessageMoveTask: entry(startMessageMoveTask, onSource),
    CancelMessageMoveTask: entry(cancelMessageMoveTask, onAll),
    ListMessageMoveTasks: entry(listMessageMoveTasks, onSource),
  };
}
