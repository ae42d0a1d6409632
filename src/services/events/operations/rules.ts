import type {
  DeleteRuleRequest,
  DescribeRuleRequest,
  DescribeRuleResponse,
  DisableRuleRequest,
  EnableRuleRequest,
  ListRuleNamesByTargetRequest,
  ListRuleNamesByTargetResponse,
  ListRulesRequest,
  ListRulesResponse,
  Rule,
  RuleState,
} from '@aws-sdk/client-eventbridge';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { armSchedule } from '../delivery/schedule.ts';
import { type BusAddress, busOf, ruleArn } from '../domain/names.ts';
import { pageOf, tokenOf } from '../domain/paging.ts';
import { busNotFound, managedRule, ruleHasTargets, ruleNotFound } from '../errors.ts';
import { findBus, keys, listRows, type RuleRow, read, txBus, txRead, write } from '../store.ts';
import { withTimer } from './put-rule.ts';

async function checkBus(ctx: Ctx, bus: BusAddress): Promise<void> {
  if (!(await findBus(ctx.platform.store, bus, 0))) throw busNotFound(bus.name);
}

/** Runs `fn` on a rule in one commit; throws where bus or rule is not there, or the rule belongs to a service. */
export function onRule<T>(ctx: Ctx, bus: BusAddress, name: string, fn: (tx: Tx, rule: RuleRow) => T): Promise<T> {
  const key = keys.rule(bus, name);
  return ctx.platform.store.transact({ keys: [key], reads: [keys.bus(bus, bus.name)] }, (tx) => {
    if (!txBus(tx, bus, 0)) throw busNotFound(bus.name);
    const rule = txRead<RuleRow>(tx, key);
    if (!rule) throw ruleNotFound(name, bus.name);
    return fn(tx, rule);
  });
}

export function refuseManaged(rule: RuleRow): void {
  if (rule.managedBy !== undefined) throw managedRule(rule.name, rule.managedBy);
}

function view(bus: BusAddress, row: RuleRow): Rule {
  return {
    Name: row.name,
    Arn: ruleArn(bus, bus.name, row.name),
    ...(row.pattern === undefined ? {} : { EventPattern: row.pattern }),
    State: row.state as RuleState,
    ...(row.description === undefined ? {} : { Description: row.description }),
    ...(row.schedule === undefined ? {} : { ScheduleExpression: row.schedule }),
    ...(row.roleArn === undefined ? {} : { RoleArn: row.roleArn }),
    ...(row.managedBy === undefined ? {} : { ManagedBy: row.managedBy }),
    EventBusName: row.bus,
  };
}

/** "DescribeRule". */
export const describeRule: Operation<DescribeRuleRequest, DescribeRuleResponse> = async (ctx, input) => {
  const bus = busOf(ctx, input.EventBusName);
  await checkBus(ctx, bus);
  const name = input.Name ?? '';
  const row = await read<RuleRow>(ctx.platform.store, keys.rule(bus, name));
  if (!row) throw ruleNotFound(name, bus.name);
  return { ...view(bus, row), CreatedBy: row.createdBy };
};

/** "ListRules": by name. */
export const listRules: Operation<ListRulesRequest, ListRulesResponse> = async (ctx, input) => {
  const bus = busOf(ctx, input.EventBusName);
  await checkBus(ctx, bus);
  const { after, limit } = pageOf(input);
  const { rows, next } = await listRows<RuleRow>(ctx.platform.store, keys.rules(bus), { prefix: input.NamePrefix ?? '', after, limit });
  return { Rules: rows.map((row) => view(bus, row)), ...tokenOf(next) };
};

/** "ListRuleNamesByTarget". */
export const listRuleNamesByTarget: Operation<ListRuleNamesByTargetRequest, ListRuleNamesByTargetResponse> = async (ctx, input) => {
  const bus = busOf(ctx, input.EventBusName);
  await checkBus(ctx, bus);
  const { after, limit } = pageOf(input);
  const wanted = ({ targets }: RuleRow) => targets.some(({ Arn }) => Arn === input.TargetArn);
  const { rows, next } = await listRows<RuleRow>(ctx.platform.store, keys.rules(bus), { after, limit, wanted });
  return { RuleNames: rows.map(({ name }) => name), ...tokenOf(next) };
};

/** "DeleteRule": a rule that is not there is a success; one with targets is not deleted. */
export const deleteRule: Operation<DeleteRuleRequest, Record<string, never>> = async (ctx, input) => {
  const bus = busOf(ctx, input.EventBusName);
  const key = keys.rule(bus, input.Name ?? '');
  await ctx.platform.store.transact({ keys: [key], reads: [keys.bus(bus, bus.name)] }, (tx) => {
    if (!txBus(tx, bus, 0)) throw busNotFound(bus.name);
    const rule = txRead<RuleRow>(tx, key);
    if (!rule) return;
    if (!input.Force) refuseManaged(rule);
    if (rule.targets.length > 0) throw ruleHasTargets();
    tx.delete(key);
  });
  return {};
};

const setState = (state: 'ENABLED' | 'DISABLED'): Operation<EnableRuleRequest & DisableRuleRequest, Record<string, never>> => {
  return async (ctx, input) => {
    const bus = busOf(ctx, input.EventBusName);
    const { clock, ids } = ctx.platform;
    const [nowMs, token] = [clock.virtual(), ids.uuid()];
    await onRule(ctx, bus, input.Name ?? '', (tx, rule) => {
      refuseManaged(rule);
      if (rule.state === state) return;
      const { timer: _ended, ...rest } = rule;
      const row = withTimer({ ...rest, state }, { token, anchorMs: nowMs });
      write(tx, keys.rule(bus, rule.name), row);
      armSchedule(ctx.platform, tx, bus, row, nowMs, ctx.trace);
    });
    return {};
  };
};

/** "EnableRule": a rate begins anew. */
export const enableRule = setState('ENABLED');
/** "DisableRule". */
export const disableRule = setState('DISABLED');
