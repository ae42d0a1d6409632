import type {
  ListTargetsByRuleRequest,
  ListTargetsByRuleResponse,
  PutTargetsRequest,
  PutTargetsResponse,
  RemoveTargetsRequest,
  RemoveTargetsResponse,
} from '@aws-sdk/client-eventbridge';
import { AwsError, notImplemented } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { busOf } from '../domain/names.ts';
import { pageOf, tokenOf } from '../domain/paging.ts';
import { checkTargets, kindOf, type TargetKind } from '../domain/targets.ts';
import { busNotFound, limitExceeded, ruleNotFound } from '../errors.ts';
import { TARGETS_PER_RULE_MAX } from '../limits.ts';
import { findBus, keys, type RuleRow, read, write } from '../store.ts';
import type { Target } from '../types.ts';
import { onRule, refuseManaged } from './rules.ts';

/** Services that may not be built, each with a call that shows it. */
const PROBES: Partial<Record<TargetKind, readonly [service: string, operation: string]>> = {
  kinesis: ['kinesis', 'PutRecord'],
  states: ['stepfunctions', 'StartExecution'],
};

/** A target whose service is not built is refused now, and not when its first event is lost. */
async function refuseUnbuilt(ctx: Ctx, targets: readonly Target[]): Promise<void> {
  for (const { Arn = '' } of targets) {
    const probe = PROBES[kindOf(Arn) ?? 'lambda'];
    if (!probe) continue;
    await ctx.call(probe[0], probe[1], {}).catch((error: unknown) => {
      // Whatever else it has to say about a call without parameters: it is there.
      if (error instanceof AwsError && error.status === 501) throw notImplemented(`A target of ${probe[0]} (${Arn})`);
      if (!(error instanceof AwsError)) throw error;
    });
  }
}

/** "PutTargets": a target takes the place of one with its id. */
export const putTargets: Operation<PutTargetsRequest, PutTargetsResponse> = async (ctx, input) => {
  const bus = busOf(ctx, input.EventBusName);
  const given = input.Targets ?? [];
  checkTargets(given);
  await refuseUnbuilt(ctx, given);
  await onRule(ctx, bus, input.Rule ?? '', (tx, rule) => {
    refuseManaged(rule);
    const targets = new Map<string, Target>(rule.targets.map((target) => [target.Id ?? '', target]));
    for (const target of given) targets.set(target.Id ?? '', target);
    if (targets.size > TARGETS_PER_RULE_MAX) throw limitExceeded();
    write(tx, keys.rule(bus, rule.name), { ...rule, targets: [...targets.values()] });
  });
  return { FailedEntryCount: 0, FailedEntries: [] };
};

/** "RemoveTargets": ids that are not there are no failure. */
export const removeTargets: Operation<RemoveTargetsRequest, RemoveTargetsResponse> = async (ctx, input) => {
  const bus = busOf(ctx, input.EventBusName);
  const ids = new Set(input.Ids ?? []);
  await onRule(ctx, bus, input.Rule ?? '', (tx, rule) => {
    if (!input.Force) refuseManaged(rule);
    write(tx, keys.rule(bus, rule.name), { ...rule, targets: rule.targets.filter(({ Id = '' }) => !ids.has(Id)) });
  });
  return { FailedEntryCount: 0, FailedEntries: [] };
};

/** "ListTargetsByRule". */
export const listTargetsByRule: Operation<ListTargetsByRuleRequest, ListTargetsByRuleResponse> = async (ctx, input) => {
  const bus = busOf(ctx, input.EventBusName);
  const { store } = ctx.platform;
  if (!(await findBus(store, bus, 0))) throw busNotFound(bus.name);
  const name = input.Rule ?? '';
  const rule = await read<RuleRow>(store, keys.rule(bus, name));
  if (!rule) throw ruleNotFound(name, bus.name);
  const { after, limit } = pageOf(input);
  const start = after === undefined ? 0 : rule.targets.findIndex(({ Id }) => Id === after) + 1;
  const shown = rule.targets.slice(start, start + limit);
  return { Targets: shown, ...tokenOf(start + limit < rule.targets.length ? shown.at(-1)?.Id : undefined) };
};
