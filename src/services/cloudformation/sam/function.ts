import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { noteDeployment } from './deployment.ts';
import { EventProblem, ResourceProblem } from './errors.ts';
import { eventInvokeConfig, functionUrl } from './function-parts.ts';
import { httpApiEvent } from './http-api.ts';
import { pullEvents } from './pull-events.ts';
import { pushEvents } from './push-events.ts';
import { restApiEvent } from './rest-events.ts';
import { assumedBy, draftRole, managedArn, type RoleDraft } from './role.ts';
import { checkProperties } from './schema.ts';
import type { Session } from './session.ts';
import { s3Location } from './tables.ts';
import type { EventTarget } from './target.ts';
import {
  attributesOf,
  getAtt,
  hashedId,
  ifElse,
  isIf,
  isNoValue,
  isTruthy,
  type Made,
  made,
  OWN_ATTRIBUTES,
  present,
  ref,
  SHARED_ATTRIBUTES,
  sha1,
  tagList,
  withParameters,
} from './values.ts';

/** Properties that go to `AWS::Lambda::Function` as they are. */
const PASSED =
  'FunctionName Handler Runtime Description MemorySize Timeout VpcConfig Environment KmsKeyArn ReservedConcurrentExecutions Layers FileSystemConfigs ImageConfig PackageType Architectures SnapStart EphemeralStorage CodeSigningConfigArn RuntimeManagementConfig LoggingConfig TenancyConfig RecursiveLoop DurableConfig PublishToLatestPublished'.split(
    ' ',
  );

/** `AWS::Serverless::Function`: the function with its role, version, alias, URL and events. */
export function transformFunction(session: Session, logicalId: string, resource: JsonObject): Made[] {
  const properties = isObject(resource['Properties']) ? resource['Properties'] : {};
  const shared = attributesOf(resource, SHARED_ATTRIBUTES);
  checkDeadLetters(logicalId, properties['DeadLetterQueue']);
  const lambda = construct(session, logicalId, resource, properties);
  const out: Made[] = [lambda];
  if (isTruthy(properties['ProvisionedConcurrencyConfig']) && !isTruthy(properties['AutoPublishAlias'])) {
    throw new ResourceProblem(logicalId, 'To set ProvisionedConcurrencyConfig AutoPublishALias must be defined on the function');
  }
  const alias = publish(session, logicalId, properties, lambda, shared, out);
  if (isTruthy(properties['FunctionUrlConfig'])) out.push(...functionUrl(logicalId, properties['FunctionUrlConfig'] as JsonObject, alias, shared));
  noteDeployment(session, logicalId, properties, alias, isText(shared['Condition']) ? shared['Condition'] : undefined);
  const invoke = eventInvokeConfig(session, logicalId, properties, alias, shared);
  out.push(...invoke.made);
  const role = roleOf(session, logicalId, properties, shared, invoke.policies);
  const roleMade = linkRole(session, logicalId, lambda, role, out);
  const target: EventTarget = {
    functionId: logicalId,
    name: ref(alias?.logicalId ?? logicalId),
    arn: alias ? ref(alias.logicalId) : getAtt(logicalId, 'Arn'),
    shorthand: alias ? alias.logicalId : `${logicalId}.Arn`,
    isAlias: alias !== undefined,
    attributes: shared,
    condition: isText(resource['Condition']) ? resource['Condition'] : undefined,
  };
  const events = eventResources(session, logicalId, properties['Events'], target, role);
  if (roleMade !== undefined)
    Object.assign(roleMade.resource, { ...role.finish().resource, ...('Condition' in roleMade.resource ? { Condition: roleMade.resource['Condition'] } : {}) });
  out.push(...events);
  return propagateTags(out, properties);
}

function checkDeadLetters(logicalId: string, queue: Json | undefined): void {
  if (!isTruthy(queue) || !isObject(queue)) return;
  if (!isTruthy(queue['Type']) || !isTruthy(queue['TargetArn'])) {
    throw new ResourceProblem(logicalId, "'DeadLetterQueue' requires Type and TargetArn properties to be specified.");
  }
  if (!isText(queue['Type'])) throw new ResourceProblem(logicalId, "Property 'DeadLetterQueue.Type' should be a string.");
  if (!['SQS', 'SNS'].includes(queue['Type'])) throw new ResourceProblem(logicalId, "'DeadLetterQueue' requires Type of ['SQS', 'SNS']");
}

/** Whether tracing is asked for; `Disabled` is as good as nothing. */
const isTraced = (session: Session, tracing: Json | undefined): boolean => isTruthy(tracing) && withParameters(tracing ?? null, session.context) !== 'Disabled';

