import type { CancelMessageMoveTaskCommandInput, ListMessageMoveTasksCommandInput, StartMessageMoveTaskCommandInput } from '@aws-sdk/client-sqs';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import { MOVE_TARGET, type MovePayload } from '../background.ts';
import { type Address, addressOfArn, queueArn } from '../domain/address.ts';
import { isFifo } from '../domain/settings.ts';
import { invalidParameter, invalidValue, missingParameter, notFound } from '../errors.ts';
import { headsOf } from '../heads.ts';
import { MOVE_RATE_MAX, MOVE_TASKS_LISTED_MAX } from '../limits.ts';
import { type OpenQueue, opened, openQueue } from '../messages.ts';
import { counted, findQueue, keys, type MoveTaskRow, rangeOf, txQueue } from '../store.ts';

const noSuchArn = (parameter: string) => notFound(`The resource that you specified for the ${parameter} parameter doesn't exist.`);

function addressOf(parameter: string, arn: string | undefined): Address {
  if (!arn) throw missingParameter(parameter);
  const address = addressOfArn(arn);
  if (!address) throw noSuchArn(parameter);
  return address;
}

/** A task's handle says which task of which queue; the form is AWS's. */
const handleOf = ({ id, sourceArn }: MoveTaskRow): string => Buffer.from(JSON.stringify({ taskId: id, sourceArn }), 'utf8').toString('base64');

function decodeTaskHandle(handle: string | undefined): { readonly taskId: string; readonly sourceArn: string } {
  if (!handle) throw missingParameter('TaskHandle');
  try {
    const parsed = JSON.parse(Buffer.from(handle, 'base64').toString('utf8')) as { taskId?: unknown; sourceArn?: unknown } | null;
    if (typeof parsed?.taskId === 'string' && typeof parsed.sourceArn === 'string') return { taskId: parsed.taskId, sourceArn: parsed.sourceArn };
  } catch {
    // Not JSON: said below, as for any other handle that is none.
  }
  throw invalidParameter('Value for parameter TaskHandle is invalid.');
}

/** Tasks of a queue, the newest first. */
function tasksOf(tx: Tx, queue: OpenQueue): MoveTaskRow[] {
  const range = rangeOf(keys.moveTasks(queue.address, queue.row.id));
  return tx.range({ ...range, reverse: true, limit: MOVE_TASKS_LISTED_MAX }).entries.map(([, value]) => decodeJson<MoveTaskRow>(value));
}

/** "StartMessageMoveTask": the bus carries it on from here. */
export async function startMessageMoveTask(ctx: Ctx, input: StartMessageMoveTaskCommandInput) {
  const source = addressOf('SourceArn', input.SourceArn);
  const rate = input.MaxNumberOfMessagesPerSecond;
  if (rate !== undefined && (rate < 1 || rate > MOVE_RATE_MAX))
    throw invalidValue('MaxNumberOfMessagesPerSecond', rate, `Must be between 1 and ${MOVE_RATE_MAX}, if provided.`);
  const { store, bus, clock, ids } = ctx.platform;
  const [id, startedMs] = [ids.uuid(), clock.virtual()];
  const { account, region, name } = source;
  const task = await store.transact({ keys: [keys.queue(source, name)] }, (tx) => {
    const queue = openQueue(tx, source, headsOf(ctx.platform.store));
    if (!queue) throw noSuchArn('SourceArn');
    if (tx.range({ ...rangeOf(keys.sources(source, name)), limit: 1 }).entries.length === 0)
      throw invalidParameter('Source queue must be configured as a Dead Letter Queue.');
    if (input.DestinationArn !== undefined) checkDestination(tx, source, input.DestinationArn);
    if (tasksOf(tx, queue).some(({ status }) => status === 'RUNNING'))
      throw invalidParameter('There is already a task running. Only one active task is allowed for a source queue arn at a given time.');
    const row: MoveTaskRow = {
      id,
      sourceArn: queueArn(source),
      ...(input.DestinationArn === undefined ? {} : { destinationArn: input.DestinationArn }),
      ...(rate === undefined ? {} : { perSecond: rate }),
      status: 'RUNNING',
      moved: 0,
      toMove: counted(tx.get(queue.at.total)),
      startedMs,
    };
    tx.put(keys.moveTask(source, queue.row.id, startedMs, id), encodeJson(row));
    forgetOldTasks(tx, queue);
    const payload: MovePayload = { name, queueId: queue.row.id, startedMs, taskId: id };
    bus.enqueue(tx, { target: MOVE_TARGET, account, region, payload, orderKey: queue.row.id, trace: ctx.trace });
    return row;
  });
  return { TaskHandle: handleOf(task) };
}

