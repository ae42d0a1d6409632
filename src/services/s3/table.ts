import { partitionOf } from '../../kit/arn.ts';
import type { WireResponse } from '../../protocol/wire.ts';
import type { Ctx, OperationEntry } from '../service.ts';
import * as acl from './operations/acl.ts';
import * as documents from './operations/bucket-documents.ts';
import * as policy from './operations/bucket-policy.ts';
import * as properties from './operations/bucket-properties.ts';
import * as buckets from './operations/buckets.ts';
import { completeMultipartUpload } from './operations/complete-multipart-upload.ts';
import * as configuration from './operations/configuration.ts';
import { copyObject } from './operations/copy-object.ts';
import { deleteObject, deleteObjects } from './operations/delete-object.ts';
import { getObject, headObject, respondPartial } from './operations/get-object.ts';
import { getObjectAttributes } from './operations/get-object-attributes.ts';
import * as lifecycle from './operations/lifecycle.ts';
import * as lists from './operations/list-objects.ts';
import * as listed from './operations/listed-configurations.ts';
import * as multipart from './operations/multipart.ts';
import * as notification from './operations/notification.ts';
import * as lock from './operations/object-lock.ts';
import { putObject } from './operations/put-object.ts';
import { respondRestore, restoreObject } from './operations/restore-object.ts';
import * as tagging from './operations/tagging.ts';
import { uploadPart, uploadPartCopy } from './operations/upload-part.ts';
import * as versioning from './operations/versioning.ts';
import { metered, type RequestClass } from './usage.ts';

type Resource = NonNullable<NonNullable<OperationEntry['access']>['resource']>;

const onBucket: Resource = (ctx, input) => `arn:${partitionOf(ctx.region)}:s3:::${String(input['Bucket'])}`;
const onObject: Resource = (ctx, input) => `${onBucket(ctx, input) as string}/${String(input['Key'])}`;
const onListedObjects: Resource = (ctx, input) => {
  const objects = (input['Delete'] as { Objects?: { Key?: string }[] } | undefined)?.Objects ?? [];
  return objects.map(({ Key }) => `${onBucket(ctx, input) as string}/${Key}`);
};
const onAll: Resource = () => '*';

interface Options {
  /** IAM action where it is not the operation's name. */
  readonly action?: string;
  readonly recorded?: readonly string[];
  readonly respond?: OperationEntry['respond'];
}

/** S3 checks its input itself, in its own words: `ownValidation` throughout. */
function entry(run: OperationEntry['run'], requests: RequestClass, resource: Resource, { action, recorded, respond }: Options = {}): OperationEntry {
  return {
    run: metered(run, requests),
    access: { resource, ...(action === undefined ? {} : { action }) },
    ownValidation: true,
    ...(recorded ? { recorded } : {}),
    ...(respond ? { respond } : {}),
  };
}

/** Some PUTs that answer nothing are 204, which the model leaves out. */
function noContent(_ctx: Ctx, _output: Record<string, unknown>, response: WireResponse): WireResponse {
  return { ...response, status: 204 };
}

/** HeadBucket has a type although it has no body. */
function xmlType(_ctx: Ctx, _output: Record<string, unknown>, response: WireResponse): WireResponse {
  return { ...response, headers: { ...response.headers, 'Content-Type': 'application/xml' } };
}

const ACL_RECORDED = ['ACL', 'AccessControlPolicy', 'GrantFullControl', 'GrantRead', 'GrantReadACP', 'GrantWrite', 'GrantWriteACP'];

const OBJECT_RECORDED = [
  'ACL',
  'GrantFullControl',
  'GrantRead',
  'GrantReadACP',
  'GrantWriteACP',
  'ServerSideEncryption',
  'SSECustomerAlgorithm',
  'SSECustomerKey',
  'SSEKMSKeyId',
  'BucketKeyEnabled',
  'SSEKMSEncryptionContext',
  'WebsiteRedirectLocation',
  'RequestPayer',
];

