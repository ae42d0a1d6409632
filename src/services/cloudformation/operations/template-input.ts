import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { includeFailed } from '../domain/includes.ts';
import { validationError } from '../errors.ts';
import { TEMPLATE_BODY_BYTES_MAX, TEMPLATE_URL_BYTES_MAX } from '../limits.ts';

interface TemplateInput {
  readonly TemplateBody?: string | undefined;
  readonly TemplateURL?: string | undefined;
}

/** A template's text: given as it is, or read from a bucket of this Croft as the caller. Undefined where neither is given. */
export async function templateText(ctx: Ctx, input: TemplateInput): Promise<string | undefined> {
  const { TemplateBody: body, TemplateURL: url } = input;
  if (body !== undefined && url !== undefined) throw validationError('Only one of TemplateBody and TemplateURL may be specified.');
  if (body !== undefined) {
    if (Buffer.byteLength(body) > TEMPLATE_BODY_BYTES_MAX) {
      throw validationError(
        `1 validation error detected: Value '${body}' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${TEMPLATE_BODY_BYTES_MAX}`,
      );
    }
    if (body === '')
      throw validationError(
        "1 validation error detected: Value '' at 'templateBody' failed to satisfy constraint: Member must have length greater than or equal to 1",
      );
    return body;
  }
  return url === undefined ? undefined : readUrl(ctx, url);
}

/** As {@link templateText}; a template must be there. */
export async function requiredTemplateText(ctx: Ctx, input: TemplateInput): Promise<string> {
  const text = await templateText(ctx, input);
  if (text === undefined) throw validationError('Either Template URL or Template Body must be specified.');
  return text;
}

/** Bucket and key of an S3 URL in path or virtual-host form, on AWS's names or this Croft's. */
export function parseS3Url(url: string): { Bucket: string; Key: string; VersionId?: string } | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, pathname, searchParams } = new URL(url);
  const version = searchParams.get('versionId');
  const rest = version === null ? {} : { VersionId: version };
  if (protocol === 's3:') return { Bucket: hostname, Key: decodeURIComponent(pathname.slice(1)), ...rest };
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  const virtual =
    /^(.+?)\.s3(?:[.-][a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|localhost(?:\.localstack\.cloud)?)$/.exec(hostname) ?? /^(.+)\.localhost$/.exec(hostname);
  const path = decodeURIComponent(pathname.slice(1));
  if (virtual?.[1] && virtual[1] !== 's3' && !/^s3[.-]/.test(virtual[1])) return { Bucket: virtual[1], Key: path, ...rest };
  const [bucket = '', ...key] = path.split('/');
  return bucket === '' || key.length === 0 ? undefined : { Bucket: bucket, Key: key.join('/'), ...rest };
}

async function readUrl(ctx: Ctx, url: string): Promise<string> {
  const place = parseS3Url(url);
  if (!place) throw validationError('TemplateURL must be a supported URL.');
  try {
    return await readObject(ctx, place);
  } catch (cause) {
    if (cause instanceof TooLarge) throw validationError(`Template may not exceed ${TEMPLATE_URL_BYTES_MAX} bytes in size.`);
    const message = cause instanceof Error ? cause.message : String(cause);
    throw Object.assign(
      validationError(`S3 error: ${message}\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html`),
      { cause },
    );
  }
}

/** The text of a snippet for `AWS::Include`, read as the caller. */
export async function includedText(ctx: Ctx, location: string): Promise<string> {
  const place = parseS3Url(location);
  if (!place) throw includeFailed('The location parameter is not a valid S3 uri.');
  try {
    return await readObject(ctx, place);
  } catch (cause) {
    if (cause instanceof TooLarge) throw includeFailed('The specified S3 object is too large.');
    const missing = cause instanceof AwsError && cause.code === 'NoSuchBucket';
    const message = missing ? `S3 bucket [${place.Bucket}] does not exist.` : cause instanceof Error ? cause.message : String(cause);
    throw Object.assign(includeFailed(message), { cause });
  }
}

class TooLarge extends Error {}

async function readObject(ctx: Ctx, place: { Bucket: string; Key: string; VersionId?: string }): Promise<string> {
  const { Body: body } = (await ctx.call('s3', 'GetObject', place)) as { Body: AsyncIterable<Uint8Array> };
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > TEMPLATE_URL_BYTES_MAX) throw new TooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
