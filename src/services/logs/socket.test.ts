import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  paginateFilterLogEvents,
  StartQueryCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

let croft: TestCroft;
let client: CloudWatchLogsClient;
const logGroupName = '/app';
const quiet = () => croft.server.platform.bus.quiet(10_000);

beforeAll(async () => {
  croft = await startCroft();
  client = new CloudWatchLogsClient(croft.sdk);
});
afterAll(() => croft.stop());

const failure = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    const { name, message, $metadata } = error as { name: string; message: string; $metadata: { httpStatusCode: number } };
    return [name, $metadata.httpStatusCode, message];
  }
  throw new Error('expected a rejection');
};

it('serves the SDK, its paginator included, and removes what is deleted or expired', async () => {
  const { clock, store } = croft.server.platform;
  const start = clock.virtual();
  await client.send(new CreateLogGroupCommand({ logGroupName }));
  for (const logStreamName of ['a', 'b']) {
    await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    const logEvents = Array.from({ length: 250 }, (_, i) => ({ timestamp: start + i * 10, message: `${logStreamName} ${i} ünï` }));
    const put = await client.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    expect(put.rejectedLogEventsInfo).toBeUndefined();
  }
  const seen: string[] = [];
  for await (const page of paginateFilterLogEvents({ client, pageSize: 60 }, { logGroupName }))
    seen.push(...(page.events ?? []).map((event) => event.message ?? ''));
  expect(seen).toEqual(Array.from({ length: 250 }, (_, i) => [`a ${i} ünï`, `b ${i} ünï`]).flat());
  const tail = await client.send(new GetLogEventsCommand({ logGroupName, logStreamName: 'b', limit: 1 }));
  expect(tail.events?.[0]).toMatchObject({ message: 'b 249 ünï', timestamp: start + 2490 });

  await client.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 1 }));
  clock.advance(86_400_000 + 60_000);
  expect((await client.send(new FilterLogEventsCommand({ logGroupName }))).events).toEqual([]);
  expect(await quiet()).toBe(true);
  clock.advance(86_400_000);
  expect(await quiet()).toBe(true);
  expect((await client.send(new DescribeLogGroupsCommand({}))).logGroups?.[0]?.storedBytes).toBe(0);

  await client.send(new DeleteLogGroupCommand({ logGroupName }));
  expect(await quiet()).toBe(true);
  expect((await store.range({ from: 'logs', to: 'logt' })).entries).toEqual([]);
});

it('answers mistakes as AWS does, and what is not built by name', async () => {
  expect(await failure(client.send(new CreateLogGroupCommand({ logGroupName: 'a b' })))).toEqual([
    'InvalidParameterException',
    400,
    "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
  ]);
  expect(await failure(client.send(new DeleteLogGroupCommand({ logGroupName: 'none' })))).toEqual([
    'ResourceNotFoundException',
    400,
    'The specified log group does not exist.',
  ]);
  expect(await failure(client.send(new StartQueryCommand({ queryString: 'fields @message', startTime: 0, endTime: 1, logGroupName: 'x' })))).toEqual([
    'NotImplemented',
    501,
    expect.stringContaining('StartQuery'),
  ]);
});

it('words names that are too long, and other limits, as AWS does', async () => {
  expect(await failure(client.send(new CreateLogGroupCommand({ logGroupName: 'a'.repeat(513) })))).toEqual([
    'InvalidParameterException',
    400,
    'Invalid LogGroup or LogStream, both must have length less than or equal to 512.',
  ]);
  expect(await failure(client.send(new DescribeLogGroupsCommand({ limit: 51 })))).toEqual([
    'InvalidParameterException',
    400,
    expect.stringMatching(/^1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50$/),
  ]);
});
