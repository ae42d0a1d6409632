import { isObject, type Json, type JsonObject } from '../domain/json.ts';
import { GlobalsProblem, ResourceProblem } from './errors.ts';
import { isIntrinsic } from './values.ts';

/** Properties that each section of `Globals` may set. "Globals section of the AWS SAM template" in the SAM Developer Guide. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  Api: 'Auth Name DefinitionUri CacheClusterEnabled CacheClusterSize MergeDefinitions Variables EndpointConfiguration MethodSettings BinaryMediaTypes MinimumCompressionSize Cors GatewayResponses AccessLogSetting CanarySetting TracingEnabled OpenApiVersion Domain AlwaysDeploy PropagateTags SecurityPolicy EndpointAccessMode'.split(
    ' ',
  ),
  CapacityProvider: 'VpcConfig OperatorRole Tags InstanceRequirements ScalingConfig KmsKeyArn PropagateTags'.split(' '),
  Function:
    'Handler Runtime CodeUri DeadLetterQueue Description MemorySize Timeout VpcConfig Environment Tags PropagateTags Tracing KmsKeyArn AutoPublishAlias AutoPublishAliasAllProperties Layers DeploymentPreference RolePath PermissionsBoundary ReservedConcurrentExecutions ProvisionedConcurrencyConfig AssumeRolePolicyDocument EventInvokeConfig FileSystemConfigs CodeSigningConfigArn Architectures SnapStart EphemeralStorage FunctionUrlConfig RuntimeManagementConfig LoggingConfig RecursiveLoop SourceKMSKeyArn TenancyConfig DurableConfig CapacityProviderConfig FunctionScalingConfig PublishToLatestPublished VersionDeletionPolicy'.split(
      ' ',
    ),
  HttpApi: 'Auth AccessLogSettings StageVariables Tags CorsConfiguration DefaultRouteSettings Domain RouteSettings FailOnWarnings PropagateTags'.split(' '),
  LayerVersion: ['PublishLambdaVersion'],
  SimpleTable: ['SSESpecification'],
  StateMachine: ['PropagateTags'],
  WebSocketApi:
    'AccessLogSettings ApiKeySelectionExpression DefaultRouteSettings DisableExecuteApiEndpoint DisableSchemaValidation Domain FailOnWarnings IpAddressType PropagateTags RouteSelectionExpression RouteSettings StageVariables Tags'.split(
      ' ',
    ),
};

const pythonList = (items: readonly string[]): string => `[${items.map((item) => `'${item}'`).join(', ')}]`;
const sectionError = (message: string) => new GlobalsProblem(message);

/** Checks `Globals` and merges each section into the resources of its type. Changes `template`. */
export function mergeGlobals(template: JsonObject): void {
  const globals = template['Globals'];
  delete template['Globals'];
  if (globals === undefined) return;
  if (!isObject(globals)) throw sectionError('It must be a non-empty dictionary');
  for (const [section, properties] of Object.entries(globals)) checkSection(section, properties);
  for (const [logicalId, resource] of Object.entries(template['Resources'] as JsonObject)) {
    if (!isObject(resource)) continue;
    const section = String(resource['Type'] ?? '').replace(/^AWS::Serverless::/, '');
    const shared = String(resource['Type']).startsWith('AWS::Serverless::') ? globals[section] : undefined;
    const ignored = resource['IgnoreGlobals'];
    if (!isObject(shared)) continue;
    resource['Properties'] = merge(withoutIgnored(logicalId, shared, ignored), isObject(resource['Properties']) ? resource['Properties'] : {});
  }
}

function checkSection(section: string, properties: Json): void {
  const supported = Object.hasOwn(SECTIONS, section) ? SECTIONS[section] : undefined;
  if (!supported) throw sectionError(`'${section}' is not supported. Must be one of the following values - ${pythonList(Object.keys(SECTIONS).sort())}`);
  // The text has a placeholder that SAM never fills.
  if (!isObject(properties)) throw sectionError(`Value of \${section} must be a dictionary`);
  for (const name of Object.keys(properties)) {
    if (!supported.includes(name))
      throw sectionError(`'${name}' is not a supported property of '${section}'. Must be one of the following values - ${pythonList(supported)}`);
  }
}

function withoutIgnored(logicalId: string, shared: JsonObject, ignored: Json | undefined): JsonObject {
  if (ignored === undefined || ignored === null || ignored === '') return shared;
  if (ignored === '*') return {};
  const invalid = (detail: string) => new ResourceProblem(logicalId, `Resource ${logicalId} has invalid resource attribute 'IgnoreGlobals'${detail}.`);
  if (!Array.isArray(ignored)) throw invalid('');
  const rest = { ...shared };
  for (const name of ignored) {
    if (!Object.hasOwn(rest, String(name))) throw invalid(` on item '${String(name)}'`);
    delete rest[String(name)];
  }
  return rest;
}

/** Dictionaries are merged, lists joined, anything else is the resource's own. */
function merge(global: Json, local: Json): Json {
  if (Array.isArray(global) && Array.isArray(local)) return [...global, ...local];
  if (!isObject(global) || !isObject(local) || isIntrinsic(global) || isIntrinsic(local)) return local;
  return mergeObjects(global, local);
}

function mergeObjects(global: JsonObject, local: JsonObject): JsonObject {
  const merged: JsonObject = { ...global };
  for (const [key, value] of Object.entries(local)) merged[key] = Object.hasOwn(global, key) ? merge(global[key] ?? null, value) : value;
  return structuredClone(merged);
}
