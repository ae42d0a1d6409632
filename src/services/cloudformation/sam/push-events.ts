import { isObject, isText, type Json, type JsonObject, sameJson } from '../domain/json.ts';
import { EventProblem, ResourceProblem } from './errors.ts';
import { pullEvents } from './pull-events.ts';
import { assumedBy, inlinePolicy } from './role.ts';
import type { EventInput, EventSource } from './target.ts';
import { ensureObject, getAtt, hashedId, ifElse, isTruthy, type Made, made, partitionOf, present, ref, sub, withParameters } from './values.ts';

/** The permission that lets a service call the function. */
export function permission(
  event: EventInput,
  principal: string,
  source: { SourceArn?: Json; SourceAccount?: Json; EventSourceToken?: Json },
  suffix = '',
  prefix = event.id,
): Made {
  const id = /^[A-Za-z0-9]*$/.test(suffix) ? `${prefix}Permission${suffix}` : hashedId(`${prefix}Permission`, suffix);
  return made(
    id,
    'AWS::Lambda::Permission',
    { Action: 'lambda:InvokeFunction', FunctionName: event.target.name, Principal: principal, ...source },
    event.target.attributes,
  );
}

const need = (event: EventInput, member: string): Json => {
  const value = event.properties[member];
  if (value === undefined || value === null) throw new EventProblem(event.eventId, `Missing required property '${member}'.`);
  return value;
};

const TARGET_ID_MAX = 64;
const targetId = (id: string): string => `${id.slice(0, TARGET_ID_MAX - 'LambdaTarget'.length)}LambdaTarget`;

/** `State`, or `Enabled` in its words. */
export function stateOf({ properties, eventId }: Pick<EventInput, 'properties' | 'eventId'>): Json | undefined {
  const { State: state, Enabled: enabled } = properties;
  if (isTruthy(state) && enabled !== undefined && enabled !== null) throw new EventProblem(eventId, 'State and Enabled Properties cannot both be specified.');
  if (enabled !== undefined && enabled !== null) return isTruthy(enabled) ? 'ENABLED' : 'DISABLED';
  return isTruthy(state) ? state : undefined;
}

/** The dead-letter queue of a rule: the one given, or a new one with its policy. */
export function deadLetters(id: string, config: Json | undefined, attributes: JsonObject, ruleArn: Json | undefined): { arn?: Json; made: Made[] } {
  if (!isObject(config)) return { made: [] };
  const { Arn: arn, Type: type } = config;
  if (isTruthy(arn) && isTruthy(type)) throw new EventProblem(id, "You can either define 'Arn' or 'Type' property of DeadLetterConfig.");
  if (isTruthy(arn) && isTruthy(config['QueueLogicalId']))
    throw new EventProblem(id, "You can either set 'Arn' or 'QueueLogicalId' property of DeadLetterConfig");
  if (isTruthy(type) && type !== 'SQS') throw new EventProblem(id, "The only valid value for 'Type' property of DeadLetterConfig is 'SQS'.");
  if (!isTruthy(arn) && !isTruthy(type)) throw new EventProblem(id, "No 'Arn' or 'Type' property provided for DeadLetterConfig.");
  if (isTruthy(arn) && arn !== undefined) return { arn, made: [] };
  const given = config['QueueLogicalId'];
  if (given !== undefined && given !== null && !isText(given)) throw new EventProblem(id, 'QueueLogicalId must be a string');
  const queueId = given ?? `${id}Queue`;
  const queue: Made = { logicalId: queueId, resource: { Type: 'AWS::SQS::Queue', Properties: {}, ...attributes } };
  if (ruleArn === undefined) return { arn: getAtt(queueId, 'Arn'), made: [queue] };
  const policy = made(
    `${id}QueuePolicy`,
    'AWS::SQS::QueuePolicy',
    {
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Action: 'sqs:SendMessage',
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Resource: getAtt(queueId, 'Arn'),
            Condition: { ArnEquals: { 'aws:SourceArn': ruleArn } },
          },
        ],
      },
      Queues: [ref(queueId)],
    },
    attributes,
  );
  return { arn: getAtt(queueId, 'Arn'), made: [queue, policy] };
}

