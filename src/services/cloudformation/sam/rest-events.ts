import { isObject, isText, type Json } from '../domain/json.ts';
import { EventProblem, ResourceProblem } from './errors.ts';
import { apiIdOf } from './implicit.ts';
import { permission } from './push-events.ts';
import { mapText, PyDict, Uni } from './python.ts';
import { addEventAuth, authOf, invokeCredentials, stageOf } from './rest-auth.ts';
import { addRequestOptions } from './rest-extras.ts';
import type { Session } from './session.ts';
import { addLambdaIntegration, hasIntegration, isDefinition } from './swagger.ts';
import type { EventInput } from './target.ts';
import { isTruthy, type Made, partitionOf, sub } from './values.ts';

/** An `Api` event: the permission for API Gateway and, where SAM writes the definition, the integration of the method. */
export function restApiEvent(session: Session, event: EventInput): Made[] {
  const { properties, eventId, target, context } = event;
  const { Path: path, Method: method, RestApiId: api } = properties;
  for (const [name, value] of Object.entries({ Path: path, Method: method, RestApiId: api })) {
    if (value === undefined || value === null) throw new EventProblem(eventId, `Missing required property '${name}'.`);
  }
  if (!isText(path) || !isText(method)) throw new EventProblem(eventId, "Type of property 'Path' is invalid.");
  const apiId = apiIdOf(api);
  const given = properties['Auth'];
  if (isObject(given) && isTruthy(given['OverrideApiAuth'])) throw new EventProblem(eventId, "Croft does not support the property 'OverrideApiAuth' of Auth");
  const suffix = isText(apiId) ? stageSuffix(session, eventId, apiId) : 'AllStages';
  const partition = partitionOf(context.region);
  const verb = method.toLowerCase() === 'any' ? '*' : method.toUpperCase();
  const source = sub(`arn:${partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${__ApiId__}/\${__Stage__}/${verb}${permittedPath(path)}`, {
    __ApiId__: api as Json,
    __Stage__: '*',
  });
  const allowed = permission(event, 'apigateway.amazonaws.com', { SourceArn: source }, suffix);
  const body = isText(apiId) ? session.bodies.get(apiId) : undefined;
  if (isText(apiId) && session.managed.has(apiId) && isDefinition(body)) {
    const key = { path: new Uni(path), method: mapText(new Uni(method), (text) => text.toLowerCase()) };
    const copy = body.clone();
    if (hasIntegration(copy, key.path, key.method)) {
      throw new EventProblem(eventId, `API method "${method.toLowerCase()}" defined multiple times for path "${path}".`);
    }
    const auth = properties['Auth'];
    const api_ = session.resources[apiId];
    const apiProperties = isObject(api_) && isObject(api_['Properties']) ? api_['Properties'] : {};
    const raw = apiProperties['Auth'];
    const streams = properties['ResponseTransferMode'] === 'RESPONSE_STREAM';
    addLambdaIntegration(copy, {
      ...key,
      uri: integrationUri(event, partition, streams),
      condition: target.condition === undefined ? undefined : new Uni(target.condition),
      streams,
      credentials: invokeCredentials(isObject(auth) ? auth : {}, isObject(raw) ? raw : {}, context),
    });
    if (isObject(auth) && isTruthy(auth)) {
      const stage = stageOf(apiId, apiProperties);
      addEventAuth(copy, { eventId, auth, api: authOf(apiProperties, context), apiId, ...key, stage });
    }
    addRequestOptions(copy, { eventId, properties, models: apiProperties['Models'], ...key });
    session.bodies.set(apiId, copy.clone());
  }
  return [allowed];
}

function integrationUri({ target }: EventInput, partition: string, streams: boolean): PyDict {
  const [version, verb] = streams ? ['2021-11-15', 'response-streaming-invocations'] : ['2015-03-31', 'invocations'];
  const arn = `arn:${partition}:apigateway:\${AWS::Region}:lambda:path/${version}/functions/\${${target.shorthand}}/${verb}`;
  return new PyDict([['Fn::Sub', target.isAlias ? arn : new Uni(arn)]]);
}

/** API Gateway ignores a slash at the end, and permissions know no path parameters. */
const permittedPath = (path: string): string => path.replace(/^(.+)\/$/, '$1').replace(/\{[a-zA-Z0-9._-]+\+?\}/g, '*');

/** What tells the permission of one stage from another's. */
export function stageSuffix(session: Session, eventId: string, apiId: string): string {
  const api = session.resources[apiId];
  if (!isObject(api)) throw new EventProblem(eventId, 'RestApiId property of Api event must reference a valid resource in the same template.');
  const properties = isObject(api['Properties']) ? api['Properties'] : {};
  const stage = properties['StageName'];
  if (!isText(stage)) return 'Stage';
  if (stage === '') throw new ResourceProblem(apiId, 'StageName cannot be empty.');
  return stage;
}
