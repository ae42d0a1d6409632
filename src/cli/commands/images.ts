import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { clientConfig, endpointOf, requireRunning } from '../endpoint.ts';
import { type ImageFile, openImage } from '../images/source.ts';
import { CliError, type Output } from '../output.ts';
import type { CommonOptions } from '../program.ts';

/** `croft images push`: an image from a file goes to Croft's registry, where functions find it; the repository is made where it is missing. */
export async function push(path: string, name: string, options: CommonOptions, output: Output): Promise<void> {
  const match = /^([a-z0-9._/-]{2,256})(?::([\w.-]{1,128}))?$/.exec(name);
  if (!match) throw new CliError(`${JSON.stringify(name)} is no name of an image: give repository, or repository:tag`, 2);
  const [, repositoryName = '', tag = 'latest'] = match;
  const endpoint = endpointOf(options.endpoint);
  await requireRunning(endpoint);
  const image = await openImage(path);
  try {
    const registry = await login(endpoint, options.region, repositoryName);
    for (const file of image.files) {
      output.progress(`${file.digest.slice(0, 19)}  ${Math.ceil(file.size / 1024)} KB`);
      await registry.pushFile(file);
    }
    const digest = await registry.pushManifest(tag, image.manifest, image.mediaType);
    const imageUri = `${registry.uri}:${tag}`;
    output.result({ imageUri, digest }, () => `${imageUri}\n${digest}\nCreate a function of it: --package-type Image --code ImageUri=${imageUri}`);
  } finally {
    await image.dispose();
  }
}

/** The repository in the registry, as the caller's credentials reach it. */
async function login(endpoint: string, region: string | undefined, repositoryName: string) {
  const { ECRClient, CreateRepositoryCommand, DescribeRepositoriesCommand, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
  const { request } = await import(endpoint.startsWith('https:') ? 'node:https' : 'node:http');
  const client = new ECRClient(clientConfig(endpoint, region));
  try {
    await client.send(new CreateRepositoryCommand({ repositoryName }));
  } catch (error) {
    if (!(error instanceof Error && error.name === 'RepositoryAlreadyExistsException')) throw error;
  }
  const { repositories = [] } = await client.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }));
  const uri = repositories[0]?.repositoryUri ?? '';
  const { authorizationData = [] } = await client.send(new GetAuthorizationTokenCommand({}));
  const base = { host: uri.slice(0, uri.indexOf('/')), authorization: `Basic ${authorizationData[0]?.authorizationToken ?? ''}` };

  const send = (method: string, path: string, more: { headers?: Record<string, string>; file?: ImageFile; body?: string } = {}) =>
    new Promise<{ status: number; location: string; digest: string }>((resolve, reject) => {
      const length = more.file?.size ?? Buffer.byteLength(more.body ?? '');
      const outgoing = request(
        `${endpoint}${path}`,
        { method, headers: { ...base, 'content-length': String(length), ...more.headers } },
        (answer: IncomingAnswer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const status = answer.statusCode ?? 0;
            const { location = '', 'docker-content-digest': digest = '' } = answer.headers as Record<string, string>;
            if (status < 400 || (method === 'HEAD' && status === 404)) resolve({ status, location, digest });
            else reject(new CliError(`the registry refused ${method} ${path}: ${Buffer.concat(chunks).toString('utf8')}`));
          });
        },
      );
      outgoing.on('error', reject);
      if (more.file) pipeline(createReadStream(more.file.path), outgoing).catch(reject);
      else outgoing.end(more.body ?? '');
    });

  return {
    uri,
    async pushFile(file: ImageFile): Promise<void> {
      if ((await send('HEAD', `/v2/${repositoryName}/blobs/${file.digest}`)).status === 200) return;
      const { location } = await send('POST', `/v2/${repositoryName}/blobs/uploads/`);
      await send('PUT', `${location}?digest=${file.digest}`, { file });
    },
    async pushManifest(tag: string, body: string, mediaType: string): Promise<string> {
      return (await send('PUT', `/v2/${repositoryName}/manifests/${tag}`, { body, headers: { 'content-type': mediaType } })).digest;
    },
  };
}

type IncomingAnswer = import('node:http').IncomingMessage;
