import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { ResourceProblem } from './errors.ts';
import { s3Policy } from './pull-events.ts';
import { inlinePolicy } from './role.ts';
import type { Session } from './session.ts';
import { getAtt, hashedId, ifElse, isIf, isIntrinsic, isNoValue, isTruthy, type Made, made, ref, withParameters } from './values.ts';

const CORS_TYPES: Readonly<Record<string, 'list' | 'bool' | 'int'>> = {
  AllowOrigins: 'list',
  AllowMethods: 'list',
  AllowCredentials: 'bool',
  AllowHeaders: 'list',
  ExposeHeaders: 'list',
  MaxAge: 'int',
};

const hasType = (value: Json, type: 'list' | 'bool' | 'int'): boolean =>
  type === 'list' ? Array.isArray(value) : type === 'bool' ? typeof value === 'boolean' : typeof value === 'number' && Number.isInteger(value);

/** `FunctionUrlConfig`: the URL, and the permissions that make it public where it is. */
export function functionUrl(logicalId: string, config: JsonObject, alias: Made | undefined, shared: JsonObject): Made[] {
  const auth = config['AuthType'];
  if (!isIntrinsic(config) && !isIntrinsic(auth) && auth !== 'AWS_IAM' && auth !== 'NONE') {
    throw new ResourceProblem(logicalId, 'AuthType is required to configure function property `FunctionUrlConfig`. Please provide either AWS_IAM or NONE.');
  }
  const cors = config['Cors'];
  if (isTruthy(cors) && !isIntrinsic(cors)) {
    if (!isObject(cors)) throw new ResourceProblem(logicalId, "Property 'FunctionUrlConfig.Cors' should be a map.");
    for (const [name, value] of Object.entries(cors)) {
      const type = Object.hasOwn(CORS_TYPES, name) ? CORS_TYPES[name] : undefined;
      if (!type) throw new ResourceProblem(logicalId, `${name} is not a valid property for configuring Cors.`);
      if (!isIntrinsic(value) && !hasType(value, type)) throw new ResourceProblem(logicalId, `${name} must be of type ${type}.`);
    }
  }
  const url = made(
    `${logicalId}Url`,
    'AWS::Lambda::Url',
    {
      Cors: isTruthy(cors) ? cors : undefined,
      AuthType: auth,
      TargetFunctionArn: ref(alias?.logicalId ?? logicalId),
      InvokeMode: config['InvokeMode'],
    },
    shared,
  );
  if (auth !== 'NONE') return [url];
  const FunctionName = ref(alias?.logicalId ?? logicalId);
  return [
    url,
    made(
      `${logicalId}UrlPublicPermissions`,
      'AWS::Lambda::Permission',
      { Action: 'lambda:InvokeFunctionUrl', FunctionName, Principal: '*', FunctionUrlAuthType: 'NONE' },
      shared,
    ),
    made(
      `${logicalId}URLInvokeAllowPublicAccess`,
      'AWS::Lambda::Permission',
      { Action: 'lambda:InvokeFunction', FunctionName, Principal: '*', InvokedViaFunctionUrl: true },
      shared,
    ),
  ];
}

const DESTINATIONS = ['SQS', 'SNS', 'EventBridge', 'Lambda', 'S3Bucket'];

const POLICY_OF: Readonly<Record<string, (destination: Json, id: string) => JsonObject>> = {
  SQS: (destination, id) => inlinePolicy(`${id}SQSPolicy`, 'sqs:SendMessage', destination),
  SNS: (destination, id) => inlinePolicy(`${id}SNSPolicy`, 'sns:publish', destination),
  EventBridge: (destination, id) => inlinePolicy(`${id}EventBridgePolicy`, 'events:PutEvents', destination),
  Lambda: (destination, id) => inlinePolicy(`${id}LambdaPolicy`, 'lambda:InvokeFunction', destination),
  S3Bucket: s3Policy,
};

