import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { EventProblem, ResourceProblem } from './errors.ts';
import { addHttpAuth, addHttpEventAuth, httpAuthOf, httpAuthorizerPermissions } from './http-auth.ts';
import { apiIdOf } from './implicit.ts';
import { permission } from './push-events.ts';
import { fromTransform, PyDict, toJson } from './python.ts';
import type { Session } from './session.ts';
import { ANY_METHOD, addPath, branches, conditional, DEFAULT_ROUTE, hasIntegration, INTEGRATION, isDefinition, normalMethod, textValue } from './swagger.ts';
import { s3Location } from './tables.ts';
import type { EventInput } from './target.ts';
import { attributesOf, hashedId, isIntrinsic, isTruthy, type Made, made, OWN_ATTRIBUTES, present, ref, sub, withParameters } from './values.ts';

const PARTITION = `\${AWS::Partition}`;

/** An `HttpApi` event: the permission for API Gateway and the integration of the route. */
export function httpApiEvent(session: Session, event: EventInput): Made[] {
  const { properties, eventId, target } = event;
  const apiId = apiIdOf(properties['ApiId']);
  const { Path: path, Method: method } = properties;
  if (!isText(apiId) || !isText(path) || !isText(method)) throw new EventProblem(eventId, "Property 'ApiId' should be a string.");
  const body = session.bodies.get(apiId);
  const lower = method.toLowerCase();
  const allowed = permissionFor(event, path, lower, isDefinition(body) && ownsDefault(body, target.functionId));
  if (isDefinition(body)) {
    if (session.managed.has(apiId) && hasIntegration(body, path, lower)) {
      throw new EventProblem(eventId, `API method '${lower}' defined multiple times for path '${path}'.`);
    }
    integrate(body, event, path, lower);
    const auth = properties['Auth'];
    if (isObject(auth) && isTruthy(auth)) {
      const api = session.resources[apiId];
      const settings = isObject(api) && isObject(api['Properties']) ? api['Properties'] : {};
      addHttpEventAuth(body, { eventId, auth, api: settings, apiId, path, method: lower });
    }
  }
  return allowed ? [allowed] : [];
}

function permissionFor(event: EventInput, path: string, method: string, covered: boolean): Made | undefined {
  const plain = path.replace(/^(.+)\/$/, '$1');
  if (plain !== DEFAULT_ROUTE && covered) return undefined;
  const route = plain === DEFAULT_ROUTE ? '' : plain.replace(/\{[a-zA-Z0-9._-]+\+?\}/g, '*');
  const verb = method === 'any' || method === ANY_METHOD ? '*' : method.toUpperCase();
  const resource = method === 'any' && route === `/${DEFAULT_ROUTE}` ? route : `/${verb}${route}`;
  const arn = `arn:${PARTITION}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${__ApiId__}/\${__Stage__}${resource}`;
  return permission(event, 'apigateway.amazonaws.com', { SourceArn: sub(arn, { __ApiId__: event.properties['ApiId'] ?? null, __Stage__: '*' }) });
}

/** The permission of the default route covers the function's other routes. */
function ownsDefault(body: PyDict, functionId: string): boolean {
  return branches(body.dict('paths').get(DEFAULT_ROUTE)).some((item) =>
    branches(item.get(ANY_METHOD)).some((definition) => {
      const integration = definition.get(INTEGRATION);
      const uri = integration instanceof PyDict ? integration.get('uri') : undefined;
      return branches(uri).some((each) => textValue(each.get('Fn::Sub')).includes(`\${${functionId}.Arn}`));
    }),
  );
}

