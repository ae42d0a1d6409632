import type { Attempt, Outcome } from '../../../bus/bus.ts';
import { decodeJson } from '../../../kit/json.ts';
import type { Key } from '../../../kit/key.ts';
import type { Tx } from '../../../store/store.ts';
import type { Platform } from '../../service.ts';
import { eventText, type PackedText, packText, unpackText } from '../domain/event.ts';
import { type BusAddress, DEFAULT_BUS, ruleArn } from '../domain/names.ts';
import { matcherOf } from '../domain/patterns.ts';
import { FAN_OUT_BYTES_MAX, FAN_OUT_DELIVERIES_MAX, RULES_PAGE } from '../limits.ts';
import { type ArchiveRow, keys, type RuleRow, rangeOf, txRead } from '../store.ts';
import { type DeliverPayload, enqueueDeliver, enqueuePublish, type PublishPayload } from './payloads.ts';

/** What one event sets off: deliveries and archives, and the rule after which to go on. */
interface FanOut {
  readonly deliveries: DeliverPayload[];
  readonly archives: string[];
  readonly afterRule?: string;
}

/** Matches an event with the rules of its bus, and enqueues one delivery a target in the commit that removes the event: bounded, then on from a cursor. */
export async function publish(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as PublishPayload;
  const bus: BusAddress = { account: attempt.account, region: attempt.region, name: payload.bus ?? DEFAULT_BUS };
  const text = textOf(attempt, payload);
  const packed = packText(text);
  const ingestedMs = payload.ingestedMs ?? attempt.enqueuedMs;
  const found = await matching(platform, bus, { ...payload, event: packed, ingestedMs }, text);
  if (found.deliveries.length === 0 && found.archives.length === 0 && found.afterRule === undefined) return { done: true };
  const { id } = JSON.parse(text) as { id: string };
  const timeMs = Math.max(0, payload.timeMs ?? payload.notice?.timeMs ?? ingestedMs);
  const archived = { packed, bytes: payload.archiveBytes ?? Buffer.byteLength(text), ingestedMs, timeMs, id };
  await platform.store.transact({}, (tx) => {
    for (const delivery of found.deliveries) enqueueDeliver(platform, tx, attempt, delivery);
    for (const archive of found.archives) keepEvent(tx, bus, archive, archived);
    if (found.afterRule !== undefined) enqueuePublish(platform, tx, bus, attempt.trace, { ...payload, event: packed, ingestedMs, afterRule: found.afterRule });
    attempt.settle(tx);
  });
  return { done: true };
}

/** A notice becomes an event under the delivery's id, which is the same at each retry. */
function textOf(attempt: Attempt, { event, notice }: PublishPayload): string {
  if (event !== undefined) return unpackText(event);
  if (!notice) throw new Error('an event to be published has neither text nor notice');
  return eventText({
    id: attempt.id,
    account: attempt.account,
    region: attempt.region,
    source: notice.source,
    detailType: notice.detailType,
    timeMs: notice.timeMs ?? attempt.enqueuedMs,
    resources: notice.resources ?? [],
    detail: JSON.stringify(notice.detail),
  });
}

async function matching(
  platform: Platform,
  bus: BusAddress,
  payload: PublishPayload & { event: PackedText; ingestedMs: number },
  text: string,
): Promise<FanOut> {
  const { replay, afterRule, event, ingestedMs, traceHeader, hops } = payload;
  const fan: FanOut = { deliveries: [], archives: [] };
  const range = rangeOf(keys.rules(bus));
  let from: Key = afterRule === undefined ? range.from : `${keys.rule(bus, afterRule)}\x00`;
  let parsed: unknown;
  for (;;) {
    const page = await platform.store.range({ from, to: range.to, limit: RULES_PAGE });
    for (const [key, value] of page.entries) {
      const rule = decodeJson<RuleRow>(value);
      from = `${key}\x00`;
      if (rule.pattern === undefined || rule.state === 'DISABLED') continue;
      const arn = ruleArn(bus, bus.name, rule.name);
      if (replay?.filterArns && !replay.filterArns.includes(arn)) continue;
      parsed ??= JSON.parse(text);
      if (!matcherOf(rule.pattern)(parsed)) continue;
      if (rule.archive !== undefined) fan.archives.push(rule.archive);
      else
        for (const target of rule.targets)
          fan.deliveries.push({
            ruleArn: arn,
            ruleName: rule.name,
            target,
            event,
            ingestedMs,
            ...(traceHeader === undefined ? {} : { traceHeader }),
            ...(hops === undefined ? {} : { hops }),
          });
      if (fan.deliveries.length >= FAN_OUT_DELIVERIES_MAX || fan.deliveries.length * text.length >= FAN_OUT_BYTES_MAX) return { ...fan, afterRule: rule.name };
    }
    if (!page.more) return fan;
  }
}

interface Archived {
  readonly packed: PackedText;
  readonly bytes: number;
  readonly ingestedMs: number;
  readonly timeMs: number;
  readonly id: string;
}

/** An archived event, and what it counts as. */
export interface ArchivedEvent {
  readonly event: PackedText;
  readonly bytes: number;
}

function keepEvent(tx: Tx, bus: BusAddress, name: string, { packed, bytes, ingestedMs, timeMs, id }: Archived): void {
  const archive = txRead<ArchiveRow>(tx, keys.archive(bus, name));
  if (!archive) return;
  const kept: ArchivedEvent = { event: packed, bytes };
  const key = keys.archivedAt(bus, archive.id, timeMs, id);
  // A fan-out that is tried again after a crash archives nothing twice.
  if (tx.get(key) !== undefined) return;
  tx.put(key, Buffer.from(JSON.stringify(kept), 'utf8'));
  tx.put(keys.ingestedAt(bus, archive.id, ingestedMs, id), Buffer.from(key, 'latin1'));
  tx.add(keys.archivedCount(bus, archive.id), 1n);
  tx.add(keys.archivedBytes(bus, archive.id), BigInt(bytes));
}
