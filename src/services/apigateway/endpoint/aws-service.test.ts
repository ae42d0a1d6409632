import { beforeEach, expect, it } from 'vitest';
import { fakePlatform } from '../../../../test/fake-platform.ts';
import { AwsError } from '../../../kit/errors.ts';
import type { EndpointRequest, Service } from '../../service.ts';
import { createApiGatewayRoom } from '../index.ts';
import { remapped } from './lambda-proxy.ts';

let sent: Record<string, unknown>[];
let failure: AwsError | undefined;

// A fake, because these tests are about the wire form that an integration's request has, and the one its answer gets.
const sqs: Service = {
  name: 'sqs',
  operations: {
    SendMessage: {
      run: async (ctx, input: Record<string, unknown>) => {
        sent.push({ ...input, region: ctx.region });
        if (failure) throw failure;
        return { MessageId: 'm-1', MD5OfMessageBody: 'd' };
      },
    },
  },
};

let call: (body: string) => Promise<{ status: number; body: string; contentType: string | undefined }>;
let integrate: (integration: Record<string, unknown>, responseTemplate?: string) => Promise<void>;

beforeEach(async () => {
  sent = [];
  failure = undefined;
  const room = createApiGatewayRoom();
  const rig = await fakePlatform([room, sqs]);
  await room.start?.(rig.platform);
  const { id: restApiId, rootResourceId: resourceId } = (await rig.ctx.call('apigateway', 'CreateRestApi', { name: 'n' })) as Record<string, string>;
  const at = { restApiId, resourceId, httpMethod: 'POST' };
  integrate = async (integration, responseTemplate) => {
    await rig.ctx.call('apigateway', 'PutMethod', { ...at, authorizationType: 'NONE' });
    const credentials = 'arn:aws:iam::000000000000:role/path/sender';
    await rig.ctx.call('apigateway', 'PutIntegration', { ...at, type: 'AWS', integrationHttpMethod: 'POST', credentials, ...integration });
    const responseTemplates = responseTemplate === undefined ? {} : { responseTemplates: { 'application/json': responseTemplate } };
    for (const statusCode of ['200', '400'])
      await rig.ctx.call('apigateway', 'PutIntegrationResponse', {
        ...at,
        statusCode,
        ...responseTemplates,
        ...(statusCode === '400' ? { selectionPattern: '400' } : {}),
      });
    await rig.ctx.call('apigateway', 'CreateDeployment', { restApiId, stageName: 'dev' });
  };
  call = async (body) => {
    const request: EndpointRequest = {
      method: 'POST',
      path: '/dev',
      query: '',
      headers: { 'content-type': 'application/json' },
      rawHeaders: [['Content-Type', 'application/json']],
      body: Buffer.from(body),
      id: restApiId ?? '',
      host: 'h',
      scheme: 'http',
      httpVersion: '1.1',
      sourceIp: '127.0.0.1',
    };
    const answer = await room.endpoints?.['execute-api']?.(rig.ctx, request);
    return { status: answer?.status ?? 0, body: String(answer?.body), contentType: answer?.headers['Content-Type'] };
  };
});

const form = { 'integration.request.header.Content-Type': "'application/x-www-form-urlencoded'" };

it('sends a form to a queue’s path, and takes the answer as JSON', async () => {
  await integrate(
    {
      uri: 'arn:aws:apigateway:eu-west-1:sqs:path/000000000000/orders',
      requestParameters: form,
      requestTemplates: { 'application/json': 'Action=SendMessage&MessageBody=$util.urlEncode($input.body)' },
    },
    '#set($r = $input.path("$.SendMessageResponse"))$r.SendMessageResult.MessageId $r.SendMessageResult.SequenceNumber.',
  );
  expect(await call('{"a":"ä&b"}')).toEqual({ status: 200, body: 'm-1 .', contentType: 'application/json' });
  expect(sent).toEqual([{ MessageBody: '{"a":"ä&b"}', QueueUrl: expect.stringMatching(/\/000000000000\/orders$/), region: 'eu-west-1' }]);
});

it('takes an action with its parameters from the query', async () => {
  await integrate({
    uri: 'arn:aws:apigateway:eu-west-1:sqs:action/SendMessage',
    requestParameters: {
      'integration.request.querystring.MessageBody': 'method.request.body.text',
      'integration.request.querystring.QueueUrl': "'http://h/000000000000/orders'",
      'integration.request.header.Accept': "'application/xml'",
    },
  });
  expect((await call('{"text":"a b"}')).body).toContain('<MessageId>m-1</MessageId>');
  expect(sent).toMatchObject([{ MessageBody: 'a b', QueueUrl: 'http://h/000000000000/orders' }]);
});

it('speaks JSON where a target is named, and maps errors by their status', async () => {
  await integrate({
    uri: 'arn:aws:apigateway:eu-west-1:sqs:path/',
    requestParameters: {
      'integration.request.header.Content-Type': "'application/x-amz-json-1.0'",
      'integration.request.header.X-Amz-Target': "'AmazonSQS.SendMessage'",
    },
  });
  expect(JSON.parse((await call('{"QueueUrl":"q","MessageBody":"m"}')).body)).toEqual({ MessageId: 'm-1', MD5OfMessageBody: 'd' });
  failure = new AwsError('QueueDoesNotExist', 'gone', { status: 400 });
  expect(await call('{"QueueUrl":"q","MessageBody":"m"}')).toMatchObject({ status: 400, body: expect.stringContaining('gone') });
});

it('answers 500 for an operation that does not exist', async () => {
  await integrate({ uri: 'arn:aws:apigateway:eu-west-1:sqs:action/Nothing' });
  expect(await call('{}')).toMatchObject({ status: 500 });
});

it('keeps reserved headers from being mapped, and gives them another name in answers', async () => {
  const at = { uri: 'arn:aws:apigateway:eu-west-1:sqs:path/', requestParameters: { 'integration.request.header.Authorization': "'mine'" } };
  await integrate(at);
  expect(await call('{}')).toMatchObject({ status: 500 });
  expect(sent).toEqual([]);
  expect(['Trailer', 'Via', 'Transfer-Encoding'].map(remapped)).toEqual(['x-amzn-Remapped-Trailer', 'Via', undefined]);
});
