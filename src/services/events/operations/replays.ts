import type {
  CancelReplayRequest,
  CancelReplayResponse,
  DescribeReplayRequest,
  DescribeReplayResponse,
  ListReplaysRequest,
  ListReplaysResponse,
  Replay,
  StartReplayRequest,
  StartReplayResponse,
} from '@aws-sdk/client-eventbridge';
import { decodeJson } from '../../../kit/json.ts';
import type { Operation } from '../../service.ts';
import { REPLAY, type ReplayPayload } from '../delivery/payloads.ts';
import { archiveArn, busOfArn, namedBy, replayArn } from '../domain/names.ts';
import { pageOf, tokenOf } from '../domain/paging.ts';
import { busNotFound, illegalReplayStatus, invalidParameter, limitExceeded, replayExists, replayNotFound, validation } from '../errors.ts';
import { ACTIVE_REPLAYS_MAX, REPLAY_MS_MIN } from '../limits.ts';
import { type ArchiveRow, keys, listRows, type ReplayRow, rangeOf, read, txBus, txRead, write } from '../store.ts';

const ACTIVE: readonly string[] = ['STARTING', 'RUNNING', 'CANCELLING'];

/** "StartReplay": onto the archive's own bus. */
export const startReplay: Operation<StartReplayRequest, StartReplayResponse> = async (ctx, input) => {
  const { ReplayName: name = '', Destination, EventStartTime, EventEndTime, Description } = input;
  const bus = busOfArn(Destination?.Arn ?? '');
  if (!bus) throw invalidParameter('Destination.Arn', 'Must contain an event bus ARN.');
  const archiveName = namedBy(input.EventSourceArn ?? '', 'archive')?.name ?? '';
  const { store, clock } = ctx.platform;
  const startedMs = clock.virtual();
  const key = keys.replay(ctx, name);
  await store.transact({ keys: [key], reads: [keys.bus(bus, bus.name), keys.archive(ctx, archiveName)], ranges: [rangeOf(keys.replays(ctx))] }, (tx) => {
    if (!txBus(tx, bus, startedMs)) throw busNotFound(bus.name);
    const archive = txRead<ArchiveRow>(tx, keys.archive(ctx, archiveName));
    if (!archive) throw invalidParameter('EventSourceArn', `Archive ${archiveName} does not exist.`);
    const [startMs, endMs] = [EventStartTime?.getTime() ?? 0, EventEndTime?.getTime() ?? 0];
    if (startMs >= endMs) throw invalidParameter('EventEndTime', 'EventStartTime must be before EventEndTime.');
    if (archive.sourceArn !== Destination?.Arn) throw invalidParameter('Destination.Arn', 'Cross event bus replay is not permitted.');
    if (tx.get(key)) throw replayExists(name);
    const others = tx.range({ ...rangeOf(keys.replays(ctx)), limit: 10_000 }).entries.map(([, value]) => decodeJson<ReplayRow>(value));
    if (others.filter(({ state }) => ACTIVE.includes(state)).length >= ACTIVE_REPLAYS_MAX) throw limitExceeded();
    const row: ReplayRow = {
      name,
      archive: archiveName,
      archiveId: archive.id,
      archiveArn: archiveArn(ctx, archiveName),
      ...(Description === undefined ? {} : { description: Description }),
      destinationArn: Destination.Arn,
      ...(Destination.FilterArns === undefined ? {} : { filterArns: Destination.FilterArns }),
      startMs,
      endMs,
      state: 'STARTING',
      startedMs,
    };
    write(tx, key, row);
    const payload: ReplayPayload = { name, startedMs };
    ctx.platform.bus.enqueue(tx, { target: REPLAY, account: ctx.account, region: ctx.region, trace: ctx.trace, payload });
  });
  return { ReplayArn: replayArn(ctx, name), State: 'STARTING', ReplayStartTime: new Date(startedMs) };
};

function view(row: ReplayRow): Replay {
  return {
    ReplayName: row.name,
    EventSourceArn: row.archiveArn,
    State: row.state,
    EventStartTime: new Date(row.startMs),
    EventEndTime: new Date(row.endMs),
    ...(row.lastReplayedMs === undefined ? {} : { EventLastReplayedTime: new Date(row.lastReplayedMs) }),
    ReplayStartTime: new Date(row.startedMs),
    ...(row.endedMs === undefined ? {} : { ReplayEndTime: new Date(row.endedMs) }),
  };
}

/** "DescribeReplay". */
export const describeReplay: Operation<DescribeReplayRequest, DescribeReplayResponse> = async (ctx, input) => {
  const name = input.ReplayName ?? '';
  const row = await read<ReplayRow>(ctx.platform.store, keys.replay(ctx, name));
  if (!row) throw replayNotFound(name);
  return {
    ReplayArn: replayArn(ctx, name),
    ...view(row),
    ...(row.description === undefined ? {} : { Description: row.description }),
    Destination: { Arn: row.destinationArn, ...(row.filterArns === undefined ? {} : { FilterArns: [...row.filterArns] }) },
  };
};

/** "ListReplays": by name; one filter at most. */
export const listReplays: Operation<ListReplaysRequest, ListReplaysResponse> = async (ctx, input) => {
  const { NamePrefix, EventSourceArn, State } = input;
  if ([NamePrefix, EventSourceArn, State].filter((one) => one !== undefined).length > 1)
    throw validation('At most one filter is allowed for ListReplays. Use either : State, EventSourceArn, or NamePrefix.');
  const { after, limit } = pageOf(input);
  const wanted = (row: ReplayRow) => (EventSourceArn === undefined || row.archiveArn === EventSourceArn) && (State === undefined || row.state === State);
  const { rows, next } = await listRows<ReplayRow>(ctx.platform.store, keys.replays(ctx), { prefix: NamePrefix ?? '', after, limit, wanted });
  return { Replays: rows.map(view), ...tokenOf(next) };
};

/** "CancelReplay": what has been replayed stays so. */
export const cancelReplay: Operation<CancelReplayRequest, CancelReplayResponse> = async (ctx, input) => {
  const name = input.ReplayName ?? '';
  const key = keys.replay(ctx, name);
  const { store, clock, bus } = ctx.platform;
  const nowMs = clock.virtual();
  await store.transact({ keys: [key] }, (tx) => {
    const row = txRead<ReplayRow>(tx, key);
    if (!row) throw replayNotFound(name);
    if (row.state !== 'STARTING' && row.state !== 'RUNNING') throw illegalReplayStatus(name);
    write(tx, key, { ...row, state: 'CANCELLING' });
    const payload: ReplayPayload = { name, startedMs: row.startedMs, cancelled: true };
    bus.enqueue(tx, { target: REPLAY, account: ctx.account, region: ctx.region, trace: ctx.trace, payload, dueMs: nowMs + REPLAY_MS_MIN });
  });
  return { ReplayArn: replayArn(ctx, name), State: 'CANCELLING' };
};
