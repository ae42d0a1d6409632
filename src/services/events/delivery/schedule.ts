import type { Attempt, Outcome } from '../../../bus/bus.ts';
import { nextAfter, parseSchedule } from '../../../kit/schedule/schedule.ts';
import type { Trace } from '../../../kit/trace.ts';
import type { Tx } from '../../../store/store.ts';
import type { Platform } from '../../service.ts';
import { eventText } from '../domain/event.ts';
import { type BusAddress, DEFAULT_BUS, ruleArn } from '../domain/names.ts';
import { keys, type RuleRow, txRead } from '../store.ts';
import { enqueueDeliver, SCHEDULE, type SchedulePayload } from './payloads.ts';

/** Enqueues the next time of a rule's schedule, in the commit that sets it; nothing where it has none any more. */
export function armSchedule(platform: Platform, tx: Tx, bus: BusAddress, rule: RuleRow, afterMs: number, trace: Trace): void {
  if (rule.schedule === undefined || rule.timer === undefined) return;
  const { token, anchorMs } = rule.timer;
  const scheduledMs = nextAfter(parseSchedule(rule.schedule), { afterMs, anchorMs });
  if (scheduledMs === undefined) return;
  const payload: SchedulePayload = { rule: rule.name, token, scheduledMs };
  platform.bus.enqueue(tx, { target: SCHEDULE, account: bus.account, region: bus.region, trace, payload, dueMs: scheduledMs });
}

/** A rule's time has come: its targets' deliveries and its next time are one commit. Times that passed while nothing ran come once. */
export async function fireSchedule(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const { rule: name, token, scheduledMs } = attempt.payload as SchedulePayload;
  const bus: BusAddress = { account: attempt.account, region: attempt.region, name: DEFAULT_BUS };
  const { account, region } = bus;
  const nowMs = platform.clock.virtual();
  const arn = ruleArn(bus, DEFAULT_BUS, name);
  // The delivery's id is the same at each retry.
  const event = eventText({
    id: attempt.id,
    account,
    region,
    source: 'aws.events',
    detailType: 'Scheduled Event',
    timeMs: scheduledMs,
    resources: [arn],
    detail: '{}',
  });
  await platform.store.transact({ reads: [keys.rule(bus, name)] }, (tx) => {
    attempt.settle(tx);
    const rule = txRead<RuleRow>(tx, keys.rule(bus, name));
    if (!rule || rule.timer?.token !== token || rule.state === 'DISABLED') return;
    for (const target of rule.targets) enqueueDeliver(platform, tx, attempt, { ruleArn: arn, ruleName: name, target, event, ingestedMs: nowMs });
    armSchedule(platform, tx, bus, rule, Math.max(scheduledMs, nowMs), attempt.trace);
  });
  return { done: true };
}
