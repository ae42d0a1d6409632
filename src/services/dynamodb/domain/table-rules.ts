import type {
  AttributeDefinition,
  CreateTableInput,
  GlobalSecondaryIndex,
  KeySchemaElement,
  LocalSecondaryIndex,
  Projection,
  ProvisionedThroughput,
  Tag,
} from '@aws-sdk/client-dynamodb';
import { invalidParameter, validation } from '../errors.ts';
import {
  GLOBAL_INDEXES_MAX,
  LOCAL_INDEXES_MAX,
  PROJECTED_ATTRIBUTES_MAX,
  TAG_KEY_CHARS_MAX,
  TAG_VALUE_CHARS_MAX,
  TAGS_MAX,
  THROUGHPUT_UNITS_MAX,
} from '../limits.ts';
import { Constraints } from './constraints.ts';
import type { IndexRecord, KeyAttribute, Throughput } from './table.ts';

/** Rules on tables and indexes as they are defined. "CreateTable", "Constraints in Amazon DynamoDB". */
const KEY_TYPES = ['HASH', 'RANGE'];
const ATTRIBUTE_TYPES = ['B', 'N', 'S'];
const PROJECTION_TYPES = ['ALL', 'INCLUDE', 'KEYS_ONLY'];
export const BILLING_MODES = ['PROVISIONED', 'PAY_PER_REQUEST'];
export const TABLE_CLASSES = ['STANDARD', 'STANDARD_INFREQUENT_ACCESS'];
const KEY_ELEMENTS_MAX = 2;

/** An element of a key schema prints itself as AWS's servers do, should it stand in a message. */
function printable(schema: readonly KeySchemaElement[]): string[] {
  return schema.map(({ AttributeName, KeyType }) => `KeySchemaElement(attributeName=${AttributeName}, keyType=${KeyType})`);
}

export function constrainKeySchema(constraints: Constraints, path: string, schema: readonly KeySchemaElement[] | undefined): void {
  if (!constraints.required(path, schema) || !schema) return;
  constraints.length(path, printable(schema), 1, KEY_ELEMENTS_MAX);
  schema.forEach((element, at) => {
    constraints.required(`${path}.${at + 1}.member.attributeName`, element.AttributeName);
    if (constraints.required(`${path}.${at + 1}.member.keyType`, element.KeyType)) {
      constraints.oneOf(`${path}.${at + 1}.member.keyType`, element.KeyType, KEY_TYPES);
    }
  });
}

export function constrainDefinitions(constraints: Constraints, definitions: readonly AttributeDefinition[] | undefined): void {
  definitions?.forEach((definition, at) => {
    const path = `attributeDefinitions.${at + 1}.member`;
    constraints.required(`${path}.attributeName`, definition.AttributeName);
    if (constraints.required(`${path}.attributeType`, definition.AttributeType)) {
      constraints.oneOf(`${path}.attributeType`, definition.AttributeType, ATTRIBUTE_TYPES);
    }
  });
}

export function constrainThroughput(constraints: Constraints, path: string, throughput: ProvisionedThroughput | undefined): void {
  if (!throughput) return;
  for (const [name, units] of [
    ['writeCapacityUnits', throughput.WriteCapacityUnits],
    ['readCapacityUnits', throughput.ReadCapacityUnits],
  ] as const) {
    if (constraints.required(`${path}.${name}`, units)) constraints.atLeast(`${path}.${name}`, units, 1);
  }
}

export function constrainIndex(constraints: Constraints, path: string, index: GlobalSecondaryIndex | LocalSecondaryIndex): void {
  if (constraints.required(`${path}.indexName`, index.IndexName)) constraints.name(`${path}.indexName`, index.IndexName, 3);
  constrainKeySchema(constraints, `${path}.keySchema`, index.KeySchema);
  if (constraints.required(`${path}.projection`, index.Projection)) {
    constraints.oneOf(`${path}.projection.projectionType`, index.Projection?.ProjectionType, PROJECTION_TYPES);
    constraints.length(`${path}.projection.nonKeyAttributes`, index.Projection?.NonKeyAttributes, 1);
  }
  if ('ProvisionedThroughput' in index) constrainThroughput(constraints, `${path}.provisionedThroughput`, index.ProvisionedThroughput);
}

