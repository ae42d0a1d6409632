import type { PutRuleRequest, PutRuleResponse } from '@aws-sdk/client-eventbridge';
import { isPlainRate, parseSchedule, ScheduleSyntaxError } from '../../../kit/schedule/schedule.ts';
import type { Operation } from '../../service.ts';
import { armSchedule } from '../delivery/schedule.ts';
import { busOf, DEFAULT_BUS, ruleArn } from '../domain/names.ts';
import { checkPattern } from '../domain/patterns.ts';
import { tagsOf } from '../domain/tags.ts';
import { busNotFound, invalidSchedule, managedRule, scheduleNeedsDefaultBus, validation } from '../errors.ts';
import { keys, type RuleRow, txBus, txRead, write } from '../store.ts';

/** A rule's schedule: `rate` or `cron`, no `at`. */
function checkSchedule(expression: string): void {
  try {
    const schedule = parseSchedule(expression);
    if (schedule.kind === 'at' || (schedule.kind === 'rate' && !isPlainRate(schedule))) throw invalidSchedule();
  } catch (error) {
    throw error instanceof ScheduleSyntaxError ? invalidSchedule() : error;
  }
}

/** "PutRule": makes a rule, or replaces all of one but its targets and tags. */
export const putRule: Operation<PutRuleRequest, PutRuleResponse> = async (ctx, input) => {
  const { Name: name = '', EventPattern: pattern, ScheduleExpression: schedule = '', State, Description, RoleArn } = input;
  const bus = busOf(ctx, input.EventBusName);
  if (pattern === undefined && schedule === '') throw validation('Parameter(s) EventPattern or ScheduleExpression must be specified.');
  if (schedule !== '') {
    if (bus.name !== DEFAULT_BUS) throw scheduleNeedsDefaultBus();
    checkSchedule(schedule);
  }
  if (pattern !== undefined) checkPattern(pattern);
  const { store, clock, ids } = ctx.platform;
  const [nowMs, token, tags] = [clock.virtual(), ids.uuid(), tagsOf(input.Tags)];
  const key = keys.rule(bus, name);
  await store.transact({ keys: [key], reads: [keys.bus(bus, bus.name)] }, (tx) => {
    if (!txBus(tx, bus, nowMs)) throw busNotFound(bus.name);
    const had = txRead<RuleRow>(tx, key);
    if (had?.managedBy !== undefined) throw managedRule(name, had.managedBy);
    const base: RuleRow = {
      name,
      bus: bus.name,
      createdBy: had?.createdBy ?? ctx.account,
      ...(pattern === undefined ? {} : { pattern }),
      ...(schedule === '' ? {} : { schedule }),
      state: State ?? 'ENABLED',
      ...(Description === undefined ? {} : { description: Description }),
      ...(RoleArn === undefined ? {} : { roleArn: RoleArn }),
      tags: had?.tags ?? tags,
      targets: had?.targets ?? [],
      ...(had?.token === undefined ? {} : { token: had.token }),
    };
    // A schedule that runs on unchanged keeps its timer, and so where its rate is counted from.
    const runsOn = had?.timer !== undefined && had.schedule === schedule;
    const row = withTimer(base, runsOn ? had.timer : { token, anchorMs: nowMs });
    write(tx, key, row);
    if (!runsOn) armSchedule(ctx.platform, tx, bus, row, nowMs, ctx.trace);
  });
  return { RuleArn: ruleArn(bus, bus.name, name) };
};

/** Only an enabled schedule has a timer. */
export function withTimer(row: RuleRow, timer: RuleRow['timer']): RuleRow {
  return row.schedule === undefined || row.state === 'DISABLED' || timer === undefined ? row : { ...row, timer };
}
