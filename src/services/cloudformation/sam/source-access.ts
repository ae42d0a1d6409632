import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { EventProblem } from './errors.ts';
import type { EventInput } from './target.ts';
import { isIntrinsic, isTruthy, sub, withParameters } from './values.ts';

/** What a function's role needs beside AWS's managed policies to read from brokers and clusters. */
const statement = (actions: Json, resource: Json): JsonObject => ({ Action: actions, Effect: 'Allow', Resource: resource });
const secret = (uri: Json): JsonObject => statement(['secretsmanager:GetSecretValue'], uri);
const policy = (name: string, statements: readonly JsonObject[], version?: string): JsonObject => ({
  PolicyName: name,
  PolicyDocument: { Statement: [...statements], ...(version ? { Version: version } : {}) },
});
const IN_ACCOUNT = `\${AWS::Region}:\${AWS::AccountId}`;
const arnOf = (service: string, resource: string): JsonObject => sub(`arn:\${AWS::Partition}:${service}:${IN_ACCOUNT}:${resource}`);
const network = statement(
  ['CreateNetworkInterface', 'DescribeNetworkInterfaces', 'DeleteNetworkInterface', 'DescribeVpcs', 'DescribeSubnets', 'DescribeSecurityGroups'].map(
    (action) => `ec2:${action}`,
  ),
  '*',
);

function kmsStatements({ properties, eventId }: EventInput, actions: Json): JsonObject[] {
  const key = properties['SecretsManagerKmsKeyId'];
  if (!isTruthy(key)) return [];
  if (!isText(key)) throw new EventProblem(eventId, "Property 'SecretsManagerKmsKeyId' should be a string.");
  return [statement(actions, arnOf('kms', `key/${key}`))];
}

/** The URI of the one configuration that must be there. */
function requiredUri({ properties, eventId }: EventInput, type: string, supported: readonly string[], wanted: string): Json {
  const list = properties['SourceAccessConfigurations'];
  if (!isTruthy(list)) throw new EventProblem(eventId, `No SourceAccessConfigurations for Amazon ${type} event provided.`);
  if (!Array.isArray(list)) throw new EventProblem(eventId, 'Provided SourceAccessConfigurations cannot be parsed into a list.');
  let uri: Json | undefined;
  list.forEach((each, index) => {
    if (!isObject(each)) throw new EventProblem(eventId, `Property 'SourceAccessConfigurations[${index}]' should be a map.`);
    const kind = each['Type'];
    if (!isText(kind)) throw new EventProblem(eventId, `Property 'SourceAccessConfigurations[${index}].Type' should be a string.`);
    if (!supported.includes(kind)) {
      const names = supported.map((name) => `'${name}'`).join(', ');
      throw new EventProblem(eventId, `Invalid property Type specified in SourceAccessConfigurations. The supported values are: [${names}].`);
    }
    if (kind !== wanted) return;
    if (uri !== undefined) throw new EventProblem(eventId, `Multiple ${wanted} properties specified in SourceAccessConfigurations.`);
    if (!isTruthy(each['URI'])) throw new EventProblem(eventId, `No ${wanted} URI property specified in SourceAccessConfigurations.`);
    uri = each['URI'] ?? null;
  });
  if (uri === undefined) throw new EventProblem(eventId, `No ${wanted} property specified in SourceAccessConfigurations.`);
  return uri;
}

/** What reading a schema registry takes. */
function registryStatements({ properties, eventId, context }: EventInput): JsonObject[] {
  const config = properties['SchemaRegistryConfig'];
  if (!isTruthy(config)) return [];
  if (!isObject(config)) throw new EventProblem(eventId, "Property 'SchemaRegistryConfig' should be a map.");
  const missing = ['SchemaRegistryURI', 'EventRecordFormat', 'SchemaValidationConfigs'].find((name) => !(name in config));
  if (missing !== undefined) throw new EventProblem(eventId, `Missing required field ${missing} in SchemaRegistryConfig`);
  if (config['EventRecordFormat'] !== 'JSON' && config['EventRecordFormat'] !== 'SOURCE') {
    throw new EventProblem(eventId, "EventRecordFormat in SchemaRegistryConfig must be either 'JSON' or 'SOURCE'");
  }
  if (!Array.isArray(config['SchemaValidationConfigs'])) throw new EventProblem(eventId, 'SchemaValidationConfigs must be a list');
  const access = config['AccessConfigs'];
  if (isTruthy(access) && !Array.isArray(access)) throw new EventProblem(eventId, 'AccessConfigs in SchemaRegistryConfig must be a list');
  const secrets = (Array.isArray(access) ? access : []).map((each) => {
    if (!isObject(each) || !('Type' in each) || !('URI' in each))
      throw new EventProblem(eventId, "Each AccessConfig must be a dict with 'Type' and 'URI' fields");
    return secret(each['URI'] ?? null);
  });
  const uri = config['SchemaRegistryURI'] ?? null;
  const resolved = withParameters(uri, context);
  const arn = isText(resolved) ? resolved : isObject(resolved) && isText(resolved['Fn::Sub']) ? resolved['Fn::Sub'] : '';
  const name = arn.startsWith('arn') ? /^registry\/(.*)$/.exec(arn.split(':')[5] ?? '')?.[1] : undefined;
  if (name === undefined) return secrets;
  return [...secrets, statement(['glue:GetRegistry'], uri), statement(['glue:GetSchemaVersion'], [arnOf('glue', `schema/${name}/*`)])];
}

