import type {
  Archive,
  CreateArchiveRequest,
  CreateArchiveResponse,
  DeleteArchiveRequest,
  DescribeArchiveRequest,
  DescribeArchiveResponse,
  ListArchivesRequest,
  ListArchivesResponse,
  UpdateArchiveRequest,
  UpdateArchiveResponse,
} from '@aws-sdk/client-eventbridge';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { SWEEP, type SweepPayload } from '../delivery/payloads.ts';
import { archiveArn, type BusAddress, busOfArn } from '../domain/names.ts';
import { pageOf, tokenOf } from '../domain/paging.ts';
import { checkPattern } from '../domain/patterns.ts';
import { archiveExists, archiveNotFound, busNotFound, invalidParameter, validation } from '../errors.ts';
import { ARCHIVE_SWEEP_MS } from '../limits.ts';
import { type ArchiveRow, counted, findBus, keys, listRows, type RuleRow, read, txBus, txRead, write } from '../store.ts';

/** The service by which AWS's archives manage their rules. */
const ARCHIVER = 'prod.vhs.events.aws.internal';

function sourceOf(arn: string | undefined): BusAddress {
  const bus = busOfArn(arn ?? '');
  if (!bus) throw invalidParameter('EventSourceArn', 'Must contain an event bus ARN.');
  return bus;
}

/** An archive is a managed rule on its bus; what was replayed is not archived again. */
function ruleOf(scope: { account: string; region: string }, archive: ArchiveRow): RuleRow {
  const name = `Events-Archive-${archive.name}`;
  const pattern = { ...(archive.pattern === undefined ? {} : (JSON.parse(archive.pattern) as Record<string, unknown>)), 'replay-name': [{ exists: false }] };
  const template = `{"archive-arn": "${archiveArn(scope, archive.name)}:${archive.id}", "event": <aws.events.event.json>, "ingestion-time": <aws.events.event.ingestion-time>}`;
  return {
    name,
    bus: archive.bus,
    createdBy: scope.account,
    pattern: JSON.stringify(pattern),
    state: 'ENABLED',
    managedBy: ARCHIVER,
    archive: archive.name,
    tags: {},
    targets: [{ Id: name, Arn: `arn:aws:events:${scope.region}:::`, InputTransformer: { InputPathsMap: {}, InputTemplate: template } }],
  };
}

function enqueueSweep(ctx: Ctx, tx: Tx, payload: SweepPayload, dueMs: number): void {
  const { account, region, trace } = ctx;
  ctx.platform.bus.enqueue(tx, { target: SWEEP, account, region, trace, payload, dueMs });
}

/** "CreateArchive". */
export const createArchive: Operation<CreateArchiveRequest, CreateArchiveResponse> = async (ctx, input) => {
  const { ArchiveName: name = '', EventPattern: pattern, RetentionDays = 0, Description, KmsKeyIdentifier } = input;
  const bus = sourceOf(input.EventSourceArn);
  if (pattern !== undefined) checkPattern(pattern);
  const { store, clock, ids } = ctx.platform;
  const nowMs = clock.virtual();
  const row: ArchiveRow = {
    name,
    id: ids.uuid(),
    bus: bus.name,
    sourceArn: input.EventSourceArn ?? '',
    ...(Description === undefined ? {} : { description: Description }),
    ...(pattern === undefined ? {} : { pattern }),
    retentionDays: RetentionDays,
    ...(KmsKeyIdentifier === undefined ? {} : { kmsKeyIdentifier: KmsKeyIdentifier }),
    createdMs: nowMs,
    state: 'ENABLED',
  };
  const rule = ruleOf(ctx, row);
  const key = keys.archive(ctx, name);
  await store.transact({ keys: [key, keys.rule(bus, rule.name)], reads: [keys.bus(bus, bus.name)] }, (tx) => {
    if (!txBus(tx, bus, nowMs)) throw busNotFound(bus.name);
    if (tx.get(key)) throw archiveExists(name);
    write(tx, key, row);
    write(tx, keys.rule(bus, rule.name), rule);
    if (RetentionDays > 0) enqueueSweep(ctx, tx, { archive: name, archiveId: row.id }, nowMs + ARCHIVE_SWEEP_MS);
  });
  return { ArchiveArn: archiveArn(ctx, name), State: row.state, CreationTime: new Date(nowMs) };
};

