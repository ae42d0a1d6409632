import type {
  DeleteFunctionEventInvokeConfigRequest,
  DestinationConfig,
  FunctionEventInvokeConfig,
  GetFunctionEventInvokeConfigRequest,
  ListFunctionEventInvokeConfigsRequest,
  ListFunctionEventInvokeConfigsResponse,
  PutFunctionEventInvokeConfigRequest,
  UpdateFunctionEventInvokeConfigRequest,
} from '@aws-sdk/client-lambda';
import { parseArn } from '../../../kit/arn.ts';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { type FunctionReference, functionArn, isVersion, readReference } from '../domain/names.ts';
import { invalidParameter, notFound } from '../errors.ts';
import { LIST_ITEMS_MAX } from '../limits.ts';
import { type EventInvokeRow, getAliasRow, getEventInvokeRow, getFunctionRow, getVersionRow, keys, listRows, read, write } from '../store.ts';
import { markerOf, readMarker } from './list-functions.ts';

type Settings = PutFunctionEventInvokeConfigRequest | UpdateFunctionEventInvokeConfigRequest;

/** "PutFunctionEventInvokeConfig": what is not given goes back to its default. */
export const putFunctionEventInvokeConfig: Operation<PutFunctionEventInvokeConfigRequest, FunctionEventInvokeConfig> = async (ctx, input) => {
  checkGiven(input);
  const reference = await requireTarget(ctx, readReference(ctx, input.FunctionName ?? '', input.Qualifier));
  await checkDestinations(ctx, reference, input.DestinationConfig);
  const row = merged({ qualifier: reference.qualifier, modifiedMs: ctx.platform.clock.virtual() }, input);
  const key = keys.eventInvoke(ctx, reference.name, reference.qualifier);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => write(tx, key, row));
  return shown(ctx, reference.name, row);
};

/** "UpdateFunctionEventInvokeConfig": what is not given stays. */
export const updateFunctionEventInvokeConfig: Operation<UpdateFunctionEventInvokeConfigRequest, FunctionEventInvokeConfig> = async (ctx, input) => {
  checkGiven(input);
  const reference = await requireTarget(ctx, readReference(ctx, input.FunctionName ?? '', input.Qualifier));
  await checkDestinations(ctx, reference, input.DestinationConfig);
  const modifiedMs = ctx.platform.clock.virtual();
  const key = keys.eventInvoke(ctx, reference.name, reference.qualifier);
  const row = await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const before = read<EventInvokeRow>(tx, key);
    if (!before) throw absent(ctx, reference);
    const after = merged({ ...before, modifiedMs }, input);
    write(tx, key, after);
    return after;
  });
  return shown(ctx, reference.name, row);
};

/** "GetFunctionEventInvokeConfig". */
export const getFunctionEventInvokeConfig: Operation<GetFunctionEventInvokeConfigRequest, FunctionEventInvokeConfig> = async (ctx, input) => {
  const reference = qualified(readReference(ctx, input.FunctionName ?? '', input.Qualifier));
  const row = await getEventInvokeRow(ctx.platform.store, ctx, reference.name, reference.qualifier);
  if (!row) throw absent(ctx, reference);
  return shown(ctx, reference.name, row);
};

/** "DeleteFunctionEventInvokeConfig". */
export const deleteFunctionEventInvokeConfig: Operation<DeleteFunctionEventInvokeConfigRequest, Record<string, never>> = async (ctx, input) => {
  const reference = qualified(readReference(ctx, input.FunctionName ?? '', input.Qualifier));
  const key = keys.eventInvoke(ctx, reference.name, reference.qualifier);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (!read(tx, key)) throw absent(ctx, reference);
    tx.delete(key);
  });
  return {};
};

/** "ListFunctionEventInvokeConfigs". */
export const listFunctionEventInvokeConfigs: Operation<ListFunctionEventInvokeConfigsRequest, ListFunctionEventInvokeConfigsResponse> = async (ctx, input) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  if (!(await getFunctionRow(ctx.platform.store, ctx, name))) throw noFunction();
  const prefix = keys.eventInvokes(ctx, name);
  const limit = Math.min(input.MaxItems ?? LIST_ITEMS_MAX, LIST_ITEMS_MAX);
  const { rows, lastKey } = await listRows<EventInvokeRow>(ctx.platform.store, prefix, limit, readMarker(input.Marker, prefix));
  return {
    FunctionEventInvokeConfigs: rows.map((row) => shown(ctx, name, row)),
    ...(lastKey === undefined ? {} : { NextMarker: markerOf(lastKey) }),
  };
};

interface Qualified {
  readonly name: string;
  readonly qualifier: string;
}

const noFunction = () => notFound("The function doesn't exist.");
const qualified = ({ name, qualifier = '$LATEST' }: FunctionReference): Qualified => ({ name, qualifier });
const absent = (ctx: Ctx, { name, qualifier }: Qualified) => notFound(`The function ${functionArn(ctx, name, qualifier)} doesn't have an EventInvokeConfig`);

