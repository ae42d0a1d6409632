import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { EventProblem, ResourceProblem } from './errors.ts';
import { fromTemplate, PyDict } from './python.ts';
import { definitionsAt, INTEGRATION } from './swagger.ts';
import { isIntrinsic, isTruthy, type Made, made, partitionOf, ref, type SamContext, sub } from './values.ts';

const IAM = 'AWS_IAM';
const JWT_ONLY = { AuthorizationScopes: 'OAuth2 Authorizer', JwtConfiguration: 'OAuth2 Authorizer' } as const;
const SOURCE = "OAuth2 Authorizer. For Lambda Authorizer, use the 'Identity' property instead";
const LAMBDA_ONLY = [
  'FunctionArn',
  'FunctionInvokeRole',
  'Identity',
  'AuthorizerPayloadFormatVersion',
  'EnableSimpleResponses',
  'EnableFunctionDefaultPermissions',
] as const;

/** `Auth` of an HTTP API; unlike that of REST APIs as it is written. */
export const httpAuthOf = ({ Auth: auth }: JsonObject): JsonObject | undefined => (isObject(auth) && isTruthy(auth) ? auth : undefined);

const given = (value: Json | undefined): value is Json => value !== undefined && value !== null;

function authorizersOf(logicalId: string, auth: JsonObject): Map<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  if (auth['EnableIamAuthorizer'] === true) found.set(IAM, {});
  const list = auth['Authorizers'];
  if (!isTruthy(list)) return found;
  if (!isObject(list)) throw new ResourceProblem(logicalId, "Property 'Auth.Authorizers' should be a map.");
  for (const [name, config] of Object.entries(list)) {
    if (!isObject(config)) throw new ResourceProblem(logicalId, `Property 'Auth.Authorizers.${name}' should be a map.`);
    checkAuthorizer(logicalId, name, config);
    found.set(name, config);
  }
  return found;
}

function checkAuthorizer(logicalId: string, name: string, config: JsonObject): void {
  const fail = (message: string) => new ResourceProblem(logicalId, message);
  if ('OpenIdConnectUrl' in config) {
    throw fail(`'OpenIdConnectUrl' is no longer a supported property for authorizer '${name}'. Please refer to the AWS SAM documentation.`);
  }
  const jwt = config['JwtConfiguration'];
  if (isTruthy(jwt) && !isObject(jwt)) throw fail("Property 'JwtConfiguration' should be a map.");
  const scopes = config['AuthorizationScopes'];
  if (given(scopes) && !Array.isArray(scopes)) throw fail('AuthorizationScopes must be a list.');
  if (isTruthy(jwt)) {
    const strange = LAMBDA_ONLY.find((member) => given(config[member]));
    if (strange !== undefined) throw fail(`${strange} is only supported for Lambda Authorizer.`);
    if (!isTruthy(config['IdentitySource'])) throw fail(`${name} OAuth2 Authorizer must define 'IdentitySource'.`);
    return;
  }
  for (const [member, kind] of Object.entries({ ...JWT_ONLY, IdentitySource: SOURCE })) {
    if (given(config[member])) throw fail(`${member} is only supported for ${kind}.`);
  }
  for (const member of ['FunctionArn', 'AuthorizerPayloadFormatVersion']) {
    if (!isTruthy(config[member])) throw fail(`${name} Lambda Authorizer must define '${member}'.`);
  }
  const own = config['EnableFunctionDefaultPermissions'];
  if (given(own) && typeof own !== 'boolean') throw fail(`Property 'Authorizers.${name}.EnableFunctionDefaultPermissions' should be a boolean.`);
}

const SOURCES = [
  ['Headers', '$request.header.'],
  ['QueryStrings', '$request.querystring.'],
  ['StageVariables', '$stageVariables.'],
  ['Context', '$context.'],
] as const;

