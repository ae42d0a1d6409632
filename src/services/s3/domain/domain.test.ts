import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIds } from '../../../kit/ids.ts';
import { slicesOf } from '../body.ts';
import { planChecksum } from './checksums.ts';
import { chooseParts, multipartEtag } from './completion.ts';
import { checkWrite, checkWriteForm, failedCondition } from './conditions.ts';
import { parseCopySource } from './copySource.ts';
import { commonPrefix, decodeToken, encodeToken, urlEncode } from './listing.ts';
import { isBucketName, isVersionId, newStamp, newUploadId, sequenceOf, versionIdOf } from './names.ts';
import { parseCopyRange, parseRange } from './ranges.ts';
import type { ObjectRecord, PartRecord, UploadRecord } from './records.ts';
import { tagsFromHeader, tagsFromSet } from './tags.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
};

describe('names', () => {
  it.each([
    ['abc', true],
    ['a.b-c', true],
    ['ab', false],
    ['a'.repeat(64), false],
    ['Abc', false],
    ['-abc', false],
    ['abc-', false],
    ['a..b', false],
    ['a_b', false],
    ['192.168.5.4', false],
    ['xn--abc', false],
    ['abc-s3alias', false],
    ['abc--ol-s3', false],
  ])('%s as a bucket name: %s', (name, valid) => expect(isBucketName(name)).toBe(valid));

  it('tells its own version ids from made-up ones', () => {
    const ids = createIds('names');
    for (let i = 0; i < 50; i++) {
      const id = versionIdOf(i * 1_000_003, newStamp(ids));
      expect(id).toHaveLength(32);
      expect(sequenceOf(id)).toBe(i * 1_000_003);
    }
    expect(isVersionId('null')).toBe(true);
    expect(isVersionId('HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD')).toBe(false);
  });

  it('makes upload ids that sort by time', () => {
    const ids = createIds('uploads');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 1e9 }), (at, later) => {
        expect(newUploadId(ids, at) < newUploadId(ids, at + later)).toBe(true);
      }),
    );
  });
});

describe('ranges', () => {
  it.each([
    ['bytes=0-8', 0, 8],
    ['bytes=1-1', 1, 1],
    ['bytes=1-', 1, 9],
    ['bytes=-2', 8, 9],
    ['bytes=-15', 0, 9],
    ['bytes=0-100', 0, 9],
  ])('%s of ten bytes', (header, start, end) => expect(parseRange(header, 10)).toEqual({ start, end }));

  it.each(['bytes=1-0', 'bytes=-', 'bytes=-1-', 'bytes=0-1,3-4', '0-8', 'chars=0-1', 'bytes=a-b', ''])('%s is ignored', (header) =>
    expect(parseRange(header, 10)).toBeUndefined(),
  );

  it.each(['bytes=10-', 'bytes=100-200', 'bytes=-0'])('%s lies outside', (header) => expect(codeOf(() => parseRange(header, 10))).toBe('InvalidRange'));

  it('of an empty body lies outside', () => expect(codeOf(() => parseRange('bytes=0-0', 0))).toBe('InvalidRange'));

  it.each([
    ['bytes=0-9', 'none'],
    ['bytes=0-10', 'InvalidArgument'],
    ['bytes=100-200', 'InvalidRequest'],
    ['bytes=1-0', 'InvalidArgument'],
    ['bytes=1-', 'InvalidArgument'],
    ['0-8', 'InvalidArgument'],
  ])('%s of a copy source: %s', (header, code) => expect(codeOf(() => parseCopyRange(header, 10))).toBe(code));

  it('cut blobs exactly', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 6 }), fc.nat(50), fc.nat(50), (bodies, a, b) => {
        const whole = Buffer.concat(bodies);
        const start = Math.min(a, b);
        const end = Math.max(a, b);
        const parts = bodies.map((body, i) => ({ blob: String(i), size: body.length }));
        const cut = slicesOf(parts, { start, end }).map((slice) => Buffer.from(bodies[Number(slice.blob)] ?? []).subarray(slice.start, slice.end + 1));
        expect(Buffer.concat(cut).equals(whole.subarray(start, end + 1))).toBe(true);
      }),
    );
  });
});

