import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../service.ts';
import { applyConfigurations, CONFIGURATIONS, RECORDED_CONFIGURATIONS } from './cloudformation-configurations.ts';
import { applyNotification, type Call, isTrue, record } from './cloudformation-properties.ts';
import { bucketArn, createBucketOnce } from './operations/buckets.ts';

interface BucketTag {
  readonly Key: string;
  readonly Value: unknown;
}

const tagsOf = (properties: Properties): BucketTag[] => (Array.isArray(properties['Tags']) ? (properties['Tags'] as BucketTag[]) : []);

/** "AWS::S3::Bucket": what `Fn::GetAtt` gives. */
function attributesOf(ctx: Ctx, name: string): ResourceResult {
  const { region } = ctx;
  return {
    physicalId: name,
    attributes: {
      Arn: bucketArn(ctx, name),
      DomainName: `${name}.s3.amazonaws.com`,
      RegionalDomainName: `${name}.s3.${region}.amazonaws.com`,
      DualStackDomainName: `${name}.s3.dualstack.${region}.amazonaws.com`,
      WebsiteURL: `http://${name}.s3-website-${region}.amazonaws.com`,
    },
  };
}

async function ignoring(codes: readonly string[], work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof AwsError) || !codes.includes(error.code)) throw error;
  }
}

/** Each property that another operation sets: how, and how it is taken away again. */
async function applyProperties(ctx: Ctx, Bucket: string, request: ResourceRequest, previous: Properties): Promise<void> {
  const { properties } = request;
  const call = (operation: string, input: Record<string, unknown>) => ctx.call('s3', operation, { Bucket, ...input });
  const changed = (name: string) => JSON.stringify(properties[name]) !== JSON.stringify(previous[name]);
  const own = tagsOf(properties).map(({ Key, Value }) => [Key, String(Value)] as const);
  const tags = Object.entries({ ...request.tags, ...Object.fromEntries(own) }).map(([Key, Value]) => ({ Key, Value }));
  if (tags.length > 0) await call('PutBucketTagging', { Tagging: { TagSet: tags } });
  else if (previous['Tags'] !== undefined) await call('DeleteBucketTagging', {});

  if (changed('VersioningConfiguration')) {
    const Status = record(properties['VersioningConfiguration'])?.['Status'] ?? 'Suspended';
    await call('PutBucketVersioning', { VersioningConfiguration: { Status } });
  }
  if (changed('BucketEncryption')) await applyEncryption(call, properties);
  if (changed('PublicAccessBlockConfiguration')) await applyPublicAccessBlock(call, properties);
  if (changed('OwnershipControls')) {
    const controls = record(properties['OwnershipControls']);
    if (controls) await call('PutBucketOwnershipControls', { OwnershipControls: controls });
    else await call('DeleteBucketOwnershipControls', {});
  }
  if (changed('CorsConfiguration')) await applyCors(call, properties);
  await applyConfigurations(call, Bucket, properties, previous);
  if (changed('NotificationConfiguration')) await applyNotification(call, properties);
  if (changed('AccessControl') && properties['AccessControl'] !== undefined) {
    await call('PutBucketAcl', { ACL: kebab(String(properties['AccessControl'])) });
  }
}

async function applyEncryption(call: Call, properties: Properties): Promise<void> {
  const encryption = record(properties['BucketEncryption']);
  if (!encryption) {
    await call('DeleteBucketEncryption', {});
    return;
  }
  const rules = Array.isArray(encryption['ServerSideEncryptionConfiguration']) ? encryption['ServerSideEncryptionConfiguration'] : [];
  const Rules = rules.map((rule: Record<string, unknown>) => ({
    ApplyServerSideEncryptionByDefault: rule['ServerSideEncryptionByDefault'],
    BucketKeyEnabled: isTrue(rule['BucketKeyEnabled']),
  }));
  await call('PutBucketEncryption', { ServerSideEncryptionConfiguration: { Rules } });
}

async function applyPublicAccessBlock(call: Call, properties: Properties): Promise<void> {
  const block = record(properties['PublicAccessBlockConfiguration']);
  if (!block) {
    await call('DeletePublicAccessBlock', {});
    return;
  }
  const PublicAccessBlockConfiguration = Object.fromEntries(Object.entries(block).map(([name, value]) => [name, isTrue(value)]));
  await call('PutPublicAccessBlock', { PublicAccessBlockConfiguration });
}

