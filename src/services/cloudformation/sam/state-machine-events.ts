import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { EventProblem } from './errors.ts';
import { apiIdOf } from './implicit.ts';
import { deadLetters, scheduleOf, stateOf } from './push-events.ts';
import { fromTemplate, fromTransform, mapText, PyDict, type PyText, Uni } from './python.ts';
import { addEventAuth, authOf } from './rest-auth.ts';
import { stageSuffix } from './rest-events.ts';
import { assumedBy, inlinePolicy } from './role.ts';
import type { Session } from './session.ts';
import { addMethod, conditional, hasIntegration, INTEGRATION, isDefinition } from './swagger.ts';
import { getAtt, isTruthy, type Made, made, present, ref, sub } from './values.ts';

/** The machine, or its alias, that an event starts. */
export interface MachineTarget {
  readonly machineId: string;
  readonly ownerId: string;
  readonly attributes: JsonObject;
  readonly condition: string | undefined;
  readonly boundary: Json | undefined;
}

interface MachineEvent {
  readonly id: string;
  readonly eventId: string;
  readonly properties: JsonObject;
  readonly target: MachineTarget;
}

type MachineSource = (session: Session, event: MachineEvent) => Made[];

/** May start executions: each event has a role of its own. */
function roleFor({ id, target }: MachineEvent, service: string): Made {
  return made(
    `${id}Role`,
    'AWS::IAM::Role',
    {
      AssumeRolePolicyDocument: assumedBy(service),
      Policies: [inlinePolicy(`${id}RoleStartExecutionPolicy`, 'states:StartExecution', ref(target.machineId))],
      PermissionsBoundary: isTruthy(target.boundary) ? target.boundary : undefined,
    },
    target.attributes,
  );
}

const TARGET_ID_MAX = 64;
const SUFFIX = 'StepFunctionsTarget';

function rule(event: MachineEvent, members: { [key: string]: Json | undefined }, target: { [key: string]: Json | undefined }, given?: Json): Made[] {
  const { id, properties } = event;
  const role = given === undefined || given === null ? roleFor(event, 'events.amazonaws.com') : undefined;
  const letters = deadLetters(id, properties['DeadLetterConfig'], event.target.attributes, getAtt(id, 'Arn'));
  const own = properties['Target'];
  const one = present({
    Arn: ref(event.target.machineId),
    Id: isObject(own) && own['Id'] !== undefined ? own['Id'] : `${id.slice(0, TARGET_ID_MAX - SUFFIX.length)}${SUFFIX}`,
    RoleArn: role ? getAtt(role.logicalId, 'Arn') : given,
    ...target,
    DeadLetterConfig: letters.arn === undefined ? undefined : { Arn: letters.arn },
    RetryPolicy: properties['RetryPolicy'],
  });
  const state = stateOf(event);
  return [made(id, 'AWS::Events::Rule', { ...members, State: state, Targets: [one] }, event.target.attributes), ...(role ? [role] : []), ...letters.made];
}

const schedule: MachineSource = (_session, event) => {
  const { properties } = event;
  return rule(
    event,
    { ScheduleExpression: properties['Schedule'], Name: properties['Name'], Description: properties['Description'] },
    { Input: properties['Input'] },
    properties['RoleArn'],
  );
};

const busEvent: MachineSource = (_session, event) => {
  const { properties } = event;
  return rule(
    event,
    { EventBusName: properties['EventBusName'], EventPattern: properties['Pattern'], Name: properties['RuleName'] },
    { Input: properties['Input'], InputPath: properties['InputPath'], InputTransformer: properties['InputTransformer'] },
  );
};

const scheduleV2: MachineSource = (_session, { id, properties, target }) =>
  scheduleOf({
    id,
    properties,
    attributes: target.attributes,
    arn: ref(target.machineId),
    policy: inlinePolicy(`${id}StartExecutionPolicy`, 'states:StartExecution', ref(target.machineId)),
  });

/** An `Api` event: the method starts an execution with the request's body. */
const api: MachineSource = (session, event) => {
  const { properties, eventId, target } = event;
  const { Path: path, Method: method, RestApiId: given } = properties;
  if (!isText(path) || !isText(method)) throw new EventProblem(eventId, "Property 'Path' should be a string.");
  const role = roleFor(event, 'apigateway.amazonaws.com');
  const apiId = apiIdOf(given);
  if (!isText(apiId)) return [role];
  stageSuffix(session, eventId, apiId);
  const body = session.bodies.get(apiId);
  if (!session.managed.has(apiId) || !isDefinition(body)) return [role];
  const key = { path: new Uni(path), method: mapText(new Uni(method), (text) => text.toLowerCase()) };
  const copy = body.clone();
  if (hasIntegration(copy, key.path, key.method)) {
    throw new EventProblem(eventId, `API method "${method.toLowerCase()}" defined multiple times for path "${path}".`);
  }
  addMethod(
    copy,
    key.path,
    key.method,
    (definition) => integrate(definition, event, role),
    target.condition === undefined ? undefined : new Uni(target.condition),
  );
  addAuthOf(session, event, copy, apiId, key);
  session.bodies.set(apiId, copy.clone());
  return [role];
};

function addAuthOf(session: Session, { properties, eventId }: MachineEvent, document: PyDict, apiId: string, key: { path: Uni; method: PyText }): void {
  const auth = properties['Auth'];
  if (!isObject(auth) || !isTruthy(auth)) return;
  const api = session.resources[apiId];
  const settings = isObject(api) && isObject(api['Properties']) ? api['Properties'] : {};
  addEventAuth(document, { eventId, auth, api: authOf(settings, session.context), apiId, ...key, stage: fromTemplate(properties['Stage'] ?? null) });
}

function integrate(definition: PyDict, { properties, target }: MachineEvent, role: Made): void {
  const escaped = `$util.escapeJavaScript($input.json('$'))`;
  const machine = `\${${target.machineId}}`;
  const template = isTruthy(properties['UnescapeMappingTemplate'])
    ? `{"input": "${escaped}.replaceAll("\\\\'","'")", "stateMachineArn": "${machine}"}`
    : `{"input": "${escaped}", "stateMachineArn": "${machine}"}`;
  const uri = fromTransform(sub(`arn:\${AWS::Partition}:apigateway:\${AWS::Region}:states:action/StartExecution`));
  const condition = target.condition === undefined ? undefined : new Uni(target.condition);
  const integration = new PyDict([
    ['type', 'aws'],
    ['httpMethod', 'POST'],
    ['uri', condition === undefined ? uri : conditional(condition, uri)],
    ['responses', byStatus('statusCode', '200', '400')],
    ['credentials', fromTransform(getAtt(role.logicalId, 'Arn'))],
    ['requestTemplates', fromTransform({ 'application/json': sub(template) })],
  ]);
  definition.set(INTEGRATION, integration);
  if (!definition.has('responses')) definition.set('responses', byStatus('description', 'OK', 'Bad Request'));
}

const byStatus = (member: string, ok: string, bad: string): PyDict =>
  new PyDict([
    ['200', new PyDict([[member, ok]])],
    ['400', new PyDict([[member, bad]])],
  ]);

export const stateMachineEvents: Readonly<Record<string, MachineSource>> = {
  Schedule: schedule,
  ScheduleV2: scheduleV2,
  CloudWatchEvent: busEvent,
  EventBridgeRule: busEvent,
  Api: api,
};