function scheme(logicalId: string, name: string, config: JsonObject, context: SamContext): JsonObject {
  const key = 'x-amazon-apigateway-authorizer';
  if (name === IAM && Object.keys(config).length === 0) {
    return { type: 'apiKey', name: 'Authorization', in: 'header', 'x-amazon-apigateway-authtype': 'awsSigv4' };
  }
  const jwt = config['JwtConfiguration'];
  if (isObject(jwt) && isTruthy(jwt)) {
    const lower = Object.fromEntries(Object.entries(jwt).map(([member, value]) => [member.toLowerCase(), value]));
    return { type: 'oauth2', [key]: { jwtConfiguration: lower, identitySource: config['IdentitySource'] ?? null, type: 'jwt' } };
  }
  const uri = `arn:${partitionOf(context.region)}:apigateway:\${AWS::Region}:lambda:path/2015-03-31/functions/\${__FunctionArn__}/invocations`;
  const authorizer: JsonObject = { type: 'request', authorizerUri: sub(uri, { __FunctionArn__: config['FunctionArn'] ?? null }) };
  const role = config['FunctionInvokeRole'];
  if (isTruthy(role) && role !== 'NONE') authorizer['authorizerCredentials'] = role ?? null;
  const identity = config['Identity'];
  if (isTruthy(identity)) {
    if (!isObject(identity)) throw new ResourceProblem(logicalId, `Property 'Auth.Authorizers.${name}.Identity' should be a map.`);
    if (given(identity['ReauthorizeEvery'])) authorizer['authorizerResultTtlInSeconds'] = identity['ReauthorizeEvery'];
    authorizer['identitySource'] = SOURCES.flatMap(([member, prefix]) =>
      sourcesOf(logicalId, `Authorizers.${name}.Identity.${member}`, identity[member], prefix),
    );
  }
  authorizer['authorizerPayloadFormatVersion'] = config['AuthorizerPayloadFormatVersion'] ?? null;
  if (isTruthy(config['EnableSimpleResponses'])) authorizer['enableSimpleResponses'] = config['EnableSimpleResponses'] ?? null;
  return { type: 'apiKey', name: 'Unused', in: 'header', [key]: authorizer };
}

function sourcesOf(logicalId: string, path: string, list: Json | undefined, prefix: string): string[] {
  if (!isTruthy(list)) return [];
  if (!Array.isArray(list)) throw new ResourceProblem(logicalId, `Property '${path}' should be a list.`);
  return list.map((each, index) => {
    if (!isText(each)) throw new ResourceProblem(logicalId, `Property '${path}[${index}]' should be a string.`);
    return prefix + each;
  });
}

/** Writes an HTTP API's `Auth` into its definition. "HttpApiAuth" in the SAM Developer Guide. */
export function addHttpAuth(logicalId: string, document: JsonObject | undefined, auth: JsonObject | undefined, context: SamContext): void {
  if (!auth) return;
  const fail = (message: string) => new ResourceProblem(logicalId, message);
  if (!document) throw fail("Auth works only with inline OpenApi specified in the 'DefinitionBody' property.");
  if (Object.keys(auth).some((name) => !['Authorizers', 'DefaultAuthorizer', 'EnableIamAuthorizer'].includes(name))) {
    throw fail("Invalid value for 'Auth' property");
  }
  const paths = document['paths'];
  if (!isObject(paths) || !isTruthy(document['openapi'])) {
    throw fail("Unable to add Auth configuration because 'DefinitionBody' does not contain a valid OpenApi definition.");
  }
  const authorizers = authorizersOf(logicalId, auth);
  const components = isObject(document['components']) ? document['components'] : {};
  const schemes: JsonObject = isObject(components['securitySchemes']) ? { ...components['securitySchemes'] } : {};
  for (const [name, config] of authorizers) schemes[name] = scheme(logicalId, name, config, context);
  if (isTruthy(schemes)) document['components'] = { ...components, securitySchemes: schemes };
  const byDefault = auth['DefaultAuthorizer'];
  if (!isTruthy(byDefault)) return;
  if (isIntrinsic(byDefault)) throw fail('Unable to set DefaultAuthorizer because intrinsic functions are not supported for this field.');
  if (!isText(byDefault)) throw fail('DefaultAuthorizer is not a string.');
  const config = authorizers.get(byDefault);
  if (!config) throw fail(`Unable to set DefaultAuthorizer because '${byDefault}' was not defined in 'Authorizers'.`);
  for (const definition of Object.values(paths).flatMap(branches).flatMap(methods)) {
    if (!isTruthy(definition[INTEGRATION]) || isTruthy(definition['security'])) continue;
    definition['security'] = [{ [byDefault]: config['AuthorizationScopes'] ?? [] }];
  }
}