function construct(session: Session, logicalId: string, resource: JsonObject, properties: JsonObject): Made {
  const queue = properties['DeadLetterQueue'];
  const passed = Object.fromEntries(PASSED.map((name) => [name, properties[name]]));
  const lambda = made(
    logicalId,
    'AWS::Lambda::Function',
    {
      ...passed,
      Code: codeOf(logicalId, properties),
      Role: properties['Role'],
      Tags: tagList(checkTags(logicalId, properties['Tags'])),
      TracingConfig: isTraced(session, properties['Tracing']) ? { Mode: properties['Tracing'] ?? null } : undefined,
      DeadLetterConfig: isObject(queue) && isTruthy(queue) ? { TargetArn: queue['TargetArn'] ?? null } : undefined,
      CapacityProviderConfig: isObject(properties['CapacityProviderConfig']) ? capacityOf(properties['CapacityProviderConfig']) : undefined,
      FunctionScalingConfig: properties['FunctionScalingConfig'],
    },
    { ...attributesOf(resource, OWN_ATTRIBUTES), ...present({ DependsOn: resource['DependsOn'] }) },
  );
  checkPackage(logicalId, lambda.resource['Properties'] as JsonObject);
  return lambda;
}

const RESERVED_TAGS = ['lambda:createdBy', 'serverlessrepo:applicationId', 'serverlessrepo:semanticVersion'];

function checkTags(logicalId: string, tags: Json | undefined): Json | undefined {
  const reserved = RESERVED_TAGS.find((name) => isObject(tags) && name in tags);
  if (reserved === undefined) return tags;
  throw new ResourceProblem(logicalId, `${reserved} is a reserved Tag key name and cannot be set on your resource. Please change the tag key in the input.`);
}

const capacityOf = (config: JsonObject): JsonObject => ({
  LambdaManagedInstancesCapacityProviderConfig: present({
    CapacityProviderArn: config['Arn'],
    PerExecutionEnvironmentMaxConcurrency: config['PerExecutionEnvironmentMaxConcurrency'],
    ExecutionEnvironmentMemoryGiBPerVCpu: config['ExecutionEnvironmentMemoryGiBPerVCpu'],
  }),
});

function codeOf(logicalId: string, properties: JsonObject): JsonObject {
  const type = properties['PackageType'] ?? 'Zip';
  const { InlineCode: inline, CodeUri: uri, ImageUri: image, SourceKMSKeyArn: kms } = properties;
  if (type === 'Image') {
    if (image === undefined || image === null) throw new ResourceProblem(logicalId, "'ImageUri' must be set.");
    if (!isText(image) && !isObject(image)) throw new ResourceProblem(logicalId, "'ImageUri' is not a valid image uri.");
    return { ImageUri: image };
  }
  if (type !== 'Zip') throw new ResourceProblem(logicalId, `invalid 'PackageType' : ${String(type)}`);
  if ((inline === undefined || inline === null) && (uri === undefined || uri === null)) {
    throw new ResourceProblem(logicalId, "Only one of 'InlineCode' or 'CodeUri' can be set.");
  }
  const extra = isTruthy(kms) ? { SourceKMSKeyArn: kms ?? null } : {};
  if (inline !== undefined && inline !== null) return { ZipFile: inline, ...extra };
  const location = s3Location(logicalId, 'CodeUri', uri);
  return { ...present({ S3Bucket: location.Bucket, S3Key: location.Key, S3ObjectVersion: location.Version }), ...extra };
}

function checkPackage(logicalId: string, lambda: JsonObject): void {
  const code = lambda['Code'] as JsonObject;
  const fail = (message: string) => new ResourceProblem(logicalId, message);
  if ((lambda['PackageType'] ?? 'Zip') === 'Zip') {
    if (!isTruthy(lambda['Runtime']) || !isTruthy(lambda['Handler'])) throw fail('Runtime and Handler needs to be present when PackageType is of type `Zip`');
    if (isTruthy(code['ImageUri']) || isTruthy(lambda['ImageConfig']))
      throw fail('ImageUri or ImageConfig cannot be present when PackageType is of type `Zip`');
  } else if (isTruthy(lambda['Handler']) || isTruthy(lambda['Runtime']) || isTruthy(lambda['Layers'])) {
    throw fail('Runtime, Handler, Layers cannot be present when PackageType is of type `Image`');
  }
}

