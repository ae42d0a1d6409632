import { AwsError } from '../../kit/errors.ts';

/** The errors of each action in the Amazon ECR API Reference. */

const within = (repository: string, registry: string) => `repository with name '${repository}' in the registry with id '${registry}'`;

export const invalidParameter = (message: string) => new AwsError('InvalidParameterException', message);
export const repositoryNotFound = (name: string, registry: string) =>
  new AwsError('RepositoryNotFoundException', `The repository with name '${name}' does not exist in the registry with id '${registry}'`);
export const repositoryExists = (name: string, registry: string) =>
  new AwsError('RepositoryAlreadyExistsException', `The repository with name '${name}' already exists in the registry with id '${registry}'`);
export const repositoryNotEmpty = (name: string, registry: string) =>
  new AwsError(
    'RepositoryNotEmptyException',
    `The repository with name '${name}' in registry with id '${registry}' cannot be deleted because it still contains images`,
  );
export const imageNotFound = (digest: string | undefined, tag: string | undefined, name: string, registry: string) =>
  new AwsError(
    'ImageNotFoundException',
    `The image with imageId {imageDigest:'${digest ?? 'null'}', imageTag:'${tag ?? 'null'}'} does not exist within the repository with name '${name}' in the registry with id '${registry}'`,
  );
export const imageExists = (digest: string, tag: string | undefined, name: string, registry: string) =>
  new AwsError(
    'ImageAlreadyExistsException',
    `Image with digest '${digest}' and tag '${tag ?? 'null'}' already exists in the repository with name '${name}' in registry with id '${registry}'`,
  );
export const tagIsImmutable = (tag: string, name: string) =>
  new AwsError(
    'ImageTagAlreadyExistsException',
    `The image tag '${tag}' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`,
  );
export const digestDoesNotMatch = (given: string, actual: string) =>
  new AwsError('ImageDigestDoesNotMatchException', `The specified digest '${given}' does not match the digest '${actual}' of the image manifest`);
export const layersNotFound = (digests: readonly string[], name: string, registry: string) =>
  new AwsError(
    'LayersNotFoundException',
    `Layers with digests '[${digests.join(', ')}]' required for pushing image into ${within(name, registry)} do not exist`,
  );
export const referencedImagesNotFound = (digests: readonly string[], name: string, registry: string) =>
  new AwsError(
    'ReferencedImagesNotFoundException',
    `Images with digests '[${digests.join(', ')}]' required for pushing image into ${within(name, registry)} do not exist`,
  );
export const layerInaccessible = (digest: string, name: string, registry: string) =>
  new AwsError('LayersNotFoundException', `The layer with digest '${digest}' does not exist within the ${within(name, registry)}`);
export const uploadNotFound = (id: string, name: string, registry: string) =>
  new AwsError('UploadNotFoundException', `Upload with id '${id}' does not exist within the ${within(name, registry)}`);
export const invalidLayer = (message: string) => new AwsError('InvalidLayerException', message);
export const emptyUpload = (id: string) => new AwsError('EmptyUploadException', `The upload with id '${id}' does not contain any layer parts`);
export const layerExists = (digest: string, name: string, registry: string) =>
  new AwsError('LayerAlreadyExistsException', `The layer with digest '${digest}' already exists in the ${within(name, registry)}`);
export const partTooSmall = () => new AwsError('LayerPartTooSmallException', 'Layer parts must be at least 5 MiB in size, but for the last one');
export const invalidPart = (lastByteReceived: number, registry: string, name: string, uploadId: string) =>
  new AwsError('InvalidLayerPartException', `The layer part must start at byte ${lastByteReceived + 1}`, {
    members: { registryId: registry, repositoryName: name, uploadId, lastValidByteReceived: lastByteReceived },
  });
export const policyNotFound = (name: string, registry: string) =>
  new AwsError('RepositoryPolicyNotFoundException', `Repository policy does not exist for the ${within(name, registry)}`);
export const lifecyclePolicyNotFound = (name: string, registry: string) =>
  new AwsError('LifecyclePolicyNotFoundException', `Lifecycle policy does not exist for the ${within(name, registry)}`);
export const tooManyTags = () => new AwsError('TooManyTagsException', `The maximum number of tags that can be attached to a repository is 50`);
