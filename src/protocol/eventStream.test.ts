import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { AwsError } from '../kit/errors.ts';
import { loadModel } from '../models/index.ts';
import { codecNames, createCodec } from './index.ts';

interface Message {
  readonly headers: Record<string, { readonly type: string; readonly value: unknown }>;
  readonly body: Uint8Array;
}

/** The SDK's own reader of event messages. */
const { EventStreamCodec } = createRequire(import.meta.url)('@smithy/core/event-streams') as {
  EventStreamCodec: new (toUtf8: (bytes: Uint8Array) => string, fromUtf8: (text: string) => Uint8Array) => { decode(bytes: Uint8Array): Message };
};
const reader = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
);

async function frames(service: string, operation: string, output: Record<string, unknown>): Promise<{ headers: Record<string, unknown>; body: string }[]> {
  const model = await loadModel(service);
  const response = createCodec(model, codecNames(model)[0] ?? 'restJson').encode(model.operations[operation] as never, output, {
    requestId: 'r',
    method: 'POST',
  });
  expect(response.headers['Content-Type']).toBe('application/vnd.amazon.eventstream');
  const out: { headers: Record<string, unknown>; body: string }[] = [];
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    const { headers, body } = reader.decode(chunk);
    out.push({ headers: Object.fromEntries(Object.entries(headers).map(([name, { value }]) => [name, value])), body: Buffer.from(body).toString('utf8') });
  }
  return out;
}

async function* events(...list: unknown[]): AsyncGenerator<unknown> {
  for (const event of list) {
    if (event instanceof Error) throw event;
    yield event;
  }
}

describe('event streams, read by the SDK', () => {
  test('Lambda’s response stream: bytes, then JSON', async () => {
    const EventStream = events({ PayloadChunk: { Payload: Buffer.from('part') } }, { InvokeComplete: { ErrorCode: 'E' } });
    expect(await frames('lambda', 'InvokeWithResponseStream', { StatusCode: 200, EventStream })).toEqual([
      { headers: { ':message-type': 'event', ':event-type': 'PayloadChunk', ':content-type': 'application/octet-stream' }, body: 'part' },
      { headers: { ':message-type': 'event', ':event-type': 'InvokeComplete', ':content-type': 'application/json' }, body: '{"ErrorCode":"E"}' },
    ]);
  });

  test('Kinesis: an initial response, events, an exception', async () => {
    const EventStream = events(
      { SubscribeToShardEvent: { Records: [], ContinuationSequenceNumber: '1', MillisBehindLatest: 0 } },
      new AwsError('ResourceInUseException', 'busy'),
    );
    const [initial, first, exception] = await frames('kinesis', 'SubscribeToShard', { EventStream });
    expect(initial?.headers).toMatchObject({ ':event-type': 'initial-response' });
    expect(first).toMatchObject({
      headers: { ':event-type': 'SubscribeToShardEvent' },
      body: '{"Records":[],"ContinuationSequenceNumber":"1","MillisBehindLatest":0}',
    });
    expect(exception).toEqual({
      headers: { ':message-type': 'exception', ':exception-type': 'ResourceInUseException', ':content-type': 'application/json' },
      body: '{"message":"busy"}',
    });
  });

  test('S3 Select: XML and empty events', async () => {
    const Payload = events({ Records: { Payload: Buffer.from('a,b\n') } }, { Stats: { Details: { BytesScanned: 4 } } }, { End: {} });
    const [records, stats, end] = await frames('s3', 'SelectObjectContent', { Payload });
    expect(records?.body).toBe('a,b\n');
    expect(stats).toMatchObject({ headers: { ':event-type': 'Stats', ':content-type': 'text/xml' } });
    expect(stats?.body).toContain('<BytesScanned>4</BytesScanned>');
    expect(end).toEqual({ headers: { ':message-type': 'event', ':event-type': 'End' }, body: '' });
  });

  test('an unmodelled error ends the stream as an error message', async () => {
    const out = await frames('lambda', 'InvokeWithResponseStream', { StatusCode: 200, EventStream: events(new AwsError('Oops', 'why')) });
    expect(out).toEqual([{ headers: { ':message-type': 'error', ':error-code': 'Oops', ':error-message': 'why' }, body: '' }]);
  });
});