/** An integration that the template wrote itself stays; version, timeout and path parameters are SAM's to say. */
function integrate(body: PyDict, { properties, target }: EventInput, path: string, method: string): void {
  const name = normalMethod(method);
  const { condition } = target;
  const arn = `arn:${PARTITION}:apigateway:\${AWS::Region}:lambda:path/2015-03-31/functions/\${${target.shorthand}}/invocations`;
  const uri = fromTransform(sub(arn));
  const written = hasIntegration(body, path, method);
  if (!written) addPath(body, path, method);
  for (const item of branches(body.dict('paths').get(path))) {
    const given = item.get(name);
    const definition = given instanceof PyDict ? (branches(given)[0] ?? new PyDict()) : new PyDict();
    if (!written) {
      const integration = new PyDict([
        ['type', 'aws_proxy'],
        ['httpMethod', 'POST'],
        ['uri', condition === undefined ? uri : conditional(condition, uri)],
      ]);
      definition.set(INTEGRATION, integration);
      if (path === DEFAULT_ROUTE && name === ANY_METHOD) definition.set('isDefaultRoute', true);
      if (!definition.has('responses')) definition.set('responses', new PyDict());
    }
    const integration = definition.dict(INTEGRATION);
    const version = isTruthy(properties['PayloadFormatVersion']) ? properties['PayloadFormatVersion'] : written ? undefined : '2.0';
    if (version !== undefined) integration.set('payloadFormatVersion', fromTransform(version));
    if (isTruthy(properties['TimeoutInMillis'])) integration.set('timeoutInMillis', fromTransform(properties['TimeoutInMillis']));
    addPathParameters(definition, path);
    if (!written) item.set(name, condition === undefined ? definition : conditional(condition, definition));
  }
}

function addPathParameters(definition: PyDict, path: string): void {
  const names = [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name.replace(/\+$/, ''));
  if (names.length === 0) return;
  const before = definition.get('parameters');
  const list = Array.isArray(before) ? [...before] : [];
  for (const name of names) {
    const known = list.find((each) => each instanceof PyDict && textValue(each.get('name')) === name);
    const parameter = known instanceof PyDict ? known : new PyDict([['name', name]]);
    parameter.set('in', 'path').set('required', true);
    if (known === undefined) list.push(parameter);
  }
  definition.set('parameters', list);
}

const UNSUPPORTED = ['Domain', 'DisableExecuteApiEndpoint'] as const;
const TAG = 'httpapi:createdBy';

/** `AWS::Serverless::HttpApi`: the API with its definition, and its stage. */
export function transformHttpApi(session: Session, logicalId: string, resource: JsonObject): Made[] {
  const properties = isObject(resource['Properties']) ? resource['Properties'] : {};
  const unsupported = UNSUPPORTED.find((name) => isTruthy(properties[name]) || (name === 'DisableExecuteApiEndpoint' && properties[name] === false));
  if (unsupported !== undefined) throw new ResourceProblem(logicalId, `Croft does not support the property '${unsupported}' of AWS::Serverless::HttpApi`);
  const body = session.bodies.get(logicalId);
  const uri = properties['DefinitionUri'];
  if (isTruthy(uri) && body) throw new ResourceProblem(logicalId, "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.");
  const document = body ? (toJson(body) as JsonObject) : undefined;
  if (isTruthy(properties['CorsConfiguration'])) addCors(logicalId, document, withParameters(properties['CorsConfiguration'] ?? null, session.context));
  const auth = httpAuthOf(properties);
  addHttpAuth(logicalId, document, auth, session.context);
  const tags = addTags(logicalId, document, properties['Tags']);
  nameDocument(logicalId, document, properties);
  const shared = attributesOf(resource);
  const location = isTruthy(uri) ? (s3Location(logicalId, 'DefinitionUri', uri) as unknown as JsonObject) : undefined;
  if (!document && !location) {
    throw new ResourceProblem(
      logicalId,
      "'DefinitionUri' or 'DefinitionBody' are required properties of an 'AWS::Serverless::HttpApi'. Add a value for one of these properties or add a 'HttpApi' event to an 'AWS::Serverless::Function'.",
    );
  }
  const api = made(
    logicalId,
    'AWS::ApiGatewayV2::Api',
    { Body: document, BodyS3Location: location, FailOnWarnings: isTruthy(properties['FailOnWarnings']) ? properties['FailOnWarnings'] : undefined },
    { ...attributesOf(resource, OWN_ATTRIBUTES), ...present({ DependsOn: resource['DependsOn'] }) },
  );
  const stageName = isTruthy(properties['StageName']) ? (properties['StageName'] ?? DEFAULT_ROUTE) : DEFAULT_ROUTE;
  const stage = made(
    stageId(logicalId, stageName),
    'AWS::ApiGatewayV2::Stage',
    {
      ApiId: ref(logicalId),
      StageName: stageName,
      AutoDeploy: true,
      Tags: tags,
      StageVariables: properties['StageVariables'],
      AccessLogSettings: properties['AccessLogSettings'],
      DefaultRouteSettings: properties['DefaultRouteSettings'],
      RouteSettings: properties['RouteSettings'],
    },
    shared,
  );
  return [api, stage, ...httpAuthorizerPermissions(logicalId, auth, shared)];
}

