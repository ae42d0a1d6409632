import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsOutput,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { checksumOf } from '../../kit/checksums.ts';
import { createS3Room } from './index.ts';

const MIB = 1024 ** 2;
const Bucket = 'multipart';
let croft: TestCroft;
let s3: S3Client;

beforeAll(async () => {
  croft = await startCroft();
  s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  s3.destroy();
  await croft.stop();
});

const failure = (work: Promise<unknown>): Promise<S3ServiceException & Record<string, unknown>> =>
  work.then(
    () => {
      throw new Error('expected a failure');
    },
    (error) => error,
  );

async function begin(Key: string, more: object = {}): Promise<string> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  return UploadId ?? '';
}

const put = (Key: string, UploadId: string, PartNumber: number, Body: Uint8Array, more: object = {}) =>
  s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...more }));

const complete = (Key: string, UploadId: string, Parts: object[], more: object = {}) =>
  s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }));

describe('multipart uploads', () => {
  it('become one object, whole, in ranges and by part', async () => {
    const Key = 'whole';
    const parts = [Buffer.alloc(5 * MIB, 'a'), Buffer.alloc(5 * MIB, 'b'), Buffer.from('end')];
    const UploadId = await begin(Key, { ContentType: 'x/y', Metadata: { m: '1' } });
    const sent = await Promise.all(parts.map((body, i) => put(Key, UploadId, i + 1, body)));
    const listed = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2 }));
    expect(listed).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' });
    const done = await complete(
      Key,
      UploadId,
      sent.map(({ ETag }, i) => ({ ETag, PartNumber: i + 1 })),
    );
    const md5s = Buffer.concat(parts.map((body) => createHash('md5').update(body).digest()));
    expect(done.ETag).toBe(`"${createHash('md5').update(md5s).digest('hex')}-3"`);
    expect(done.ChecksumCRC64NVME).toBe(checksumOf('CRC64NVME', Buffer.concat(parts)).toString('base64'));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const body = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
    expect(body.equals(Buffer.concat(parts))).toBe(true);
    expect(got).toMatchObject({ ContentType: 'x/y', Metadata: { m: '1' }, ContentLength: 10 * MIB + 3 });
    const across = await s3.send(new GetObjectCommand({ Bucket, Key, Range: `bytes=${5 * MIB - 2}-${5 * MIB + 1}` }));
    expect(await across.Body?.transformToString()).toBe('aabb');
    const third = await s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 3 }));
    expect(await third.Body?.transformToString()).toBe('end');
    expect(third).toMatchObject({ PartsCount: 3, $metadata: { httpStatusCode: 206 } });
    expect(await failure(s3.send(new HeadObjectCommand({ Bucket, Key, PartNumber: 4 })))).toMatchObject({ $metadata: { httpStatusCode: 416 } });
    expect(await failure(s3.send(new ListPartsCommand({ Bucket, Key, UploadId })))).toMatchObject({ name: 'NoSuchUpload' });
  });

  it('check order, size and tags of their parts', async () => {
    const Key = 'checked';
    const UploadId = await begin(Key);
    const one = await put(Key, UploadId, 1, Buffer.from('small'));
    const two = await put(Key, UploadId, 2, Buffer.from('last'));
    const parts = [
      { PartNumber: 1, ETag: one.ETag },
      { PartNumber: 2, ETag: two.ETag },
    ];
    expect(await failure(complete(Key, UploadId, parts))).toMatchObject({ name: 'EntityTooSmall', MinSizeAllowed: '5242880', PartNumber: '1' });
    expect(await failure(complete(Key, UploadId, [...parts].reverse()))).toMatchObject({ name: 'InvalidPartOrder' });
    expect(await failure(complete(Key, UploadId, [{ PartNumber: 1, ETag: two.ETag }]))).toMatchObject({ name: 'InvalidPart' });
    expect(await failure(complete(Key, UploadId, []))).toMatchObject({ $metadata: { httpStatusCode: 400 } });
    expect(await failure(complete('another', UploadId, parts))).toMatchObject({ name: 'NoSuchUpload' });
    expect(await failure(complete(Key, UploadId, [parts[1] ?? {}], { MpuObjectSize: 5 }))).toMatchObject({ name: 'InvalidRequest' });
    await complete(Key, UploadId, [parts[1] ?? {}]);
    expect(await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()).toBe('last');
  });

  it.each([
    ['CRC32', 'FULL_OBJECT'],
    ['CRC32C', 'FULL_OBJECT'],
    ['CRC32C', 'COMPOSITE'],
    ['SHA256', 'COMPOSITE'],
    ['SHA1', 'COMPOSITE'],
  ] as const)('carry %s as %s', async (ChecksumAlgorithm, ChecksumType) => {
    const Key = `sum-${ChecksumAlgorithm}-${ChecksumType}`;
    const member = `Checksum${ChecksumAlgorithm}`;
    const bodies = [Buffer.alloc(5 * MIB, 1), Buffer.from('tail')];
    const UploadId = await begin(Key, { ChecksumAlgorithm, ChecksumType });
    const sent = await Promise.all(bodies.map((body, i) => put(Key, UploadId, i + 1, body, { ChecksumAlgorithm })));
    const parts = sent.map((part, i) => ({ PartNumber: i + 1, ETag: part.ETag, [member]: (part as unknown as Record<string, unknown>)[member] }));
    if (ChecksumType === 'COMPOSITE') {
      const bare = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
      expect(await failure(complete(Key, UploadId, bare))).toMatchObject({ name: 'InvalidRequest' });
    }
    const done = (await complete(Key, UploadId, parts)) as unknown as Record<string, unknown>;
    const digests = bodies.map((body) => checksumOf(ChecksumAlgorithm, body));
    const expected =
      ChecksumType === 'COMPOSITE'
        ? `${checksumOf(ChecksumAlgorithm, Buffer.concat(digests)).toString('base64')}-2`
        : checksumOf(ChecksumAlgorithm, Buffer.concat(bodies)).toString('base64');
    expect(done[member]).toBe(expected);
    expect(done['ChecksumType']).toBe(ChecksumType);
    const attributes = await s3.send(new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['ObjectParts', 'Checksum'] }));
    expect(attributes.ObjectParts?.TotalPartsCount).toBe(2);
    expect(attributes.ObjectParts?.Parts?.length).toBe(ChecksumType === 'COMPOSITE' ? 2 : undefined);
    const read = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect((await read.Body?.transformToByteArray())?.length).toBe(5 * MIB + 4);
  });

  it('copy parts from other objects', async () => {
    const Key = 'copied';
    await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: '0123456789' }));
    const UploadId = await begin(Key);
    const copy = (CopySourceRange: string) =>
      s3.send(new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber: 1, CopySource: `${Bucket}/source`, CopySourceRange }));
    expect(await failure(copy('bytes=0-10'))).toMatchObject({ name: 'InvalidArgument' });
    expect(await failure(copy('0-1'))).toMatchObject({ name: 'InvalidArgument' });
    const { CopyPartResult } = await copy('bytes=2-5');
    await complete(Key, UploadId, [{ PartNumber: 1, ETag: CopyPartResult?.ETag }]);
    expect(await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()).toBe('2345');
  });

  it('are listed by key and time, and aborted', async () => {
    const keys = ['list/b', 'list/a', 'list/a', 'list/c/d'];
    const ids: string[] = [];
    for (const Key of keys) ids.push(await begin(Key));
    const seen: (string | undefined)[] = [];
    let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
    while (marker) {
      const page: ListMultipartUploadsOutput = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'list/', MaxUploads: 1, ...marker }));
      seen.push(...(page.Uploads ?? []).map(({ UploadId }) => UploadId));
      marker = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
    }
    expect(new Set(seen.slice(0, 2))).toEqual(new Set([ids[1], ids[2]]));
    expect(seen.slice(2)).toEqual([ids[0], ids[3]]);
    const rolled = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'list/', Delimiter: '/' }));
    expect(rolled.CommonPrefixes).toEqual([{ Prefix: 'list/c/' }]);
    for (const [i, UploadId] of ids.entries()) await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: keys[i], UploadId }));
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'list/' }))).Uploads).toBeUndefined();
    expect(await failure(s3.send(new AbortMultipartUploadCommand({ Bucket, Key: keys[0], UploadId: ids[0] })))).toMatchObject({ name: 'NoSuchUpload' });
  });

  it('leave no file behind once object, replaced part and aborted upload are gone', async () => {
    const { platform } = croft.server;
    const Key = 'clean';
    const UploadId = await begin(Key);
    await put(Key, UploadId, 1, Buffer.from('replaced'));
    const part = await put(Key, UploadId, 1, Buffer.from('kept'));
    await put(Key, UploadId, 2, Buffer.from('unused'));
    await complete(Key, UploadId, [{ PartNumber: 1, ETag: part.ETag }]);
    expect(await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()).toBe('kept');
    await platform.bus.quiet(5_000);
    expect(await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()).toBe('kept');
    for (const gone of ['whole', 'checked', 'copied', Key]) await s3.send(new DeleteObjectCommand({ Bucket, Key: gone }));
    const aborted = await begin(Key);
    await put(Key, aborted, 1, Buffer.from('aborted'));
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: aborted }));
    await platform.bus.quiet(5_000);
    // What is left is named by some row: nothing is an orphan, and only the checksum tests' parts are there.
    const owns = createS3Room().ownsBlob;
    const left: boolean[] = [];
    await platform.blobs.sweep(-60_000, async (id) => {
      left.push((await owns?.(platform, id)) ?? false);
      return true;
    });
    expect(left).toEqual(Array.from({ length: 10 }, () => true));
  });

  it('are what lib-storage does with a stream', async () => {
    const size = 12 * MIB + 7;
    const body = Readable.from(
      (function* () {
        for (let left = size; left > 0; left -= 64 * 1024) yield Buffer.alloc(Math.min(left, 64 * 1024), left & 0xff);
      })(),
      { objectMode: false },
    );
    const upload = new Upload({ client: s3, params: { Bucket, Key: 'streamed', Body: body }, queueSize: 3, partSize: 5 * MIB });
    await upload.done();
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'streamed' }))).ContentLength).toBe(size);
  });
});