const objectOperations: Record<string, OperationEntry> = {
  PutObject: entry(putObject, 'tier1', onObject, { recorded: OBJECT_RECORDED }),
  GetObject: entry(getObject, 'tier2', onObject, { respond: respondPartial }),
  HeadObject: entry(headObject, 'tier2', onObject, { action: 'GetObject', respond: respondPartial }),
  GetObjectAttributes: entry(getObjectAttributes, 'tier2', onObject),
  DeleteObject: entry(deleteObject, 'free', onObject),
  DeleteObjects: entry(deleteObjects, 'free', onListedObjects, { action: 'DeleteObject' }),
  CopyObject: entry(copyObject, 'tier1', onObject, { action: 'PutObject', recorded: OBJECT_RECORDED }),
  RestoreObject: entry(restoreObject, 'tier1', onObject, { recorded: ['RestoreRequest.Tier'], respond: respondRestore }),
  PutObjectTagging: entry(tagging.putObjectTagging, 'tier1', onObject),
  GetObjectTagging: entry(tagging.getObjectTagging, 'tier2', onObject),
  DeleteObjectTagging: entry(tagging.deleteObjectTagging, 'free', onObject),
  PutObjectAcl: entry(acl.putObjectAcl, 'tier1', onObject, { recorded: ACL_RECORDED }),
  GetObjectAcl: entry(acl.getObjectAcl, 'tier2', onObject),
};

const listOperations: Record<string, OperationEntry> = {
  ListObjects: entry(lists.listObjects, 'tier1', onBucket, { action: 'ListBucket', respond: lists.respondList }),
  ListObjectsV2: entry(lists.listObjectsV2, 'tier1', onBucket, { action: 'ListBucket', respond: lists.respondList }),
  ListObjectVersions: entry(lists.listObjectVersions, 'tier1', onBucket, { action: 'ListBucketVersions', respond: lists.respondVersions }),
};

const multipartOperations: Record<string, OperationEntry> = {
  CreateMultipartUpload: entry(multipart.createMultipartUpload, 'tier1', onObject, { action: 'PutObject', recorded: OBJECT_RECORDED }),
  UploadPart: entry(uploadPart, 'tier1', onObject, { action: 'PutObject' }),
  UploadPartCopy: entry(uploadPartCopy, 'tier1', onObject, { action: 'PutObject' }),
  CompleteMultipartUpload: entry(completeMultipartUpload, 'tier1', onObject, { action: 'PutObject' }),
  AbortMultipartUpload: entry(multipart.abortMultipartUpload, 'free', onObject),
  ListParts: entry(multipart.listParts, 'tier1', onObject, { action: 'ListMultipartUploadParts' }),
  ListMultipartUploads: entry(multipart.listMultipartUploads, 'tier1', onBucket, { action: 'ListBucketMultipartUploads' }),
};

const { cors, publicAccessBlock } = configuration;
const { accelerate, logging, replication, requestPayment, website } = documents;
const { analytics, intelligentTiering, inventory, metrics } = listed;