function rule(event: EventInput, members: { [key: string]: Json | undefined }, target: { [key: string]: Json | undefined }): Made[] {
  const { properties, id } = event;
  const arn = getAtt(id, 'Arn');
  const letters = deadLetters(id, properties['DeadLetterConfig'], event.target.attributes, arn);
  const one = present({
    Arn: event.target.arn,
    ...target,
    DeadLetterConfig: letters.arn === undefined ? undefined : { Arn: letters.arn },
    RetryPolicy: properties['RetryPolicy'],
  });
  return [
    made(id, 'AWS::Events::Rule', { ...members, State: stateOf(event), Targets: [one] }, event.target.attributes),
    ...letters.made,
    permission(event, 'events.amazonaws.com', { SourceArn: arn }),
  ];
}

const schedule: EventSource = (event) => {
  const { properties } = event;
  return rule(
    event,
    { ScheduleExpression: need(event, 'Schedule'), Name: properties['Name'], Description: properties['Description'] },
    { Id: targetId(event.id), Input: properties['Input'] },
  );
};

const busEvent: EventSource = (event) => {
  const { properties } = event;
  const target = properties['Target'];
  return rule(
    event,
    { EventBusName: properties['EventBusName'], EventPattern: properties['Pattern'], Name: properties['RuleName'] },
    {
      Id: isObject(target) && target['Id'] !== undefined ? target['Id'] : targetId(event.id),
      Input: properties['Input'],
      InputPath: properties['InputPath'],
      InputTransformer: properties['InputTransformer'],
    },
  );
};

const scheduleV2: EventSource = ({ properties, id, target }) =>
  scheduleOf({
    id,
    properties,
    attributes: target.attributes,
    arn: target.arn,
    policy: inlinePolicy(`${id}LambdaPolicy`, 'lambda:InvokeFunction', target.arn),
  });

interface Scheduled {
  readonly id: string;
  readonly properties: JsonObject;
  readonly attributes: JsonObject;
  readonly arn: Json;
  /** Lets the schedule's role start the target. */
  readonly policy: JsonObject;
}

/** EventBridge Scheduler's schedule, with a role unless one is given. */
export function scheduleOf({ id, properties, attributes, arn, policy }: Scheduled): Made[] {
  if (isTruthy(properties['OmitName']) && isTruthy(properties['Name'])) throw new EventProblem(id, 'Name cannot be set when OmitName is True');
  const letters = deadLetters(id, properties['DeadLetterConfig'], attributes, undefined);
  const inline = [policy, ...(letters.arn === undefined ? [] : [inlinePolicy(`${id}SQSPolicy`, 'sqs:SendMessage', letters.arn)])];
  const given = properties['RoleArn'];
  const role = made(
    `${id}Role`,
    'AWS::IAM::Role',
    { AssumeRolePolicyDocument: assumedBy('scheduler.amazonaws.com'), Policies: inline, PermissionsBoundary: properties['PermissionsBoundary'] },
    attributes,
  );
  const one = present({
    Arn: arn,
    RoleArn: isTruthy(given) ? given : getAtt(role.logicalId, 'Arn'),
    Input: properties['Input'],
    DeadLetterConfig: letters.arn === undefined ? undefined : { Arn: letters.arn },
    RetryPolicy: properties['RetryPolicy'],
  });
  const passed = Object.fromEntries(
    ['Description', 'StartDate', 'EndDate', 'ScheduleExpressionTimezone', 'GroupName', 'KmsKeyArn', 'State'].map((name) => [name, properties[name]]),
  );
  const made_ = made(
    id,
    'AWS::Scheduler::Schedule',
    {
      ...passed,
      ScheduleExpression: properties['ScheduleExpression'],
      FlexibleTimeWindow: isTruthy(properties['FlexibleTimeWindow']) ? properties['FlexibleTimeWindow'] : { Mode: 'OFF' },
      Name: isTruthy(properties['OmitName']) ? undefined : (properties['Name'] ?? id),
      Target: one,
    },
    attributes,
  );
  return [made_, ...letters.made, ...(isTruthy(given) ? [] : [role])];
}

