import type {
  DeleteScalingPolicyRequest,
  DescribeScalingPoliciesRequest,
  DescribeScalingPoliciesResponse,
  PutScalingPolicyRequest,
  PutScalingPolicyResponse,
  ScalingPolicy,
  TargetTrackingScalingPolicyConfiguration,
} from '@aws-sdk/client-application-auto-scaling';
import { notImplemented } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { enqueueEvaluation } from '../deliveries.ts';
import { predefinedMetric, readTarget, type Target } from '../domain/target.ts';
import { limitExceeded, noPolicy, notRegistered, validation } from '../errors.ts';
import { POLICIES_MAX, POLICY_RESULTS_MAX } from '../limits.ts';
import { keys, type PolicyRow, read, readAll, type TargetRow, under, write } from '../store.ts';
import { childArn } from './arn.ts';
import { narrowed, page } from './pages.ts';

/** "PutScalingPolicy": target tracking, the only kind that these namespaces have. */
export const putScalingPolicy: Operation<PutScalingPolicyRequest, PutScalingPolicyResponse> = async (ctx, input) => {
  const { store, ids, clock } = ctx.platform;
  const target = readTarget(input);
  const name = input.PolicyName ?? '';
  const key = keys.policy(ctx, target, name);
  const all = keys.policies(ctx, target);
  const targetKey = keys.target(ctx, target);
  const given = checkPolicy(target, input);
  const id = ids.uuid();
  const loop = ids.uuid();
  const createdMs = clock.virtual();
  const row = await store.transact({ keys: [key, targetKey], ranges: [under(all)] }, (tx) => {
    const owner = read<TargetRow>(tx, targetKey);
    if (!owner) throw notRegistered(target);
    const before = read<PolicyRow>(tx, key);
    if (!before && readAll(tx, all).length >= POLICIES_MAX) throw limitExceeded('The limit of scaling policies for this scalable target has been reached.');
    const tracking = given ?? before?.tracking;
    if (!tracking) throw validation('A target tracking scaling policy configuration must be specified');
    const after: PolicyRow = { name, id: before?.id ?? id, createdMs: before?.createdMs ?? createdMs, tracking };
    write(tx, key, after);
    if (owner.loop === undefined && target.namespace === 'lambda') {
      write(tx, targetKey, { ...owner, loop });
      enqueueEvaluation(ctx, tx, target, loop);
    }
    return after;
  });
  return { PolicyARN: childArn(ctx, target, 'scalingPolicy', row.id, name), Alarms: [] };
};

/** "DescribeScalingPolicies". */
export const describeScalingPolicies: Operation<DescribeScalingPoliciesRequest, DescribeScalingPoliciesResponse> = async (ctx, input) => {
  const wanted = ({ name }: PolicyRow) => !input.PolicyNames?.length || input.PolicyNames.includes(name);
  const { items, ...more } = await page<PolicyRow>(ctx, 'policy', input, POLICY_RESULTS_MAX, wanted, narrowed(input));
  return { ScalingPolicies: items.map(({ row, target }) => shown(ctx, target, row)), ...more };
};

/** "DeleteScalingPolicy": the last one ends the target's minutes. */
export const deleteScalingPolicy: Operation<DeleteScalingPolicyRequest, Record<string, never>> = async (ctx, input) => {
  const target = readTarget(input);
  const name = input.PolicyName ?? '';
  const key = keys.policy(ctx, target, name);
  const targetKey = keys.target(ctx, target);
  const all = keys.policies(ctx, target);
  await ctx.platform.store.transact({ keys: [key, targetKey], ranges: [under(all)] }, (tx) => {
    if (!read(tx, key)) throw noPolicy(target, name);
    const owner = read<TargetRow>(tx, targetKey);
    if (owner && readAll(tx, all).length === 1) {
      const { loop: _1, samples: _2, ...rest } = owner;
      write(tx, targetKey, rest);
    }
    tx.delete(key);
  });
  return {};
};

function checkPolicy(target: Target, input: PutScalingPolicyRequest): Record<string, unknown> | undefined {
  if (input.PolicyType !== undefined && input.PolicyType !== 'TargetTrackingScaling')
    throw validation(`Policy type ${input.PolicyType} is not supported for service namespace ${target.namespace}`);
  if (input.StepScalingPolicyConfiguration || input.PredictiveScalingPolicyConfiguration)
    throw validation(`Only target tracking scaling policies are supported for service namespace ${target.namespace}`);
  const tracking = input.TargetTrackingScalingPolicyConfiguration;
  if (!tracking) return undefined;
  const { PredefinedMetricSpecification: predefined, CustomizedMetricSpecification: customized } = tracking;
  if ((predefined === undefined) === (customized === undefined))
    throw validation('You must specify either a predefined metric or a customized metric, and not both');
  if (!(Number(tracking.TargetValue) > 0)) throw validation('The target value must be greater than 0');
  if (predefined && predefined.PredefinedMetricType !== predefinedMetric(target))
    throw validation(`Predefined metric type ${predefined.PredefinedMetricType} is not supported for scalable dimension ${target.dimension}`);
  if (predefined?.ResourceLabel !== undefined) throw validation(`A resource label is not supported for ${predefined.PredefinedMetricType}`);
  if (customized && !isUtilization(target, customized)) throw notImplemented(`The customized metric of ${target.dimension}`);
  if ((tracking.ScaleInCooldown ?? 0) < 0 || (tracking.ScaleOutCooldown ?? 0) < 0) throw validation('Cooldown periods cannot be negative');
  return { ...tracking };
}

/** The one metric that Croft can follow. */
function isUtilization({ namespace }: Target, customized: NonNullable<TargetTrackingScalingPolicyConfiguration['CustomizedMetricSpecification']>): boolean {
  return namespace === 'lambda' && customized.Namespace === 'AWS/Lambda' && customized.MetricName === 'ProvisionedConcurrencyUtilization';
}

function shown(ctx: Ctx, target: Target, row: PolicyRow): ScalingPolicy {
  return {
    PolicyARN: childArn(ctx, target, 'scalingPolicy', row.id, row.name),
    PolicyName: row.name,
    ServiceNamespace: target.namespace as 'lambda',
    ResourceId: target.resource,
    ScalableDimension: target.dimension as 'lambda:function:ProvisionedConcurrency',
    PolicyType: 'TargetTrackingScaling',
    TargetTrackingScalingPolicyConfiguration: row.tracking as unknown as TargetTrackingScalingPolicyConfiguration,
    Alarms: [],
    CreationTime: new Date(row.createdMs),
  };
}
