import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { EventProblem, ResourceProblem } from './errors.ts';
import { REST } from './implicit.ts';
import { fromTemplate, fromTransform, PyDict, type PyText, type PyValue, textOf, Uni } from './python.ts';
import { type Authorizer, authorizersOf, securityDefinition } from './rest-authorizers.ts';
import { addCustomStatements, addResourcePolicy } from './rest-policy.ts';
import { definitionsAt, isDefinition, methodsOf, textValue } from './swagger.ts';
import { isTruthy, type Made, made, partitionOf, ref, type SamContext, sub, withParameters } from './values.ts';

const MEMBERS = [
  'Authorizers',
  'DefaultAuthorizer',
  'InvokeRole',
  'AddDefaultAuthorizerToCorsPreflight',
  'AddApiKeyRequiredToCorsPreflight',
  'ApiKeyRequired',
  'ResourcePolicy',
  'UsagePlan',
];
const IAM = 'AWS_IAM';

/** `Auth` of an API, with values of parameters. */
export const authOf = (properties: JsonObject, context: SamContext): JsonObject | undefined => {
  const auth = withParameters(properties['Auth'] ?? null, context);
  return isObject(auth) && isTruthy(auth) ? auth : undefined;
};

const securityOf = (definition: PyDict): PyDict[] => {
  const list = definition.get('security');
  return Array.isArray(list) ? list.filter((each): each is PyDict => each instanceof PyDict) : [];
};

/** The stage of an API for its definition; that of the implicit API is SAM's own text. */
export const stageOf = (apiId: string, properties: JsonObject): PyValue =>
  apiId === REST.implicitId ? fromTransform(properties['StageName'] ?? null) : fromTemplate(properties['StageName'] ?? null);

/** Writes an API's `Auth` into its definition. "ApiAuth" in the SAM Developer Guide. */
export function addAuth(logicalId: string, body: PyDict | undefined, auth: JsonObject | undefined, stageName: PyValue): PyDict | undefined {
  if (!auth) return body;
  if (!body) throw new ResourceProblem(logicalId, "Auth works only with inline Swagger specified in 'DefinitionBody' property.");
  if (Object.keys(auth).some((name) => !MEMBERS.includes(name))) throw new ResourceProblem(logicalId, "Invalid value for 'Auth' property");
  if (!isDefinition(body)) {
    throw new ResourceProblem(logicalId, "Unable to add Auth configuration because 'DefinitionBody' does not contain a valid Swagger definition.");
  }
  const document = body.clone();
  const authorizers = authorizersOf(logicalId, auth);
  const definitions = document.get('securityDefinitions');
  const security = definitions instanceof PyDict ? definitions : new PyDict();
  if (authorizers.size > 0) {
    for (const [name, authorizer] of authorizers) security.set(authorizer.key, securityDefinition(logicalId, name, authorizer));
    setDefaultAuthorizer(logicalId, document, security, authorizers, auth);
  }
  if (isTruthy(auth['ApiKeyRequired'])) {
    defineApiKey(security);
    const preflight = auth['AddApiKeyRequiredToCorsPreflight'] !== false;
    for (const path of pathsOf(document)) requireApiKey(document, path, preflight);
  }
  const policy = auth['ResourcePolicy'];
  if (isTruthy(policy)) {
    if (!isObject(policy)) throw new ResourceProblem(logicalId, 'ResourcePolicy must be a map (ResourcePolicyStatement).');
    for (const path of pathsOf(document)) addResourcePolicy(document, policy, path, stageName);
    if (isTruthy(policy['CustomStatements'])) addCustomStatements(document, policy['CustomStatements'] ?? null);
  }
  if (security.size > 0) document.set('securityDefinitions', security);
  return document.clone();
}

const pathsOf = (document: PyDict): PyText[] =>
  document
    .dict('paths')
    .entries()
    .map(([path]) => path);