const bucketOperations: Record<string, OperationEntry> = {
  CreateBucket: entry(buckets.createBucket, 'tier1', onBucket, { recorded: ['ACL'] }),
  HeadBucket: entry(buckets.headBucket, 'tier2', onBucket, { action: 'ListBucket', respond: xmlType }),
  DeleteBucket: entry(buckets.deleteBucket, 'free', onBucket),
  ListBuckets: entry(buckets.listBuckets, 'tier1', onAll, { action: 'ListAllMyBuckets', respond: lists.respondBuckets }),
  GetBucketLocation: entry(buckets.getBucketLocation, 'tier2', onBucket),
  PutBucketVersioning: entry(versioning.putBucketVersioning, 'tier1', onBucket),
  GetBucketVersioning: entry(versioning.getBucketVersioning, 'tier2', onBucket),
  PutBucketTagging: entry(tagging.putBucketTagging, 'tier1', onBucket, { respond: noContent }),
  GetBucketTagging: entry(tagging.getBucketTagging, 'tier2', onBucket),
  DeleteBucketTagging: entry(tagging.deleteBucketTagging, 'free', onBucket, { action: 'PutBucketTagging' }),
  PutBucketAcl: entry(acl.putBucketAcl, 'tier1', onBucket, { recorded: ACL_RECORDED }),
  GetBucketAcl: entry(acl.getBucketAcl, 'tier2', onBucket),
  PutBucketOwnershipControls: entry(properties.putBucketOwnershipControls, 'tier1', onBucket),
  GetBucketOwnershipControls: entry(properties.getBucketOwnershipControls, 'tier2', onBucket),
  PutBucketNotificationConfiguration: entry(notification.putBucketNotificationConfiguration, 'tier1', onBucket, { action: 'PutBucketNotification' }),
  GetBucketNotificationConfiguration: entry(notification.getBucketNotificationConfiguration, 'tier2', onBucket, { action: 'GetBucketNotification' }),
  DeleteBucketOwnershipControls: entry(properties.deleteBucketOwnershipControls, 'free', onBucket, { action: 'PutBucketOwnershipControls' }),
};

const recordedOperations: Record<string, OperationEntry> = {
  PutBucketPolicy: entry(policy.putBucketPolicy, 'tier1', onBucket, { recorded: ['Policy'], respond: noContent }),
  GetBucketPolicy: entry(policy.getBucketPolicy, 'tier2', onBucket),
  GetBucketPolicyStatus: entry(policy.getBucketPolicyStatus, 'tier2', onBucket),
  DeleteBucketPolicy: entry(policy.deleteBucketPolicy, 'free', onBucket),
  PutBucketCors: entry(cors.put, 'tier1', onBucket, { action: 'PutBucketCORS' }),
  GetBucketCors: entry(cors.get, 'tier2', onBucket, { action: 'GetBucketCORS' }),
  DeleteBucketCors: entry(cors.delete, 'free', onBucket, { action: 'PutBucketCORS' }),
  PutBucketLifecycleConfiguration: entry(lifecycle.putBucketLifecycleConfiguration, 'tier1', onBucket, {
    action: 'PutLifecycleConfiguration',
    recorded: ['LifecycleConfiguration.Rules[].Transitions', 'LifecycleConfiguration.Rules[].NoncurrentVersionTransitions'],
  }),
  GetBucketLifecycleConfiguration: entry(lifecycle.getBucketLifecycleConfiguration, 'tier2', onBucket, { action: 'GetLifecycleConfiguration' }),
  DeleteBucketLifecycle: entry(lifecycle.deleteBucketLifecycle, 'free', onBucket, { action: 'PutLifecycleConfiguration' }),
  PutPublicAccessBlock: entry(publicAccessBlock.put, 'tier1', onBucket, {
    action: 'PutBucketPublicAccessBlock',
    recorded: ['PublicAccessBlockConfiguration'],
  }),
  GetPublicAccessBlock: entry(publicAccessBlock.get, 'tier2', onBucket, { action: 'GetBucketPublicAccessBlock' }),
  DeletePublicAccessBlock: entry(publicAccessBlock.delete, 'free', onBucket, { action: 'PutBucketPublicAccessBlock' }),
  PutBucketEncryption: entry(properties.putBucketEncryption, 'tier1', onBucket, {
    action: 'PutEncryptionConfiguration',
    recorded: ['ServerSideEncryptionConfiguration'],
  }),
  GetBucketEncryption: entry(properties.getBucketEncryption, 'tier2', onBucket, { action: 'GetEncryptionConfiguration' }),
  DeleteBucketEncryption: entry(properties.deleteBucketEncryption, 'free', onBucket, { action: 'PutEncryptionConfiguration' }),
};

