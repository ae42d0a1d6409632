import { createHmac } from 'node:crypto';
import type { PutObjectRequest } from '@aws-sdk/client-s3';
import type { Principal } from '../../identity/principal.ts';
import { sameSignature, signingKey } from '../../identity/sigv4.ts';
import { AwsError } from '../../kit/errors.ts';
import { hostId, s3ErrorAnswer } from '../../protocol/restXml.ts';
import type { WireResponse } from '../../protocol/wire.ts';
import { element, XML_HEADER } from '../../protocol/xml/encode.ts';
import { parseXml, XmlSyntaxError } from '../../protocol/xml/parse.ts';
import type { Ctx, EndpointRequest } from '../service.ts';
import { attributesOf, metadataOf } from './attributes.ts';
import { grantsNothing } from './buckets.ts';
import { checksumMember, planChecksum } from './domain/checksums.ts';
import { encodeWords, latin1Only } from './domain/encoded-words.ts';
import { checkKey } from './domain/names.ts';
import { checkPolicy, type PostSignature, parsePolicy, type SizeRange, signatureOf, withinSize } from './domain/post-policy.ts';
import type { BucketRecord } from './domain/records.ts';
import { encodePath } from './domain/website.ts';
import { accessDenied, invalidArgument, malformedXml, noSuchBucket } from './errors.ts';
import { happening } from './notify.ts';
import { storeObject } from './operations/put-object.ts';
import { boundaryOf, type PostForm, readForm } from './post-form.ts';
import { readBucket } from './store.ts';

/** What stands for the file's own name in a key. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: S3 writes it so
const FILENAME = '${filename}';

/** "POST Object": a browser's form, posted to a bucket. */
export async function postForm(ctx: Ctx, request: EndpointRequest): Promise<WireResponse> {
  try {
    return await answer(ctx, request);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return s3ErrorAnswer(error, { requestId: ctx.requestId, method: request.method });
  }
}

async function answer(ctx: Ctx, request: EndpointRequest): Promise<WireResponse> {
  const type = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data/i.test(type)) {
    throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
      status: 412,
      members: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
    });
  }
  const bucket = await readBucket(ctx.platform.store, request.id);
  if (!bucket) throw noSuchBucket(request.id);
  const form = await readForm(request.body as AsyncIterable<Uint8Array>, boundaryOf(type));
  const { fields, file } = form;
  const given = fields.get('key');
  if (!given) throw missing('key');
  const { principal, size } = await admit(ctx, bucket, fields);
  if (!file) throw invalidArgument('POST requires exactly one file upload per request.', 'file', '0');
  // Without a name there is nothing to put in its place.
  const key = file.name === '' ? given : given.replaceAll(FILENAME, file.name.replace(/^.*[\\/]/, ''));
  checkKey(key);
  const input = inputOf(form);
  // Fields are text already: what looks encoded in them was written so.
  const metadata = metadataOf(input.Metadata, (value) => value);
  const attributes = { ...attributesOf(bucket, input, ctx.platform.clock.virtual()), metadata, tags: tagsOf(fields.get('tagging')) };
  const headers = Object.fromEntries([...fields].filter(([name]) => name.startsWith('x-amz-checksum-') || name === 'x-amz-sdk-checksum-algorithm'));
  const { etag, checksum, written } = await storeObject(ctx, bucket, key, {
    attributes,
    source: withinSize(file.chunks, size),
    plan: planChecksum(checksumInput(fields), headers),
    expectedBytes: undefined,
    contentMd5: fields.get('content-md5'),
    conditions: {},
    what: happening(ctx, 'ObjectCreated:Post', principal),
  });
  const location = `${request.scheme}://${request.host}/${request.host.startsWith(`${bucket.name}.`) ? '' : `${bucket.name}/`}${encodePath(key)}`;
  const answered = {
    Server: 'AmazonS3',
    'x-amz-request-id': ctx.requestId,
    'x-amz-id-2': hostId(ctx.requestId),
    ETag: `"${etag}"`,
    Location: location,
    'x-amz-server-side-encryption': attributes.encryption.algorithm,
    ...Object.fromEntries(Object.entries(checksumMember(checksum.algorithm, checksum.value)).map(([name, value]) => [checksumHeader(name), value])),
    'x-amz-checksum-type': checksum.type,
    ...(written.versioning === 'Enabled' ? { 'x-amz-version-id': written.version.versionId } : {}),
  };
  return respond(fields, answered, { bucket: bucket.name, key, etag, location });
}

