import type { Access, Operation, OperationEntry, Service } from '../service.ts';
import { resources } from './cloudformation.ts';
import { registryHost, repositoryArn } from './domain/names.ts';
import * as images from './operations/images.ts';
import * as layers from './operations/layers.ts';
import * as policies from './operations/policies.ts';
import * as repositories from './operations/repositories.ts';
import { registry } from './registry.ts';
import { makeToken } from './tokens.ts';
import { usage } from './usage.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const onRepository: Access = {
  resource: (ctx, input) => repositoryArn({ account: text(input['registryId']) || ctx.account, region: ctx.region }, text(input['repositoryName']) || '*'),
};
const onArn: Access = { resource: (_ctx, input) => text(input['resourceArn']) || '*' };

// biome-ignore lint/suspicious/noExplicitAny: the table holds operations of many types; the model guards the boundary
const entry = (run: Operation<any, any>, access: Access = onRepository, recorded?: readonly string[]): OperationEntry => ({
  run,
  access,
  ...(recorded ? { recorded } : {}),
});

/** "GetAuthorizationToken": `docker login -u AWS -p …`. */
const getAuthorizationToken: Operation = async (ctx) => {
  const { password, expiresMs } = await makeToken(ctx);
  const { scheme } = ctx.platform.address();
  const proxyEndpoint = `${scheme}://${registryHost(ctx.platform, ctx)}`;
  return { authorizationData: [{ authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'), expiresAt: new Date(expiresMs), proxyEndpoint }] };
};

const operations: Record<string, OperationEntry> = {
  CreateRepository: entry(repositories.createRepository, onRepository, ['imageScanningConfiguration', 'encryptionConfiguration']),
  DescribeRepositories: entry(repositories.describeRepositories),
  DeleteRepository: entry(repositories.deleteRepository),
  PutImageTagMutability: entry(repositories.putImageTagMutability),
  PutImageScanningConfiguration: entry(repositories.putImageScanningConfiguration, onRepository, ['imageScanningConfiguration']),
  TagResource: entry(repositories.tagResource, onArn),
  UntagResource: entry(repositories.untagResource, onArn),
  ListTagsForResource: entry(repositories.listTagsForResource, onArn),
  PutImage: entry(images.putImage),
  BatchGetImage: entry(images.batchGetImage),
  BatchDeleteImage: entry(images.batchDeleteImage),
  ListImages: entry(images.listImages),
  DescribeImages: entry(images.describeImages),
  DescribeImageScanFindings: entry(images.describeImageScanFindings),
  InitiateLayerUpload: entry(layers.initiateLayerUpload),
  UploadLayerPart: entry(layers.uploadLayerPart),
  CompleteLayerUpload: entry(layers.completeLayerUpload),
  BatchCheckLayerAvailability: entry(layers.batchCheckLayerAvailability),
  GetDownloadUrlForLayer: entry(layers.getDownloadUrlForLayer),
  SetRepositoryPolicy: entry(policies.setRepositoryPolicy, onRepository, ['policyText']),
  GetRepositoryPolicy: entry(policies.getRepositoryPolicy),
  DeleteRepositoryPolicy: entry(policies.deleteRepositoryPolicy),
  PutLifecyclePolicy: entry(policies.putLifecyclePolicy, onRepository, ['lifecyclePolicyText']),
  GetLifecyclePolicy: entry(policies.getLifecyclePolicy),
  DeleteLifecyclePolicy: entry(policies.deleteLifecyclePolicy),
  GetAuthorizationToken: entry(getAuthorizationToken, {}),
};

/** Amazon ECR, and the registry that `docker push` reaches; see README.md. */
export function createEcrRoom(): Service {
  return { name: 'ecr', operations, wording: { validationCode: 'InvalidParameterException' }, usage, resources, endpoints: { registry } };
}
