import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { ResourceProblem } from './errors.ts';
import { fromTemplate, fromTransform, PyDict, type PyText, type PyValue, textOf, Uni } from './python.ts';
import { isTruthy } from './values.ts';

/** One authorizer of a REST API. */
export interface Authorizer {
  /** Its name as the definition has it. */
  readonly key: PyText;
  readonly kind: 'iam' | 'cognito' | 'lambda';
  readonly poolArn: Json | undefined;
  readonly functionArn: Json | undefined;
  readonly identity: Json | undefined;
  readonly payload: 'TOKEN' | 'REQUEST';
  readonly invokeRole: Json | undefined;
  readonly scopes: Json;
  /** The template gives the function its permission itself. */
  readonly ownPermissions: boolean;
}

const IAM = 'AWS_IAM';

/** The authorizers of an `Auth`, in the order of the definition. */
export function authorizersOf(logicalId: string, auth: JsonObject): Map<string, Authorizer> {
  const given = auth['Authorizers'];
  const table = new PyDict();
  const found = new Map<string, Authorizer>();
  if (auth['DefaultAuthorizer'] === IAM) {
    table.set(new Uni(IAM), null);
    found.set(IAM, iamAuthorizer);
  }
  if (isTruthy(given)) {
    if (!isObject(given)) throw new ResourceProblem(logicalId, "Property 'Auth.Authorizers' should be a map.");
    for (const [key] of (fromTemplate(given) as PyDict).entries()) {
      const name = textOf(key);
      const config = given[name];
      if (!isObject(config)) throw new ResourceProblem(logicalId, `Property 'Auth.Authorizers.${name}' should be a map.`);
      table.set(key, null);
      found.set(name, authorizer(logicalId, name, config));
    }
  }
  return new Map(
    table.entries().flatMap(([key]) => {
      const each = found.get(textOf(key));
      return each ? [[textOf(key), each] as const] : [];
    }),
  );
}

const iamAuthorizer: Authorizer = {
  key: new Uni(IAM),
  kind: 'iam',
  poolArn: undefined,
  functionArn: undefined,
  identity: undefined,
  payload: 'TOKEN',
  invokeRole: undefined,
  scopes: [],
  ownPermissions: false,
};

function authorizer(logicalId: string, name: string, config: JsonObject): Authorizer {
  const payload = config['FunctionPayloadType'];
  if (payload !== undefined && payload !== null && payload !== 'TOKEN' && payload !== 'REQUEST') {
    throw new ResourceProblem(logicalId, `${name} Authorizer has invalid 'FunctionPayloadType': ${String(payload)}.`);
  }
  const identity = config['Identity'];
  if (payload === 'REQUEST' && lacksSource(logicalId, name, identity)) {
    throw new ResourceProblem(logicalId, `${name} Authorizer must specify Identity with at least one of Headers, QueryStrings, StageVariables, or Context.`);
  }
  const scopes = config['AuthorizationScopes'] ?? [];
  if (!Array.isArray(scopes)) throw new ResourceProblem(logicalId, `Property 'Authorizers.${name}.AuthorizationScopes' should be a list.`);
  const own = config['DisableFunctionDefaultPermissions'] ?? false;
  if (typeof own !== 'boolean') throw new ResourceProblem(logicalId, `Property 'Authorizers.${name}.DisableFunctionDefaultPermissions' should be a boolean.`);
  return {
    key: new Uni(name),
    kind: isTruthy(config['UserPoolArn']) ? 'cognito' : 'lambda',
    poolArn: config['UserPoolArn'],
    functionArn: config['FunctionArn'],
    identity,
    payload: payload ?? 'TOKEN',
    invokeRole: config['FunctionInvokeRole'],
    scopes,
    ownPermissions: own,
  };
}

const SOURCES = [
  ['Headers', 'method.request.header.'],
  ['QueryStrings', 'method.request.querystring.'],
  ['StageVariables', 'stageVariables.'],
  ['Context', 'context.'],
] as const;