export function checkThroughput(throughput: ProvisionedThroughput | undefined): void {
  if (!throughput) return;
  const { ReadCapacityUnits: read = 0, WriteCapacityUnits: write = 0 } = throughput;
  if (read > THROUGHPUT_UNITS_MAX) throw validation(`Given value ${read} for ReadCapacityUnits is out of bounds`);
  if (write > THROUGHPUT_UNITS_MAX) throw validation(`Given value ${write} for WriteCapacityUnits is out of bounds`);
}

export function throughputOf(throughput: ProvisionedThroughput | undefined): Throughput {
  return { read: throughput?.ReadCapacityUnits ?? 0, write: throughput?.WriteCapacityUnits ?? 0, decreasesToday: 0 };
}

/** The keys of a schema with their types. Throws ValidationException in AWS's order of checks. */
export function schemaKeys(
  schema: readonly KeySchemaElement[],
  attributes: readonly KeyAttribute[],
  ofTable: boolean,
): { hash: KeyAttribute; range?: KeyAttribute } {
  const names = schema.map((element) => element.AttributeName as string);
  const defined = attributes.map((attribute) => attribute.name);
  if (ofTable && names.length > defined.length) throw validation('Invalid KeySchema: Some index key attribute have no definition');
  if (names.some((name) => !defined.includes(name))) {
    throw invalidParameter(
      `Some index key attributes are not defined in AttributeDefinitions. Keys: [${names.join(', ')}], AttributeDefinitions: [${defined.join(', ')}]`,
    );
  }
  if (names[0] === names[1]) throw validation('Both the Hash Key and the Range Key element in the KeySchema have the same name');
  const [hash, range] = schema;
  if (hash?.KeyType !== 'HASH') throw validation('Invalid KeySchema: The first KeySchemaElement is not a HASH key type');
  if (range && range.KeyType !== 'RANGE') throw validation('Invalid KeySchema: The second KeySchemaElement is not a RANGE key type');
  const attributeNamed = (name: string | undefined) => attributes.find((attribute) => attribute.name === name) as KeyAttribute;
  return { hash: attributeNamed(hash.AttributeName), ...(range ? { range: attributeNamed(range.AttributeName) } : {}) };
}

function checkProjection(projection: Projection | undefined): Projection {
  const { ProjectionType: type, NonKeyAttributes: names } = projection ?? {};
  if (type === undefined) throw invalidParameter('Unknown ProjectionType: null');
  if (names && type !== 'INCLUDE') throw invalidParameter(`ProjectionType is ${type}, but NonKeyAttributes is specified`);
  if (!names && type === 'INCLUDE') throw invalidParameter('ProjectionType is INCLUDE, but NonKeyAttributes is not specified');
  return { ProjectionType: type, ...(names ? { NonKeyAttributes: names } : {}) };
}

interface TableShape {
  readonly attributes: readonly KeyAttribute[];
  readonly hash: KeyAttribute;
  readonly range?: KeyAttribute;
}

export function localIndexes(table: TableShape, given: readonly LocalSecondaryIndex[] | undefined, firstNumber: number): IndexRecord[] {
  if (given === undefined) return [];
  if (given.length === 0) throw invalidParameter('List of LocalSecondaryIndexes is empty');
  if (!table.range) throw invalidParameter('Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex');
  const records = given.map((index, at): IndexRecord => {
    const name = index.IndexName as string;
    const keys = schemaKeys(index.KeySchema ?? [], table.attributes, false);
    if (!keys.range) throw invalidParameter(`Index KeySchema does not have a range key for index: ${name}`);
    if (keys.hash.name !== table.hash.name) {
      throw invalidParameter(
        `Index KeySchema does not have the same leading hash key as table KeySchema for index: ${name}. index hash key: ${keys.hash.name}, table hash key: ${table.hash.name}`,
      );
    }
    return {
      kind: 'local',
      name,
      number: firstNumber + at,
      ...keys,
      projection: checkProjection(index.Projection),
      status: 'ACTIVE',
      throughput: throughputOf(undefined),
    };
  });
  checkDistinct(records);
  if (records.length > LOCAL_INDEXES_MAX) {
    throw invalidParameter(`Number of LocalSecondaryIndexes exceeds per-table limit of ${LOCAL_INDEXES_MAX}`);
  }
  return records;
}

