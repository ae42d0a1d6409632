import type {
  CreateEventSourceMappingRequest,
  DeleteEventSourceMappingRequest,
  EventSourceMappingConfiguration,
  GetEventSourceMappingRequest,
  ListEventSourceMappingsRequest,
  ListEventSourceMappingsResponse,
  UpdateEventSourceMappingRequest,
} from '@aws-sdk/client-lambda';
import { AwsError, notImplemented } from '../../../kit/errors.ts';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import { prefixEnd } from '../../../kit/key.ts';
import type { Ctx, Operation } from '../../service.ts';
import { functionArn, readReference } from '../domain/names.ts';
import { checkTags } from '../domain/tags.ts';
import { conflict, invalidParameter, noSuchResource } from '../errors.ts';
import { find } from '../functions.ts';
import { markerOf, readMarker } from '../operations/list-functions.ts';
import { describeMapping, mappedFunctionArn } from './describe.ts';
import { LIST_MAPPINGS_MAX } from './limits.ts';
import { getMapping, getResult, type MappingRow, mappingKeys } from './rows.ts';
import { checkStart, checkSupported, kindOf, refuseKinesis, settingsOf } from './settings.ts';
import { checkSource, type StartPositions, startPositions } from './sources.ts';
import { enqueueTransition } from './transitions.ts';

/** "CreateEventSourceMapping". */
export const createEventSourceMapping: Operation<CreateEventSourceMappingRequest, EventSourceMappingConfiguration> = async (ctx, input) => {
  const { ids, clock, store } = ctx.platform;
  if (input.SelfManagedEventSource) {
    if (!input.SourceAccessConfigurations) throw invalidParameter("Required 'sourceAccessConfigurations' parameter is missing.");
    throw notImplemented('A self-managed event source');
  }
  const sourceArn = input.EventSourceArn ?? '';
  if (sourceArn === '') throw invalidParameter('Unrecognized event source.');
  const kind = kindOf(sourceArn);
  checkSupported(kind, input);
  checkStart(kind, input);
  refuseKinesis(kind);
  const settings = settingsOf(kind, sourceArn, input);
  const { reference, timeoutSeconds } = await mappedFunction(ctx, input.FunctionName ?? '');
  await checkSource(ctx, kind, sourceArn, timeoutSeconds);
  const tags = input.Tags ?? {};
  checkTags(tags);
  const enabled = input.Enabled ?? true;
  const nowMs = clock.virtual();
  const row: MappingRow = {
    uuid: ids.uuid(),
    account: ctx.account,
    region: ctx.region,
    kind,
    sourceArn,
    functionName: reference.name,
    ...(reference.qualifier === undefined ? {} : { qualifier: reference.qualifier }),
    settings,
    state: enabled ? 'Creating' : 'Disabled',
    enabled,
    createdMs: nowMs,
    modifiedMs: nowMs,
    revision: ids.uuid(),
    tags,
  };
  const starts = await startPositions(ctx, row);
  const key = mappingKeys.mapping(row, row.uuid);
  const pair = mappingKeys.pair(row, sourceArn, mappedFunctionArn(row));
  await store.transact({ keys: [pair, key] }, (tx) => {
    const held = tx.get(pair);
    if (held) throw duplicate(row, decodeJson<string>(held));
    tx.put(pair, encodeJson(row.uuid));
    tx.put(key, encodeJson(row));
    putStarts(tx, row.uuid, starts);
    if (enabled) enqueueTransition(ctx, tx, row);
  });
  return describeMapping(row, undefined);
};

function putStarts(tx: { put(key: string, value: Uint8Array): void }, uuid: string, starts: StartPositions): void {
  for (const [shardId, checkpoint] of starts) tx.put(mappingKeys.checkpoint(uuid, shardId), encodeJson(checkpoint));
}

function duplicate(row: MappingRow, uuid: string): AwsError {
  const names = `(" ${row.sourceArn} ") and function (" ${row.functionName} ")`;
  const rest = `already exists. Please update or delete the existing mapping with UUID ${uuid}`;
  return conflict(row.kind === 'sqs' ? `An event source mapping with SQS arn ${names} ${rest}` : `The event source arn ${names} provided mapping ${rest}`);
}

/** The function that a mapping is to invoke, and how long it may run. */
async function mappedFunction(ctx: Ctx, functionName: string) {
  const reference = readReference(ctx, functionName);
  try {
    const { row } = await find(ctx.platform, ctx, reference);
    return { reference, timeoutSeconds: row.timeout };
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ResourceNotFoundException') throw invalidParameter('Function does not exist');
    throw error;
  }
}

/** "GetEventSourceMapping". */
export const getEventSourceMapping: Operation<GetEventSourceMappingRequest, EventSourceMappingConfiguration> = async (ctx, input) => {
  const row = await required(ctx, input.UUID);
  return describeMapping(row, await getResult(ctx.platform.store, row.uuid));
};

