import { createHash } from 'node:crypto';
import type { Ids } from '../../../kit/ids.ts';
import { invalidBucketName, keyTooLong } from '../errors.ts';
import { KEY_BYTES_LIMIT } from '../limits.ts';

const RESERVED_PREFIXES = ['xn--', 'sthree-', 'amzn-s3-demo-'] as const;
const RESERVED_SUFFIXES = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3', '-an'] as const;

/** "General purpose bucket naming rules". */
export function isBucketName(name: string): boolean {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) return false;
  if (name.includes('..') || /^\d{1,3}(\.\d{1,3}){3}$/.test(name)) return false;
  return !RESERVED_PREFIXES.some((p) => name.startsWith(p)) && !RESERVED_SUFFIXES.some((s) => name.endsWith(s));
}

/** Throws `InvalidBucketName`. */
export function checkBucketName(name: string): void {
  if (!isBucketName(name)) throw invalidBucketName(name);
}

/** Throws `KeyTooLongError`. */
export function checkKey(key: string): void {
  if (key.length * 3 <= KEY_BYTES_LIMIT) return;
  const size = Buffer.byteLength(key, 'utf8');
  if (size > KEY_BYTES_LIMIT) throw keyTooLong(size);
}

const VERSION_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._';
const VERSION_SEQUENCE = 6;
const VERSION_RANDOM = 20;
const VERSION_CHECK = 6;

function checkOf(text: string): string {
  return createHash('sha256').update(`s3-version:${text}`).digest('hex').slice(0, VERSION_CHECK);
}

/** The random part of a version id, to be had before a transaction. */
export function newStamp(ids: Ids): string {
  return ids.text(VERSION_RANDOM, VERSION_ALPHABET);
}

/**
 * A version id of AWS's length: the version's place in its key's history, so that lists go on after one that is gone, its stamp, and a
 * check that it was made here. AWS, too, knows a made-up id from a deleted version's.
 */
export function versionIdOf(sequence: number, stamp: string): string {
  let digits = '';
  for (let rest = sequence; digits.length < VERSION_SEQUENCE; rest = Math.floor(rest / VERSION_ALPHABET.length)) {
    digits = VERSION_ALPHABET.charAt(rest % VERSION_ALPHABET.length) + digits;
  }
  return digits + stamp + checkOf(digits + stamp);
}

/** What {@link versionIdOf} was given; undefined for any other text. */
export function sequenceOf(versionId: string): number | undefined {
  const text = versionId.slice(0, -VERSION_CHECK);
  if (text.length !== VERSION_SEQUENCE + VERSION_RANDOM || checkOf(text) !== versionId.slice(-VERSION_CHECK)) return undefined;
  return [...text.slice(0, VERSION_SEQUENCE)].reduce((sum, digit) => sum * VERSION_ALPHABET.length + VERSION_ALPHABET.indexOf(digit), 0);
}

export function isVersionId(text: string): boolean {
  return text === 'null' || sequenceOf(text) !== undefined;
}

/** An upload id that sorts by the time of its making, as ListMultipartUploads wants. */
export function newUploadId(ids: Ids, nowMs: number): string {
  return nowMs.toString(36).padStart(9, '0') + ids.text(55, VERSION_ALPHABET);
}

/** The 64 hex digits that stand for an account in owners and grants. */
export function canonicalUserId(account: string): string {
  return createHash('sha256').update(`canonical-user:${account}`).digest('hex');
}