async function applyCors(call: Call, properties: Properties): Promise<void> {
  const rules = record(properties['CorsConfiguration'])?.['CorsRules'];
  if (!Array.isArray(rules)) {
    await call('DeleteBucketCors', {});
    return;
  }
  const CORSRules = rules.map((rule: Record<string, unknown>) => ({
    ...(rule['Id'] === undefined ? {} : { ID: rule['Id'] }),
    AllowedHeaders: rule['AllowedHeaders'],
    AllowedMethods: rule['AllowedMethods'],
    AllowedOrigins: rule['AllowedOrigins'],
    ExposeHeaders: rule['ExposedHeaders'],
    ...(rule['MaxAge'] === undefined ? {} : { MaxAgeSeconds: Number(rule['MaxAge']) }),
  }));
  await call('PutBucketCors', { CORSConfiguration: { CORSRules } });
}

/** `PublicRead` is the header's `public-read`. */
const kebab = (text: string) => text.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase();

const bucket: ResourceType = {
  type: 'AWS::S3::Bucket',
  properties: [
    'BucketName',
    'Tags',
    'VersioningConfiguration',
    'BucketEncryption',
    'PublicAccessBlockConfiguration',
    'OwnershipControls',
    'CorsConfiguration',
    'AccessControl',
    'NotificationConfiguration',
    'ObjectLockEnabled',
    ...CONFIGURATIONS,
  ],
  recorded: ['BucketEncryption', 'PublicAccessBlockConfiguration', 'AccessControl', ...RECORDED_CONFIGURATIONS],
  replaceOn: ['BucketName', 'ObjectLockEnabled'],
  async create(ctx, request) {
    const name = String(request.properties['BucketName'] ?? request.generatedName(63).toLowerCase());
    const constraint = ctx.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: ctx.region as 'eu-west-1' } };
    const lock = isTrue(request.properties['ObjectLockEnabled']) ? { ObjectLockEnabledForBucket: true } : {};
    const ownership = record((record(request.properties['OwnershipControls'])?.['Rules'] as unknown[] | undefined)?.[0])?.['ObjectOwnership'];
    await createBucketOnce(
      ctx,
      { Bucket: name, ...constraint, ...lock, ...(ownership === undefined ? {} : { ObjectOwnership: ownership as 'ObjectWriter' }) },
      request.token,
    );
    // The bucket is there: the rollback must find it.
    await applyProperties(ctx, name, request, {}).catch((error: unknown) => {
      throw error instanceof AwsError ? Object.assign(error, { physicalId: name }) : error;
    });
    return attributesOf(ctx, name);
  },
  async update(ctx, request) {
    await applyProperties(ctx, request.physicalId, request, request.previous);
    return attributesOf(ctx, request.physicalId);
  },
  async delete(ctx, { physicalId }) {
    await ignoring(['NoSuchBucket'], ctx.call('s3', 'DeleteBucket', { Bucket: physicalId }));
  },
};

const bucketPolicy: ResourceType = {
  type: 'AWS::S3::BucketPolicy',
  properties: ['Bucket', 'PolicyDocument'],
  recorded: ['PolicyDocument'],
  replaceOn: ['Bucket'],
  async create(ctx, request) {
    return putPolicy(ctx, request);
  },
  async update(ctx, request) {
    return putPolicy(ctx, request);
  },
  async delete(ctx, { physicalId }) {
    await ignoring(['NoSuchBucket'], ctx.call('s3', 'DeleteBucketPolicy', { Bucket: physicalId }));
  },
};

async function putPolicy(ctx: Ctx, request: ResourceRequest): Promise<ResourceResult> {
  const Bucket = String(request.properties['Bucket']);
  const document = request.properties['PolicyDocument'];
  await ctx.call('s3', 'PutBucketPolicy', { Bucket, Policy: typeof document === 'string' ? document : JSON.stringify(document) });
  return { physicalId: Bucket, attributes: {} };
}

export const s3Resources: readonly ResourceType[] = [bucket, bucketPolicy];