function setDefaultAuthorizer(logicalId: string, document: PyDict, security: PyDict, authorizers: ReadonlyMap<string, Authorizer>, auth: JsonObject): void {
  const byDefault = auth['DefaultAuthorizer'];
  if (!isTruthy(byDefault)) return;
  if (!isText(byDefault)) throw new ResourceProblem(logicalId, 'DefaultAuthorizer is not a string.');
  if (!authorizers.has(byDefault) && byDefault !== IAM) {
    throw new ResourceProblem(logicalId, `Unable to set DefaultAuthorizer because '${byDefault}' was not defined in 'Authorizers'.`);
  }
  const names = new Set([IAM, ...authorizers.keys()]);
  const preflight = auth['AddDefaultAuthorizerToCorsPreflight'] !== false;
  for (const path of pathsOf(document)) {
    for (const [method, definition] of methodsOf(document, path)) {
      if (!preflight && textOf(method) === 'options') continue;
      const existing = securityOf(definition);
      const named = (each: PyDict) => each.entries().some(([name]) => names.has(textOf(name)));
      const others = existing.filter((each) => !named(each));
      const own = existing.filter(named);
      const none = others.findIndex((each) => each.has('NONE'));
      if (none >= 0) others.splice(none, 1);
      const chosen = none >= 0 ? [] : own.length > 0 ? own : [new PyDict([[new Uni(byDefault), fromTemplate(authorizers.get(byDefault)?.scopes ?? [])]])];
      const all = [...others, ...chosen];
      if (all.length === 0) continue;
      definition.set('security', all);
      if (all[0]?.has(IAM)) defineIam(security);
    }
  }
}

function defineIam(security: PyDict): void {
  if (security.has(IAM)) return;
  security.set(
    IAM,
    new PyDict([
      ['x-amazon-apigateway-authtype', 'awsSigv4'],
      ['type', 'apiKey'],
      ['name', 'Authorization'],
      ['in', 'header'],
    ]),
  );
}

function defineApiKey(security: PyDict): void {
  if (security.has('api_key')) return;
  security.set(
    'api_key',
    new PyDict([
      ['type', 'apiKey'],
      ['name', 'x-api-key'],
      ['in', 'header'],
    ]),
  );
}

function requireApiKey(document: PyDict, path: PyText, preflight: boolean): void {
  for (const [method, definition] of methodsOf(document, path)) {
    const existing = securityOf(definition);
    const keyed = (each: PyDict) => each.has('api_key') || each.has('api_key_false');
    const others = existing.filter((each) => !keyed(each));
    const refused = existing.some((each) => each.has('api_key_false'));
    const all = refused || (textOf(method) === 'options' && !preflight) ? others : [...others, new PyDict([['api_key', []]])];
    if (JSON.stringify(all.map(shown)) !== JSON.stringify(existing.map(shown))) definition.set('security', all);
  }
}

const shown = (value: PyDict): unknown =>
  value.entries().map(([name, scopes]) => [textOf(name), Array.isArray(scopes) ? scopes.map((each) => textValue(each)) : null]);

/** The role that API Gateway calls a function with, where requests are signed; undefined: none. */
export function invokeCredentials(method: JsonObject, api: JsonObject, context: SamContext): PyValue | undefined {
  if (method['Authorizer'] !== IAM && !(api['DefaultAuthorizer'] === IAM && !isTruthy(method))) return undefined;
  const roleOf = (auth: JsonObject): Json | undefined => (isTruthy(auth['InvokeRole']) ? auth['InvokeRole'] : 'InvokeRole' in auth ? 'NONE' : undefined);
  const role = roleOf(method) ?? roleOf(api);
  if (role === 'NONE') return undefined;
  return role === undefined || role === 'CALLER_CREDENTIALS' ? `arn:${partitionOf(context.region)}:iam::*:user/*` : fromTemplate(role);
}

interface EventAuth {
  readonly eventId: string;
  readonly auth: JsonObject;
  /** Of the API. */
  readonly api: JsonObject | undefined;
  readonly apiId: string;
  readonly path: PyText;
  readonly method: PyText;
  readonly stage: PyValue;
}