function lacksSource(logicalId: string, name: string, identity: Json | undefined): boolean {
  if (!isTruthy(identity)) return true;
  if (!isObject(identity)) throw new ResourceProblem(logicalId, `Property 'Authorizer.${name}.Identity' should be a map.`);
  const none = SOURCES.every(([member]) => !isTruthy(identity[member]));
  const ttl = identity['ReauthorizeEvery'];
  const seconds = typeof ttl === 'number' ? Math.trunc(ttl) : isText(ttl) && /^\s*[-+]?\d+\s*$/.test(ttl) ? Number(ttl) : undefined;
  return none && (seconds === undefined || seconds > 0);
}

/** What an authorizer is in `securityDefinitions`. */
export function securityDefinition(logicalId: string, name: string, each: Authorizer): PyDict {
  const out = new PyDict([
    ['type', 'apiKey'],
    ['name', headerName(logicalId, each)],
    ['in', 'header'],
    ['x-amazon-apigateway-authtype', { iam: 'awsSigv4', cognito: 'cognito_user_pools', lambda: 'custom' }[each.kind]],
  ]);
  const key = 'x-amazon-apigateway-authorizer';
  if (each.kind === 'cognito') {
    const pools = fromTemplate(each.poolArn);
    out.set(
      key,
      new PyDict([
        ['type', 'cognito_user_pools'],
        ['providerARNs', Array.isArray(pools) ? pools : [pools]],
      ]),
    );
  }
  if (each.kind === 'lambda') out.set(key, lambdaAuthorizer(logicalId, name, each));
  const expression = isObject(each.identity) ? each.identity['ValidationExpression'] : undefined;
  if ((each.kind === 'cognito' || (each.kind === 'lambda' && each.payload === 'TOKEN')) && isTruthy(expression)) {
    out.dict(key).set('identityValidationExpression', fromTemplate(expression));
  }
  return out;
}

function headerName(logicalId: string, { kind, payload, identity }: Authorizer): PyValue {
  if (kind === 'lambda' && payload === 'REQUEST') return 'Unused';
  if (isTruthy(identity) && !isObject(identity)) {
    throw new ResourceProblem(
      logicalId,
      'Auth.Authorizers.<Authorizer>.Identity must be a dict (LambdaTokenAuthorizationIdentity, LambdaRequestAuthorizationIdentity or CognitoAuthorizationIdentity).',
    );
  }
  const header = isObject(identity) ? identity['Header'] : undefined;
  return isTruthy(header) ? fromTemplate(header) : 'Authorization';
}

function lambdaAuthorizer(logicalId: string, name: string, { payload, functionArn, identity, invokeRole }: Authorizer): PyDict {
  const uri = fromTransform({
    'Fn::Sub': [
      `arn:aws:apigateway:\${AWS::Region}:lambda:path/2015-03-31/functions/\${__FunctionArn__}/invocations`,
      { __FunctionArn__: fromTemplate(functionArn ?? null) },
    ],
  });
  const out = new PyDict([
    ['type', payload.toLowerCase()],
    ['authorizerUri', uri],
  ]);
  const settings = isObject(identity) ? identity : {};
  const ttl = settings['ReauthorizeEvery'];
  if (ttl !== undefined && ttl !== null) out.set('authorizerResultTtlInSeconds', fromTemplate(ttl));
  if (isTruthy(invokeRole) && invokeRole !== 'NONE') out.set('authorizerCredentials', fromTemplate(invokeRole));
  const sources = payload === 'REQUEST' ? identitySources(logicalId, name, settings) : [];
  if (sources.length > 0) out.set('identitySource', new Uni(sources.join(', ')));
  return out;
}

function identitySources(logicalId: string, name: string, identity: JsonObject): string[] {
  return SOURCES.flatMap(([member, prefix]) => {
    const list = identity[member];
    if (!isTruthy(list)) return [];
    const path = `Auth.Authorizers.${name}.Identity.${member}`;
    if (!Array.isArray(list)) throw new ResourceProblem(logicalId, `Property '${path}' should be a list.`);
    return list.map((each, index) => {
      if (!isText(each)) throw new ResourceProblem(logicalId, `Property '${path}[${index}]' should be a string.`);
      return prefix + each;
    });
  });
}
