import { beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../models/index.ts';
import type { ServiceModel } from '../../models/model.ts';
import { enumOrder } from './print.ts';
import { validate, validationMessage } from './validate.ts';

let models: Record<string, ServiceModel>;
beforeAll(async () => {
  const names = ['dynamodb', 'lambda', 'apigateway', 'kinesis', 'kms', 'events', 'logs', 'sns', 'stepfunctions', 'cloudwatch'];
  models = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await loadModel(name)])));
});

function message(service: string, operation: string, input: Record<string, unknown>): string {
  const model = models[service] as ServiceModel;
  const failures = validate(model, model.operations[operation] as never, input);
  return failures.length === 0 ? '' : validationMessage(failures);
}

// Messages recorded from AWS in public test suites.
describe('messages as AWS words them', () => {
  test('a missing member', () => {
    expect(message('dynamodb', 'PutItem', { TableName: 'abc' })).toBe(
      "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null",
    );
  });

  test('a value outside an enum, in the order of Java’s hash codes', () => {
    expect(message('cloudwatch', 'SetAlarmState', { AlarmName: 'a', StateValue: 'INVALID', StateReason: 'test' })).toBe(
      "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
    );
  });

  test('several failures, joined', () => {
    expect(message('dynamodb', 'BatchGetItem', { RequestItems: { a: {} }, ReturnConsumedCapacity: 'hi' })).toContain(
      "Value 'hi' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]",
    );
    expect(message('dynamodb', 'BatchGetItem', { RequestItems: { a: {} } })).toContain(
      "Value null at 'requestItems.a.member.keys' failed to satisfy constraint: Member must not be null",
    );
  });

  test('scalars in a list are reported at the list', () => {
    expect(message('lambda', 'CreateFunction', { FunctionName: 'f', Role: 'arn:aws:iam::123456789012:role/r', Code: {}, Architectures: ['X86_64'] })).toBe(
      "1 validation error detected: Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
    );
  });

  test('a list too long', () => {
    expect(
      message('lambda', 'CreateFunction', { FunctionName: 'f', Role: 'arn:aws:iam::123456789012:role/r', Code: {}, Architectures: ['x86_64', 'arm64'] }),
    ).toBe(
      "1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1",
    );
  });

  test('keys and values of a map', () => {
    const input = (weights: object) => ({ FunctionName: 'f', Name: 'a', FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: weights } });
    expect(message('lambda', 'CreateAlias', input({ 2: 2 }))).toBe(
      "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
    );
    expect(message('lambda', 'CreateAlias', input({ $LATEST: 0.5 }))).toBe(
      "1 validation error detected: Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]",
    );
  });

  test('API Gateway names the input of the body', () => {
    expect(message('apigateway', 'CreateRestApi', { name: 'n', endpointConfiguration: { types: ['wrong'], ipAddressType: 'wrong' } })).toBe(
      "2 validation errors detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]; Value 'wrong' at 'createRestApiInput.endpointConfiguration.ipAddressType' failed to satisfy constraint: Member must satisfy enum value set: [ipv4, dualstack]",
    );
  });

  test('the body’s failures come before those of the path', () => {
    const input = { restApiId: 'r', resourceId: 'x', httpMethod: 'GET', statusCode: 'wrong', patchOperations: [{ op: 'wrong_op' }] };
    expect(message('apigateway', 'UpdateMethodResponse', input)).toBe(
      "2 validation errors detected: Value 'wrong_op' at 'updateMethodResponseInput.patchOperations.1.member.op' failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]; Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d",
    );
  });

  test('a pattern comes before the lengths, and a member of a map before it', () => {
    const name = 'This should fail with two errors 123467890123412341234123412341234';
    const input = { Name: name, AuthorizationType: 'INVALID', AuthParameters: {} };
    expect(message('events', 'CreateConnection', input)).toBe(
      `3 validation errors detected: Value '${name}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+; Value '${name}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 64; Value 'INVALID' at 'authorizationType' failed to satisfy constraint: Member must satisfy enum value set: [BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]`,
    );
    expect(message('sns', 'Publish', { Message: 'm', MessageAttributes: { attr1: { StringValue: 'x' } } })).toBe(
      "1 validation error detected: Value null at 'messageAttributes.attr1.member.dataType' failed to satisfy constraint: Member must not be null",
    );
  });

  test('a structure as Java prints it, a blob by its length', () => {
    expect(message('kinesis', 'PutRecord', { StreamName: 's', Data: Buffer.alloc(20_000_000), PartitionKey: 'k' })).toMatch(
      /^1 validation error detected: Value 'java.nio.HeapByteBuffer\[pos=0 lim=20000000 cap=20000000\]' at 'data' failed to satisfy constraint: Member must have length less than or equal to \d+$/,
    );
    const route = { stateMachineVersionArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:m:1', weight: 50 };
    const printed = 'RoutingConfigurationListItem(stateMachineVersionArn=arn:aws:states:us-east-1:123456789012:stateMachine:m:1, weight=50)';
    expect(message('stepfunctions', 'CreateStateMachineAlias', { name: 'alias', routingConfiguration: [route, route, route] })).toBe(
      `1 validation error detected: Value '[${printed}, ${printed}, ${printed}]' at 'routingConfiguration' failed to satisfy constraint: Member must have length less than or equal to 2`,
    );
  });

  test('a sensitive value is not repeated', () => {
    expect(message('kms', 'Encrypt', { KeyId: 'k', Plaintext: Buffer.alloc(4097) })).toBe(
      "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
    );
  });

  test('numbers', () => {
    expect(message('kms', 'GenerateRandom', { NumberOfBytes: 1025 })).toBe(
      "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
    );
  });

  test('no more than ten failures', () => {
    const attributes = Array.from({ length: 30 }, () => ({}));
    expect(message('dynamodb', 'CreateTable', { TableName: 't', AttributeDefinitions: attributes, KeySchema: attributes })).toMatch(
      /^10 validation errors detected: /,
    );
  });

  test('nothing where all is well', () => {
    expect(message('dynamodb', 'PutItem', { TableName: 'abc', Item: { a: { S: 'x' }, l: { L: [{ M: { x: { N: '1' } } }] } } })).toBe('');
  });
});

// Orders recorded from DynamoDB (dynalite's suite), API Gateway, KMS and Step Functions.
test.each([
  'IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS',
  'ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW',
  'SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES',
  'RSA_2048, ECC_NIST_P384, ECC_NIST_P256, ECC_NIST_P521, HMAC_384, RSA_3072, ECC_SECG_P256K1, RSA_4096, SYMMETRIC_DEFAULT, HMAC_256, HMAC_224, HMAC_512',
  'SUCCEEDED, TIMED_OUT, PENDING_REDRIVE, ABORTED, FAILED, RUNNING',
])('the order of %s', (text) => {
  const recorded = text.split(', ');
  // Entries of one bucket stand in reverse order of the model; these samples' models are reversed here for that.
  expect(enumOrder([...recorded].reverse())).toEqual(recorded);
});
