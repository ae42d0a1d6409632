import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { ResourceProblem, TemplateProblem } from './errors.ts';
import { fromTemplate, PyDict, pythonText, toJson } from './python.ts';
import { addAuth, authOf, authorizerPermissions, stageOf } from './rest-auth.ts';
import { addGatewayResponses, addModels, disableEndpoint } from './rest-extras.ts';
import type { Session } from './session.ts';
import { addCors, isDefinition, mediaTypes, textValue, toOpenApi3 } from './swagger.ts';
import { s3Location } from './tables.ts';
import { usagePlan } from './usage-plan.ts';
import { attributesOf, hashedId, isIntrinsic, isTruthy, type Made, made, OWN_ATTRIBUTES, plainTags, present, ref, sha1, withParameters } from './values.ts';

/** Properties that Croft's transform does not know how to turn into a definition yet: refused, never dropped. */
const UNSUPPORTED = ['Domain', 'MergeDefinitions'] as const;
const HASH_DELIMITER = '||';

/** `AWS::Serverless::Api`: the API with its deployment, whose logical id changes with the definition, and its stage. */
export function transformRestApi(session: Session, logicalId: string, resource: JsonObject): Made[] {
  const properties = isObject(resource['Properties']) ? resource['Properties'] : {};
  const unsupported = UNSUPPORTED.find((name) => isTruthy(properties[name]));
  if (unsupported !== undefined) throw new ResourceProblem(logicalId, `Croft does not support the property '${unsupported}' of AWS::Serverless::Api`);
  const stageName = properties['StageName'];
  if (stageName === undefined || stageName === null) throw new ResourceProblem(logicalId, "Missing required property 'StageName'.");
  const shared = attributesOf(resource);
  const definition = definitionOf(session, logicalId, properties);
  const api = made(
    logicalId,
    'AWS::ApiGateway::RestApi',
    {
      ...passed(properties, [
        'BinaryMediaTypes',
        'MinimumCompressionSize',
        'FailOnWarnings',
        'Name',
        'Description',
        'Mode',
        'ApiKeySourceType',
        'Policy',
        'SecurityPolicy',
        'EndpointAccessMode',
      ]),
      BinaryMediaTypes: binaryTypes(session, properties),
      ...endpointOf(logicalId, properties['EndpointConfiguration']),
      Body: definition.body === undefined ? undefined : (toJson(definition.body) as Json),
      BodyS3Location: definition.location,
    },
    { ...attributesOf(resource, OWN_ATTRIBUTES), ...present({ DependsOn: resource['DependsOn'] }) },
  );
  const version = properties['OpenApiVersion'];
  const text = definition.body ?? (definition.location === undefined ? undefined : locationText(definition.location));
  const input = [
    ...(text === undefined ? [] : [pythonText(text)]),
    ...(isTruthy(version) ? [String(version)] : []),
    ...(session.functionNames.has(logicalId) ? [(session.functionNames.get(logicalId) ?? []).join('')] : []),
  ];
  const data = isTruthy(properties['AlwaysDeploy']) ? String(session.nowSeconds) : input.join(HASH_DELIMITER);
  const deploymentId = text === undefined ? `${logicalId}Deployment` : hashedId(`${logicalId}Deployment`, data);
  const deployment = made(
    deploymentId,
    'AWS::ApiGateway::Deployment',
    {
      RestApiId: ref(logicalId),
      StageName: isTruthy(version) ? undefined : 'Stage',
      Description: text === undefined ? undefined : `RestApi deployment id: ${sha1(data)}`,
    },
    shared,
  );
  const name = isText(stageName) ? stageName : '';
  const stage = made(
    /^[A-Za-z0-9]+$/.test(name) ? `${logicalId}${name}Stage` : hashedId(`${logicalId}Stage`, name),
    'AWS::ApiGateway::Stage',
    {
      DeploymentId: ref(deploymentId),
      RestApiId: ref(logicalId),
      StageName: stageName,
      ...passed(properties, ['CacheClusterEnabled', 'CacheClusterSize', 'Variables', 'MethodSettings', 'AccessLogSetting', 'CanarySetting', 'TracingEnabled']),
      Tags: properties['Tags'] === undefined || properties['Tags'] === null ? undefined : plainTags(properties['Tags']),
    },
    shared,
  );
  if (isTruthy(properties['PropagateTags']) && isTruthy(properties['Tags'])) (api.resource['Properties'] as JsonObject)['Tags'] = plainTags(properties['Tags']);
  const auth = authOf(properties, session.context);
  return [
    api,
    deployment,
    stage,
    ...authorizerPermissions(logicalId, auth, shared, session.context),
    ...usagePlan(session, logicalId, auth, stage.logicalId, shared),
  ];
}