async function summary(ctx: Ctx, row: ArchiveRow): Promise<Archive> {
  const [count, bytes] = await ctx.platform.store.getMany([keys.archivedCount(ctx, row.id), keys.archivedBytes(ctx, row.id)]);
  return {
    ArchiveName: row.name,
    EventSourceArn: row.sourceArn,
    State: row.state,
    RetentionDays: row.retentionDays,
    SizeBytes: counted(bytes),
    EventCount: counted(count),
    CreationTime: new Date(row.createdMs),
  };
}

/** "DescribeArchive". */
export const describeArchive: Operation<DescribeArchiveRequest, DescribeArchiveResponse> = async (ctx, input) => {
  const name = input.ArchiveName ?? '';
  const row = await read<ArchiveRow>(ctx.platform.store, keys.archive(ctx, name));
  if (!row) throw archiveNotFound(name);
  return {
    ArchiveArn: archiveArn(ctx, name),
    ...(await summary(ctx, row)),
    ...(row.description === undefined ? {} : { Description: row.description }),
    ...(row.pattern === undefined ? {} : { EventPattern: row.pattern }),
    ...(row.kmsKeyIdentifier === undefined ? {} : { KmsKeyIdentifier: row.kmsKeyIdentifier }),
  };
};

/** "ListArchives": by name; one filter at most. */
export const listArchives: Operation<ListArchivesRequest, ListArchivesResponse> = async (ctx, input) => {
  const { NamePrefix, EventSourceArn, State } = input;
  if ([NamePrefix, EventSourceArn, State].filter((one) => one !== undefined).length > 1)
    throw validation('At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix.');
  if (EventSourceArn !== undefined) {
    const bus = sourceOf(EventSourceArn);
    if (!(await findBus(ctx.platform.store, bus, 0))) throw busNotFound(bus.name);
  }
  const { after, limit } = pageOf(input);
  const wanted = (row: ArchiveRow) => (EventSourceArn === undefined || row.sourceArn === EventSourceArn) && (State === undefined || row.state === State);
  const { rows, next } = await listRows<ArchiveRow>(ctx.platform.store, keys.archives(ctx), { prefix: NamePrefix ?? '', after, limit, wanted });
  return { Archives: await Promise.all(rows.map((row) => summary(ctx, row))), ...tokenOf(next) };
};

/** "UpdateArchive": what is not given stays. */
export const updateArchive: Operation<UpdateArchiveRequest, UpdateArchiveResponse> = async (ctx, input) => {
  const { ArchiveName: name = '', EventPattern: pattern, RetentionDays, Description, KmsKeyIdentifier } = input;
  if (pattern === undefined && RetentionDays === undefined && Description === undefined)
    throw validation('At least one of EventPattern, RetentionDays or Description must be provided.');
  if (pattern !== undefined) checkPattern(pattern);
  const nowMs = ctx.platform.clock.virtual();
  const key = keys.archive(ctx, name);
  const row = await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const had = txRead<ArchiveRow>(tx, key);
    if (!had) throw archiveNotFound(name);
    const changed: ArchiveRow = {
      ...had,
      ...(pattern === undefined ? {} : { pattern }),
      ...(RetentionDays === undefined ? {} : { retentionDays: RetentionDays }),
      ...(Description === undefined ? {} : { description: Description }),
      ...(KmsKeyIdentifier === undefined ? {} : { kmsKeyIdentifier: KmsKeyIdentifier }),
    };
    write(tx, key, changed);
    const rule = ruleOf(ctx, changed);
    const place = keys.rule({ account: ctx.account, region: ctx.region, name: changed.bus }, rule.name);
    if (tx.get(place)) write(tx, place, rule);
    if (had.retentionDays === 0 && changed.retentionDays > 0) enqueueSweep(ctx, tx, { archive: name, archiveId: had.id }, nowMs + ARCHIVE_SWEEP_MS);
    return changed;
  });
  return { ArchiveArn: archiveArn(ctx, name), State: row.state, CreationTime: new Date(row.createdMs) };
};

/** "DeleteArchive": its events go in the background. */
export const deleteArchive: Operation<DeleteArchiveRequest, Record<string, never>> = async (ctx, input) => {
  const name = input.ArchiveName ?? '';
  const key = keys.archive(ctx, name);
  const nowMs = ctx.platform.clock.virtual();
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = txRead<ArchiveRow>(tx, key);
    if (!row) throw archiveNotFound(name);
    tx.delete(key);
    tx.delete(keys.rule({ account: ctx.account, region: ctx.region, name: row.bus }, ruleOf(ctx, row).name));
    enqueueSweep(ctx, tx, { archive: name, archiveId: row.id, deleted: true }, nowMs);
  });
  return {};
};