function checkGiven(input: Settings): void {
  if (input.MaximumEventAgeInSeconds === undefined && input.MaximumRetryAttempts === undefined && input.DestinationConfig === undefined)
    throw invalidParameter('You must specify at least one of error handling or destination setting.');
}

async function requireTarget(ctx: Ctx, reference: FunctionReference): Promise<Qualified> {
  const { store } = ctx.platform;
  const { name, qualifier } = qualified(reference);
  if (!(await getFunctionRow(store, ctx, name))) throw noFunction();
  if (qualifier !== '$LATEST') {
    const found = isVersion(qualifier) ? await getVersionRow(store, ctx, name, qualifier) : await getAliasRow(store, ctx, name, qualifier);
    if (!found) throw noFunction();
  }
  return { name, qualifier };
}

async function checkDestinations(ctx: Ctx, { name }: Qualified, config: DestinationConfig | undefined): Promise<void> {
  const { OnSuccess: success, OnFailure: failure } = config ?? {};
  for (const arn of [success?.Destination, failure?.Destination]) {
    if (!arn) continue;
    const service = parseArn(arn)?.service ?? '';
    if (!['lambda', 'sqs', 'sns', 'events', 's3'].includes(service)) {
      throw invalidConfig(config);
    }
    if (service !== 'lambda') {
      await checkResource(ctx, arn, service, arn === success?.Destination, config);
      continue;
    }
    const target = readReference(ctx, arn);
    if (target.name === name) throw invalidParameter("You can't specify the function as a destination for itself.");
    if (!(await getFunctionRow(ctx.platform.store, ctx, target.name))) throw invalidParameter(`The destination ARN ${arn} is invalid.`);
  }
}

function invalidConfig({ OnSuccess: success, OnFailure: failure }: DestinationConfig = {}): AwsError {
  const onSuccess = success ? `OnSuccess(destination=${success.Destination})` : 'null';
  const onFailure = failure ? `OnFailure(destination=${failure.Destination})` : 'null';
  return invalidParameter(`The provided destination config DestinationConfig(onSuccess=${onSuccess}, onFailure=${onFailure}) is invalid.`);
}

/** Queues, topics and buses must be there; a bucket is for failures only, and no destination is a FIFO queue or topic. */
async function checkResource(ctx: Ctx, arn: string, service: string, onSuccess: boolean, config: DestinationConfig | undefined): Promise<void> {
  if (service === 's3' && onSuccess) throw invalidConfig(config);
  const invalid = () => invalidParameter(`The destination ARN ${arn} is invalid.`);
  const { account = '', region = '', resource = '' } = parseArn(arn) ?? {};
  if (resource.endsWith('.fifo') || (region !== '' && region !== ctx.region)) throw invalid();
  if (account !== '' && account !== ctx.account) return;
  const looks: Readonly<Record<string, readonly [operation: string, input: Record<string, unknown>]>> = {
    sqs: ['GetQueueUrl', { QueueName: resource }],
    sns: ['GetTopicAttributes', { TopicArn: arn }],
    events: ['DescribeEventBus', { Name: resource.replace(/^event-bus\//, '') }],
    s3: ['HeadBucket', { Bucket: resource }],
  };
  const [operation, input] = looks[service] ?? ['', {}];
  try {
    await ctx.call(service, operation, input);
  } catch (error) {
    // What Croft cannot look at may still be there.
    if (error instanceof AwsError && error.status >= 400 && error.status < 500) throw invalid();
    if (!(error instanceof AwsError) || error.status !== 501) throw error;
  }
}

function merged(row: EventInvokeRow, input: Settings): EventInvokeRow {
  const { OnSuccess: success, OnFailure: failure } = input.DestinationConfig ?? {};
  return {
    ...row,
    ...(input.MaximumEventAgeInSeconds === undefined ? {} : { ageSecondsMax: input.MaximumEventAgeInSeconds }),
    ...(input.MaximumRetryAttempts === undefined ? {} : { retriesMax: input.MaximumRetryAttempts }),
    ...(success?.Destination === undefined ? {} : { onSuccess: success.Destination }),
    ...(failure?.Destination === undefined ? {} : { onFailure: failure.Destination }),
  };
}

function shown(ctx: Ctx, name: string, row: EventInvokeRow): FunctionEventInvokeConfig {
  return {
    LastModified: new Date(row.modifiedMs),
    FunctionArn: functionArn(ctx, name, row.qualifier),
    ...(row.retriesMax === undefined ? {} : { MaximumRetryAttempts: row.retriesMax }),
    ...(row.ageSecondsMax === undefined ? {} : { MaximumEventAgeInSeconds: row.ageSecondsMax }),
    DestinationConfig: {
      OnSuccess: row.onSuccess ? { Destination: row.onSuccess } : {},
      OnFailure: row.onFailure ? { Destination: row.onFailure } : {},
    },
  };
}
