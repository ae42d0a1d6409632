import { describe, expect, test } from 'vitest';
import { AwsError } from '../../kit/errors.ts';
import { loadModel } from '../../models/index.ts';
import { codecNames, createCodec } from '../index.ts';

/** What a body is answered with: the message of the SerializationException, or undefined where it decodes. */
async function fault(service: string, operation: string, body: unknown): Promise<string | undefined> {
  const model = await loadModel(service);
  const [name = 'awsJson1_1'] = codecNames(model);
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  try {
    createCodec(model, name).decode(model.operations[operation] as never, {
      method: 'POST',
      path: '/restapis/a/resources/b/methods/GET/integration',
      query: '',
      headers: {},
      body: Buffer.from(text),
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    expect(error.code).toBe('SerializationException');
    expect(error.status).toBe(400);
    return error.message;
  }
}

const CLASSES =
  "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of loader 'bootstrap')";
const VALUE = 'com.amazonaws.dynamodb.v20120810.AttributeValue';

// Recorded from DynamoDB by dynalite's test suite.
describe('DynamoDB', () => {
  test.each<[string, unknown, string | undefined]>([
    ['PutItem', { TableName: 23 }, 'NUMBER_VALUE cannot be converted to String'],
    ['PutItem', { TableName: 34.56 }, 'DECIMAL_VALUE cannot be converted to String'],
    ['PutItem', { TableName: true }, 'TRUE_VALUE cannot be converted to String'],
    ['PutItem', { TableName: false }, 'FALSE_VALUE cannot be converted to String'],
    ['PutItem', { TableName: [] }, 'Unrecognized collection type class java.lang.String'],
    ['PutItem', { TableName: {} }, 'Start of structure or map found where not expected'],
    ['GetItem', { ConsistentRead: '23' }, 'Unexpected token received from parser'],
    ['GetItem', { ConsistentRead: 23 }, 'NUMBER_VALUE cannot be converted to Boolean'],
    ['GetItem', { ConsistentRead: 'yes' }, undefined],
    ['Query', { Limit: '23' }, 'STRING_VALUE cannot be converted to Integer'],
    ['Query', { Limit: [] }, 'Unrecognized collection type class java.lang.Integer'],
    ['Query', { Limit: 1.5 }, undefined],
    ['PutItem', { Item: '23' }, 'Unexpected field type'],
    ['PutItem', { Item: [] }, `Unrecognized collection type java.util.Map<java.lang.String, ${VALUE}>`],
    ['PutItem', { Item: { a: '23' } }, 'Unexpected value type in payload'],
    ['PutItem', { Item: { a: [] } }, `Unrecognized collection type class ${VALUE}`],
    ['PutItem', { Item: { a: { B: 23 } } }, 'only base-64-encoded strings are convertible to bytes'],
    ['PutItem', { Item: { a: { B: '23456' } } }, 'Base64 encoded length is expected a multiple of 4 bytes but found: 5'],
    ['PutItem', { Item: { a: { B: '+/+=' } } }, 'Invalid last non-pad Base64 character dectected'],
    ['PutItem', { Item: { a: { SS: 23 } } }, 'Unexpected field type'],
    ['PutItem', { Item: { a: { SS: {} } } }, 'Start of structure or map found where not expected'],
    ['PutItem', { Item: { a: { L: ['23'] } } }, 'Unexpected value type in payload'],
    ['PutItem', { Item: { a: { BS: [[]] } } }, 'Unrecognized collection type class java.nio.ByteBuffer'],
    ['BatchGetItem', { RequestItems: { a: { Keys: ['23'] } } }, CLASSES],
    ['BatchWriteItem', { RequestItems: { a: '23' } }, CLASSES],
    [
      'BatchWriteItem',
      { RequestItems: [] },
      'Unrecognized collection type java.util.Map<java.lang.String, java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>',
    ],
    ['PutItem', { ExpressionAttributeNames: [] }, 'Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>'],
    ['PutItem', 'hello', ''],
    ['PutItem', '', ''],
    ['PutItem', { TableName: null, Unknown: 1 }, undefined],
  ])('%s %j: %s', async (operation, body, expected) => {
    expect(await fault('dynamodb', operation, body)).toBe(expected);
  });
});

// Recorded from SQS, Athena and SES.
describe('Coral', () => {
  test.each<[string, unknown, string | undefined]>([
    ['SendMessage', { DelaySeconds: '1' }, 'STRING_VALUE can not be converted to an Integer'],
    ['SendMessage', { DelaySeconds: true }, 'TRUE_VALUE can not be converted to an Integer'],
    ['SendMessage', { DelaySeconds: 1.5 }, undefined],
    ['SendMessage', { DelaySeconds: 99999999999 }, undefined],
    ['SendMessage', { MessageBody: 1 }, 'NUMBER_VALUE can not be converted to a String'],
    ['SendMessage', { MessageBody: false }, 'FALSE_VALUE can not be converted to a String'],
    ['SendMessage', { MessageBody: [] }, 'Start of list found where not expected'],
    ['SendMessage', { MessageBody: {} }, 'Start of structure or map found where not expected.'],
    ['SendMessage', { MessageAttributes: 'x' }, 'Expected map or null'],
    ['SendMessage', { MessageAttributes: { a: 'x' } }, 'Expected null'],
    [
      'SendMessage',
      { MessageAttributes: { a: { BinaryValue: '23456' } } },
      "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 5",
    ],
    ['SendMessageBatch', { Entries: 'x' }, 'Expected list or null'],
    ['SendMessage', [], 'Start of list found where not expected'],
    ['SendMessage', '{', ''],
    ['SendMessage', 'null', ''],
    ['SendMessage', '"x"', ''],
  ])('SQS %s %j: %s', async (operation, body, expected) => {
    expect(await fault('sqs', operation, body)).toBe(expected);
  });

  test('API Gateway names Java’s classes', async () => {
    expect(await fault('apigateway', 'PutIntegration', { type: 'AWS', requestParameters: { a: true } })).toBe(
      'class java.lang.Boolean can not be converted to an String',
    );
    expect(await fault('apigateway', 'PutIntegration', { type: 'AWS', requestParameters: { a: 1 } })).toBe(
      'class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String',
    );
  });

  test('levels are bounded', async () => {
    const deep = `{"Item":{"a":${'{"M":{"a":'.repeat(50_000)}{"S":""}${'}}'.repeat(50_000)}}}`;
    expect(await fault('dynamodb', 'PutItem', deep)).toBe('Nesting Levels have exceeded supported limits');
  });
});