/** `AutoPublishAlias`: a version whose logical id changes with the code, and the alias on it. */
function publish(session: Session, logicalId: string, properties: JsonObject, lambda: Made, shared: JsonObject, out: Made[]): Made | undefined {
  if (!isTruthy(properties['AutoPublishAlias'])) return undefined;
  const { context } = session;
  const name = withParameters(properties['AutoPublishAlias'] ?? null, context);
  if (name === '') throw new ResourceProblem(logicalId, 'Alias name is required to create an alias');
  if (!isText(name)) throw new ResourceProblem(logicalId, "'AutoPublishAlias' must be a string or a Ref to a template parameter");
  const function_ = lambda.resource['Properties'] as JsonObject;
  let codeHash: string | undefined;
  if (isTruthy(properties['AutoPublishCodeSha256'])) {
    const hash = withParameters(properties['AutoPublishCodeSha256'] ?? null, context);
    if (!isText(hash)) throw new ResourceProblem(logicalId, 'AutoPublishCodeSha256 must be a string');
    codeHash = hash;
    const description = withParameters(properties['Description'] ?? null, context);
    function_['Description'] = !isTruthy(description) ? hash : isText(description) ? `${description} ${hash}` : { 'Fn::Join': [' ', [description, hash]] };
  }
  const versionId =
    codeHash === undefined ? hashedId(`${logicalId}Version`, versionData(session, properties, lambda)) : `${logicalId}Version${codeHash.slice(0, 10)}`;
  const retention = properties['VersionDeletionPolicy'] ?? (properties['CapacityProviderConfig'] === undefined ? 'Retain' : 'Delete');
  const version = made(
    versionId,
    'AWS::Lambda::Version',
    {
      FunctionName: ref(logicalId),
      Description: properties['VersionDescription'],
      FunctionScalingConfig: properties['CapacityProviderConfig'] === undefined ? undefined : properties['FunctionScalingConfig'],
    },
    { DeletionPolicy: retention, ...shared },
  );
  if (!/^(?!^[0-9]+$)([a-zA-Z0-9\-_]+)$/.test(name)) {
    throw new ResourceProblem(
      logicalId,
      `AutoPublishAlias name ('${name}') must contain only alphanumeric characters, hyphens, or underscores matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.`,
    );
  }
  const alias = made(
    `${logicalId}Alias${name.replaceAll('-', 'D').replaceAll('_', 'U')}`,
    'AWS::Lambda::Alias',
    {
      Name: name,
      FunctionName: ref(logicalId),
      FunctionVersion: getAtt(versionId, 'Version'),
      ProvisionedConcurrencyConfig: isTruthy(properties['ProvisionedConcurrencyConfig']) ? properties['ProvisionedConcurrencyConfig'] : undefined,
    },
    shared,
  );
  out.push(version, alias);
  return alias;
}

/** What a version's logical id is the hash of. */
function versionData(session: Session, properties: JsonObject, lambda: Made): Json {
  const function_ = lambda.resource['Properties'] as JsonObject;
  if (!isTruthy(properties['AutoPublishAliasAllProperties'])) {
    const data: JsonObject = { ...(withParameters(function_['Code'] ?? {}, session.context) as JsonObject) };
    if (isObject(function_['Environment'])) Object.assign(data, function_['Environment']);
    if (isTruthy(function_['MemorySize'])) data['MemorySize'] = function_['MemorySize'] ?? null;
    const snap = function_['SnapStart'];
    if (isObject(snap) && (snap['ApplyOn'] ?? 'None') !== 'None') data['SnapStart'] = snap;
    return data;
  }
  const data: JsonObject = { ...function_ };
  for (const layer of Array.isArray(function_['Layers']) ? function_['Layers'] : []) {
    const id = isObject(layer) ? layer['Ref'] : undefined;
    const resource = isText(id) ? session.original[id] : undefined;
    const settings = isObject(resource) ? resource['Properties'] : undefined;
    if (isText(id) && isObject(settings) && isTruthy(settings['PublishLambdaVersion'])) data[id] = settings;
  }
  return data;
}

function roleOf(session: Session, logicalId: string, properties: JsonObject, shared: JsonObject, policies: readonly Json[]): RoleDraft {
  const { context } = session;
  const managed = [
    managedArn(context, properties['DurableConfig'] ? 'service-role/AWSLambdaBasicDurableExecutionRolePolicy' : 'service-role/AWSLambdaBasicExecutionRole'),
  ];
  if (isTraced(session, properties['Tracing'])) {
    managed.push(managedArn(context, context.region.startsWith('cn-') ? 'AWSXRayDaemonWriteAccess' : 'AWSXrayWriteOnlyAccess'));
  }
  if (isTruthy(properties['VpcConfig'])) managed.push(managedArn(context, 'service-role/AWSLambdaVPCAccessExecutionRole'));
  const queue = properties['DeadLetterQueue'];
  const inline: Json[] = [];
  if (isObject(queue) && isTruthy(queue)) {
    const action = queue['Type'] === 'SQS' ? 'sqs:SendMessage' : 'sns:Publish';
    const Statement = [{ Action: action, Effect: 'Allow', Resource: queue['TargetArn'] ?? null }];
    inline.push({ PolicyName: 'DeadLetterQueuePolicy', PolicyDocument: { Version: '2012-10-17', Statement } });
  }
  return draftRole(context, {
    owner: logicalId,
    assumeRolePolicy: properties['AssumeRolePolicyDocument'] ?? assumedBy('lambda.amazonaws.com'),
    managed,
    inline: [...inline, ...policies],
    policies: properties['Policies'],
    path: properties['RolePath'],
    boundary: properties['PermissionsBoundary'],
    tags: tagList(properties['Tags']),
    attributes: shared,
  });
}

