import { LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFunction, invoke } from '../../test/e2e/functions.ts';
import { startCroft, type TestCroft } from '../../test/harness.ts';
import { zipFiles } from '../compute/testing.ts';
import { sweepBlobs } from './blob-sweep.ts';

let croft: TestCroft;
beforeAll(async () => {
  croft = await startCroft({ store: 'sqlite' });
});
afterAll(() => croft.stop());

const written = async (text: string) => (await croft.server.platform.blobs.write(chunks(text))).id;
async function* chunks(text: string) {
  yield Buffer.from(text);
}

test('a body that no commit names is deleted; code, objects and whatever a row names stay', async () => {
  const { platform } = croft.server;
  const lambda = new LambdaClient(croft.sdk);
  const s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
  const zip = await zipFiles({ 'index.js': 'exports.handler = async () => 1;' });
  await createFunction(lambda, 'kept', zip, { Runtime: 'nodejs24.x', Handler: 'index.handler' });
  await s3.send(new CreateBucketCommand({ Bucket: 'kept' }));
  await s3.send(new PutObjectCommand({ Bucket: 'kept', Key: 'k', Body: Buffer.alloc(3_000_000, 7) }));
  const orphan = await written('orphan');
  const named = await written('named');
  await platform.store.transact({ keys: ['zz'] }, (tx) => tx.put('zz', Buffer.from(JSON.stringify({ blobId: named }))));

  expect(await sweepBlobs(croft.server)).toBe(0);
  await new Promise((done) => setTimeout(done, 20));
  expect(await sweepBlobs(croft.server, 0)).toBe(1);

  await expect(platform.blobs.readAll(orphan)).rejects.toMatchObject({ code: 'ENOENT' });
  expect((await platform.blobs.readAll(named)).toString()).toBe('named');
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'kept', Key: 'k' }));
  expect((await Body?.transformToByteArray())?.length).toBe(3_000_000);
  expect((await invoke(lambda, 'kept', {})).payload).toBe(1);
});