export function mskPolicy(event: EventInput): JsonObject | undefined {
  const access = event.properties['SourceAccessConfigurations'];
  const certificates = (Array.isArray(access) ? access : []).flatMap((each) =>
    isObject(each) && each['Type'] === 'CLIENT_CERTIFICATE_TLS_AUTH' && isTruthy(each['URI']) ? [secret(each['URI'] ?? null)] : [],
  );
  const statements = [...registryStatements(event), ...certificates];
  return statements.length === 0 ? undefined : policy('MSKExecutionRolePolicy', statements);
}

export function brokerPolicy(event: EventInput): JsonObject {
  const uri = requiredUri(event, 'MQ', ['BASIC_AUTH', 'VIRTUAL_HOST'], 'BASIC_AUTH');
  const name = isTruthy(event.properties['DynamicPolicyName']) ? `${event.id}AMQPolicy` : 'SamAutoGeneratedAMQPolicy';
  return policy(name, [secret(uri), statement(['mq:DescribeBroker'], event.properties['Broker'] ?? null), ...kmsStatements(event, 'kms:Decrypt')]);
}

export function documentPolicy(event: EventInput): JsonObject {
  const uri = requiredUri(event, 'DocumentDB', ['BASIC_AUTH'], 'BASIC_AUTH');
  return policy('SamAutoGeneratedDocumentDBPolicy', [
    secret(uri),
    statement(['rds:DescribeDBClusterParameters'], arnOf('rds', 'cluster-pg:*')),
    statement(['rds:DescribeDBSubnetGroups'], arnOf('rds', 'subgrp:*')),
    statement(['rds:DescribeDBClusters'], event.properties['Cluster'] ?? null),
    network,
    ...kmsStatements(event, ['kms:Decrypt']),
  ]);
}

const AUTH_MECHANISMS = ['SASL_SCRAM_256_AUTH', 'SASL_SCRAM_512_AUTH', 'BASIC_AUTH', 'CLIENT_CERTIFICATE_TLS_AUTH'];

export function kafkaPolicy(event: EventInput): JsonObject {
  const { properties, eventId } = event;
  const fail = (message: string) => new EventProblem(eventId, message);
  const { KafkaBootstrapServers: servers, Topics: topics, SourceAccessConfigurations: access } = properties;
  if (!isTruthy(servers)) throw fail('No KafkaBootstrapServers provided for self managed kafka as an event source');
  if (!isTruthy(topics)) throw fail('No Topics provided for self managed kafka as an event source');
  if (Array.isArray(topics) && topics.length !== 1) throw fail('Topics for self managed kafka only supports single configuration entry.');
  if (!isTruthy(access)) throw fail('No SourceAccessConfigurations for self managed kafka event provided.');
  const found = kafkaAccess(access, fail);
  // A root certificate adds the secret of the authentication once more: so does SAM.
  const secrets = [found.authentication, found.certificate === undefined ? undefined : (found.authentication ?? null)].filter((uri) => uri !== undefined);
  return policy(
    'SelfManagedKafkaExecutionRolePolicy',
    [...secrets.map(secret), ...(found.inVpc ? [network] : []), ...kmsStatements(event, ['kms:Decrypt']), ...registryStatements(event)],
    '2012-10-17',
  );
}

function kafkaAccess(access: Json | undefined, fail: (message: string) => Error) {
  if (!Array.isArray(access)) throw fail('SourceAccessConfigurations for self managed kafka event should be a list.');
  const uriOf = (config: JsonObject, what: string): Json => {
    const uri = config['URI'];
    if (!isTruthy(uri)) throw fail(`No ${what} URI property specified in SourceAccessConfigurations for self managed kafka event.`);
    if (!isText(uri) && !isIntrinsic(uri))
      throw fail(`Wrong Type for ${what} URI property specified in SourceAccessConfigurations for self managed kafka event.`);
    return uri ?? null;
  };
  const network_ = new Set<string>();
  let authentication: Json | undefined;
  let certificate: Json | undefined;
  for (const config of access) {
    if (!isObject(config)) throw fail("Property 'SourceAccessConfigurations' should be a map.");
    const type = String(config['Type']);
    if (type === 'VPC_SUBNET' || type === 'VPC_SECURITY_GROUP') {
      uriOf(config, type);
      network_.add(type);
    } else if (AUTH_MECHANISMS.includes(type)) {
      if (authentication !== undefined) throw fail('Multiple auth mechanism properties specified in SourceAccessConfigurations for self managed kafka event.');
      authentication = uriOf(config, 'auth mechanism');
    } else if (type === 'SERVER_ROOT_CA_CERTIFICATE') certificate = uriOf(config, type);
    else throw fail('Invalid SourceAccessConfigurations Type provided for self managed kafka event.');
  }
  if (network_.size === 1) throw fail('VPC_SUBNET and VPC_SECURITY_GROUP in SourceAccessConfigurations for SelfManagedKafka must be both provided.');
  return { authentication, certificate, inVpc: network_.size === 2 };
}
