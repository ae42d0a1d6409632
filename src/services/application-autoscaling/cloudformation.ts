import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceType } from '../service.ts';

type Action = Readonly<Record<string, unknown>>;

const isGone = (error: unknown) => error instanceof AwsError && error.code === 'ObjectNotFoundException';
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
/** Templates carry numbers and switches as texts too. */
const whole = (value: unknown): number | undefined => (value === undefined ? undefined : Number(value));
const given = (members: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
const call = (ctx: Ctx, operation: string, input: Record<string, unknown>) => ctx.call('application-autoscaling', operation, input);

async function quietly(ctx: Ctx, operation: string, input: Record<string, unknown>): Promise<void> {
  try {
    await call(ctx, operation, input);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

const keyOf = (properties: Properties) => ({
  ServiceNamespace: text(properties['ServiceNamespace']),
  ResourceId: text(properties['ResourceId']),
  ScalableDimension: text(properties['ScalableDimension']),
});

/** `Ref` of a target: resource, dimension and namespace, joined. */
const targetId = (properties: Properties) =>
  [text(properties['ResourceId']), text(properties['ScalableDimension']), text(properties['ServiceNamespace'])].join('|');

function keyFromId(id: string): Properties {
  const [ResourceId = '', ScalableDimension = '', ServiceNamespace = ''] = id.split('|');
  return { ServiceNamespace, ResourceId, ScalableDimension };
}

function switches(state: Properties | undefined): Record<string, boolean> | undefined {
  return state && Object.fromEntries(Object.entries(state).map(([name, value]) => [name, String(value) === 'true']));
}

async function putTarget(ctx: Ctx, properties: Properties, previous?: Properties): Promise<{ physicalId: string; attributes: Record<string, unknown> }> {
  const key = keyOf(properties);
  await call(ctx, 'RegisterScalableTarget', {
    ...key,
    ...given({
      MinCapacity: whole(properties['MinCapacity']),
      MaxCapacity: whole(properties['MaxCapacity']),
      RoleARN: properties['RoleARN'],
      SuspendedState: switches(properties['SuspendedState'] as Properties | undefined),
    }),
  });
  const actions = actionsOf(properties);
  const names = new Set(actions.map((one) => text(one['ScheduledActionName'])));
  for (const one of previous ? actionsOf(previous) : []) {
    const name = text(one['ScheduledActionName']);
    if (!names.has(name)) await quietly(ctx, 'DeleteScheduledAction', { ...key, ScheduledActionName: name });
  }
  for (const one of actions) await call(ctx, 'PutScheduledAction', { ...key, ...scheduledInput(one) });
  const physicalId = targetId(properties);
  return { physicalId, attributes: { Id: physicalId } };
}

const actionsOf = (properties: Properties): readonly Action[] => (properties['ScheduledActions'] ?? []) as Action[];

function scheduledInput(action: Action): Record<string, unknown> {
  const bounds = action['ScalableTargetAction'] as Properties | undefined;
  const time = (value: unknown) => (value === undefined ? undefined : new Date(text(value)));
  return given({
    ScheduledActionName: action['ScheduledActionName'],
    Schedule: action['Schedule'],
    Timezone: action['Timezone'],
    StartTime: time(action['StartTime']),
    EndTime: time(action['EndTime']),
    ScalableTargetAction: bounds && given({ MinCapacity: whole(bounds['MinCapacity']), MaxCapacity: whole(bounds['MaxCapacity']) }),
  });
}

/** "AWS::ApplicationAutoScaling::ScalableTarget". */
const scalableTarget: ResourceType = {
  type: 'AWS::ApplicationAutoScaling::ScalableTarget',
  replaceOn: ['ResourceId', 'ScalableDimension', 'ServiceNamespace'],
  properties: ['MaxCapacity', 'MinCapacity', 'ResourceId', 'RoleARN', 'ScalableDimension', 'ScheduledActions', 'ServiceNamespace', 'SuspendedState'],
  recorded: ['RoleARN'],
  create: (ctx, { properties }) => putTarget(ctx, properties),
  update: (ctx, { properties, previous }) => putTarget(ctx, properties, previous),
  delete: (ctx, { properties }) => quietly(ctx, 'DeregisterScalableTarget', keyOf(properties)),
};

const POLICY_KEY = ['PolicyName', 'ResourceId', 'ScalableDimension', 'ScalingTargetId', 'ServiceNamespace'];

function policyKey(properties: Properties): Record<string, string> {
  const id = text(properties['ScalingTargetId']);
  return keyOf(id === '' ? properties : keyFromId(id));
}

function trackingOf(properties: Properties): Record<string, unknown> | undefined {
  const tracking = properties['TargetTrackingScalingPolicyConfiguration'] as Properties | undefined;
  if (!tracking) return undefined;
  const { DisableScaleIn: disabled, ...rest } = tracking;
  return given({
    ...rest,
    TargetValue: whole(tracking['TargetValue']),
    ScaleInCooldown: whole(tracking['ScaleInCooldown']),
    ScaleOutCooldown: whole(tracking['ScaleOutCooldown']),
    DisableScaleIn: disabled === undefined ? undefined : String(disabled) === 'true',
  });
}

async function putPolicy(ctx: Ctx, properties: Properties): Promise<{ physicalId: string; attributes: Record<string, unknown> }> {
  const made = await call(
    ctx,
    'PutScalingPolicy',
    given({
      ...policyKey(properties),
      PolicyName: properties['PolicyName'],
      PolicyType: properties['PolicyType'],
      TargetTrackingScalingPolicyConfiguration: trackingOf(properties),
      StepScalingPolicyConfiguration: properties['StepScalingPolicyConfiguration'],
      PredictiveScalingPolicyConfiguration: properties['PredictiveScalingPolicyConfiguration'],
    }),
  );
  const arn = text(made['PolicyARN']);
  return { physicalId: arn, attributes: { Arn: arn } };
}

/** "AWS::ApplicationAutoScaling::ScalingPolicy": `Ref` is its ARN. */
const scalingPolicy: ResourceType = {
  type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
  replaceOn: POLICY_KEY,
  properties: [
    ...POLICY_KEY,
    'PolicyType',
    'PredictiveScalingPolicyConfiguration',
    'StepScalingPolicyConfiguration',
    'TargetTrackingScalingPolicyConfiguration',
  ],
  create: (ctx, { properties }) => putPolicy(ctx, properties),
  update: (ctx, { properties }) => putPolicy(ctx, properties),
  delete: (ctx, { properties }) => quietly(ctx, 'DeleteScalingPolicy', { ...policyKey(properties), PolicyName: text(properties['PolicyName']) }),
};

export const resources: readonly ResourceType[] = [scalableTarget, scalingPolicy];