export function globalIndex(table: TableShape, index: GlobalSecondaryIndex, billingMode: string, number: number, status: IndexRecord['status']): IndexRecord {
  const name = index.IndexName as string;
  const keys = schemaKeys(index.KeySchema ?? [], table.attributes, false);
  const projection = checkProjection(index.Projection);
  if (billingMode === 'PAY_PER_REQUEST' && index.ProvisionedThroughput) {
    throw invalidParameter(`ProvisionedThroughput should not be specified for index: ${name} when BillingMode is PAY_PER_REQUEST`);
  }
  if (billingMode === 'PROVISIONED' && !index.ProvisionedThroughput) throw invalidParameter(`ProvisionedThroughput must be specified for index: ${name}`);
  return {
    kind: 'global',
    name,
    number,
    ...keys,
    projection,
    status,
    throughput: throughputOf(index.ProvisionedThroughput),
    ...(index.OnDemandThroughput ? { onDemandThroughput: index.OnDemandThroughput } : {}),
    ...(index.WarmThroughput ? { warmThroughput: index.WarmThroughput } : {}),
  };
}

export function globalIndexes(table: TableShape, given: readonly GlobalSecondaryIndex[] | undefined, billingMode: string, firstNumber: number): IndexRecord[] {
  if (given === undefined) return [];
  if (given.length === 0) throw invalidParameter('List of GlobalSecondaryIndexes is empty');
  const records = given.map((index, at) => globalIndex(table, index, billingMode, firstNumber + at, 'ACTIVE'));
  if (records.length > GLOBAL_INDEXES_MAX) throw invalidParameter(`GlobalSecondaryIndex count exceeds the per-table limit of ${GLOBAL_INDEXES_MAX}`);
  return records;
}

export function checkDistinct(indexes: readonly IndexRecord[]): void {
  const names = new Set<string>();
  for (const { name } of indexes) {
    if (names.has(name)) throw invalidParameter(`Duplicate index name: ${name}`);
    names.add(name);
  }
  const projected = indexes.reduce((sum, index) => sum + (index.projection.NonKeyAttributes?.length ?? 0), 0);
  if (projected > PROJECTED_ATTRIBUTES_MAX) {
    throw invalidParameter(`Number of NonKeyAttributes in all indexes exceeds the per-table limit of ${PROJECTED_ATTRIBUTES_MAX}`);
  }
}

/** Every defined attribute must be a key of something. */
export function checkAllUsed(attributes: readonly KeyAttribute[], table: TableShape, indexes: readonly IndexRecord[]): void {
  const used = new Set<string>();
  for (const { hash, range } of [table, ...indexes]) {
    used.add(hash.name);
    if (range) used.add(range.name);
  }
  if (attributes.every((attribute) => used.has(attribute.name))) return;
  if (indexes.length === 0) {
    throw invalidParameter('Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions');
  }
  throw invalidParameter(
    `Some AttributeDefinitions are not used. AttributeDefinitions: [${attributes.map(({ name }) => name).join(', ')}], keys used: [${[...used].join(', ')}]`,
  );
}

export function definitionsOf(definitions: readonly AttributeDefinition[] | undefined): KeyAttribute[] {
  return (definitions ?? []).map(({ AttributeName, AttributeType }) => ({ name: AttributeName as string, type: AttributeType as KeyAttribute['type'] }));
}

export function checkTags(tags: readonly Tag[]): void {
  const constraints = new Constraints();
  tags.forEach((tag, at) => {
    constraints.length(`tags.${at + 1}.member.key`, tag.Key, 1, TAG_KEY_CHARS_MAX);
    constraints.length(`tags.${at + 1}.member.value`, tag.Value, 0, TAG_VALUE_CHARS_MAX);
  });
  constraints.check();
  if (new Set(tags.map((tag) => tag.Key)).size !== tags.length) throw validation('One or more tags with the same key found');
  if (tags.length > TAGS_MAX) throw validation(`One or more tag limits exceeded: the number of tags exceeds the limit of ${TAGS_MAX}`);
  for (const tag of tags) {
    if (tag.Key?.toLowerCase().startsWith('aws:'))
      throw validation(`One or more parameter values were invalid: Tag keys starting with aws: are reserved for system use`);
  }
}

export function checkBilling(input: Pick<CreateTableInput, 'BillingMode' | 'ProvisionedThroughput'>): 'PROVISIONED' | 'PAY_PER_REQUEST' {
  if (input.BillingMode === 'PAY_PER_REQUEST') {
    if (input.ProvisionedThroughput) {
      throw invalidParameter('Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST');
    }
    return 'PAY_PER_REQUEST';
  }
  if (!input.ProvisionedThroughput) {
    throw invalidParameter('ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED');
  }
  checkThroughput(input.ProvisionedThroughput);
  return 'PROVISIONED';
}
