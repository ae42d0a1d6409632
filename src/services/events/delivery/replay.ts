import type { Attempt, Outcome } from '../../../bus/bus.ts';
import { decodeJson } from '../../../kit/json.ts';
import type { Tx } from '../../../store/store.ts';
import type { Platform } from '../../service.ts';
import { packText, unpackText } from '../domain/event.ts';
import { isObject, parseExact } from '../domain/json.ts';
import { busOfArn, type Scope } from '../domain/names.ts';
import { ARCHIVE_PAGE, ARCHIVE_PAGE_BYTES_MAX, REPLAY_MS_MIN } from '../limits.ts';
import { archivedBetween, archivedMs, keys, type ReplayRow, txRead, write } from '../store.ts';
import { enqueuePublish, REPLAY, type ReplayPayload } from './payloads.ts';
import type { ArchivedEvent } from './publish.ts';

const GOING: readonly string[] = ['STARTING', 'RUNNING'];

/** Changes a replay that is still the one that was started; undefined where it is not, or is in another state. */
function change(tx: Tx, scope: Scope, { name, startedMs }: ReplayPayload, next: (row: ReplayRow) => ReplayRow, from = GOING): ReplayRow | undefined {
  const key = keys.replay(scope, name);
  const row = txRead<ReplayRow>(tx, key);
  if (row?.startedMs !== startedMs || !from.includes(row.state)) return undefined;
  const changed = next(row);
  write(tx, key, changed);
  return changed;
}

/** Sends archived events to their bus once more, a page a commit, each marked with the replay's name. "Replaying archived events". */
export async function replay(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as ReplayPayload;
  const { store, clock } = platform;
  const nowMs = clock.virtual();
  const value = await store.get(keys.replay(attempt, payload.name));
  const row = value && decodeJson<ReplayRow>(value);
  const destination = row && busOfArn(row.destinationArn);
  if (!row || !destination || payload.finished || payload.cancelled) {
    const from = payload.cancelled ? ['CANCELLING'] : GOING;
    await store.transact({}, (tx) => {
      change(tx, attempt, payload, (one) => ({ ...one, state: payload.cancelled ? 'CANCELLED' : 'COMPLETED', endedMs: nowMs }), from);
      attempt.settle(tx);
    });
    return { done: true };
  }
  const prefix = keys.archived(attempt, row.archiveId);
  const range = archivedBetween(prefix, row.startMs, row.endMs);
  const from = payload.afterKey === undefined ? range.from : `${Buffer.from(payload.afterKey, 'base64').toString('latin1')}\x00`;
  const page =
    from < range.to ? await store.range({ from, to: range.to, limit: ARCHIVE_PAGE, maxBytes: ARCHIVE_PAGE_BYTES_MAX }) : { entries: [], more: false };
  const last = page.entries.at(-1)?.[0];
  await store.transact({}, (tx) => {
    attempt.settle(tx);
    const going = change(tx, attempt, payload, (one) => ({
      ...one,
      state: 'RUNNING',
      ...(last === undefined ? {} : { lastReplayedMs: archivedMs(prefix, last) }),
    }));
    if (!going) return;
    const { name, filterArns } = going;
    for (const [, entry] of page.entries) {
      enqueuePublish(platform, tx, destination, attempt.trace, {
        event: packText(marked(unpackText(decodeJson<ArchivedEvent>(entry).event), name)),
        replay: { name, ...(filterArns === undefined ? {} : { filterArns }) },
      });
    }
    const next: ReplayPayload =
      page.more && last !== undefined ? { ...payload, afterKey: Buffer.from(last, 'latin1').toString('base64') } : { ...payload, finished: true };
    const { account, region, trace } = attempt;
    platform.bus.enqueue(tx, {
      target: REPLAY,
      account,
      region,
      trace,
      payload: next,
      dueMs: next.finished ? Math.max(nowMs, row.startedMs + REPLAY_MS_MIN) : nowMs,
    });
  });
  return { done: true };
}

/** The event with `replay-name`, where AWS has it: before `resources`. */
function marked(text: string, name: string): string {
  const event = parseExact(text);
  if (!isObject(event)) return text;
  const { resources, detail, 'replay-name': _earlier, ...head } = event;
  return JSON.stringify({ ...head, 'replay-name': name, resources, detail });
}
