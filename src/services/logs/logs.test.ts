import { beforeEach, describe, expect, it } from 'vitest';
import { errorOf, fakePlatform } from '../../../test/fake-platform.ts';
import { createLogsRoom } from './index.ts';

type Rig = Awaited<ReturnType<typeof fakePlatform>>;
const T0 = Date.UTC(2026, 10, 21, 12, 0, 0);
const group = { logGroupName: '/aws/lambda/fn' };
const stream = { ...group, logStreamName: '2026/11/21/[$LATEST]a' };

let rig: Rig;
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
const call = (operation: string, input: Record<string, unknown>): Promise<any> => rig.ctx.call('logs', operation, input);
const put = (messages: [number, string][], to: Record<string, unknown> = stream) =>
  call('PutLogEvents', { ...to, logEvents: messages.map(([timestamp, message]) => ({ timestamp, message })) });
const messagesOf = (answer: { events: { message: string }[] }) => answer.events.map((e) => e.message);

beforeEach(async () => {
  rig = await fakePlatform([createLogsRoom()]);
  rig.clock.freeze(T0);
  await call('CreateLogGroup', { ...group, tags: { a: '1' } });
  await call('CreateLogStream', stream);
});

describe('resource policies', () => {
  it('are kept by name, ten of them', async () => {
    const policyDocument = '{"Statement":[]}';
    await call('PutResourcePolicy', { policyName: 'a', policyDocument });
    expect(await call('DescribeResourcePolicies', {})).toEqual({ resourcePolicies: [{ policyName: 'a', policyDocument, lastUpdatedTime: T0 }] });
    await call('PutResourcePolicy', { policyName: 'a', policyDocument });
    for (let n = 1; n < 10; n++) await call('PutResourcePolicy', { policyName: `p${n}`, policyDocument });
    expect((await errorOf(call('PutResourcePolicy', { policyName: 'p10', policyDocument }))).code).toBe('LimitExceededException');
    expect((await errorOf(call('PutResourcePolicy', { policyName: 'a', policyDocument: '[]' }))).code).toBe('InvalidParameterException');
    await call('DeleteResourcePolicy', { policyName: 'a' });
    expect((await errorOf(call('DeleteResourcePolicy', { policyName: 'a' }))).message).toBe('Policy with name [a] does not exist.');
  });
});