function checkDestination(tx: Tx, source: Address, arn: string): void {
  const destination = addressOf('DestinationArn', arn);
  if (!txQueue(tx, destination)) throw noSuchArn('DestinationArn');
  if (isFifo(destination.name) !== isFifo(source.name)) throw invalidParameter('Source queue and destination queue must be of the same type.');
  if (queueArn(destination) === queueArn(source)) throw invalidParameter('Source queue arn and destination queue arn cannot be the same.');
}

/** Only the last ten can be listed. */
function forgetOldTasks(tx: Tx, queue: OpenQueue): void {
  const range = rangeOf(keys.moveTasks(queue.address, queue.row.id));
  const entries = tx.range({ ...range, reverse: true, limit: MOVE_TASKS_LISTED_MAX + 10 }).entries;
  for (const [key] of entries.slice(MOVE_TASKS_LISTED_MAX)) tx.delete(key);
}

/** "CancelMessageMoveTask": what was moved stays moved. */
export async function cancelMessageMoveTask(ctx: Ctx, input: CancelMessageMoveTaskCommandInput) {
  const { taskId, sourceArn } = decodeTaskHandle(input.TaskHandle);
  const source = addressOf('SourceArn', sourceArn);
  const moved = await ctx.platform.store.transact({ keys: [keys.queue(source, source.name)] }, (tx) => {
    const queue = openQueue(tx, source, headsOf(ctx.platform.store));
    if (!queue) throw noSuchArn('SourceArn');
    const task = tasksOf(tx, queue).find(({ id }) => id === taskId);
    if (!task) throw notFound('Task does not exist.');
    if (task.status !== 'RUNNING') throw invalidParameter('Only active tasks can be cancelled.');
    tx.put(keys.moveTask(source, queue.row.id, task.startedMs, task.id), encodeJson({ ...task, status: 'CANCELLED' }));
    return task.moved;
  });
  return { ApproximateNumberOfMessagesMoved: moved };
}

/** "ListMessageMoveTasks": the newest first. */
export async function listMessageMoveTasks(ctx: Ctx, input: ListMessageMoveTasksCommandInput) {
  const source = addressOf('SourceArn', input.SourceArn);
  const max = input.MaxResults ?? 1;
  if (max < 1 || max > MOVE_TASKS_LISTED_MAX) throw invalidValue('MaxResults', max, `Must be between 1 and ${MOVE_TASKS_LISTED_MAX}, if provided.`);
  const { store } = ctx.platform;
  const row = await findQueue(store, source);
  if (!row) throw noSuchArn('SourceArn');
  const queue = opened(source, row, headsOf(store));
  const page = await store.range({ ...rangeOf(keys.moveTasks(source, queue.row.id)), reverse: true, limit: max });
  return { Results: page.entries.map(([, value]) => view(decodeJson<MoveTaskRow>(value))) };
}

function view(task: MoveTaskRow) {
  return {
    ...(task.status === 'RUNNING' ? { TaskHandle: handleOf(task) } : {}),
    Status: task.status,
    SourceArn: task.sourceArn,
    ...(task.destinationArn === undefined ? {} : { DestinationArn: task.destinationArn }),
    ...(task.perSecond === undefined ? {} : { MaxNumberOfMessagesPerSecond: task.perSecond }),
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    ...(task.failureReason === undefined ? {} : { FailureReason: task.failureReason }),
    StartedTimestamp: task.startedMs,
  };
}