/** Writes an event's `Auth` into the definition of its API. */
export function addEventAuth(document: PyDict, event: EventAuth): void {
  const { auth, api, eventId, path, method } = event;
  const where = `on API method [${textOf(method)}] for path [${textOf(path)}]`;
  const authorizer = auth['Authorizer'];
  if (isTruthy(authorizer)) checkAuthorizer(event, where);
  const scopes = auth['AuthorizationScopes'];
  if (isTruthy(scopes)) {
    if (!Array.isArray(scopes)) throw new EventProblem(eventId, "Property 'Auth.AuthorizationScopes' should be a list.");
    if (!isTruthy(authorizer)) throw new EventProblem(eventId, 'AuthorizationScopes works only when Authorizer is set');
  }
  const key = auth['ApiKeyRequired'];
  const given = key !== undefined && key !== null;
  if (given && !isTruthy(key) && !isTruthy(api?.['ApiKeyRequired'])) {
    throw new EventProblem(eventId, `Unable to set ApiKeyRequired [False] ${where} because the related API does not specify any ApiKeyRequired.`);
  }
  const present = document.get('securityDefinitions');
  const security = present instanceof PyDict ? present : new PyDict();
  if (isTruthy(authorizer)) setAuthorizer(document, security, event);
  if (given) {
    for (const definition of definitionsAt(document, path, method)) {
      if (isTruthy(key)) defineApiKey(security);
      definition.set('security', [...securityOf(definition), new PyDict([[isTruthy(key) ? 'api_key' : 'api_key_false', []]])]);
    }
  }
  if (security.size > 0) document.set('securityDefinitions', security);
  const policy = auth['ResourcePolicy'];
  if (!isTruthy(policy)) return;
  if (!isObject(policy)) throw new EventProblem(eventId, "Property 'Auth.ResourcePolicy' should be a map.");
  addResourcePolicy(document, policy, path, event.stage);
  if (isTruthy(policy['CustomStatements'])) addCustomStatements(document, policy['CustomStatements'] ?? null);
}

function checkAuthorizer({ auth, api, apiId, eventId }: EventAuth, where: string): void {
  const name = auth['Authorizer'] ?? null;
  const authorizers = api?.['Authorizers'];
  const shownName = isText(name) ? name : JSON.stringify(name).replaceAll('"', "'");
  if (isTruthy(authorizers) && !isObject(authorizers)) throw new ResourceProblem(apiId, "Property 'Auth.Authorizers' should be a map.");
  if (name === IAM) return;
  if (name === 'NONE') {
    if (isTruthy(api?.['DefaultAuthorizer'])) return;
    throw new EventProblem(eventId, `Unable to set Authorizer ${where} because 'NONE' is only a valid value when a DefaultAuthorizer on the API is specified.`);
  }
  const unable = `Unable to set Authorizer [${shownName}] ${where}`;
  if (!isTruthy(authorizers)) throw new EventProblem(eventId, `${unable} because the related API does not define any Authorizers.`);
  if (!isText(name) || !isObject(authorizers)) {
    throw new EventProblem(eventId, `${unable}. The method authorizer must be a string with a corresponding dict entry in the api authorizer.`);
  }
  if (!isTruthy(authorizers[name])) throw new EventProblem(eventId, `${unable} because it wasn't defined in the API's Authorizers.`);
}

function setAuthorizer(document: PyDict, security: PyDict, { auth, api, path, method }: EventAuth): void {
  const name = String(auth['Authorizer']);
  const authorizers = api?.['Authorizers'];
  const authorizer = isObject(authorizers) ? authorizers[name] : undefined;
  const own = isObject(authorizer) ? authorizer['AuthorizationScopes'] : undefined;
  const scopes = isObject(authorizer) ? (auth['AuthorizationScopes'] ?? own) : undefined;
  for (const definition of definitionsAt(document, path, method)) {
    const value: PyValue = name === 'NONE' || scopes === undefined || scopes === null ? [] : fromTemplate(scopes);
    const all = [...securityOf(definition), new PyDict([[new Uni(name), value]])];
    definition.set('security', all);
    if (all[0]?.has(IAM)) defineIam(security);
  }
}

/** API Gateway may call the functions behind authorizers. */
export function authorizerPermissions(logicalId: string, auth: JsonObject | undefined, attributes: JsonObject, context: SamContext): Made[] {
  if (!auth) return [];
  return [...authorizersOf(logicalId, { Authorizers: auth['Authorizers'] ?? null })].flatMap(([name, { functionArn, ownPermissions }]) => {
    if (!isTruthy(functionArn) || ownPermissions) return [];
    const source = sub(`arn:${partitionOf(context.region)}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${__ApiId__}/authorizers/*`, {
      __ApiId__: ref(logicalId),
    });
    return made(
      `${logicalId}${name}AuthorizerPermission`,
      'AWS::Lambda::Permission',
      { Action: 'lambda:InvokeFunction', FunctionName: functionArn, Principal: 'apigateway.amazonaws.com', SourceArn: source },
      attributes,
    );
  });
}