function stageId(logicalId: string, stageName: Json): string {
  if (stageName === DEFAULT_ROUTE) return `${logicalId}ApiGatewayDefaultStage`;
  const name = isText(stageName) ? stageName : '';
  return /^[A-Za-z0-9]+$/.test(name) ? `${logicalId}${name}Stage` : hashedId(`${logicalId}Stage`, name);
}

const CORS: Readonly<Record<string, string>> = {
  AllowOrigins: 'allowOrigins',
  AllowHeaders: 'allowHeaders',
  AllowMethods: 'allowMethods',
  ExposeHeaders: 'exposeHeaders',
  MaxAge: 'maxAge',
  AllowCredentials: 'allowCredentials',
};

function addCors(logicalId: string, document: JsonObject | undefined, cors: Json): void {
  if (!document) throw new ResourceProblem(logicalId, "Cors works only with inline OpenApi specified in 'DefinitionBody' property.");
  const wildcard = cors === true || cors === 'true';
  const settings: Json = wildcard ? { AllowOrigins: ['*'] } : cors;
  if (isIntrinsic(settings)) throw new ResourceProblem(logicalId, "Croft does not support an intrinsic function as 'CorsConfiguration'");
  if (!isObject(settings)) throw new ResourceProblem(logicalId, "Invalid value for 'Cors' property.");
  const before = document['x-amazon-apigateway-cors'];
  const merged: JsonObject = {};
  if (isObject(before) && !isIntrinsic(before)) Object.assign(merged, before);
  for (const [name, value] of Object.entries(settings)) {
    const member = Object.hasOwn(CORS, name) ? CORS[name] : undefined;
    if (member === undefined) throw new ResourceProblem(logicalId, `Invalid key '${name}' for 'Cors' property.`);
    if (name === 'AllowCredentials' ? value === true || isIntrinsic(value) : isTruthy(value) || value === 0) merged[member] = value;
  }
  document['x-amazon-apigateway-cors'] = merged;
}

/** SAM's tag and the template's: in the definition, and on the stage. */
function addTags(logicalId: string, document: JsonObject | undefined, given: Json | undefined): JsonObject | undefined {
  if (isTruthy(given) && !document) throw new ResourceProblem(logicalId, "Tags works only with inline OpenApi specified in the 'DefinitionBody' property.");
  if (!document || document['openapi'] === undefined) return undefined;
  const tags: JsonObject = { ...(isObject(given) ? given : {}), [TAG]: 'SAM' };
  const list = Array.isArray(document['tags']) ? [...document['tags']] : [];
  for (const [name, value] of Object.entries(tags)) {
    const at = list.findIndex((tag) => isObject(tag) && tag['name'] === name);
    const entry = { ...(at >= 0 && isObject(list[at]) ? list[at] : {}), name, 'x-amazon-apigateway-tag-value': value };
    if (at >= 0) list[at] = entry;
    else list.push(entry);
  }
  document['tags'] = list;
  return tags;
}

function nameDocument(logicalId: string, document: JsonObject | undefined, properties: JsonObject): void {
  for (const [property, member, untouched] of [
    ['Name', 'title', (value: Json | undefined) => isObject(value) && value['Ref'] === 'AWS::StackName'],
    ['Description', 'description', (value: Json | undefined) => !isTruthy(value)],
  ] as const) {
    if (!isTruthy(properties[property])) continue;
    if (!document) throw new ResourceProblem(logicalId, `${property} works only with inline OpenApi specified in the 'DefinitionBody' property.`);
    const info = isObject(document['info']) ? document['info'] : {};
    if (!untouched(info[member])) {
      throw new ResourceProblem(
        logicalId,
        `Unable to set ${property} because it is already defined within inline OpenAPI specified in the 'DefinitionBody' property.`,
      );
    }
    document['info'] = { ...info, [member]: properties[property] ?? null };
  }
  const paths = document?.['paths'];
  if (isTruthy(properties['FailOnWarnings']) && isObject(paths) && DEFAULT_ROUTE in paths) {
    const { [DEFAULT_ROUTE]: route = null, ...rest } = paths;
    (document as JsonObject)['paths'] = { ...rest, [`/${DEFAULT_ROUTE}`]: route };
  }
}
