import { createHash } from 'node:crypto';
import type { PutObjectRequest } from '@aws-sdk/client-s3';
import { formatArn } from '../../kit/arn.ts';
import { AwsError } from '../../kit/errors.ts';
import { aclOfHeaders } from './domain/acl.ts';
import { customerKeyOf } from './domain/customer-key.ts';
import { encodeWords } from './domain/encoded-words.ts';
import { lockOfHeaders } from './domain/lock.ts';
import type { Attributes, BucketRecord, Encryption, ObjectHeaders } from './domain/records.ts';
import { tagsFromHeader } from './domain/tags.ts';
import { invalidArgument, invalidStorageClass, metadataTooLarge } from './errors.ts';
import { METADATA_BYTES_MAX } from './limits.ts';

const STORAGE_CLASSES: ReadonlySet<string> = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
]);
const ENCRYPTIONS: ReadonlySet<string> = new Set(['AES256', 'aws:kms', 'aws:kms:dsse']);

export const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

/** What PutObject, CreateMultipartUpload and CopyObject say about the object they make, in common. */
export type AttributeInput = Pick<
  PutObjectRequest,
  | 'ACL'
  | 'CacheControl'
  | 'ContentDisposition'
  | 'ContentEncoding'
  | 'ContentLanguage'
  | 'ContentType'
  | 'WebsiteRedirectLocation'
  | 'Metadata'
  | 'StorageClass'
  | 'Tagging'
  | 'ServerSideEncryption'
  | 'SSEKMSKeyId'
  | 'BucketKeyEnabled'
  | 'SSECustomerAlgorithm'
  | 'SSECustomerKey'
  | 'SSECustomerKeyMD5'
  | 'ObjectLockMode'
  | 'ObjectLockRetainUntilDate'
  | 'ObjectLockLegalHoldStatus'
  | 'GrantFullControl'
  | 'GrantRead'
  | 'GrantReadACP'
  | 'GrantWriteACP'
> & { readonly Expires?: unknown };

/** Throws the error of the first header that S3 would refuse, and 501 for those that Croft does not keep. */
export function attributesOf(bucket: BucketRecord, input: AttributeInput, nowMs: number): Attributes {
  const storageClass = input.StorageClass ?? 'STANDARD';
  if (!STORAGE_CLASSES.has(storageClass)) throw invalidStorageClass(storageClass);
  if (input.WebsiteRedirectLocation !== undefined && !/^(https?:\/)?\//.test(input.WebsiteRedirectLocation)) {
    throw new AwsError('InvalidRedirectLocation', "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.");
  }
  const acl = aclOfHeaders(bucket, input);
  const customerKeyMd5 = customerKeyOf(input);
  return {
    headers: headersOf(input),
    metadata: metadataOf(input.Metadata),
    tags: tagsFromHeader(input.Tagging),
    storageClass,
    encryption: customerKeyMd5 === undefined ? encryptionOf(bucket, input) : { algorithm: 'AES256', customerKeyMd5 },
    ...(acl === undefined ? {} : { acl }),
    ...lockOfHeaders(bucket, input, nowMs),
  };
}

export function headersOf(input: Partial<AttributeInput>): ObjectHeaders {
  const expires = input.Expires instanceof Date ? input.Expires.toUTCString() : typeof input.Expires === 'string' ? input.Expires : undefined;
  // The framing of the upload is no property of the object.
  const encoding = input.ContentEncoding?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && one !== 'aws-chunked')
    .join(',');
  return defined({
    ContentType: input.ContentType || DEFAULT_CONTENT_TYPE,
    CacheControl: input.CacheControl,
    ContentDisposition: input.ContentDisposition,
    ContentEncoding: encoding || undefined,
    ContentLanguage: input.ContentLanguage,
    Expires: expires,
    WebsiteRedirectLocation: input.WebsiteRedirectLocation,
  });
}

export function metadataOf(metadata: Record<string, string> | undefined, read = plainText): Record<string, string> {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name.toLowerCase(), headerText(read(value))] as const);
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (bytes > METADATA_BYTES_MAX) throw metadataTooLarge(bytes, METADATA_BYTES_MAX);
  return Object.fromEntries(entries);
}

/** What an object gets that names no encryption. */
function defaultEncryption(bucket: BucketRecord): Encryption {
  const { encryption } = bucket;
  if (!encryption || encryption.algorithm === 'AES256') return { algorithm: 'AES256' };
  return { ...encryption, kmsKeyId: encryption.kmsKeyId ?? awsManagedKey(bucket) };
}

/** What is beyond Latin-1 no header can carry as it is: a presigned URL's query can bring it. */
function headerText(value: string): string {
  return /[^ -\xff\t]/.test(value) ? encodeWords(value) : value;
}

const ENCODED_WORD = /^=\?UTF-8\?([BQ])\?([^?]*)\?=$/i;

/** S3 decodes metadata in the form of RFC 2047 where what comes out is ASCII, and keeps it encoded otherwise. */
function plainText(value: string): string {
  const word = ENCODED_WORD.exec(value);
  if (!word) return value;
  const text = word[2] ?? '';
  const bytes = word[1]?.toUpperCase() === 'B' ? Buffer.from(text, 'base64').toString('latin1') : quotedPrintable(text);
  return /^[\x20-\x7e]*$/.test(bytes) ? bytes : value;
}

function quotedPrintable(text: string): string {
  return text.replaceAll('_', ' ').replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

export function encryptionOf(bucket: BucketRecord, input: Pick<AttributeInput, 'ServerSideEncryption' | 'SSEKMSKeyId' | 'BucketKeyEnabled'>): Encryption {
  const algorithm = input.ServerSideEncryption;
  if (algorithm === undefined) return defaultEncryption(bucket);
  if (!ENCRYPTIONS.has(algorithm)) throw invalidArgument('The encryption method specified is not supported', 'x-amz-server-side-encryption', algorithm);
  if (algorithm === 'AES256') {
    if (input.SSEKMSKeyId === undefined) return { algorithm };
    throw new AwsError('InvalidArgument', 'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms', {
      members: { ArgumentName: 'x-amz-server-side-encryption', ArgumentValue: algorithm },
    });
  }
  return {
    algorithm,
    kmsKeyId: input.SSEKMSKeyId ?? awsManagedKey(bucket),
    ...((input.BucketKeyEnabled ?? bucket.encryption?.bucketKeyEnabled) ? { bucketKeyEnabled: true } : {}),
  };
}

/** The account's key `aws/s3`, which S3 uses where the writer names none. Recorded like every key here. */
export function awsManagedKey({ account, region }: Pick<BucketRecord, 'account' | 'region'>): string {
  const hex = createHash('sha256').update(`aws/s3:${account}:${region}`).digest('hex');
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  return formatArn({ service: 'kms', region, account, resource: `key/${id}` });
}

/** As output members. */
export function encryptionMembers(encryption: Encryption): {
  ServerSideEncryption?: string;
  SSEKMSKeyId?: string;
  BucketKeyEnabled?: boolean;
  SSECustomerAlgorithm?: string;
  SSECustomerKeyMD5?: string;
} {
  const { algorithm, kmsKeyId, bucketKeyEnabled, customerKeyMd5 } = encryption;
  if (customerKeyMd5 !== undefined) return { SSECustomerAlgorithm: algorithm, SSECustomerKeyMD5: customerKeyMd5 };
  return {
    ServerSideEncryption: algorithm,
    ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
    ...(bucketKeyEnabled ? { BucketKeyEnabled: true } : {}),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the members that are undefined. */
export function defined<T extends Record<string, unknown>>(record: T): Defined<T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Defined<T>;
}
