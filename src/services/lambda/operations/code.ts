import { webcrypto } from 'node:crypto';
import type { FunctionCode, LayerVersionContentInput, UpdateFunctionCodeRequest } from '@aws-sdk/client-lambda';
import { CodePackageError } from '../../../compute/failures.ts';
import { inspectZip } from '../../../compute/zip.ts';
import { AwsError, notImplemented } from '../../../kit/errors.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, StreamingBody } from '../../service.ts';
import type { Place } from '../domain/names.ts';
import { entityTooLarge, invalidParameter } from '../errors.ts';
import { hotDirectory } from '../hot-reload.ts';
import { HOT_RELOAD_BUCKET, HOT_RELOAD_SHA256, UNZIPPED_BYTES_MAX, ZIP_BYTES_MAX } from '../limits.ts';
import { type CodeRow, keys, readAll, type VersionRow } from '../store.ts';

type CodeInput = FunctionCode | UpdateFunctionCodeRequest | LayerVersionContentInput;

export interface CheckedZip {
  readonly zip: Uint8Array;
  readonly unzippedBytes: number;
  /** A directory in the place of a zip. */
  readonly directory?: string;
}

/** An end record and nothing before it. */
const EMPTY_ZIP = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);

/** The zip that a request gives or names in S3, checked. Throws AWS's errors. */
export async function readCode(ctx: Ctx, input: CodeInput, options: { readonly hotReload?: boolean } = {}): Promise<CheckedZip> {
  if ('SourceKMSKeyArn' in input && input.SourceKMSKeyArn !== undefined) throw notImplemented('SourceKMSKeyArn');
  const fromS3 = input.S3Bucket !== undefined || input.S3Key !== undefined;
  if (input.ZipFile !== undefined && fromS3) throw invalidParameter('Please do not provide other FunctionCode parameters when providing a ZipFile.');
  if (input.ZipFile === undefined && !fromS3) throw invalidParameter('Please provide a source for function code.');
  if (options.hotReload && input.S3Bucket === HOT_RELOAD_BUCKET) return { zip: EMPTY_ZIP, unzippedBytes: 0, directory: await hotDirectory(input.S3Key) };
  const zip = input.ZipFile ?? (await readFromS3(ctx, input));
  if (input.ZipFile && zip.length > ZIP_BYTES_MAX) throw entityTooLarge(`Zipped size must be smaller than ${ZIP_BYTES_MAX} bytes`);
  try {
    return { zip, ...(await inspectZip(zip)) };
  } catch (error) {
    if (error instanceof CodePackageError) throw invalidParameter(error.message);
    throw error;
  }
}

async function readFromS3(ctx: Ctx, input: CodeInput): Promise<Uint8Array> {
  const request = { Bucket: input.S3Bucket, Key: input.S3Key, ...(input.S3ObjectVersion === undefined ? {} : { VersionId: input.S3ObjectVersion }) };
  let object: Record<string, unknown>;
  try {
    object = await ctx.call('s3', 'GetObject', request);
  } catch (error) {
    if (!(error instanceof AwsError) || error.status >= 500) throw error;
    throw invalidParameter(`Error occurred while GetObject. S3 Error Code: ${error.code}. S3 Error Message: ${error.message}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of object['Body'] as StreamingBody) {
    size += chunk.length;
    if (size > UNZIPPED_BYTES_MAX) throw invalidParameter(`Unzipped size must be smaller than ${UNZIPPED_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What {@link keepCode} would keep, without keeping it (a dry run). */
export async function describeCode({ zip, unzippedBytes, directory }: CheckedZip): Promise<Omit<CodeRow, 'blobId'>> {
  if (directory !== undefined) return { size: 0, sha256: HOT_RELOAD_SHA256, unzippedBytes, directory };
  // In the thread pool: a large package is tens of milliseconds of hashing.
  const digest = await webcrypto.subtle.digest('SHA-256', zip as Uint8Array<ArrayBuffer>);
  return { size: zip.length, sha256: Buffer.from(digest).toString('base64'), unzippedBytes };
}

/** Writes the zip to a blob: before the commit that names it. */
export async function keepCode(ctx: Ctx, checked: CheckedZip): Promise<CodeRow> {
  const blob = await ctx.platform.blobs.write(
    (async function* () {
      yield checked.zip;
    })(),
  );
  return { blobId: blob.id, ...(await describeCode(checked)) };
}

/** Whether a published version still runs the code of a blob. */
export function isUsedByVersion(tx: Tx, place: Place, name: string, blobId: string): boolean {
  return readAll<VersionRow>(tx, keys.versions(place, name)).some(({ row }) => row.code.blobId === blobId);
}
