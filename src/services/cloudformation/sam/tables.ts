import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { ResourceProblem } from './errors.ts';
import { attributesOf, hashedId, isTruthy, type Made, made, OWN_ATTRIBUTES, plainTags, present, type SamContext, withParameters } from './values.ts';

const TYPES: Readonly<Record<string, string>> = { String: 'S', Number: 'N', Binary: 'B' };

/** `AWS::Serverless::SimpleTable`: "AWS::Serverless::SimpleTable" in the SAM Developer Guide. */
export function simpleTable(logicalId: string, resource: JsonObject, properties: JsonObject): Made[] {
  const key = properties['PrimaryKey'];
  if (isObject(key)) {
    if (!isTruthy(key['Name'])) throw new ResourceProblem(logicalId, "Property 'PrimaryKey.Name' is required.");
    if (!isTruthy(key['Type'])) throw new ResourceProblem(logicalId, "Property 'PrimaryKey.Type' is required.");
  }
  const type = isObject(key) ? String(key['Type']) : 'String';
  if (!Object.hasOwn(TYPES, type)) throw new ResourceProblem(logicalId, `Invalid 'Type' "${type}".`);
  const name = isObject(key) ? (key['Name'] ?? null) : 'id';
  const throughput = properties['ProvisionedThroughput'];
  const tags = plainTags(properties['Tags']);
  const table = made(
    logicalId,
    'AWS::DynamoDB::Table',
    {
      AttributeDefinitions: [{ AttributeName: name, AttributeType: TYPES[type] ?? 'S' }],
      KeySchema: [{ AttributeName: name, KeyType: 'HASH' }],
      ...(isTruthy(throughput) ? { ProvisionedThroughput: throughput } : { BillingMode: 'PAY_PER_REQUEST' }),
      PointInTimeRecoverySpecification: properties['PointInTimeRecoverySpecification'],
      SSESpecification: properties['SSESpecification'],
      TableName: properties['TableName'],
      Tags: isTruthy(properties['Tags']) ? tags : undefined,
    },
    { ...attributesOf(resource, OWN_ATTRIBUTES), ...present({ DependsOn: resource['DependsOn'] }) },
  );
  return [table];
}

/** `s3://bucket/key?versionId=…` or its parts. */
export function s3Location(logicalId: string, property: string, value: Json | undefined): { Bucket: Json; Key: Json; Version?: Json } {
  if (isObject(value)) {
    if (!isTruthy(value['Bucket']) || !isTruthy(value['Key'])) {
      throw new ResourceProblem(logicalId, `'${property}' requires Bucket and Key properties to be specified.`);
    }
    return { Bucket: value['Bucket'] ?? null, Key: value['Key'] ?? null, ...(isTruthy(value['Version']) ? { Version: value['Version'] ?? null } : {}) };
  }
  const parsed = isText(value) ? /^s3:\/\/([^/?]+)\/([^?]+)(?:\?(.*))?$/s.exec(value) : null;
  const version = parsed?.[3] === undefined ? null : new URLSearchParams(parsed[3]).get('versionId');
  if (!parsed?.[1] || !parsed[2]) {
    throw new ResourceProblem(logicalId, `'${property}' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.`);
  }
  return { Bucket: parsed[1], Key: parsed[2], ...(version ? { Version: version } : {}) };
}

/** The texts of a layer that may name parameters. */
const resolveTexts = (properties: JsonObject, context: SamContext): JsonObject =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      name,
      ['LayerName', 'Description', 'LicenseInfo', 'ContentUri', 'RetentionPolicy'].includes(name) ? withParameters(value, context) : value,
    ]),
  );

/** `AWS::Serverless::LayerVersion`: the logical id changes with what it holds, so that a change makes a new version. */
export function layerVersion(logicalId: string, resource: JsonObject, properties: JsonObject, context: SamContext): Made[] {
  const retention = properties['RetentionPolicy'] === undefined ? undefined : withParameters(properties['RetentionPolicy'], context);
  const policies: Readonly<Record<string, string>> = { retain: 'Retain', delete: 'Delete' };
  const given = resource['DeletionPolicy'];
  let deletion = 'Retain';
  if (isText(given)) deletion = given;
  if (retention !== undefined && retention !== null) {
    const known = isText(retention) ? policies[retention.toLowerCase()] : undefined;
    if (known === undefined) throw new ResourceProblem(logicalId, `'RetentionPolicy' must be one of the following options: ['Retain', 'Delete'].`);
    deletion = known;
  }
  const hashed = present({
    Type: resource['Type'],
    DependsOn: resource['DependsOn'],
    Condition: resource['Condition'],
    Properties: resolveTexts(properties, context),
  });
  const location = s3Location(logicalId, 'ContentUri', properties['ContentUri']);
  const newId = hashedId(logicalId, { [logicalId]: hashed });
  const content = present({ S3Bucket: location.Bucket, S3Key: location.Key, S3ObjectVersion: location.Version });
  return [
    made(
      newId,
      'AWS::Lambda::LayerVersion',
      {
        Content: content,
        LayerName: properties['LayerName'] ?? logicalId,
        Description: properties['Description'],
        CompatibleArchitectures: properties['CompatibleArchitectures'],
        CompatibleRuntimes: properties['CompatibleRuntimes'],
        LicenseInfo: properties['LicenseInfo'],
      },
      { ...attributesOf(resource, OWN_ATTRIBUTES), DeletionPolicy: deletion, ...present({ DependsOn: resource['DependsOn'] }) },
    ),
  ];
}