describe('groups and streams', () => {
  it('describes a group with both forms of its ARN', async () => {
    await put([[T0, 'hello']]);
    const { logGroups } = await call('DescribeLogGroups', { logGroupNamePrefix: '/aws/' });
    expect(logGroups).toEqual([
      {
        logGroupName: '/aws/lambda/fn',
        creationTime: T0,
        metricFilterCount: 0,
        arn: 'arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/fn:*',
        storedBytes: 31,
        logGroupClass: 'STANDARD',
        logGroupArn: 'arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/fn',
        deletionProtectionEnabled: false,
      },
    ]);
    const searched = await call('DescribeLogGroups', { logGroupNamePattern: 'lambda' });
    expect(searched.logGroups).toHaveLength(1);
    expect(Object.keys(searched.logGroups[0])).not.toContain('storedBytes');
    expect(Object.keys(searched.logGroups[0])).not.toContain('deletionProtectionEnabled');
  });

  it('refuses what exists and what does not', async () => {
    expect(await errorOf(call('CreateLogGroup', group))).toMatchObject({
      code: 'ResourceAlreadyExistsException',
      message: 'The specified log group already exists',
    });
    expect(await errorOf(call('CreateLogStream', stream))).toMatchObject({ message: 'The specified log stream already exists' });
    expect(await errorOf(call('DeleteLogGroup', { logGroupName: 'x' }))).toMatchObject({ message: 'The specified log group does not exist.' });
    expect(await errorOf(call('GetLogEvents', { ...group, logStreamName: 'x' }))).toMatchObject({ message: 'The specified log stream does not exist.' });
    expect(await errorOf(call('DescribeLogGroups', { logGroupNamePrefix: 'a', logGroupNamePattern: 'b' }))).toMatchObject({
      message: 'LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.',
    });
    expect(await errorOf(call('DescribeLogStreams', { ...group, logGroupIdentifier: group.logGroupName }))).toMatchObject({
      code: 'ValidationException',
      message: 'LogGroup name and LogGroup ARN are mutually exclusive parameters.',
    });
  });

  it('pages groups by the last name and filters by prefix and substring', async () => {
    for (const name of ['b1', 'b2', 'b3', 'c']) await call('CreateLogGroup', { logGroupName: name });
    const first = await call('DescribeLogGroups', { logGroupNamePrefix: 'b', limit: 2 });
    expect(first.logGroups.map((g: { logGroupName: string }) => g.logGroupName)).toEqual(['b1', 'b2']);
    expect(first.nextToken).toBe('b2');
    const second = await call('DescribeLogGroups', { logGroupNamePrefix: 'b', limit: 2, nextToken: first.nextToken });
    expect(second.logGroups).toHaveLength(1);
    expect(second.nextToken).toBeUndefined();
    expect((await call('DescribeLogGroups', { logGroupNamePattern: 'lambda' })).logGroups).toHaveLength(1);
  });

  it('orders streams by name and by last event, both ways, with tokens', async () => {
    for (const [name, at] of [
      ['s1', 3],
      ['s2', 1],
      ['s3', 2],
    ] as const) {
      await call('CreateLogStream', { ...group, logStreamName: name });
      await put([[T0 + at, 'x']], { ...group, logStreamName: name });
    }
    const names = async (input: Record<string, unknown>) => {
      const out: string[] = [];
      let nextToken: string | undefined;
      do {
        const page = await call('DescribeLogStreams', { ...group, limit: 1, ...input, ...(nextToken ? { nextToken } : {}) });
        out.push(...page.logStreams.map((s: { logStreamName: string }) => s.logStreamName));
        nextToken = page.nextToken;
      } while (nextToken);
      return out;
    };
    expect(await names({ logStreamNamePrefix: 's' })).toEqual(['s1', 's2', 's3']);
    expect(await names({ logStreamNamePrefix: 's', descending: true })).toEqual(['s3', 's2', 's1']);
    expect(await names({ orderBy: 'LastEventTime', descending: true })).toEqual(['s1', 's3', 's2', stream.logStreamName]);
    expect(await names({ orderBy: 'LastEventTime' })).toEqual([stream.logStreamName, 's2', 's3', 's1']);
    expect(await errorOf(call('DescribeLogStreams', { ...group, orderBy: 'LastEventTime', logStreamNamePrefix: 's' }))).toMatchObject({
      message: 'Cannot order by LastEventTime with a logStreamNamePrefix.',
    });
  });

  it('deletes a group and a stream at once and their events in the background', async () => {
    const other = { ...group, logStreamName: 'other' };
    await call('CreateLogStream', other);
    await put(Array.from({ length: 500 }, (_, i) => [T0 + i * 2_000, `m${i}`] as [number, string]).filter(([t]) => t < T0 + 7_000_000));
    await put([[T0, 'kept']], other);
    await call('DeleteLogStream', stream);
    expect(messagesOf(await call('FilterLogEvents', group))).toEqual(['kept']);
    await rig.bus.drain();
    expect((await call('DescribeLogGroups', {})).logGroups[0].storedBytes).toBe(30);
    await call('DeleteLogGroup', group);
    await call('CreateLogGroup', group);
    await call('CreateLogStream', other);
    expect(messagesOf(await call('FilterLogEvents', group))).toEqual([]);
    await rig.bus.drain();
    expect(rig.bus.waiting).toEqual([]);
    const left = await rig.platform.store.range({ from: 'logs', to: 'logt' });
    // The new group, its stream and that stream's name; of the old one nothing.
    expect(left.entries).toHaveLength(3);
  });
});

describe('PutLogEvents', () => {
  it('checks order, size and span, and reports what it leaves out', async () => {
    expect(
      await errorOf(
        put([
          [T0 + 1, 'a'],
          [T0, 'b'],
        ]),
      ),
    ).toMatchObject({
      code: 'InvalidParameterException',
      message: 'Log events in a single PutLogEvents request must be in chronological order.',
    });
    expect(await errorOf(put([[T0, 'x'.repeat(1_048_551)]]))).toMatchObject({ message: 'Upload too large: 1048577 bytes exceeds limit of 1048576' });
    await put([[T0, 'x'.repeat(1_048_550)]]);
    expect(
      await errorOf(
        put([
          [T0 - 86_400_001, 'a'],
          [T0, 'b'],
        ]),
      ),
    ).toMatchObject({
      message: 'The batch of log events in a single PutLogEvents request cannot span more than 24 hours.',
    });
    const day = 86_400_000;
    const answer = await put([
      [T0 - 15 * day, 'old'],
      [T0 - 14 * day - 1, 'old'],
      [T0 - 1, 'in'],
      [T0, 'in'],
      [T0 + 7_200_001, 'new'],
      [T0 + 8_000_000, 'new'],
    ]);
    expect(answer.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 2, tooNewLogEventStartIndex: 4 });
    expect(answer.nextSequenceToken).toMatch(/^\d{56}$/);
    await call('PutRetentionPolicy', { ...group, retentionInDays: 1 });
    expect(
      (
        await put([
          [T0 - 2 * day, 'expired'],
          [T0, 'in'],
        ])
      ).rejectedLogEventsInfo,
    ).toEqual({ expiredLogEventEndIndex: 1 });
  });

  it('keeps first, last and ingestion times', async () => {
    await put([[T0 + 5, 'b']]);
    await put([[T0 - 5, 'a']]);
    expect((await call('DescribeLogStreams', group)).logStreams[0]).toMatchObject({
      firstEventTimestamp: T0 - 5,
      lastEventTimestamp: T0 + 5,
      lastIngestionTime: T0,
      storedBytes: 0,
    });
  });
});