const passed = (properties: JsonObject, names: readonly string[]): { [key: string]: Json | undefined } =>
  Object.fromEntries(
    names.filter((name) => name === 'CacheClusterEnabled' || name === 'TracingEnabled' || isTruthy(properties[name])).map((name) => [name, properties[name]]),
  );

const binaryTypes = (session: Session, properties: JsonObject): Json | undefined =>
  isTruthy(properties['BinaryMediaTypes']) ? withParameters(properties['BinaryMediaTypes'] ?? null, session.context) : undefined;

function endpointOf(logicalId: string, value: Json | undefined): { [key: string]: Json | undefined } {
  if (!isTruthy(value)) return {};
  if (isObject(value) && isTruthy(value['Type'])) {
    if ('VPCEndpointIds' in value && 'VpcEndpointIds' in value) {
      throw new ResourceProblem(logicalId, "'VPCEndpointIds' and 'VpcEndpointIds' cannot be used together in EndpointConfiguration.");
    }
    const extra = present({ VpcEndpointIds: value['VPCEndpointIds'] ?? value['VpcEndpointIds'], IpAddressType: value['IpAddressType'] });
    return { EndpointConfiguration: { Types: [value['Type'] ?? null], ...extra }, Parameters: { endpointConfigurationTypes: value['Type'] ?? null } };
  }
  if (isText(value) || isIntrinsic(value)) return { EndpointConfiguration: { Types: [value] }, Parameters: { endpointConfigurationTypes: value } };
  throw new ResourceProblem(logicalId, "EndpointConfiguration must have a 'Type' or be a string");
}

/** SAM makes the dictionary; what it holds is the template's. */
const locationText = (location: JsonObject): PyDict => new PyDict(Object.entries(location).map(([key, value]) => [key, fromTemplate(value)]));

interface Definition {
  readonly body?: PyDict;
  readonly location?: JsonObject;
}

function definitionOf(session: Session, logicalId: string, properties: JsonObject): Definition {
  const body = session.bodies.get(logicalId);
  const uri = properties['DefinitionUri'];
  if (isTruthy(uri) && body && !session.managed.has(logicalId)) {
    throw new ResourceProblem(logicalId, "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.");
  }
  const version = properties['OpenApiVersion'];
  if (isTruthy(version) && !/^[2-3](\.\d)(\.\d)?$/.test(String(version)))
    throw new ResourceProblem(logicalId, "The OpenApiVersion value must be of the format '3.0.0'.");
  if (body && session.managed.has(logicalId) && isTruthy(version) && String(version).startsWith('3')) {
    body.set('openapi', fromTemplate(String(version)));
    if (body.get('swagger')) body.delete('swagger');
  }
  // Whether two keys that collide swap places depends on how often a dictionary was copied: copies are made where SAM makes them.
  const auth = authOf(properties, session.context);
  if (isTruthy(properties['Cors']) || auth || isTruthy(version)) checkPaths(body, auth !== undefined);
  let final = addAuth(logicalId, addCorsTo(logicalId, body, properties['Cors']), auth, stageOf(logicalId, properties));
  if (auth) modernize(final, version);
  final = addGatewayResponses(logicalId, final, properties['GatewayResponses']);
  if (final && isTruthy(properties['BinaryMediaTypes'])) {
    final = final
      .clone()
      .set('x-amazon-apigateway-binary-media-types', mediaTypes(withParameters(properties['BinaryMediaTypes'] ?? null, session.context)))
      .clone();
  }
  final = addModels(logicalId, final, properties['Models']);
  if (isTruthy(properties['Models'])) modernize(final, version);
  final = disableEndpoint(logicalId, final, properties['DisableExecuteApiEndpoint']);
  if (isTruthy(uri)) return { location: s3Location(logicalId, 'DefinitionUri', uri) as unknown as JsonObject };
  if (!final) return {};
  modernize(final, version);
  return { body: final };
}