/** An object, or those in the branches of an `Fn::If`. */
function branches(value: Json): JsonObject[] {
  if (!isObject(value)) return [];
  const items = value['Fn::If'];
  return Array.isArray(items) ? items.slice(1).filter(isObject) : [value];
}

const methods = (item: JsonObject): JsonObject[] =>
  Object.entries(item)
    .filter(([method]) => method !== 'parameters' && method !== 'options')
    .flatMap(([, definition]) => branches(definition));

interface HttpEventAuth {
  readonly eventId: string;
  readonly auth: JsonObject;
  readonly api: JsonObject;
  readonly apiId: string;
  readonly path: string;
  readonly method: string;
}

/** Writes an event's `Auth` into the definition of its HTTP API. */
export function addHttpEventAuth(body: PyDict, { eventId, auth, api, apiId, path, method }: HttpEventAuth): void {
  const where = `on API method [${method}] for path [${path}]`;
  const apiAuth = api['Auth'] ?? {};
  if (!isObject(apiAuth)) throw new ResourceProblem(apiId, "Property 'Auth' should be a map.");
  const name = isTruthy(auth['Authorizer']) ? (auth['Authorizer'] ?? null) : (apiAuth['DefaultAuthorizer'] ?? null);
  if (!isTruthy(name)) {
    throw new EventProblem(eventId, "'Auth' section requires either an explicit 'Authorizer' set or a 'DefaultAuthorizer' configured on the HttpApi.");
  }
  const authorizers = apiAuth['Authorizers'];
  const builtIn = name === IAM && apiAuth['EnableIamAuthorizer'] === true;
  const shown = isText(name) ? name : JSON.stringify(name).replaceAll('"', "'");
  const unable = `Unable to set Authorizer [${shown}] ${where}`;
  if (name === 'NONE') {
    if (!isTruthy(apiAuth['DefaultAuthorizer'])) {
      throw new EventProblem(
        eventId,
        `Unable to set Authorizer ${where} because 'NONE' is only a valid value when a DefaultAuthorizer on the API is specified.`,
      );
    }
  } else if (!builtIn) {
    if (!isText(name) || !isObject(authorizers)) {
      throw new EventProblem(eventId, `${unable}. The method authorizer must be a string with a corresponding dict entry in the api authorizer.`);
    }
    if (!isTruthy(authorizers)) throw new EventProblem(eventId, `${unable} because the related API does not define any Authorizers.`);
    if (!isTruthy(authorizers[name])) throw new EventProblem(eventId, `${unable} because it wasn't defined in the API's Authorizers.`);
  }
  const scopes = auth['AuthorizationScopes'];
  if (isTruthy(scopes) && !Array.isArray(scopes)) {
    throw new EventProblem(eventId, `Unable to set Authorizer ${where} because 'AuthorizationScopes' must be a list of strings.`);
  }
  const text = String(name);
  const authorizer = isObject(authorizers) ? authorizers[text] : undefined;
  const own = isObject(authorizer) ? authorizer['AuthorizationScopes'] : undefined;
  const wanted = text === 'NONE' || text === IAM ? undefined : isTruthy(scopes) ? scopes : own;
  for (const definition of definitionsAt(body, path, method)) {
    const before = definition.get('security');
    const one = new PyDict([[text, fromTemplate(isTruthy(wanted) ? wanted : [])]]);
    definition.set('security', [...(Array.isArray(before) ? before : []), one]);
  }
}

/** For authorizers that ask for it: API Gateway may call their functions. */
export function httpAuthorizerPermissions(logicalId: string, auth: JsonObject | undefined, attributes: JsonObject): Made[] {
  if (!auth) return [];
  return [...authorizersOf(logicalId, auth)].flatMap(([name, config]) => {
    if (!isTruthy(config['FunctionArn']) || config['EnableFunctionDefaultPermissions'] !== true) return [];
    const arn = `arn:\${AWS::Partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${__ApiId__}/authorizers/*`;
    return made(
      `${logicalId}${name}AuthorizerPermission`,
      'AWS::Lambda::Permission',
      {
        Action: 'lambda:InvokeFunction',
        FunctionName: config['FunctionArn'],
        Principal: 'apigateway.amazonaws.com',
        SourceArn: sub(arn, { __ApiId__: ref(logicalId) }),
      },
      attributes,
    );
  });
}