const s3: EventSource = (event) => {
  const { properties, resources, eventId, target } = event;
  const bucketRef = need(event, 'Bucket');
  const events = need(event, 'Events');
  const bucketId = isObject(bucketRef) ? bucketRef['Ref'] : undefined;
  if (isObject(bucketRef) && 'Ref' in bucketRef && !isText(bucketId)) throw new EventProblem(eventId, "'Ref' value in S3 events is not a valid string.");
  const bucket = isText(bucketId) ? resources[bucketId] : undefined;
  if (!isText(bucketId) || !isObject(bucket)) throw new EventProblem(eventId, 'S3 events must reference an S3 bucket in the same template.');
  const allowed = permission(event, 's3.amazonaws.com', { SourceAccount: ref('AWS::AccountId') });
  if (!isObject(bucket['Properties'] ?? {})) throw new ResourceProblem(bucketId, 'Properties should be a map.');
  const settings = ensureObject(bucket, 'Properties');
  if (target.condition === undefined) {
    const before = bucket['DependsOn'];
    const list = Array.isArray(before) ? before : before === undefined ? [] : [before];
    bucket['DependsOn'] = [...new Set([...list, allowed.logicalId])];
  } else {
    if (settings['Tags'] !== undefined && !Array.isArray(settings['Tags'])) throw new ResourceProblem(bucketId, "Property 'Tags' should be a list.");
    const tag = { Key: `sam:ConditionalDependsOn:${allowed.logicalId}`, Value: ifElse(target.condition, ref(allowed.logicalId), 'no dependency') };
    settings['Tags'] = [...((settings['Tags'] as Json[] | undefined) ?? []), tag];
  }
  const notification = ensureObject(settings, 'NotificationConfiguration');
  if (!isObject(notification)) throw new ResourceProblem(bucketId, "Property 'NotificationConfiguration' should be a map.");
  const lambdas = notification['LambdaConfigurations'] ?? [];
  notification['LambdaConfigurations'] = lambdas;
  if (!Array.isArray(lambdas)) throw new ResourceProblem(bucketId, 'Invalid type for LambdaConfigurations. Must be a list.');
  for (const type of Array.isArray(events) ? events : [events]) {
    const mapping = present({ Function: target.arn, Filter: properties['Filter'], Event: type });
    const entry = target.condition === undefined ? mapping : ifElse(target.condition, mapping);
    if (!lambdas.some((each) => sameJson(each, entry))) lambdas.push(entry);
  }
  return [allowed, { logicalId: bucketId, resource: bucket }];
};

function subscription(event: EventInput, protocol: string, endpoint: Json): Made {
  const { properties } = event;
  return made(
    event.id,
    'AWS::SNS::Subscription',
    {
      Protocol: protocol,
      Endpoint: endpoint,
      TopicArn: need(event, 'Topic'),
      Region: properties['Region'],
      FilterPolicy: properties['FilterPolicy'],
      FilterPolicyScope: properties['FilterPolicyScope'],
      RedrivePolicy: properties['RedrivePolicy'],
    },
    event.target.attributes,
  );
}

const sns: EventSource = (event) => {
  const { properties, id, target } = event;
  const topic = need(event, 'Topic');
  const through = properties['SqsSubscription'];
  if (!isTruthy(through)) return [permission(event, 'sns.amazonaws.com', { SourceArn: topic }), subscription(event, 'lambda', target.arn)];
  const own = through === true;
  if (!own && !isObject(through)) throw new EventProblem(event.eventId, "Property 'SqsSubscription' should be a map.");
  const given = isObject(through) ? through : {};
  const queueId = `${id}Queue`;
  const arn = own ? getAtt(queueId, 'Arn') : given['QueueArn'];
  const url = own ? ref(queueId) : given['QueueUrl'];
  if (!isTruthy(arn) || !isTruthy(url) || arn === undefined || url === undefined) throw new EventProblem(event.eventId, 'No QueueARN or QueueURL provided.');
  const fifo = own && isFifo(event, topic);
  const queue: Made[] = own
    ? [{ logicalId: queueId, resource: { Type: 'AWS::SQS::Queue', Properties: fifo ? { FifoQueue: true } : {}, ...target.attributes } }]
    : [];
  const policy = made(
    isText(given['QueuePolicyLogicalId']) ? given['QueuePolicyLogicalId'] : `${id}QueuePolicy`,
    'AWS::SQS::QueuePolicy',
    {
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'sqs:SendMessage', Effect: 'Allow', Principal: '*', Resource: arn, Condition: { ArnEquals: { 'aws:SourceArn': topic } } }],
      },
      Queues: [url],
    },
    target.attributes,
  );
  const mapping = pullEvents['SQS']?.({
    ...event,
    id: `${id}EventSourceMapping`,
    properties: { Queue: arn, BatchSize: isTruthy(given['BatchSize']) ? (given['BatchSize'] ?? 10) : 10, Enabled: true },
  });
  return [...(mapping ?? []), ...queue, policy, subscription(event, 'sqs', arn)];
};