const checksumHeader = (member: string) => `x-amz-checksum-${member.slice('Checksum'.length).toLowerCase()}`;

function missing(name: string): AwsError {
  return invalidArgument(`Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`, name, '');
}

/** `success_action_redirect` goes before `success_action_status`; without either 204. */
function respond(
  fields: PostForm['fields'],
  headers: Record<string, string>,
  made: { bucket: string; key: string; etag: string; location: string },
): WireResponse {
  const redirect = fields.get('success_action_redirect') ?? fields.get('redirect');
  if (redirect !== undefined && URL.canParse(redirect)) {
    const url = new URL(redirect);
    const query = new URLSearchParams({ bucket: made.bucket, key: made.key, etag: `"${made.etag}"` });
    url.search = url.search === '' ? `?${query}` : `${url.search}&${query}`;
    return { status: 303, headers: { ...headers, Location: url.href }, body: '' };
  }
  const status = fields.get('success_action_status');
  if (status === '201') {
    const text = element('Location', made.location) + element('Bucket', made.bucket) + element('Key', made.key) + element('ETag', `"${made.etag}"`);
    return { status: 201, headers: { ...headers, 'Content-Type': 'application/xml' }, body: `${XML_HEADER}<PostResponse>${text}</PostResponse>` };
  }
  return { status: status === '200' ? 200 : 204, headers, body: '' };
}

/** Who posts, and how large the file may be. Throws what S3 throws for a form that its policy, or nobody, allows. */
async function admit(ctx: Ctx, bucket: BucketRecord, fields: PostForm['fields']): Promise<{ principal: Principal; size: SizeRange | undefined }> {
  const signature = signatureOf(fields);
  const { credentials } = ctx.platform;
  if (signature.kind === 'anonymous') {
    if (credentials?.verify && grantsNothing(bucket)) throw accessDenied();
    return { principal: ctx.principal, size: undefined };
  }
  const token = fields.get('x-amz-security-token');
  if (credentials?.verify) await verify(ctx, signature, token);
  const policy = parsePolicy(signature.policy);
  if (!policy) throw mismatch(signature);
  // Signatures are of the real day, whatever the virtual clock says.
  const size = checkPolicy(policy, fields, bucket.name, ctx.platform.clock.real());
  const principal = (await credentials?.presume(signature.accessKeyId, token)) ?? ctx.principal;
  if (principal.account !== bucket.account && grantsNothing(bucket)) throw accessDenied();
  return { principal, size };
}

type Signed = Exclude<PostSignature, { kind: 'anonymous' }>;

