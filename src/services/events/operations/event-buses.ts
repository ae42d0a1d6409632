import type {
  CreateEventBusRequest,
  CreateEventBusResponse,
  DeleteEventBusRequest,
  DescribeEventBusRequest,
  DescribeEventBusResponse,
  EventBus,
  ListEventBusesRequest,
  ListEventBusesResponse,
  UpdateEventBusRequest,
  UpdateEventBusResponse,
} from '@aws-sdk/client-eventbridge';
import { notImplemented } from '../../../kit/errors.ts';
import { decodeJson } from '../../../kit/json.ts';
import type { Ctx, Operation } from '../../service.ts';
import { busArn, busOf, DEFAULT_BUS } from '../domain/names.ts';
import { pageOf, tokenOf } from '../domain/paging.ts';
import { tagsOf } from '../domain/tags.ts';
import { busExists, busHasRules, busNotFound, validation } from '../errors.ts';
import { type BusRow, keys, listRows, rangeOf, txBus, write } from '../store.ts';

/** "CreateEventBus". Partner buses come with a partner's event source, of which there are none. */
export const createEventBus: Operation<CreateEventBusRequest, CreateEventBusResponse> = async (ctx, input) => {
  const name = input.Name ?? '';
  if (input.EventSourceName !== undefined || name.startsWith('aws.partner/')) throw notImplemented('A partner event bus');
  if (name.includes('/')) throw validation(`Event bus name ${name} is not valid. Reason: Only partner event buses may contain '/'.`);
  if (name === DEFAULT_BUS) throw busExists(name);
  const nowMs = ctx.platform.clock.virtual();
  const row: BusRow = { name, createdMs: nowMs, modifiedMs: nowMs, tags: tagsOf(input.Tags), ...settingsOf(input) };
  const key = keys.bus(ctx, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (tx.get(key)) throw busExists(name);
    write(tx, key, row);
  });
  return { EventBusArn: busArn({ ...scopeOf(ctx), name }), ...settingsView(row) };
};

const scopeOf = ({ account, region }: Ctx) => ({ account, region });

type Settings = Pick<CreateEventBusRequest, 'Description' | 'KmsKeyIdentifier' | 'DeadLetterConfig' | 'LogConfig'>;

function settingsOf({ Description, KmsKeyIdentifier, DeadLetterConfig, LogConfig }: Settings) {
  return {
    ...(Description === undefined ? {} : { description: Description }),
    ...(KmsKeyIdentifier === undefined ? {} : { kmsKeyIdentifier: KmsKeyIdentifier }),
    ...(DeadLetterConfig?.Arn === undefined ? {} : { deadLetterArn: DeadLetterConfig.Arn }),
    ...(LogConfig === undefined ? {} : { logConfig: LogConfig }),
  };
}

function settingsView({ description, kmsKeyIdentifier, deadLetterArn, logConfig }: BusRow): Settings {
  return {
    ...(description ? { Description: description } : {}),
    ...(kmsKeyIdentifier === undefined ? {} : { KmsKeyIdentifier: kmsKeyIdentifier }),
    ...(deadLetterArn === undefined ? {} : { DeadLetterConfig: { Arn: deadLetterArn } }),
    ...(logConfig === undefined ? {} : { LogConfig: logConfig }),
  };
}

/** The default bus gets its row when it is first looked at, so that it keeps the time of its making. */
async function makeDefault(ctx: Ctx): Promise<void> {
  const key = keys.bus(ctx, DEFAULT_BUS);
  if (await ctx.platform.store.get(key)) return;
  const nowMs = ctx.platform.clock.virtual();
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (!tx.get(key)) write(tx, key, txBus(tx, { ...scopeOf(ctx), name: DEFAULT_BUS }, nowMs));
  });
}

/** "DescribeEventBus". */
export const describeEventBus: Operation<DescribeEventBusRequest, DescribeEventBusResponse> = async (ctx, input) => {
  const address = busOf(ctx, input.Name);
  if (address.name === DEFAULT_BUS) await makeDefault(ctx);
  const value = await ctx.platform.store.get(keys.bus(address, address.name));
  if (!value) throw busNotFound(address.name);
  const row = decodeJson<BusRow>(value);
  return { ...view(ctx, row), ...settingsView(row) };
};

function view(ctx: Ctx, row: BusRow): EventBus {
  return {
    Name: row.name,
    Arn: busArn({ ...scopeOf(ctx), name: row.name }),
    ...(row.description ? { Description: row.description } : {}),
    ...(row.policy === undefined ? {} : { Policy: row.policy }),
    CreationTime: new Date(row.createdMs),
    LastModifiedTime: new Date(row.modifiedMs),
  };
}

/** "ListEventBuses": by name. */
export const listEventBuses: Operation<ListEventBusesRequest, ListEventBusesResponse> = async (ctx, input) => {
  await makeDefault(ctx);
  const { after, limit } = pageOf(input);
  const { rows, next } = await listRows<BusRow>(ctx.platform.store, keys.buses(ctx), { prefix: input.NamePrefix ?? '', after, limit });
  return { EventBuses: rows.map((row) => view(ctx, row)), ...tokenOf(next) };
};

/** "UpdateEventBus": what is not given stays. */
export const updateEventBus: Operation<UpdateEventBusRequest, UpdateEventBusResponse> = async (ctx, input) => {
  const address = busOf(ctx, input.Name);
  const key = keys.bus(address, address.name);
  const nowMs = ctx.platform.clock.virtual();
  const row = await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const had = txBus(tx, address, nowMs);
    if (!had) throw busNotFound(address.name);
    const changed: BusRow = { ...had, ...settingsOf(input), modifiedMs: nowMs };
    write(tx, key, changed);
    return changed;
  });
  return { Arn: busArn(address), Name: row.name, ...settingsView(row) };
};

/** "DeleteEventBus": a bus that is not there is a success; one with rules, an archive's among them, is not deleted. */
export const deleteEventBus: Operation<DeleteEventBusRequest, Record<string, never>> = async (ctx, input) => {
  const address = busOf(ctx, input.Name);
  if (address.name === DEFAULT_BUS) throw validation('Cannot delete event bus default.');
  const key = keys.bus(address, address.name);
  const rules = rangeOf(keys.rules(address));
  await ctx.platform.store.transact({ keys: [key], ranges: [rules] }, (tx) => {
    if (tx.range({ ...rules, limit: 1 }).entries.length > 0) throw busHasRules();
    tx.delete(key);
  });
  return {};
};
