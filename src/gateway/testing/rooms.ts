import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { AwsError } from '../../kit/errors.ts';
import type { Ctx, EndpointRequest, Service } from '../../services/service.ts';

/** Rooms of one thought each, that show what reached them: the real ones have tests of their own. */
export function testRooms(): { rooms: Service[]; objects: Map<string, Buffer>; signals: AbortSignal[] } {
  const objects = new Map<string, Buffer>();
  const signals: AbortSignal[] = [];
  const s3: Service = {
    name: 's3',
    operations: {
      PutObject: {
        access: { resource: (_ctx, input) => `arn:aws:s3:::${String(input['Bucket'])}/${String(input['Key'])}` },
        run: async (_ctx: Ctx, input: { Bucket: string; Key: string; Body: Readable }) => {
          objects.set(`${input.Bucket}/${input.Key}`, await buffer(input.Body));
          return { ETag: '"tag"' };
        },
      },
      GetObject: {
        run: async (ctx: Ctx, input: { Bucket: string; Key: string }) => {
          signals.push(ctx.signal);
          const body = objects.get(`${input.Bucket}/${input.Key}`);
          if (!body) throw new AwsError('NoSuchKey', 'The specified key does not exist.', { status: 404, members: { Key: input.Key } });
          return { Body: piecesOf(body), ContentLength: body.length };
        },
      },
      HeadObject: {
        run: async (_ctx: Ctx, input: { Bucket: string; Key: string }) => ({ ContentLength: objects.get(`${input.Bucket}/${input.Key}`)?.length ?? 0 }),
      },
    },
  };
  const sqs: Service = {
    name: 'sqs',
    operations: {
      ListQueues: { run: async (ctx: Ctx) => ({ QueueUrls: [`${ctx.account}/${ctx.region}`] }) },
      SendMessage: { run: async (_ctx: Ctx, input: { MessageBody: string }) => ({ MessageId: input.MessageBody, MD5OfMessageBody: 'x' }) },
    },
  };
  const sts: Service = {
    name: 'sts',
    operations: {
      GetCallerIdentity: { run: async (ctx: Ctx) => ({ Account: ctx.account, Arn: ctx.principal.arn, UserId: ctx.principal.userId }) },
      AssumeRoleWithWebIdentity: { run: async (ctx: Ctx) => ({ SubjectFromWebIdentityToken: ctx.principal.type }) },
    },
  };
  const lambda: Service = {
    name: 'lambda',
    operations: {
      Invoke: {
        run: async (_ctx: Ctx, input: { FunctionName: string; Payload?: Uint8Array }) => ({
          StatusCode: 200,
          Payload: input.Payload ?? Buffer.from(input.FunctionName),
        }),
      },
      InvokeAsync: { run: async (_ctx: Ctx, input: { InvokeArgs: Readable }) => ({ Status: 200 + (await buffer(input.InvokeArgs)).length }) },
      GetFunction: {
        run: async () => {
          throw new AwsError('ResourceNotFoundException', 'Function not found', { status: 404, members: { Type: 'User' } });
        },
      },
    },
    endpoints: {
      'execute-api': async (ctx: Ctx, request: EndpointRequest) => ({
        status: request.path === '/broken' ? 7 : 200,
        headers: { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': 'https://shop.example' },
        body: JSON.stringify({
          id: request.id,
          stage: request.stage,
          path: request.path,
          query: request.query,
          body: String(request.body),
          caller: ctx.principal.type,
          region: ctx.region,
        }),
      }),
    },
  };
  const cloudwatch: Service = { name: 'cloudwatch', operations: { ListMetrics: { run: async (ctx: Ctx) => ({ Metrics: [{ Namespace: ctx.region }] }) } } };
  return { rooms: [s3, sqs, sts, lambda, cloudwatch], objects, signals };
}

async function* piecesOf(body: Buffer): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < body.length; from += 65_536) yield body.subarray(from, from + 65_536);
}