/** "ListEventSourceMappings": in order of their ids; neither source nor function need exist. */
export const listEventSourceMappings: Operation<ListEventSourceMappingsRequest, ListEventSourceMappingsResponse> = async (ctx, input) => {
  const { store } = ctx.platform;
  const prefix = mappingKeys.mappings(ctx);
  const limit = Math.min(input.MaxItems ?? LIST_MAPPINGS_MAX, LIST_MAPPINGS_MAX);
  const wantedFunction = input.FunctionName === undefined ? undefined : readReference(ctx, input.FunctionName);
  const functionWanted = wantedFunction && functionArn(ctx, wantedFunction.name, wantedFunction.qualifier);
  const found: MappingRow[] = [];
  let from = readMarker(input.Marker, prefix);
  let more = true;
  while (more && found.length < limit) {
    const page = await store.range({ from: from === undefined ? prefix : `${from}\x00`, to: prefixEnd(prefix), limit: limit - found.length });
    for (const [key, value] of page.entries) {
      const row = decodeJson<MappingRow>(value);
      from = key;
      if (input.EventSourceArn !== undefined && row.sourceArn !== input.EventSourceArn) continue;
      if (functionWanted === undefined || mappedFunctionArn(row) === functionWanted) found.push(row);
    }
    more = page.more;
  }
  const EventSourceMappings = await Promise.all(found.map(async (row) => describeMapping(row, await getResult(store, row.uuid))));
  return { EventSourceMappings, ...(more && from !== undefined ? { NextMarker: markerOf(from) } : {}) };
};

/** "UpdateEventSourceMapping": what is not given stays. */
export const updateEventSourceMapping: Operation<UpdateEventSourceMappingRequest, EventSourceMappingConfiguration> = async (ctx, input) => {
  const { ids, clock, store } = ctx.platform;
  const before = await required(ctx, input.UUID);
  checkSupported(before.kind, input);
  const settings = settingsOf(before.kind, before.sourceArn, input, before.settings);
  const { functionName, qualifier } = before;
  const named = input.FunctionName ?? functionArn(before, functionName, qualifier);
  const { reference, timeoutSeconds } = await mappedFunction(ctx, named);
  await checkSource(ctx, before.kind, before.sourceArn, timeoutSeconds);
  const enabled = input.Enabled ?? before.enabled;
  const { qualifier: _, ...rest } = before;
  const after: MappingRow = {
    ...rest,
    functionName: reference.name,
    ...(reference.qualifier === undefined ? {} : { qualifier: reference.qualifier }),
    settings,
    enabled,
    state: enabled === before.enabled ? 'Updating' : enabled ? 'Enabling' : 'Disabling',
    modifiedMs: clock.virtual(),
    revision: ids.uuid(),
  };
  const key = mappingKeys.mapping(before, before.uuid);
  const pairs = [before, after].map((row) => mappingKeys.pair(row, row.sourceArn, mappedFunctionArn(row)));
  const [oldPair = '', newPair = ''] = pairs;
  await store.transact({ keys: [key, ...new Set(pairs)] }, (tx) => {
    const value = tx.get(key);
    if (!value) throw noSuchResource();
    const now = decodeJson<MappingRow>(value);
    if (now.revision !== before.revision || (now.state !== 'Enabled' && now.state !== 'Disabled')) throw inUse('update');
    const held = tx.get(newPair);
    if (oldPair !== newPair && held) throw duplicate(after, decodeJson<string>(held));
    tx.delete(oldPair);
    tx.put(newPair, encodeJson(before.uuid));
    tx.put(key, encodeJson({ ...after, tags: now.tags }));
    enqueueTransition(ctx, tx, after);
  });
  return describeMapping(after, await getResult(store, before.uuid));
};

/** "DeleteEventSourceMapping". */
export const deleteEventSourceMapping: Operation<DeleteEventSourceMappingRequest, EventSourceMappingConfiguration> = async (ctx, input) => {
  const before = await required(ctx, input.UUID);
  const revision = ctx.platform.ids.uuid();
  const modifiedMs = ctx.platform.clock.virtual();
  const key = mappingKeys.mapping(before, before.uuid);
  const row = await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const value = tx.get(key);
    if (!value) throw noSuchResource();
    const now = decodeJson<MappingRow>(value);
    if (now.state === 'Deleting' || now.state === 'Updating') throw inUse('delete');
    const deleting: MappingRow = { ...now, state: 'Deleting', enabled: false, revision, modifiedMs };
    tx.put(key, encodeJson(deleting));
    enqueueTransition(ctx, tx, deleting);
    return deleting;
  });
  return describeMapping(row, await getResult(ctx.platform.store, row.uuid));
};

function inUse(what: 'update' | 'delete'): AwsError {
  const message = `Cannot ${what} the event source mapping because it is in use.`;
  return new AwsError('ResourceInUseException', message, { status: 400, members: { Type: 'User', Message: message } });
}

async function required(ctx: Ctx, uuid: string | undefined): Promise<MappingRow> {
  const row = await getMapping(ctx.platform.store, ctx, uuid ?? '');
  if (!row) throw noSuchResource();
  return row;
}