describe('conditions', () => {
  const facts = { etag: 'abc', modifiedMs: 10_000 };
  const at = (ms: number) => new Date(ms);
  it.each([
    [{}, undefined],
    [{ ifMatch: '"abc"' }, undefined],
    [{ ifMatch: 'x, "abc"' }, undefined],
    [{ ifMatch: '*' }, undefined],
    [{ ifMatch: '"x"' }, 'ifMatch'],
    [{ ifUnmodifiedSince: at(9_000) }, 'ifUnmodifiedSince'],
    [{ ifUnmodifiedSince: at(10_000) }, undefined],
    [{ ifMatch: '"abc"', ifUnmodifiedSince: at(9_000) }, undefined],
    [{ ifNoneMatch: '"abc"' }, 'ifNoneMatch'],
    [{ ifNoneMatch: '"x"', ifModifiedSince: at(20_000) }, undefined],
    [{ ifModifiedSince: at(10_000) }, 'ifModifiedSince'],
    [{ ifModifiedSince: at(9_000) }, undefined],
    [{ ifModifiedSince: at(99_000) }, undefined],
  ])('%j fails by %s', (conditions, failed) => expect(failedCondition(conditions, facts, 50_000)).toBe(failed));

  it.each([
    [{ IfNoneMatch: '*' }, 'none'],
    [{ IfNoneMatch: '"x"' }, 'NotImplemented'],
    [{ IfMatch: '*' }, 'NotImplemented'],
    [{ IfMatch: 'x', IfNoneMatch: '*' }, 'NotImplemented'],
  ])('%j to write: %s', (conditions, code) => expect(codeOf(() => checkWriteForm(conditions))).toBe(code));

  const object = { etag: 'abc', modifiedMs: 10_000, stamp: 's' } as ObjectRecord;
  const marker = { deleteMarker: true, modifiedMs: 10_000, sequence: 1, versionId: 'v', stamp: 's', account: '' } as const;
  it.each([
    [{ IfNoneMatch: '*' }, undefined, 'none'],
    [{ IfNoneMatch: '*' }, marker, 'none'],
    [{ IfNoneMatch: '*' }, object, 'PreconditionFailed'],
    [{ IfMatch: '"abc"' }, object, 'none'],
    [{ IfMatch: '"x"' }, object, 'PreconditionFailed'],
    [{ IfMatch: '"x"' }, undefined, 'NoSuchKey'],
    [{ IfMatch: '"x"' }, marker, 'NoSuchKey'],
  ])('%j over %j: %s', (conditions, current, code) => expect(codeOf(() => checkWrite(conditions, 'k', current))).toBe(code));

  it.each([
    [{ IfMatch: 'abc' }, object, { before: 's' }, 'none'],
    [{ IfMatch: 'abc' }, object, { before: 'another' }, 'ConditionalRequestConflict'],
    [{ IfMatch: 'abc' }, object, {}, 'ConditionalRequestConflict'],
    [{ IfNoneMatch: '*' }, undefined, {}, 'none'],
    [{ IfNoneMatch: '*' }, undefined, { before: 's' }, 'ConditionalRequestConflict'],
  ])('%j over %j of an upload begun with %j: %s', (conditions, current, upload, code) =>
    expect(codeOf(() => checkWrite(conditions, 'k', current, upload))).toBe(code),
  );
});

describe('tags', () => {
  it('are read from a header', () => expect(tagsFromHeader('a=1&b=x+y%2F&c=')).toEqual({ a: '1', b: 'x y/', c: '' }));
  it.each(['a=1&a=2', 'a=1,b=2', '=1', 'a=1=2', 'a=%ZZ'])('%s is no tag header', (header) =>
    expect(codeOf(() => tagsFromHeader(header))).toBe('InvalidArgument'),
  );
  it.each([
    [[{ Key: 'a,b', Value: '' }], 'InvalidTag'],
    [[{ Key: 'a', Value: 'b,c' }], 'InvalidTag'],
    [[{ Key: 'aws:a', Value: '' }], 'InvalidTag'],
    [[{ Key: 'a'.repeat(129), Value: '' }], 'InvalidTag'],
    [[{ Key: 'a' }], 'MalformedXML'],
    [Array.from({ length: 11 }, (_, i) => ({ Key: `k${i}`, Value: '' })), 'BadRequest'],
    [[{ Key: 'ünï +-=._:/@', Value: 'ok' }], 'none'],
  ])('%j is %s', (set, code) => expect(codeOf(() => tagsFromSet(set, 'object'))).toBe(code));
});

