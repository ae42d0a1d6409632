import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { ResourceProblem } from './errors.ts';
import { isIntrinsic, isTruthy } from './values.ts';

/** What a property may be: anything (`-`), a text (`s`), a map (`m`), a list (`l`), true or false (`b`), a whole number (`i`), or one of several. */
type Shape = '-' | 's' | 'm' | 'l' | 'b' | 'i' | 'sm' | 'sl' | 'sml';

/** `Name:shape` pairs; a `!` after the name makes it required. */
function shapes(text: string): ReadonlyMap<string, { shape: Shape; required: boolean }> {
  return new Map(
    text.split(' ').map((pair) => {
      const [name = '', shape = '-'] = pair.split(':');
      return [name.replace('!', ''), { shape: shape as Shape, required: name.endsWith('!') }] as const;
    }),
  );
}

const MAPPING =
  'BatchSize:i StartingPosition StartingPositionTimestamp Enabled:b MaximumBatchingWindowInSeconds:i MaximumRetryAttempts:i BisectBatchOnFunctionError:b MaximumRecordAgeInSeconds:i DestinationConfig:m ParallelizationFactor:i Topics:l Queues:l SourceAccessConfigurations:l SecretsManagerKmsKeyId:s TumblingWindowInSeconds:i FunctionResponseTypes:l KafkaBootstrapServers:l FilterCriteria:m KmsKeyArn ConsumerGroupId:s ScalingConfig:m ProvisionedPollerConfig:m SchemaRegistryConfig:m MetricsConfig:m LoggingConfig:m';

const SCHEDULER = shapes(
  'PermissionsBoundary:s ScheduleExpression!:s FlexibleTimeWindow:m Name:s State:s Description:s StartDate:s EndDate:s ScheduleExpressionTimezone:s GroupName:s KmsKeyArn:s Input:s RoleArn:s DeadLetterConfig:m RetryPolicy:m OmitName:b',
);
const MACHINE_RULE = shapes('EventBusName:s RuleName:s Pattern:m Input:s InputPath:s DeadLetterConfig:m RetryPolicy:m State:s Target:m InputTransformer:m');

