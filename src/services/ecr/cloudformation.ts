import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceRequest, ResourceType } from '../service.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function settingsOf(properties: Properties): Record<string, unknown> {
  const scanning = properties['ImageScanningConfiguration'] as { ScanOnPush?: boolean } | undefined;
  const encryption = properties['EncryptionConfiguration'] as { EncryptionType?: string; KmsKey?: string } | undefined;
  return {
    ...(properties['ImageTagMutability'] ? { imageTagMutability: properties['ImageTagMutability'] } : {}),
    ...(scanning ? { imageScanningConfiguration: { scanOnPush: scanning.ScanOnPush } } : {}),
    ...(encryption ? { encryptionConfiguration: { encryptionType: encryption.EncryptionType, kmsKey: encryption.KmsKey } } : {}),
  };
}

async function putPolicies(ctx: Ctx, repositoryName: string, properties: Properties, previous: Properties = {}): Promise<void> {
  const policy = properties['RepositoryPolicyText'];
  if (policy !== undefined) await ctx.call('ecr', 'SetRepositoryPolicy', { repositoryName, policyText: text(policy) });
  else if (previous['RepositoryPolicyText'] !== undefined) await ctx.call('ecr', 'DeleteRepositoryPolicy', { repositoryName });
  const lifecycle = (properties['LifecyclePolicy'] as { LifecyclePolicyText?: unknown } | undefined)?.LifecyclePolicyText;
  if (lifecycle !== undefined) await ctx.call('ecr', 'PutLifecyclePolicy', { repositoryName, lifecyclePolicyText: text(lifecycle) });
  else if (previous['LifecyclePolicy'] !== undefined) await ctx.call('ecr', 'DeleteLifecyclePolicy', { repositoryName });
}

const attributesOf = (repository: { repositoryArn?: string; repositoryUri?: string }) => ({
  Arn: repository.repositoryArn,
  RepositoryUri: repository.repositoryUri,
});

const tagsOf = ({ properties, tags }: ResourceRequest) => [
  ...Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  ...((properties['Tags'] as { Key: string; Value: string }[] | undefined) ?? []),
];

/** "AWS::ECR::Repository". */
const repository: ResourceType = {
  type: 'AWS::ECR::Repository',
  async create(ctx, request) {
    const repositoryName = (request.properties['RepositoryName'] as string | undefined) ?? request.generatedName(256).toLowerCase();
    const made = await ctx.call('ecr', 'CreateRepository', { repositoryName, ...settingsOf(request.properties), tags: tagsOf(request) });
    await putPolicies(ctx, repositoryName, request.properties);
    return { physicalId: repositoryName, attributes: attributesOf(made['repository'] as object) };
  },
  async update(ctx, request) {
    const repositoryName = request.physicalId;
    const { imageTagMutability = 'MUTABLE', imageScanningConfiguration = { scanOnPush: false } } = settingsOf(request.properties);
    await ctx.call('ecr', 'PutImageTagMutability', { repositoryName, imageTagMutability });
    await ctx.call('ecr', 'PutImageScanningConfiguration', { repositoryName, imageScanningConfiguration });
    await putPolicies(ctx, repositoryName, request.properties, request.previous);
    const { repositories } = (await ctx.call('ecr', 'DescribeRepositories', { repositoryNames: [repositoryName] })) as { repositories: object[] };
    return { physicalId: repositoryName, attributes: attributesOf(repositories[0] ?? {}) };
  },
  async delete(ctx, { physicalId, properties }) {
    try {
      await ctx.call('ecr', 'DeleteRepository', { repositoryName: physicalId, force: properties['EmptyOnDelete'] === true });
    } catch (error) {
      if (!(error instanceof AwsError && error.code === 'RepositoryNotFoundException')) throw error;
    }
  },
  async abandoned(ctx, { properties, generatedName }) {
    const repositoryName = (properties['RepositoryName'] as string | undefined) ?? generatedName(256).toLowerCase();
    try {
      const { repositories } = (await ctx.call('ecr', 'DescribeRepositories', { repositoryNames: [repositoryName] })) as { repositories: object[] };
      return { physicalId: repositoryName, attributes: attributesOf(repositories[0] ?? {}) };
    } catch {
      return undefined;
    }
  },
  replaceOn: ['RepositoryName', 'EncryptionConfiguration'],
  properties: [
    'RepositoryName',
    'ImageTagMutability',
    'ImageScanningConfiguration',
    'EncryptionConfiguration',
    'RepositoryPolicyText',
    'LifecyclePolicy',
    'EmptyOnDelete',
    'Tags',
  ],
  recorded: ['ImageScanningConfiguration', 'EncryptionConfiguration', 'RepositoryPolicyText', 'LifecyclePolicy'],
};

export const resources: readonly ResourceType[] = [repository];