describe('copy sources', () => {
  it.each([
    ['/bucket/a%2Fb?versionId=x', { bucket: 'bucket', key: 'a/b', versionId: 'x' }],
    ['bucket/a%3FversionId%3Db', { bucket: 'bucket', key: 'a?versionId=b' }],
    ['bucket/a+b%2Bc', { bucket: 'bucket', key: 'a b+c' }],
    ['http://localhost:4566/bucket/a', { bucket: 'bucket', key: 'a' }],
  ])('%s', (header, expected) => expect(parseCopySource(header)).toEqual(expected));
  it.each(['bucket', 'bucket/', '/', 'b/%E0%A4%A', 'UPPER/k'])('%s is refused', (header) =>
    expect(codeOf(() => parseCopySource(header))).toBe('InvalidArgument'),
  );
});

describe('lists', () => {
  it.each([
    ['a/b/c', '', '/', 'a/'],
    ['a/b/c', 'a/', '/', 'a/b/'],
    ['a/b', 'a/', '/', undefined],
    ['a', '', undefined, undefined],
    ['a--b--c', 'a', '--', 'a--'],
  ])('%s under %j by %s is %s', (key, prefix, delimiter, expected) => expect(commonPrefix(key, prefix, delimiter)).toBe(expected));
  it('encode keys as AWS does', () => expect(urlEncode("a/b c+é~!'()*%")).toBe('a/b+c%2B%C3%A9%7E%21%27%28%29*%25'));
  it('give tokens that come back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeToken(encodeToken(text))).toBe(text);
      }),
    );
    for (const token of ['', 'x', 'AAAA', '!!']) expect(codeOf(() => decodeToken(token))).toBe('InvalidArgument');
  });
});

describe('checksums', () => {
  it.each([
    [{}, {}, undefined],
    [{ ChecksumCRC32: 'AAAAAA==' }, {}, { algorithm: 'CRC32', expected: 'AAAAAA==' }],
    [{}, { 'x-amz-trailer': 'x-amz-checksum-sha256' }, { algorithm: 'SHA256', trailer: 'x-amz-checksum-sha256' }],
  ])('%j with %j', (input, headers, plan) => expect(planChecksum(input, headers)).toEqual(plan));
  it.each([
    [{ ChecksumCRC32: 'nonsense' }, {}, 'InvalidRequest'],
    [{ ChecksumCRC32: 'AAAAAA' }, {}, 'InvalidRequest'],
    [{ ChecksumCRC32: 'AAAAAA==', ChecksumSHA1: 'AAAAAA==' }, {}, 'InvalidRequest'],
    [{ ChecksumCRC32: 'AAAAAA==' }, { 'x-amz-trailer': 'x-amz-checksum-crc32' }, 'InvalidRequest'],
    [{ ChecksumAlgorithm: 'CRC32' }, { 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'InvalidRequest'],
    [{ ChecksumXXHASH3: 'AAAAAAAAAAA=' }, {}, 'NotImplemented'],
    [{}, { 'x-amz-trailer': 'x-amz-checksum-md4' }, 'InvalidRequest'],
  ])('%j with %j: %s', (input, headers, code) => expect(codeOf(() => planChecksum(input, headers))).toBe(code));
});

describe('completion', () => {
  const upload = { uploadId: 'u' } as UploadRecord;
  const part = (number: number, size = 5 * 1024 ** 2): PartRecord => ({
    number,
    blob: '',
    size,
    etag: '5d41402abc4b2a76b9719d911017c592',
    modifiedMs: 0,
    checksums: {},
  });
  const named = (...numbers: number[]) => numbers.map((PartNumber) => ({ PartNumber, ETag: '"5d41402abc4b2a76b9719d911017c592"' }));
  it.each([
    [[part(1), part(7)], named(1, 7), 'none'],
    [[part(1), part(2, 1)], named(1, 2), 'none'],
    [[part(1, 1), part(2)], named(1, 2), 'EntityTooSmall'],
    [[part(1), part(2)], named(2, 1), 'InvalidPartOrder'],
    [[part(1)], named(1, 1), 'InvalidPartOrder'],
    [[part(1)], named(2), 'InvalidPart'],
    [[part(1)], [{ PartNumber: 1, ETag: 'x' }], 'InvalidPart'],
    [[part(1)], [], 'InvalidRequest'],
    [[part(1)], named(0), 'InvalidArgument'],
  ])('of %j by %j: %s', (uploaded, names, code) => expect(codeOf(() => chooseParts(upload, uploaded, names))).toBe(code));
  it("has the MD5 of the parts' MD5s as its ETag", () => {
    const md5s = Buffer.from('5d41402abc4b2a76b9719d911017c592'.repeat(2), 'hex');
    expect(multipartEtag([part(1), part(2)])).toBe(`${createHash('md5').update(md5s).digest('hex')}-2`);
  });
});
