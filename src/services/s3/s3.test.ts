import { get } from 'node:http';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetBucketTaggingCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsOutput,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  type S3ServiceException,
  SelectObjectContentCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

let croft: TestCroft;
let s3: S3Client;
let count = 0;

beforeAll(async () => {
  croft = await startCroft();
  s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
});
afterAll(async () => {
  s3.destroy();
  await croft.stop();
});

async function newBucket(): Promise<string> {
  const Bucket = `bucket-${++count}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

const failure = (work: Promise<unknown>): Promise<S3ServiceException & Record<string, unknown>> =>
  work.then(
    () => {
      throw new Error('expected a failure');
    },
    (error) => error,
  );

const text = async (Bucket: string, Key: string, more: object = {}) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, ...more }))).Body?.transformToString();

describe('buckets', () => {
  it('are made, found, listed and deleted', async () => {
    const Bucket = await newBucket();
    const head = await s3.send(new HeadBucketCommand({ Bucket }));
    expect(head).toMatchObject({ BucketRegion: 'us-east-1', BucketArn: `arn:aws:s3:::${Bucket}`, AccessPointAlias: false });
    expect((await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint ?? '').toBe('');
    const list = await s3.send(new ListBucketsCommand({ Prefix: Bucket, MaxBuckets: 1 }));
    expect(list.Buckets?.map(({ Name }) => Name)).toEqual([Bucket]);
    await s3.send(new DeleteBucketCommand({ Bucket }));
    expect(await failure(s3.send(new HeadBucketCommand({ Bucket })))).toMatchObject({ name: 'NotFound', $metadata: { httpStatusCode: 404 } });
    expect(await failure(s3.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({ name: 'NoSuchBucket', BucketName: Bucket });
  });

  it('have the region that their constraint names', async () => {
    const west = new S3Client({ ...croft.sdk, region: 'us-west-2', forcePathStyle: true });
    const Bucket = `west-${++count}`;
    const elsewhere = west.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
    expect(await failure(elsewhere)).toMatchObject({ name: 'IllegalLocationConstraintException' });
    await west.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'us-west-2' } }));
    expect((await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBe('us-west-2');
    const again = west.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'us-west-2' } }));
    expect(await failure(again)).toMatchObject({ name: 'BucketAlreadyOwnedByYou', $metadata: { httpStatusCode: 409 } });
    west.destroy();
  });

  it('belong to one account', async () => {
    const Bucket = await newBucket();
    const other = new S3Client({ ...croft.sdk, credentials: { accessKeyId: '111122223333', secretAccessKey: 'x' }, forcePathStyle: true });
    expect(await failure(other.send(new CreateBucketCommand({ Bucket })))).toMatchObject({ name: 'BucketAlreadyExists' });
    expect(await failure(other.send(new ListObjectsV2Command({ Bucket })))).toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
    other.destroy();
  });

  it('page by token', async () => {
    const names = [`page-a-${++count}`, `page-b-${count}`, `page-c-${count}`];
    for (const Bucket of names) await s3.send(new CreateBucketCommand({ Bucket }));
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(new ListBucketsCommand({ Prefix: 'page-', MaxBuckets: 1, ContinuationToken }));
      seen.push(...(page.Buckets ?? []).map(({ Name }) => Name));
      ContinuationToken = page.ContinuationToken;
    } while (ContinuationToken);
    expect(seen).toEqual(names);
  });

  it('are listed after their owner, and objects after their bucket, as the Java SDK reads them', async () => {
    const Bucket = await newBucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a/<Contents>', Body: 'x' }));
    const order = async (path: string) =>
      [...(await (await fetch(`${croft.endpoint}${path}`)).text()).matchAll(/<(Owner|Buckets|Name|Contents|CommonPrefixes|Version)>/g)].map(([, name]) => name);
    expect((await order('/')).slice(0, 2)).toEqual(['Owner', 'Buckets']);
    expect(await order(`/${Bucket}?list-type=2`)).toEqual(['Name', 'Contents']);
    expect(await order(`/${Bucket}?delimiter=/`)).toEqual(['Name', 'CommonPrefixes']);
    expect((await order(`/${Bucket}?versions`)).slice(0, 2)).toEqual(['Name', 'Version']);
  });

  it('refuse what is not built, loudly', async () => {
    const Bucket = await newBucket();
    const input = { CSV: {} };
    const select = { Bucket, Key: 'k', Expression: 'SELECT *', ExpressionType: 'SQL', InputSerialization: input, OutputSerialization: input } as const;
    expect(await failure(s3.send(new SelectObjectContentCommand(select)))).toMatchObject({ name: 'NotImplemented', $metadata: { httpStatusCode: 501 } });
  });

  it('carry tags', async () => {
    const Bucket = await newBucket();
    expect(await failure(s3.send(new GetBucketTaggingCommand({ Bucket })))).toMatchObject({ name: 'NoSuchTagSet' });
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: 'a', Value: '' }] } }));
    expect((await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual([{ Key: 'a', Value: '' }]);
    const twice = [
      { Key: 'a', Value: '1' },
      { Key: 'a', Value: '2' },
    ];
    expect(await failure(s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: twice } })))).toMatchObject({ name: 'InvalidTag' });
  });
});

describe('objects', () => {
  it('come back as they were put, with their headers', async () => {
    const Bucket = await newBucket();
    const Key = 'a dir/ü&<>+%2F.txt';
    const put = await s3.send(
      new PutObjectCommand({ Bucket, Key, Body: 'hello', ContentType: 'text/plain', CacheControl: 'no-cache', Metadata: { One: '1' }, Tagging: 'k=v' }),
    );
    expect(put).toMatchObject({ ETag: '"5d41402abc4b2a76b9719d911017c592"', ChecksumType: 'FULL_OBJECT', ServerSideEncryption: 'AES256' });
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await got.Body?.transformToString()).toBe('hello');
    expect(got).toMatchObject({
      ContentType: 'text/plain',
      ContentLength: 5,
      CacheControl: 'no-cache',
      Metadata: { one: '1' },
      TagCount: 1,
      AcceptRanges: 'bytes',
    });
    expect(got.ContentEncoding).toBeUndefined();
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head).toMatchObject({ ContentLength: 5, ETag: put.ETag });
    expect(await text(Bucket, Key, { ResponseContentType: 'x/y' })).toBe('hello');
  });

  it('of every size survive', async () => {
    const Bucket = await newBucket();
    for (const size of [0, 1, 65_536, 65_537, 1_000_003]) {
      const Body = Buffer.alloc(size, size % 251);
      await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body }));
      const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
      expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
      expect(got.ContentLength).toBe(size);
    }
  });

  it('that are not there say so', async () => {
    const Bucket = await newBucket();
    expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'no' })))).toMatchObject({ name: 'NoSuchKey', Key: 'no' });
    expect(await failure(s3.send(new HeadObjectCommand({ Bucket, Key: 'no' })))).toMatchObject({ name: 'NotFound' });
    expect(await failure(s3.send(new GetObjectCommand({ Bucket: 'nothing-here', Key: 'no' })))).toMatchObject({ name: 'NoSuchBucket' });
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'no' }));
    expect(await failure(s3.send(new PutObjectCommand({ Bucket, Key: 'k'.repeat(1025), Body: 'x' })))).toMatchObject({ name: 'KeyTooLongError' });
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)('are checked by %s', async (ChecksumAlgorithm) => {
    const Bucket = await newBucket();
    const put = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'hello', ChecksumAlgorithm }));
    const value = put[`Checksum${ChecksumAlgorithm}`];
    expect(value).toBeTruthy();
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }));
    expect(got[`Checksum${ChecksumAlgorithm}`]).toBe(value);
    expect(await got.Body?.transformToString()).toBe('hello');
    const bad = s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'other', [`Checksum${ChecksumAlgorithm}`]: value }));
    expect(await failure(bad)).toMatchObject({ name: 'BadDigest' });
    const malformed = s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'other', [`Checksum${ChecksumAlgorithm}`]: 'nonsense' }));
    expect(await failure(malformed)).toMatchObject({ name: 'InvalidRequest' });
  });

  it('get the default checksum where the client sends none', async () => {
    const Bucket = await newBucket();
    const plain = new S3Client({ ...croft.sdk, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
    const put = await plain.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '123456789' }));
    expect(put.ChecksumCRC64NVME).toBe('rosUhgp5mIg=');
    plain.destroy();
  });

  it('are read in ranges', async () => {
    const Bucket = await newBucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '0123456789' }));
    const part = await s3.send(new GetObjectCommand({ Bucket, Key: 'k', Range: 'bytes=2-4' }));
    expect(part).toMatchObject({ ContentRange: 'bytes 2-4/10', ContentLength: 3, $metadata: { httpStatusCode: 206 } });
    expect(await part.Body?.transformToString()).toBe('234');
    expect(await text(Bucket, 'k', { Range: 'bytes=-3' })).toBe('789');
    expect(await text(Bucket, 'k', { Range: 'bytes=7-' })).toBe('789');
    const beyond = await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'k', Range: 'bytes=10-' })));
    expect(beyond).toMatchObject({ name: 'InvalidRange', ActualObjectSize: '10', $metadata: { httpStatusCode: 416 } });
  });

  it('are read and written on conditions', async () => {
    const Bucket = await newBucket();
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '1', IfNoneMatch: '*' }));
    expect(await failure(s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '2', IfNoneMatch: '*' })))).toMatchObject({ name: 'PreconditionFailed' });
    expect(await failure(s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '2', IfMatch: '"x"' })))).toMatchObject({ name: 'PreconditionFailed' });
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '2', IfMatch: ETag }));
    expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'k', IfMatch: ETag })))).toMatchObject({ Condition: 'If-Match' });
    const fresh = await s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }));
    const cached = await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'k', IfNoneMatch: fresh.ETag })));
    expect(cached.$metadata.httpStatusCode).toBe(304);
    expect(await text(Bucket, 'k', { IfNoneMatch: ETag })).toBe('2');
  });

  it('are copied with or without what was said of them', async () => {
    const Bucket = await newBucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'from/ä', Body: 'data', Metadata: { a: '1' }, ContentType: 'x/y', Tagging: 't=1' }));
    const CopySource = `${Bucket}/${encodeURIComponent('from/ä')}`;
    const copied = await s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource }));
    expect(copied.CopyObjectResult?.ETag).toBe('"8d777f385d3dfec8815d20f7496026dc"');
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'to' }))).toMatchObject({ Metadata: { a: '1' }, ContentType: 'x/y' });
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource, MetadataDirective: 'REPLACE', Metadata: { b: '2' } }));
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'to' }))).Metadata).toEqual({ b: '2' });
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'to' }))).TagSet).toEqual([{ Key: 't', Value: '1' }]);
    expect(await failure(s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/to` })))).toMatchObject({ name: 'InvalidRequest' });
    expect(await failure(s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/none` })))).toMatchObject({ name: 'NoSuchKey' });
  });

  it('are deleted many at once', async () => {
    const Bucket = await newBucket();
    for (const Key of ['a', 'b', 'c']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    expect(await failure(s3.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({ name: 'BucketNotEmpty' });
    const done = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a' }, { Key: 'zz' }] } }));
    expect(done.Deleted).toEqual([{ Key: 'a' }, { Key: 'zz' }]);
    const quiet = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Quiet: true, Objects: [{ Key: 'b' }, { Key: 'c' }] } }));
    expect(quiet.Deleted).toBeUndefined();
    await s3.send(new DeleteBucketCommand({ Bucket }));
  });

  it('carry tags and attributes', async () => {
    const Bucket = await newBucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'k', Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } }));
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'k' }))).TagSet).toEqual([{ Key: 'a', Value: 'b' }]);
    const attributes = await s3.send(
      new GetObjectAttributesCommand({ Bucket, Key: 'k', ObjectAttributes: ['ETag', 'ObjectSize', 'StorageClass', 'Checksum'] }),
    );
    expect(attributes).toMatchObject({
      ETag: '9dd4e461268c8034f5c8564e155c67a6',
      ObjectSize: 1,
      StorageClass: 'STANDARD',
      Checksum: { ChecksumType: 'FULL_OBJECT' },
    });
  });

  it('are put and got by presigned URLs', async () => {
    const Bucket = await newBucket();
    const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'k' }), { expiresIn: 60 });
    expect((await fetch(put, { method: 'PUT', body: 'by url' })).status).toBe(200);
    const getUrl = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'k', ResponseContentType: 'x/y' }), { expiresIn: 60 });
    const answer = await fetch(getUrl);
    expect(answer.headers.get('content-type')).toBe('x/y');
    expect(await answer.text()).toBe('by url');
  });

  it('are reached by virtual host', async () => {
    const Bucket = await newBucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'v' }));
    const body = await new Promise<string>((resolve, reject) => {
      // fetch would not send another Host.
      get(`${croft.endpoint}/k`, { headers: { host: `${Bucket}.s3.localhost:${croft.port}` } }, (answer) => {
        let all = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          all += part;
        });
        answer.on('end', () => resolve(all));
      }).on('error', reject);
    });
    expect(body).toBe('v');
  });
});

describe('lists', () => {
  it('roll up, page and encode', async () => {
    const Bucket = await newBucket();
    for (const Key of ['a', 'dir/1', 'dir/2', 'dir/sub/3', 'z é']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const rolled = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: '/' }));
    expect(rolled.Contents?.map(({ Key }) => Key)).toEqual(['a', 'z é']);
    expect(rolled.CommonPrefixes).toEqual([{ Prefix: 'dir/' }]);
    expect(rolled.KeyCount).toBe(3);
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: '/', MaxKeys: 1, ContinuationToken }));
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key), ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    expect(seen).toEqual(['a', 'dir/', 'z é']);
    const first = await s3.send(new ListObjectsCommand({ Bucket, Prefix: 'dir/', MaxKeys: 2, EncodingType: 'url' }));
    expect(first).toMatchObject({ IsTruncated: true, Prefix: 'dir/', Marker: '' });
    const second = await s3.send(new ListObjectsCommand({ Bucket, Prefix: 'dir/', Marker: 'dir/2', EncodingType: 'url' }));
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(['dir/sub/3']);
    const encoded = await s3.send(new ListObjectsV2Command({ Bucket, StartAfter: 'dir/sub/3', EncodingType: 'url' }));
    expect(encoded.Contents?.map(({ Key }) => Key)).toEqual(['z+%C3%A9']);
    expect((await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }))).KeyCount).toBe(0);
    expect(await failure(s3.send(new ListObjectsV2Command({ Bucket, ContinuationToken: 'x' })))).toMatchObject({ name: 'InvalidArgument' });
  });
});

describe('versions', () => {
  it('are kept, listed, and hidden by delete markers', async () => {
    const Bucket = await newBucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'null' }));
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const one = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'one' }));
    const two = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'two' }));
    expect(await text(Bucket, 'k', { VersionId: one.VersionId })).toBe('one');
    expect(await text(Bucket, 'k', { VersionId: 'null' })).toBe('null');
    const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    expect(marker.DeleteMarker).toBe(true);
    expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'k' })))).toMatchObject({ name: 'NoSuchKey' });
    const byId = await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'k', VersionId: marker.VersionId })));
    expect(byId).toMatchObject({ name: 'MethodNotAllowed', ResourceType: 'DeleteMarker' });
    const list = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(list.Versions?.map(({ VersionId }) => VersionId)).toEqual([two.VersionId, one.VersionId, 'null']);
    expect(list.DeleteMarkers).toMatchObject([{ VersionId: marker.VersionId, IsLatest: true }]);
    expect((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: marker.VersionId }));
    expect(await text(Bucket, 'k')).toBe('two');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: two.VersionId }));
    expect(await text(Bucket, 'k')).toBe('one');
    expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'k', VersionId: two.VersionId })))).toMatchObject({ name: 'NoSuchVersion' });
    expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'k', VersionId: 'x'.repeat(32) })))).toMatchObject({ name: 'InvalidArgument' });
    expect(await failure(s3.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({ name: 'BucketNotEmpty' });
  });

  it('are overwritten in place while versioning is suspended', async () => {
    const Bucket = await newBucket();
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const kept = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'kept' }));
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'first' }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'second' }));
    const list = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(list.Versions?.map(({ VersionId }) => VersionId)).toEqual(['null', kept.VersionId]);
    expect(await text(Bucket, 'k')).toBe('second');
  });

  it('are paged within a key', async () => {
    const Bucket = await newBucket();
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const ids: (string | undefined)[] = [];
    for (const Key of ['a', 'b', 'b', 'b', 'c']) ids.push((await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))).VersionId);
    const seen: (string | undefined)[] = [];
    let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
    while (marker) {
      const page: ListObjectVersionsOutput = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 2, ...marker }));
      const { Versions, IsTruncated, NextKeyMarker, NextVersionIdMarker } = page;
      seen.push(...(Versions ?? []).map(({ VersionId }) => VersionId));
      marker = IsTruncated ? { KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker } : undefined;
    }
    expect(seen).toEqual([ids[0], ids[3], ids[2], ids[1], ids[4]]);
  });
});