describe('GetLogEvents', () => {
  const times = Array.from({ length: 1_000 }, (_, i) => [T0 - 5_000 + i * 7, `m${i}`] as [number, string]);

  it('reads the tail by default and walks both ways to a token that stays', async () => {
    for (let i = 0; i < times.length; i += 10) await put(times.slice(i, i + 10));
    const tail = await call('GetLogEvents', { ...stream, limit: 3 });
    expect(messagesOf(tail)).toEqual(['m997', 'm998', 'm999']);
    const before = await call('GetLogEvents', { ...stream, limit: 2, nextToken: tail.nextBackwardToken });
    expect(messagesOf(before)).toEqual(['m995', 'm996']);
    const after = await call('GetLogEvents', { ...stream, nextToken: tail.nextForwardToken });
    expect(messagesOf(after)).toEqual([]);
    expect(after.nextForwardToken).toBe(tail.nextForwardToken);
    await put([[T0 + 9_000, 'late']]);
    expect(messagesOf(await call('GetLogEvents', { ...stream, nextToken: after.nextForwardToken }))).toEqual(['late']);
    let page = await call('GetLogEvents', { ...stream, startFromHead: true, limit: 333 });
    const all: string[] = [];
    for (;;) {
      all.push(...messagesOf(page));
      const next = await call('GetLogEvents', { ...stream, limit: 333, nextToken: page.nextForwardToken });
      if (next.nextForwardToken === page.nextForwardToken) break;
      page = next;
    }
    expect(all).toEqual([...times.map(([, m]) => m), 'late']);
    const first = await call('GetLogEvents', { ...stream, startFromHead: true, limit: 1 });
    const none = await call('GetLogEvents', { ...stream, nextToken: first.nextBackwardToken });
    expect([messagesOf(none), none.nextBackwardToken]).toEqual([[], first.nextBackwardToken]);
  });

  it('keeps the order of acceptance within a millisecond', async () => {
    await put([
      [T0, 'a'],
      [T0, 'b'],
    ]);
    await put([
      [T0, 'c'],
      [T0, 'd'],
    ]);
    await put([
      [T0 - 500, 'z'],
      [T0, 'e'],
    ]);
    expect(messagesOf(await call('GetLogEvents', { ...stream, startFromHead: true }))).toEqual(['z', 'a', 'b', 'c', 'd', 'e']);
    expect(messagesOf(await call('GetLogEvents', stream))).toEqual(['z', 'a', 'b', 'c', 'd', 'e']);
    expect(messagesOf(await call('GetLogEvents', { ...stream, startTime: T0 - 500, endTime: T0 }))).toEqual(['z']);
  });

  it('refuses tokens it did not give', async () => {
    for (const nextToken of ['x', 'f/1', 'b/abc/s', `f/${'9'.repeat(57)}/s`]) {
      expect(await errorOf(call('GetLogEvents', { ...stream, nextToken }))).toEqual({
        code: 'InvalidParameterException',
        message: 'The specified nextToken is invalid.',
        status: 400,
      });
    }
  });

  it('stops a page at 1 MB', async () => {
    for (let i = 0; i < 3; i++) await put([[T0 + i, String(i).repeat(600_000)]]);
    const page = await call('GetLogEvents', { ...stream, startFromHead: true });
    expect(page.events).toHaveLength(1);
    expect((await call('GetLogEvents', { ...stream, nextToken: page.nextForwardToken })).events).toHaveLength(1);
  });
});