/** Properties of SAM's types and events: "AWS SAM resources and properties" in the SAM Developer Guide. */
const SCHEMAS: Readonly<Record<string, ReadonlyMap<string, { shape: Shape; required: boolean }>>> = {
  'AWS::Serverless::Function': shapes(
    'FunctionName:sm Handler Runtime CodeUri ImageUri PackageType InlineCode DeadLetterQueue:m Description MemorySize Timeout VpcConfig Role:s AssumeRolePolicyDocument:m Policies RolePath PermissionsBoundary:s Environment:m Events:m Tags:m PropagateTags:b Tracing:sm KmsKeyArn DeploymentPreference:m ReservedConcurrentExecutions Layers:l EventInvokeConfig:m EphemeralStorage AutoPublishAlias:s AutoPublishCodeSha256:s AutoPublishAliasAllProperties:b VersionDescription ProvisionedConcurrencyConfig FileSystemConfigs ImageConfig CodeSigningConfigArn Architectures SnapStart:m FunctionUrlConfig:m RuntimeManagementConfig LoggingConfig RecursiveLoop SourceKMSKeyArn CapacityProviderConfig:m FunctionScalingConfig:m VersionDeletionPolicy:s PublishToLatestPublished TenancyConfig DurableConfig:m',
  ),
  'AWS::Serverless::Api': shapes(
    'Name:sm StageName!:sm Tags:m PropagateTags:b DefinitionBody:m DefinitionUri:sm MergeDefinitions:b CacheClusterEnabled:b CacheClusterSize:s Variables:m EndpointConfiguration:sm MethodSettings:l BinaryMediaTypes:l MinimumCompressionSize:i Cors:sm Auth:m GatewayResponses:m AccessLogSetting:m CanarySetting:m TracingEnabled:b OpenApiVersion:s Models:m Domain:m FailOnWarnings:b Description:s Mode:s DisableExecuteApiEndpoint:b ApiKeySourceType:s AlwaysDeploy:b Policy:sm SecurityPolicy:s EndpointAccessMode:s',
  ),
  'AWS::Serverless::HttpApi': shapes(
    'Name StageName:sm Tags:m PropagateTags:b DefinitionBody:m DefinitionUri:sm StageVariables:m CorsConfiguration AccessLogSettings:m DefaultRouteSettings:m Auth:m RouteSettings:m Domain:m FailOnWarnings:b Description DisableExecuteApiEndpoint',
  ),
  'AWS::Serverless::SimpleTable': shapes('PointInTimeRecoverySpecification PrimaryKey:m ProvisionedThroughput:m TableName:sm Tags:m SSESpecification:m'),
  'AWS::Serverless::LayerVersion': shapes(
    'LayerName:sm Description:sm ContentUri!:sm CompatibleArchitectures:l CompatibleRuntimes:l LicenseInfo:s RetentionPolicy:sm PublishLambdaVersion:b',
  ),
  Kinesis: shapes(`${MAPPING} Stream! StartingPosition!`),
  DynamoDB: shapes(`${MAPPING} Stream! StartingPosition!`),
  SQS: shapes(`${MAPPING} Queue!`),
  MSK: shapes(`${MAPPING} Stream! StartingPosition!`),
  MQ: shapes(`${MAPPING} Broker! DynamicPolicyName:b`),
  SelfManagedKafka: shapes(MAPPING),
  DocumentDB: shapes(`${MAPPING} Cluster! DatabaseName! CollectionName FullDocument`),
  Cognito: shapes('UserPool! Trigger!:sl'),
  'AWS::Serverless::Application': shapes('Location!:sm TemplateUrl:s Parameters:m NotificationARNs:l Tags:m TimeoutInMinutes:i'),
  'AWS::Serverless::StateMachine': shapes(
    'Definition:m DefinitionUri:sm Logging:m Role:s RolePath DefinitionSubstitutions:m Events:m Name:s Type:s Tags:m PropagateTags:b Policies Tracing:m PermissionsBoundary:s AutoPublishAlias DeploymentPreference UseAliasAsEventTarget:b',
  ),
  'StateMachine.Schedule': shapes('Schedule!:s Input:s Enabled:b State:s Name:s Description:s DeadLetterConfig:m RetryPolicy:m Target:m RoleArn:s'),
  'StateMachine.ScheduleV2': SCHEDULER,
  'StateMachine.CloudWatchEvent': MACHINE_RULE,
  'StateMachine.EventBridgeRule': MACHINE_RULE,
  'StateMachine.Api': shapes('Path!:s Method!:s RestApiId!:s Stage:s Auth:m UnescapeMappingTemplate:b'),
  Schedule: shapes('Schedule!:s RuleName:s Input:s Enabled:b State:s Name:s Description:s DeadLetterConfig:m RetryPolicy:m'),
  ScheduleV2: SCHEDULER,
  CloudWatchEvent: shapes(
    'EventBusName:s RuleName:s Pattern:m DeadLetterConfig:m RetryPolicy:m Input:s InputPath:s Target:m Enabled:b State:s InputTransformer:m',
  ),
  EventBridgeRule: shapes(
    'EventBusName:s RuleName:s Pattern:m DeadLetterConfig:m RetryPolicy:m Input:s InputPath:s Target:m Enabled:b State:s InputTransformer:m',
  ),
  CloudWatchLogs: shapes('LogGroupName!:s FilterPattern!:s'),
  IoTRule: shapes('Sql!:s AwsIotSqlVersion:s'),
  AlexaSkill: shapes('SkillId:s'),
  S3: shapes('Bucket! Events!:sl Filter'),
  SNS: shapes('Topic!:s Region:s FilterPolicy FilterPolicyScope SqsSubscription RedrivePolicy:m'),
  HttpApi: shapes('Path:s Method:s ApiId:s Stage:s Auth:m TimeoutInMillis:i RouteSettings:m PayloadFormatVersion:s'),
  Api: shapes('Path!:s Method!:s RestApiId!:s Stage:s Auth:m RequestModel:m RequestParameters:l TimeoutInMillis:i ResponseTransferMode:s'),
};

const NOUN: Partial<Record<Shape, string>> = { s: 'a string', m: 'a map', b: 'a boolean', i: 'an integer' };

function has(value: Json, shape: string): boolean {
  if (shape === '-') return true;
  return (
    (shape.includes('s') && isText(value)) ||
    (shape.includes('m') && isObject(value)) ||
    (shape.includes('l') && Array.isArray(value)) ||
    (shape.includes('b') && typeof value === 'boolean') ||
    (shape.includes('i') && typeof value === 'number' && Number.isInteger(value))
  );
}

/** Refuses a property that the type does not have, one that is missing, and one of the wrong kind. Intrinsic functions may stand anywhere. */
export function checkProperties(logicalId: string, type: string, properties: JsonObject, shown = type): void {
  const schema = Object.hasOwn(SCHEMAS, type) ? SCHEMAS[type] : undefined;
  if (!schema) return;
  for (const name of Object.keys(properties)) {
    if (!schema.has(name)) throw new ResourceProblem(logicalId, `property ${name} not defined for resource of type ${shown}`);
  }
  for (const [name, { shape, required }] of schema) {
    const value = properties[name];
    if (value === undefined || value === null) {
      if (required) throw new ResourceProblem(logicalId, `Missing required property '${name}'.`);
    } else if (!isIntrinsic(value) && !has(value, shape)) {
      const noun = NOUN[shape];
      throw new ResourceProblem(
        logicalId,
        noun === undefined || shape === 'b' || shape === 'i' ? `Type of property '${name}' is invalid.` : `Property '${name}' should be ${noun}.`,
      );
    }
  }
}

/** What Croft's transform would have to drop: refused instead. */
export function refuseUnsupported(logicalId: string, resource: JsonObject): void {
  if (isTruthy(resource['Connectors'])) throw new ResourceProblem(logicalId, "Croft does not support the attribute 'Connectors'");
}