/** Refuses paths and methods that are no maps, as far as they would be looked into. */
function checkPaths(document: PyDict | undefined, withMethods: boolean): void {
  const paths = document?.get('paths');
  if (!(paths instanceof PyDict)) return;
  for (const [path, item] of paths.entries()) {
    if (!(item instanceof PyDict)) throw new TemplateProblem(`Value of '${textValue(path)}' path must be a dictionary according to Swagger spec.`);
    if (!withMethods || item.has('Fn::If')) continue;
    for (const [method, definition] of item.entries()) {
      const name = textValue(method);
      if (['summary', 'description', 'parameters'].includes(name) || definition instanceof PyDict) continue;
      throw new TemplateProblem(`Definition of method '${name}' for path '${textValue(path)}' should be a map.`);
    }
  }
}

/** Into OpenAPI 3 where the definition is of that version; SAM does so after each of some steps, and then headers get one more schema each time. */
function modernize(document: PyDict | undefined, version: Json | undefined): void {
  if (!document || document.get('swagger') !== undefined) return;
  const effective = isTruthy(version) ? String(version) : textValue(document.get('openapi') ?? null);
  if (/^3(\.\d)(\.\d)?$/.test(effective)) toOpenApi3(document);
}

const CORS_MEMBERS = ['AllowMethods', 'AllowHeaders', 'AllowOrigin', 'MaxAge', 'AllowCredentials'];

function addCorsTo(logicalId: string, body: PyDict | undefined, cors: Json | undefined): PyDict | undefined {
  if (!isTruthy(cors)) return body;
  if (!body) throw new ResourceProblem(logicalId, "Cors works only with inline Swagger specified in 'DefinitionBody' property.");
  const simple = isText(cors) || isIntrinsic(cors);
  if (!simple && !isObject(cors)) throw new ResourceProblem(logicalId, "Invalid value for 'Cors' property");
  const settings: JsonObject = simple ? { AllowOrigin: cors ?? null } : (cors as JsonObject);
  const unknown = Object.keys(settings).find((name) => !CORS_MEMBERS.includes(name));
  if (unknown !== undefined) throw new ResourceProblem(logicalId, `Invalid key '${unknown}' for 'Cors' property.`);
  if (!isDefinition(body))
    throw new ResourceProblem(logicalId, "Unable to add Cors configuration because 'DefinitionBody' does not contain a valid Swagger definition.");
  const origin = settings['AllowOrigin'] === undefined ? "'*'" : fromTemplate(settings['AllowOrigin']);
  if (settings['AllowCredentials'] === true && textValue(origin) === "'*'") {
    throw new ResourceProblem(
      logicalId,
      "Unable to add Cors configuration because 'AllowCredentials' can not be true when 'AllowOrigin' is \"'*'\" or not set",
    );
  }
  if (!isTruthy(settings['AllowOrigin'] ?? '*'))
    throw new ResourceProblem(logicalId, 'Structure of the SAM template is invalid. Invalid input. Value for AllowedOrigins is required');
  const copy = body.clone();
  const member = (name: string) => (isTruthy(settings[name]) ? fromTemplate(settings[name]) : undefined);
  const seen = new Set<string>();
  for (const [key] of copy.dict('paths').entries()) {
    const path = textValue(key);
    const normal = path === '/' ? path : path.replace(/\/+$/, '');
    if (seen.has(normal)) continue;
    seen.add(normal);
    addCors(copy, key, {
      origin,
      headers: member('AllowHeaders'),
      methods: member('AllowMethods'),
      maxAge: settings['MaxAge'] === undefined ? undefined : fromTemplate(settings['MaxAge']),
      credentials: settings['AllowCredentials'] === true,
    });
  }
  return copy.clone();
}