/** Gives the function its role; a role of the template's own is left alone, one that a condition may leave out is made for the other case. */
function linkRole(session: Session, logicalId: string, lambda: Made, role: RoleDraft, out: Made[]): Made | undefined {
  const function_ = lambda.resource['Properties'] as JsonObject;
  const given = function_['Role'];
  const arn = getAtt(role.logicalId, 'Arn');
  const finished = role.finish();
  if (given === undefined || given === null) {
    function_['Role'] = arn;
    out.push(finished);
    return finished;
  }
  if (!isIf(given)) return undefined;
  const items = withParameters(given['Fn::If'] ?? null, session.context);
  if (!Array.isArray(items) || items.length !== 3) throw new ResourceProblem(logicalId, "Malformed 'Role' property: Fn::If requires 3 arguments.");
  const [condition = null, yes = null, no = null] = items;
  if (isNoValue(yes) && isNoValue(no)) function_['Role'] = arn;
  else if (isNoValue(yes)) {
    function_['Role'] = ifElse(String(condition), arn, no);
    finished.resource['Condition'] = condition;
  } else if (isNoValue(no)) {
    function_['Role'] = ifElse(String(condition), yes, arn);
    finished.resource['Condition'] = `NOT${String(condition)}`;
    session.conditions[`NOT${String(condition)}`] = { 'Fn::Not': [{ Condition: condition }] };
  } else return undefined;
  out.push(finished);
  return finished;
}

function eventResources(session: Session, logicalId: string, events: Json | undefined, target: EventTarget, role: RoleDraft): Made[] {
  if (!isObject(events)) return [];
  const order = Object.entries(events).sort(([a, x], [b, y]) => (sortKey(a, x) < sortKey(b, y) ? -1 : sortKey(a, x) > sortKey(b, y) ? 1 : 0));
  const out: Made[] = [];
  for (const [eventId, definition] of order) {
    try {
      out.push(...oneEvent(session, logicalId, eventId, definition, target, role));
    } catch (error) {
      if (error instanceof EventProblem) throw new ResourceProblem(logicalId, error.message);
      throw error;
    }
  }
  return out;
}

const sortKey = (eventId: string, event: Json): string => {
  const properties = isObject(event) ? event['Properties'] : undefined;
  const path = isObject(properties) ? properties['Path'] : undefined;
  return isText(path) ? path : eventId;
};

function oneEvent(session: Session, logicalId: string, eventId: string, definition: Json, target: EventTarget, role: RoleDraft): Made[] {
  if (!isObject(definition) || !isText(definition['Type']))
    throw new EventProblem(eventId, 'Resource dict has missing or invalid value for key Type. Event Type is: None.');
  const type = definition['Type'];
  const properties = isObject(definition['Properties']) ? definition['Properties'] : {};
  checkProperties(logicalId + eventId, type, properties);
  const event = { context: session.context, target, id: logicalId + eventId, eventId, properties, role, resources: session.resources };
  if (type === 'Api') return restApiEvent(session, event);
  if (type === 'HttpApi') return httpApiEvent(session, event);
  const source = Object.hasOwn(pushEvents, type) ? pushEvents[type] : Object.hasOwn(pullEvents, type) ? pullEvents[type] : undefined;
  if (!source) throw new EventProblem(eventId, `Resource dict has missing or invalid value for key Type. Event Type is: ${type}.`);
  return source(event);
}

/** Types that take tags as a list. */
const TAGGED = new Set([
  'AWS::Lambda::Function',
  'AWS::IAM::Role',
  'AWS::SQS::Queue',
  'AWS::SNS::Topic',
  'AWS::Events::Rule',
  'AWS::Lambda::EventSourceMapping',
]);

function propagateTags(out: Made[], properties: JsonObject): Made[] {
  const tags = properties['Tags'];
  if (!isTruthy(properties['PropagateTags']) || !isObject(tags) || !isTruthy(tags)) return out;
  for (const { resource } of out) {
    const settings = resource['Properties'];
    if (!isObject(settings) || !TAGGED.has(String(resource['Type']))) continue;
    settings['Tags'] = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  }
  return out;
}

/** The name of a generated condition: the reason and ten digits of who asked. */
export const generatedCondition = (name: string, owner: string): string => name + sha1(owner).slice(0, 10);
