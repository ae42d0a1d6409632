import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { AwsError } from '../kit/errors.ts';
import { loadModel } from '../models/index.ts';
import type { Codec, CodecName } from './codec.ts';
import { codecNames, createCodec, isStreamingInput } from './index.ts';
import { asBuffer } from './scalars.ts';
import type { WireRequest, WireResponse } from './wire.ts';

const context = { requestId: 'req-1', method: 'POST' };

async function codecOf(service: string, name?: CodecName): Promise<Codec> {
  const model = await loadModel(service);
  return createCodec(model, name ?? codecNames(model)[0] ?? 'restJson');
}

function operation(codec: Codec, name: string) {
  const found = codec.model.operations[name];
  if (!found) throw new Error(`no operation ${name}`);
  return found;
}

function request(body: string | Buffer | Readable, rest: Partial<WireRequest> = {}): WireRequest {
  return { method: 'POST', path: '/', query: '', headers: {}, ...rest, body: typeof body === 'string' ? Buffer.from(body) : body };
}

function text(response: WireResponse): string {
  return asBuffer(response.body as Buffer).toString('utf8');
}

describe('awsJson', () => {
  test('DynamoDB: headers with a checksum, errors with their namespace and members', async () => {
    const codec = await codecOf('dynamodb');
    const answer = codec.encode(operation(codec, 'GetItem'), { Item: { a: { N: '1' }, b: { B: Buffer.from('x') } } }, context);
    expect(text(answer)).toBe('{"Item":{"a":{"N":"1"},"b":{"B":"eA=="}}}');
    expect(answer.headers).toEqual({ 'Content-Type': 'application/x-amz-json-1.0', 'x-amzn-RequestId': 'req-1', 'x-amz-crc32': String(crc32(text(answer))) });
    const failed = new AwsError('ConditionalCheckFailedException', 'The conditional request failed', { members: { Item: { a: { S: 'x' } } } });
    const error = codec.encodeError(operation(codec, 'PutItem'), failed, context);
    expect(error.status).toBe(400);
    expect(text(error)).toBe(
      '{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed","Item":{"a":{"S":"x"}}}',
    );
    const canceled = new AwsError('TransactionCanceledException', 'Transaction cancelled', { members: { CancellationReasons: [{ Code: 'None' }] } });
    expect(JSON.parse(text(codec.encodeError(undefined, canceled, context)))).toEqual({
      __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
      Message: 'Transaction cancelled',
      CancellationReasons: [{ Code: 'None' }],
    });
  });

  test('Coral’s own errors keep Coral’s namespace; 1.1 has none', async () => {
    const dynamodb = await codecOf('dynamodb');
    expect(JSON.parse(text(dynamodb.encodeError(undefined, new AwsError('ValidationException', 'no'), context)))).toEqual({
      __type: 'com.amazon.coral.validate#ValidationException',
      message: 'no',
    });
    expect(text(dynamodb.encodeError(undefined, new AwsError('SerializationException', ''), context))).toBe(
      '{"__type":"com.amazon.coral.service#SerializationException"}',
    );
    const logs = await codecOf('logs');
    expect(text(logs.encodeError(undefined, new AwsError('ResourceNotFoundException', 'gone'), context))).toBe(
      '{"__type":"ResourceNotFoundException","message":"gone"}',
    );
  });

  test('SQS: what older SDKs read as the code; its status in query mode only', async () => {
    const codec = await codecOf('sqs');
    const error = new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');
    const answer = codec.encodeError(undefined, error, context);
    expect(answer.headers['x-amzn-query-error']).toBe('AWS.SimpleQueueService.NonExistentQueue;Sender');
    expect(JSON.parse(text(answer))).toEqual({ __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'The specified queue does not exist.' });
    const purge = new AwsError('PurgeQueueInProgress', 'busy');
    expect(codec.encodeError(undefined, purge, context).status).toBe(400);
    expect(codec.encodeError(undefined, purge, { ...context, queryMode: true }).status).toBe(403);
  });

  test('times with milliseconds, tokens filled in, unknown members ignored', async () => {
    const codec = createCodec(await loadModel('ssm'), 'awsJson1_1', () => 'token-1');
    const { model } = codec;
    const op = Object.values(model.operations).find(({ input }) =>
      Object.values(model.shapes[input?.shape ?? '']?.members ?? {}).some((ref) => ref.idempotencyToken),
    );
    if (!op?.input) throw new Error('no operation has a token');
    expect(Object.values(codec.decode(op, request('{"Unknown":{"a":[1]}}')))).toEqual(['token-1']);
    const logs = await codecOf('dynamodb');
    const at = new Date(1_700_000_000_123);
    const answer = logs.encode(operation(logs, 'DescribeTable'), { Table: { CreationDateTime: at, TableSizeBytes: 2 ** 60 } }, context);
    expect(text(answer)).toBe('{"Table":{"CreationDateTime":1700000000.123,"TableSizeBytes":1152921504606846976}}');
  });

  test('a map entry named __proto__ is an entry', async () => {
    const codec = await codecOf('dynamodb');
    const input = codec.decode(operation(codec, 'PutItem'), request('{"TableName":"t","Item":{"__proto__":{"S":"x"}},"__proto__":{"a":1}}'));
    expect(Object.keys(input['Item'] as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(input['Item'])).toBe(Object.prototype);
  });
});

describe('awsQuery', () => {
  test('IAM: lists, wrapper, namespace, errors', async () => {
    const codec = await codecOf('iam');
    const op = operation(codec, 'CreateRole');
    const body =
      'Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D&Tags.member.1.Key=k&Tags.member.1.Value=a+b&Tags.member.2.Key=l&Tags.member.2.Value=';
    expect(codec.decode(op, request(body))).toEqual({
      RoleName: 'r',
      AssumeRolePolicyDocument: '{}',
      Tags: [
        { Key: 'k', Value: 'a b' },
        { Key: 'l', Value: '' },
      ],
    });
    const role = { Path: '/', RoleName: 'a<b', RoleId: 'AROA', Arn: 'arn', CreateDate: new Date(0) };
    expect(text(codec.encode(op, { Role: role }, context))).toBe(
      '<CreateRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateRoleResult><Role><Path>/</Path><RoleName>a&lt;b</RoleName><RoleId>AROA</RoleId><Arn>arn</Arn><CreateDate>1970-01-01T00:00:00Z</CreateDate></Role></CreateRoleResult><ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></CreateRoleResponse>',
    );
    const error = codec.encodeError(op, new AwsError('NoSuchEntityException', 'gone'), context);
    expect(error.status).toBe(404);
    expect(text(error)).toBe(
      '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>gone</Message></Error><RequestId>req-1</RequestId></ErrorResponse>',
    );
    expect(text(codec.encodeError(op, new AwsError('ValidationException', 'v'), context))).toContain('<Code>ValidationError</Code>');
  });

  test('SQS as SDKs of the query days send and read it', async () => {
    const codec = await codecOf('sqs', 'awsQuery');
    const body =
      'Action=SendMessage&MessageBody=hi&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v&DelaySeconds=3';
    expect(codec.decode(operation(codec, 'SendMessage'), request(body))).toEqual({
      MessageBody: 'hi',
      DelaySeconds: 3,
      MessageAttributes: { a: { DataType: 'String', StringValue: 'v' } },
    });
    expect(codec.decode(operation(codec, 'CreateQueue'), request('QueueName=q&Attribute.1.Name=FifoQueue&Attribute.1.Value=true'))).toEqual({
      QueueName: 'q',
      Attributes: { FifoQueue: 'true' },
    });
    expect(codec.decode(operation(codec, 'ReceiveMessage'), request('AttributeName.1=All&AttributeName.2=x'))).toEqual({ AttributeNames: ['All', 'x'] });
    const messages = [{ MessageId: 'm', Body: 'b', Attributes: { SenderId: 's' } }];
    expect(text(codec.encode(operation(codec, 'ReceiveMessage'), { Messages: messages }, context))).toContain(
      '<ReceiveMessageResult><Message><MessageId>m</MessageId><Body>b</Body><Attribute><Name>SenderId</Name><Value>s</Value></Attribute></Message></ReceiveMessageResult>',
    );
    expect(text(codec.encodeError(undefined, new AwsError('QueueDoesNotExist', 'no'), context))).toContain(
      '<Code>AWS.SimpleQueueService.NonExistentQueue</Code>',
    );
  });

  test.each(['MaxItems=x', 'MaxItems=99999999999', 'Tags.member.x.Key=1', '%ZZ=1', `${'a.'.repeat(500)}b=1`])('refuses %s', async (body) => {
    const codec = await codecOf('iam');
    expect(() => codec.decode(operation(codec, body.startsWith('Tags') ? 'CreateRole' : 'ListRoles'), request(body))).toThrow(
      expect.objectContaining({ code: 'MalformedInput', status: 400 }),
    );
  });
});

describe('restJson', () => {
  test('Lambda: bindings, payloads that stream or are bytes, errors', async () => {
    const codec = await codecOf('lambda');
    const invoke = operation(codec, 'Invoke');
    const headers = { 'x-amz-invocation-type': 'Event', 'x-amz-log-type': 'Tail' };
    const input = codec.decode(invoke, request('{"a":1}', { path: '/2015-03-31/functions/my%3Afn/invocations', query: 'Qualifier=v1', headers }));
    expect({ ...input, Payload: asBuffer(input['Payload'] as Buffer).toString() }).toEqual({
      FunctionName: 'my:fn',
      InvocationType: 'Event',
      LogType: 'Tail',
      Qualifier: 'v1',
      Payload: '{"a":1}',
    });
    const answer = codec.encode(invoke, { StatusCode: 202, FunctionError: 'Unhandled', Payload: Buffer.from('{}') }, context);
    expect(answer.status).toBe(202);
    expect(answer.headers).toMatchObject({ 'X-Amz-Function-Error': 'Unhandled', 'x-amzn-RequestId': 'req-1' });
    const error = codec.encodeError(invoke, new AwsError('ResourceNotFoundException', 'Function not found: arn'), context);
    expect(error.status).toBe(404);
    expect(error.headers).toMatchObject({ 'x-amzn-ErrorType': 'ResourceNotFoundException', 'Content-Type': 'application/json' });
    expect(JSON.parse(text(error))).toEqual({ Type: 'User', Message: 'Function not found: arn' });
    const removed = codec.encode(operation(codec, 'DeleteFunction'), { StatusCode: 204 }, context);
    expect(removed.status).toBe(204);
    expect(text(removed)).toBe('');
  });

  test('API Gateway: wire names differ from members', async () => {
    const codec = await codecOf('apigatewayv2');
    const input = codec.decode(operation(codec, 'CreateApi'), request('{"name":"n","protocolType":"HTTP","tags":{"a":"b"},"Name":"not this"}'));
    expect(input).toEqual({ Name: 'n', ProtocolType: 'HTTP', Tags: { a: 'b' } });
    const answer = codec.encode(operation(codec, 'CreateApi'), { ApiId: 'x', CreatedDate: new Date(1000) }, context);
    expect(answer.status).toBe(201);
    expect(JSON.parse(text(answer))).toEqual({ apiId: 'x', createdDate: '1970-01-01T00:00:01Z' });
  });

  test('a body member is not read from where another belongs', async () => {
    const codec = await codecOf('lambda');
    const op = operation(codec, 'UpdateFunctionConfiguration');
    const input = codec.decode(op, request('{"FunctionName":"other","Timeout":5}', { path: '/2015-03-31/functions/mine/configuration' }));
    expect(input).toEqual({ FunctionName: 'mine', Timeout: 5 });
  });
});

describe('restXml: S3', () => {
  test('reads bodies, headers and metadata; refuses other documents', async () => {
    const codec = await codecOf('s3');
    const put = operation(codec, 'PutObject');
    expect(isStreamingInput(codec.model, put)).toBe(true);
    expect(isStreamingInput(codec.model, operation(codec, 'PutBucketTagging'))).toBe(false);
    const stream = Readable.from([Buffer.from('x')]);
    const headers = { 'x-amz-meta-a': '1', 'x-amz-meta-b-c': '2', 'content-type': 'text/plain', 'content-length': '1' };
    expect(codec.decode(put, request(stream, { method: 'PUT', path: '/b/k%20k/', headers }))).toEqual({
      Bucket: 'b',
      Key: 'k k/',
      Body: stream,
      ContentType: 'text/plain',
      ContentLength: 1,
      Metadata: { a: '1', 'b-c': '2' },
    });
    const remove = operation(codec, 'DeleteObjects');
    const body =
      '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object><Quiet>true</Quiet></Delete>';
    expect(codec.decode(remove, request(body, { path: '/b', query: 'delete' }))).toEqual({
      Bucket: 'b',
      Delete: { Objects: [{ Key: 'a&b' }, { Key: 'c' }], Quiet: true },
    });
    const malformed = expect.objectContaining({
      code: 'MalformedXML',
      message: 'The XML you provided was not well-formed or did not validate against our published schema',
    });
    for (const bad of ['<Delete>', 'x', '<Other/>', '<Delete><Quiet>maybe</Quiet></Delete>', '<!DOCTYPE a><Delete/>']) {
      expect(() => codec.decode(remove, request(bad, { path: '/b', query: 'delete' })), bad).toThrow(malformed);
    }
  });

  test('writes its documents and errors', async () => {
    const codec = await codecOf('s3');
    const list = codec.encode(
      operation(codec, 'ListObjectsV2'),
      { Name: 'b', IsTruncated: false, Contents: [{ Key: 'k', Size: 1 }], CommonPrefixes: [] },
      context,
    );
    expect(text(list)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated><Contents><Key>k</Key><Size>1</Size></Contents><Name>b</Name></ListBucketResult>',
    );
    expect(list.headers).toMatchObject({ 'x-amz-request-id': 'req-1', 'Content-Type': 'application/xml' });
    expect(list.headers['x-amz-id-2']).toBeTypeOf('string');
    expect(text(codec.encode(operation(codec, 'GetBucketLocation'), { LocationConstraint: 'eu-west-1' }, context))).toContain(
      '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>',
    );
    expect(text(codec.encode(operation(codec, 'GetBucketLocation'), {}, context))).toContain(
      '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>',
    );
    const error = codec.encodeError(undefined, new AwsError('NoSuchKey', 'The specified key does not exist.', { status: 404, members: { Key: 'k' } }), context);
    expect(error.status).toBe(404);
    expect(text(error)).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>NoSuchKey<\/Code><Message>The specified key does not exist.<\/Message><Key>k<\/Key><RequestId>req-1<\/RequestId><HostId>[^<]+<\/HostId><\/Error>$/,
    );
    expect(text(codec.encodeError(undefined, new AwsError('NotFound', 'Not Found', { status: 404 }), { ...context, method: 'HEAD' }))).toBe('');
  });

  test('an object’s bytes and headers pass through', async () => {
    const codec = await codecOf('s3');
    const stream = Readable.from([Buffer.from('x')]);
    const answer = codec.encode(
      operation(codec, 'GetObject'),
      { Body: stream, ContentType: 'text/css', ETag: '"e"', LastModified: new Date(0), Metadata: { a: '1' }, ContentLength: 1 },
      context,
    );
    expect(answer.body).toBe(stream);
    expect(answer.headers).toMatchObject({
      'Content-Type': 'text/css',
      ETag: '"e"',
      'Last-Modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
      'x-amz-meta-a': '1',
      'Content-Length': '1',
    });
  });
});

test('rpcv2Cbor: CloudWatch', async () => {
  const codec = await codecOf('cloudwatch');
  expect(codec.name).toBe('rpcv2Cbor');
  const error = codec.encodeError(undefined, new AwsError('ResourceNotFound', ''), context);
  expect(error.status).toBe(400);
  expect(error.headers).toMatchObject({
    'smithy-protocol': 'rpc-v2-cbor',
    'Content-Type': 'application/cbor',
    'x-amzn-query-error': 'ResourceNotFound;Sender',
  });
  expect(codec.encodeError(undefined, new AwsError('ResourceNotFound', ''), { ...context, queryMode: true }).status).toBe(404);
});

test('a codec is made once', async () => {
  const model = await loadModel('sts');
  expect(createCodec(model, 'awsQuery')).toBe(createCodec(model, 'awsQuery'));
  expect(await loadModel('sts')).toBe(model);
  await expect(loadModel('nothing')).rejects.toThrow('no model of nothing');
});
