import { expect, it } from 'vitest';
import { fakePlatform } from '../../../test/fake-platform.ts';
import type { Properties, ResourceRequest } from '../service.ts';
import { createLogsRoom } from './index.ts';

const requestOf = (properties: Properties, tags: Record<string, string> = {}): ResourceRequest => ({
  properties,
  logicalId: 'Group',
  stackId: 'arn:stack',
  stackName: 'stack',
  generatedName: () => 'stack-Group-ABCDEFGHIJKL',
  token: 'token',
  tags,
});

it('makes, changes and deletes a log group and a stream', async () => {
  const room = createLogsRoom();
  const rig = await fakePlatform([room]);
  const [group, stream] = room.resources ?? [];
  if (!group || !stream) throw new Error('no types');
  const before = { RetentionInDays: '7', Tags: [{ Key: 'own', Value: '1' }] };
  const created = await group.create(rig.ctx, requestOf(before, { stack: 's' }));
  // The same operation, tried again after a crash; then another one.
  expect(await group.create(rig.ctx, requestOf(before, { stack: 's' }))).toEqual(created);
  await expect(group.create(rig.ctx, { ...requestOf(before), token: 'other' })).rejects.toMatchObject({ code: 'ResourceAlreadyExistsException' });
  expect(created).toEqual({
    physicalId: 'stack-Group-ABCDEFGHIJKL',
    attributes: { Arn: 'arn:aws:logs:us-east-1:000000000000:log-group:stack-Group-ABCDEFGHIJKL:*' },
  });
  const describe = async () => ((await rig.ctx.call('logs', 'DescribeLogGroups', {})) as { logGroups: Record<string, unknown>[] }).logGroups[0];
  expect(await describe()).toMatchObject({ retentionInDays: 7 });
  const inGroup = { LogGroupName: created.physicalId, LogStreamName: 's' };
  await stream.create(rig.ctx, requestOf(inGroup));
  await stream.create(rig.ctx, requestOf(inGroup));
  await expect(stream.create(rig.ctx, { ...requestOf(inGroup), token: 'other' })).rejects.toMatchObject({ code: 'ResourceAlreadyExistsException' });
  await group.update(rig.ctx, { ...requestOf({ Tags: [{ Key: 'new', Value: '2' }] }), physicalId: created.physicalId, previous: before });
  expect(await describe()).not.toHaveProperty('retentionInDays');
  expect(await rig.ctx.call('logs', 'ListTagsLogGroup', { logGroupName: created.physicalId })).toEqual({ tags: { new: '2' } });
  const gone = { physicalId: created.physicalId, properties: {}, stackId: 'arn:stack', logicalId: 'Group' };
  await group.delete(rig.ctx, gone);
  await group.delete(rig.ctx, gone);
  await stream.delete(rig.ctx, { ...gone, physicalId: 's', properties: { LogGroupName: created.physicalId } });
  expect(await describe()).toBeUndefined();
  await rig.bus.drain();
  expect((await rig.platform.store.range({ from: 'logs', to: 'logt' })).entries).toEqual([]);
});