describe('FilterLogEvents', () => {
  const streams = ['s1', 's2', 's3'].map((logStreamName) => ({ ...group, logStreamName }));
  beforeEach(async () => {
    for (const to of streams) await call('CreateLogStream', to);
    for (let i = 0; i < 300; i++) await put([[T0 + i * 11, `${i % 10 === 0 ? 'ERROR' : 'INFO'} ${i}`]], streams[i % 3]);
  });

  it('interleaves streams in order of time, with pattern, paging and stream choice', async () => {
    const collect = async (input: Record<string, unknown>) => {
      const out: { message: string; logStreamName: string; eventId: string }[] = [];
      let nextToken: string | undefined;
      do {
        const page = await call('FilterLogEvents', { ...group, ...input, ...(nextToken ? { nextToken } : {}) });
        out.push(...page.events);
        nextToken = page.nextToken;
      } while (nextToken);
      return out;
    };
    expect((await collect({})).map((e) => Number(e.message.split(' ')[1]))).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect((await collect({ filterPattern: 'ERROR', limit: 7 })).map((e) => e.message)).toEqual(Array.from({ length: 30 }, (_, i) => `ERROR ${i * 10}`));
    const two = await collect({ logStreamNames: ['s1', 's3'], limit: 9 });
    expect(two.map((e) => Number(e.message.split(' ')[1]))).toEqual(Array.from({ length: 300 }, (_, i) => i).filter((i) => i % 3 !== 1));
    expect(new Set(two.map((e) => e.logStreamName))).toEqual(new Set(['s1', 's3']));
    expect(await collect({ logStreamNamePrefix: 's2' })).toHaveLength(100);
    expect(await collect({ startTime: T0 + 11, endTime: T0 + 33 })).toHaveLength(2);
    const ids = (await collect({ limit: 50 })).map((e) => e.eventId);
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(300);
  });

  it('refuses a missing stream, both kinds of choice and a bad pattern', async () => {
    expect(await errorOf(call('FilterLogEvents', { ...group, logStreamNames: ['s1', 'nope'] }))).toMatchObject({ code: 'ResourceNotFoundException' });
    expect(await errorOf(call('FilterLogEvents', { ...group, logStreamNames: ['s1'], logStreamNamePrefix: 's' }))).toMatchObject({
      code: 'InvalidParameterException',
    });
    expect(await errorOf(call('FilterLogEvents', { ...group, filterPattern: '{ $.a = ' }))).toMatchObject({ code: 'InvalidParameterException' });
  });
});

describe('retention', () => {
  it('hides expired events at once and sweeps them later', async () => {
    await put([[T0, 'old']]);
    expect(await errorOf(call('PutRetentionPolicy', { ...group, retentionInDays: 4 }))).toMatchObject({
      code: 'InvalidParameterException',
      message: expect.stringContaining("Value '4' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5,"),
    });
    await call('PutRetentionPolicy', { ...group, retentionInDays: 1 });
    await rig.bus.drain();
    expect(messagesOf(await call('GetLogEvents', stream))).toEqual(['old']);
    rig.clock.advance(86_400_000 + 1);
    expect(messagesOf(await call('GetLogEvents', stream))).toEqual([]);
    expect(messagesOf(await call('FilterLogEvents', group))).toEqual([]);
    await put([[T0 + 86_400_000, 'new']]);
    rig.clock.advance(10_000);
    await rig.bus.drain();
    expect(messagesOf(await call('GetLogEvents', stream))).toEqual(['new']);
    expect((await call('DescribeLogGroups', {})).logGroups[0]).toMatchObject({ storedBytes: 29, retentionInDays: 1 });
    await call('DeleteRetentionPolicy', group);
    rig.clock.advance(7 * 86_400_000);
    await rig.bus.drain();
    expect(rig.bus.waiting).toEqual([]);
    expect(messagesOf(await call('GetLogEvents', stream))).toEqual(['new']);
  });
});

describe('tags', () => {
  it('adds, removes and lists by ARN and by name', async () => {
    const resourceArn = 'arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/fn';
    await call('TagResource', { resourceArn, tags: { b: '2' } });
    expect(await call('ListTagsLogGroup', group)).toEqual({ tags: { a: '1', b: '2' } });
    await call('UntagResource', { resourceArn, tagKeys: ['a'] });
    expect(await call('ListTagsForResource', { resourceArn })).toEqual({ tags: { b: '2' } });
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, '']));
    expect(await errorOf(call('TagLogGroup', { ...group, tags: many }))).toMatchObject({ code: 'TooManyTagsException' });
  });
});