function isFifo(event: EventInput, topic: Json): boolean {
  const id = isObject(topic) ? (topic['Ref'] ?? (Array.isArray(topic['Fn::GetAtt']) ? topic['Fn::GetAtt'][0] : undefined)) : undefined;
  const resource = isText(id) ? event.resources[id] : undefined;
  const properties = isObject(resource) && isObject(resource['Properties']) ? resource['Properties'] : {};
  return isTruthy(withParameters(properties['FifoTopic'] ?? false, event.context));
}

const logs: EventSource = (event) => {
  const group = need(event, 'LogGroupName');
  const partition = partitionOf(event.context.region);
  const source = sub(`arn:${partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:\${__LogGroupName__}:*`, { __LogGroupName__: group });
  const allowed = permission(event, 'logs.amazonaws.com', { SourceArn: source });
  const filter = made(
    event.id,
    'AWS::Logs::SubscriptionFilter',
    { LogGroupName: group, FilterPattern: need(event, 'FilterPattern'), DestinationArn: event.target.arn },
    { ...event.target.attributes, DependsOn: [allowed.logicalId] },
  );
  return [allowed, filter];
};

const iot: EventSource = (event) => {
  const { properties, id } = event;
  const partition = partitionOf(event.context.region);
  const source = sub(`arn:${partition}:iot:\${AWS::Region}:\${AWS::AccountId}:rule/\${RuleName}`, { RuleName: ref(id) });
  const payload = present({
    AwsIotSqlVersion: properties['AwsIotSqlVersion'],
    Sql: need(event, 'Sql'),
    RuleDisabled: false,
    Actions: [{ Lambda: { FunctionArn: event.target.arn } }],
  });
  return [
    permission(event, 'iot.amazonaws.com', { SourceArn: source, SourceAccount: sub(`\${AWS::AccountId}`) }),
    made(id, 'AWS::IoT::TopicRule', { TopicRulePayload: payload }, event.target.attributes),
  ];
};

const alexa: EventSource = (event) => {
  const skill = event.properties['SkillId'];
  return [permission(event, 'alexa-appkit.amazon.com', skill === undefined ? {} : { EventSourceToken: skill })];
};

/** Types of user pools are changed in place: the pool calls the function. */
const cognito: EventSource = (event) => {
  const { resources, eventId, target } = event;
  const poolRef = need(event, 'UserPool');
  const poolId = isObject(poolRef) ? poolRef['Ref'] : undefined;
  if (isObject(poolRef) && 'Ref' in poolRef && !isText(poolId)) throw new EventProblem(event.id, 'Ref in Userpool is not a string.');
  const pool = isText(poolId) ? resources[poolId] : undefined;
  if (!isText(poolId) || !isObject(pool)) throw new EventProblem(eventId, 'Cognito events must reference a Cognito UserPool in the same template.');
  const lambdas = ensureObject(ensureObject(pool, 'Properties'), 'LambdaConfig');
  if (!isObject(lambdas)) throw new ResourceProblem(poolId, "Property 'LambdaConfig' should be a map.");
  const trigger = need(event, 'Trigger');
  for (const name of Array.isArray(trigger) ? trigger : [trigger]) {
    if (String(name) in lambdas) throw new EventProblem(eventId, `Cognito trigger "${String(trigger)}" defined multiple times.`);
    lambdas[String(name)] = target.arn;
  }
  const allowed = permission(event, 'cognito-idp.amazonaws.com', { SourceArn: getAtt(poolId, 'Arn') }, '', `${target.functionId}Cognito`);
  return [allowed, { logicalId: poolId, resource: pool }];
};

/** Event sources that call the function. */
export const pushEvents: Readonly<Record<string, EventSource>> = {
  Schedule: schedule,
  ScheduleV2: scheduleV2,
  CloudWatchEvent: busEvent,
  EventBridgeRule: busEvent,
  CloudWatchLogs: logs,
  IoTRule: iot,
  AlexaSkill: alexa,
  S3: s3,
  SNS: sns,
  Cognito: cognito,
};