/** Documents of which a bucket has one each. */
const documentOperations: Record<string, OperationEntry> = {
  PutBucketWebsite: entry(website.put, 'tier1', onBucket),
  GetBucketWebsite: entry(website.get, 'tier2', onBucket),
  DeleteBucketWebsite: entry(website.delete, 'free', onBucket),
  PutBucketAccelerateConfiguration: entry(accelerate.put, 'tier1', onBucket, {
    action: 'PutAccelerateConfiguration',
    recorded: ['AccelerateConfiguration'],
  }),
  GetBucketAccelerateConfiguration: entry(accelerate.get, 'tier2', onBucket, { action: 'GetAccelerateConfiguration' }),
  PutBucketRequestPayment: entry(requestPayment.put, 'tier1', onBucket, { recorded: ['RequestPaymentConfiguration'] }),
  GetBucketRequestPayment: entry(requestPayment.get, 'tier2', onBucket),
  PutBucketLogging: entry(logging.put, 'tier1', onBucket, { recorded: ['BucketLoggingStatus'] }),
  GetBucketLogging: entry(logging.get, 'tier2', onBucket),
  PutBucketReplication: entry(replication.put, 'tier1', onBucket, { action: 'PutReplicationConfiguration', recorded: ['ReplicationConfiguration'] }),
  GetBucketReplication: entry(replication.get, 'tier2', onBucket, { action: 'GetReplicationConfiguration' }),
  DeleteBucketReplication: entry(replication.delete, 'free', onBucket, { action: 'PutReplicationConfiguration' }),
};

type Listed = typeof analytics;

/** Put, get, delete and list of one kind of configuration, whose IAM actions are two. */
function listedOperations(name: string, list: string, { put, get, delete: remove, list: listAll }: Listed, action: string): Record<string, OperationEntry> {
  return {
    [`PutBucket${name}Configuration`]: entry(put, 'tier1', onBucket, { action: `Put${action}`, recorded: [`${name}Configuration`], respond: noContent }),
    [`GetBucket${name}Configuration`]: entry(get, 'tier2', onBucket, { action: `Get${action}` }),
    [`DeleteBucket${name}Configuration`]: entry(remove, 'free', onBucket, { action: `Put${action}` }),
    [`ListBucket${list}Configurations`]: entry(listAll, 'tier2', onBucket, { action: `Get${action}` }),
  };
}

const lockOperations: Record<string, OperationEntry> = {
  PutObjectLockConfiguration: entry(lock.putObjectLockConfiguration, 'tier1', onBucket, { action: 'PutBucketObjectLockConfiguration' }),
  GetObjectLockConfiguration: entry(lock.getObjectLockConfiguration, 'tier2', onBucket, { action: 'GetBucketObjectLockConfiguration' }),
  PutObjectRetention: entry(lock.putObjectRetention, 'tier1', onObject),
  GetObjectRetention: entry(lock.getObjectRetention, 'tier2', onObject),
  PutObjectLegalHold: entry(lock.putObjectLegalHold, 'tier1', onObject),
  GetObjectLegalHold: entry(lock.getObjectLegalHold, 'tier2', onObject),
};

/** Every operation that is built. */
export const operations: Readonly<Record<string, OperationEntry>> = {
  ...objectOperations,
  ...listOperations,
  ...multipartOperations,
  ...bucketOperations,
  ...recordedOperations,
  ...documentOperations,
  ...lockOperations,
  ...listedOperations('Analytics', 'Analytics', analytics, 'AnalyticsConfiguration'),
  ...listedOperations('IntelligentTiering', 'IntelligentTiering', intelligentTiering, 'IntelligentTieringConfiguration'),
  ...listedOperations('Inventory', 'Inventory', inventory, 'InventoryConfiguration'),
  ...listedOperations('Metrics', 'Metrics', metrics, 'MetricsConfiguration'),
};