function mismatch(signature: Signed): AwsError {
  const message = 'The request signature we calculated does not match the signature you provided. Check your key and signing method.';
  const bytes = [...Buffer.from(signature.policy)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return new AwsError('SignatureDoesNotMatch', message, {
    status: 403,
    members: {
      AWSAccessKeyId: signature.accessKeyId,
      StringToSign: signature.policy,
      SignatureProvided: signature.signature,
      StringToSignBytes: bytes,
    },
  });
}

/** "Authenticating requests in browser-based uploads": the policy, as it stands in the form, is what is signed. */
async function verify(ctx: Ctx, signature: Signed, token: string | undefined): Promise<void> {
  const credential = await ctx.platform.credentials?.find(signature.accessKeyId, token);
  if (!credential) {
    throw new AwsError('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', {
      status: 403,
      members: { AWSAccessKeyId: signature.accessKeyId },
    });
  }
  if ((credential.sessionToken ?? '') !== (token ?? '')) {
    throw new AwsError('InvalidToken', 'The provided token is malformed or otherwise invalid.', { members: { 'Token-0': token ?? '' } });
  }
  if (credential.expiresMs !== undefined && credential.expiresMs <= ctx.platform.clock.real()) {
    throw new AwsError('ExpiredToken', 'The provided token has expired.', { members: { 'Token-0': token ?? '' } });
  }
  const [date = '', region = '', service = ''] = signature.scope;
  const expected =
    signature.kind === 'v4'
      ? signingKey(credential.secretAccessKey, date, region, service).hex(signature.policy)
      : createHmac('sha1', credential.secretAccessKey).update(signature.policy).digest('base64');
  if ((signature.kind === 'v4' && service !== 's3') || !sameSignature(expected, signature.signature)) throw mismatch(signature);
}

/** The fields that PutObject has as headers. */
function inputOf({ fields }: PostForm): Parameters<typeof attributesOf>[1] {
  const metadata = [...fields]
    .filter(([name]) => name.startsWith('x-amz-meta-'))
    .map(([name, value]) => [name.slice('x-amz-meta-'.length), encodeWords(value)]);
  const text = (name: string) => {
    const value = fields.get(name);
    return value === undefined ? undefined : latin1Only(value);
  };
  const until = fields.get('x-amz-object-lock-retain-until-date');
  const named = {
    ACL: text('acl'),
    CacheControl: text('cache-control'),
    ContentType: text('content-type'),
    ContentDisposition: text('content-disposition'),
    ContentEncoding: text('content-encoding'),
    ContentLanguage: text('content-language'),
    Expires: text('expires'),
    StorageClass: text('x-amz-storage-class'),
    WebsiteRedirectLocation: text('x-amz-website-redirect-location'),
    ServerSideEncryption: text('x-amz-server-side-encryption'),
    SSEKMSKeyId: text('x-amz-server-side-encryption-aws-kms-key-id'),
    SSECustomerAlgorithm: text('x-amz-server-side-encryption-customer-algorithm'),
    ObjectLockMode: text('x-amz-object-lock-mode'),
    ObjectLockLegalHoldStatus: text('x-amz-object-lock-legal-hold'),
  };
  return {
    ...(Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)) as Partial<PutObjectRequest>),
    ...(until !== undefined && !Number.isNaN(Date.parse(until)) ? { ObjectLockRetainUntilDate: new Date(until) } : {}),
    Metadata: Object.fromEntries(metadata) as Record<string, string>,
  };
}

function checksumInput(fields: PostForm['fields']): Parameters<typeof planChecksum>[0] {
  const members = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
  const given = members.map((name) => [`Checksum${name}`, fields.get(`x-amz-checksum-${name.toLowerCase()}`)] as const).filter(([, value]) => value);
  return Object.fromEntries(given);
}

/** The field `tagging` is the XML of PutObjectTagging; tags that are no tags are left out without a word. */
function tagsOf(xml: string | undefined): Record<string, string> {
  if (xml === undefined) return {};
  try {
    const root = parseXml(xml);
    const sets = root.children.filter(({ name }) => name === 'TagSet');
    const tags = sets.flatMap(({ children }) => children.filter(({ name }) => name === 'Tag'));
    const textOf = (tag: (typeof tags)[number], name: string) => tag.children.find((child) => child.name === name)?.text;
    return Object.fromEntries(tags.flatMap((tag) => (textOf(tag, 'Key') ? [[textOf(tag, 'Key') ?? '', textOf(tag, 'Value') ?? '']] : [])));
  } catch (error) {
    if (error instanceof XmlSyntaxError) throw malformedXml();
    throw error;
  }
}