/** `EventInvokeConfig`, with the queue or topic that it asks for without naming one. */
export function eventInvokeConfig(
  session: Session,
  logicalId: string,
  properties: JsonObject,
  alias: Made | undefined,
  shared: JsonObject,
): { made: Made[]; policies: Json[] } {
  const given = properties['EventInvokeConfig'];
  if (!isTruthy(given) || !isObject(given)) return { made: [], policies: [] };
  const config = withParameters(given, session.context) as JsonObject;
  const id = `${logicalId}EventInvokeConfig`;
  const out: Made[] = [];
  const policies: Json[] = [];
  const destinations: JsonObject = {};
  const wanted = config['DestinationConfig'];
  if (isTruthy(wanted) && !isObject(wanted)) throw new ResourceProblem(logicalId, "Property 'EventInvokeConfig.DestinationConfig' should be a map.");
  for (const name of ['OnSuccess', 'OnFailure']) {
    const one = isObject(wanted) ? wanted[name] : undefined;
    if (one === undefined || one === null) continue;
    if (!isObject(one)) throw new ResourceProblem(logicalId, `Property 'EventInvokeConfig.DestinationConfig.${name}' should be a map.`);
    const found = destinationOf(session, logicalId, id, name, one, shared);
    out.push(...found.made);
    if (found.policy) policies.push(found.policy);
    destinations[name] = { Destination: found.destination };
  }
  const invoke = made(
    id,
    'AWS::Lambda::EventInvokeConfig',
    {
      FunctionName: ref(logicalId),
      Qualifier: alias ? ((alias.resource['Properties'] as JsonObject)['Name'] ?? '$LATEST') : '$LATEST',
      DestinationConfig: destinations,
      MaximumEventAgeInSeconds: config['MaximumEventAgeInSeconds'],
      MaximumRetryAttempts: config['MaximumRetryAttempts'],
    },
    { ...shared, ...(alias ? { DependsOn: [alias.logicalId] } : {}) },
  );
  return { made: [...out, invoke], policies };
}

function destinationOf(
  session: Session,
  owner: string,
  id: string,
  name: string,
  config: JsonObject,
  shared: JsonObject,
): { destination: Json; made: Made[]; policy?: JsonObject } {
  const type = config['Type'];
  const destination = config['Destination'];
  const resourceId = id + name;
  if (!isText(type) || !DESTINATIONS.includes(type)) {
    throw new ResourceProblem(
      owner,
      `'Type: ${type === undefined || type === null ? 'None' : String(type)}' must be one of [${DESTINATIONS.map((each) => `'${each}'`).join(', ')}]`,
    );
  }
  const policyFor = POLICY_OF[type];
  const { condition, other } = optional(session, id, destination);
  if (destination !== undefined && destination !== null && condition === undefined) {
    return { destination, made: [], ...(policyFor ? { policy: policyFor(destination, resourceId) } : {}) };
  }
  if (type !== 'SQS' && type !== 'SNS') throw new ResourceProblem(owner, `Destination is required if Type is not ['SQS', 'SNS']`);
  const queue = type === 'SQS';
  const madeId = resourceId + (queue ? 'Queue' : 'Topic');
  const arn = queue ? getAtt(madeId, 'Arn') : ref(madeId);
  const combined = both(session, owner, isText(shared['Condition']) ? shared['Condition'] : undefined, condition);
  const resource: Made = {
    logicalId: madeId,
    resource: { Type: queue ? 'AWS::SQS::Queue' : 'AWS::SNS::Topic', Properties: {}, ...shared, ...(combined ? { Condition: combined } : {}) },
  };
  const result = condition === undefined ? arn : ifElse(condition, arn, other);
  return { destination: result, made: [resource], ...(policyFor ? { policy: policyFor(result, resourceId) } : {}) };
}

/** `Fn::If` with nothing in one branch: the condition under which something has to be made, and the other branch. */
function optional(session: Session, id: string, destination: Json | undefined): { condition?: string; other?: Json } {
  if (!isIf(destination)) return {};
  const items = destination['Fn::If'];
  if (!Array.isArray(items) || items.length !== 3) throw new ResourceProblem(id, "Malformed 'Destination' property: Fn::If requires 3 arguments.");
  const [name = null, yes = null, no = null] = items;
  if (isNoValue(yes) && isNoValue(no)) return {};
  if (isNoValue(yes)) return { condition: String(name), other: no };
  if (!isNoValue(no)) return {};
  const negated = hashedId(`NOT${String(name)}`, id);
  session.conditions[negated] = { 'Fn::Not': [{ Condition: name }] };
  return { condition: negated, other: yes };
}

function both(session: Session, owner: string, first: string | undefined, second: string | undefined): string | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const name = hashedId(`${first}AND${second}`, owner);
  // The second nesting is SAM's own, and so it stays in what it makes.
  session.conditions[name] = { 'Fn::And': [{ Condition: { Condition: first } }, { Condition: { Condition: second } }] };
  return name;
}
