import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BatchGetImageCommand, ECRClient } from '@aws-sdk/client-ecr';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCroft, type TestCroft } from '../harness.ts';
import { cleanEnvironment, ROOT, run } from '../process.ts';

const digestOf = (bytes: Uint8Array | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const OCI = 'application/vnd.oci.image.manifest.v1+json';

let croft: TestCroft;
let folder: string;
beforeAll(async () => {
  croft = await startCroft();
  folder = mkdtempSync(join(tmpdir(), 'croft-images-'));
});
afterAll(async () => {
  await croft.stop();
  rmSync(folder, { recursive: true, force: true });
});

const push = (path: string, name: string) =>
  run(process.execPath, [join(ROOT, 'src/cli/main.ts'), 'images', 'push', path, name, '--endpoint', croft.endpoint, '--output', 'json'], {
    env: cleanEnvironment(),
    cwd: ROOT,
  });

async function manifestOf(repositoryName: string, imageTag: string): Promise<{ manifest: string; mediaType: string | undefined }> {
  const ecr = new ECRClient(croft.sdk);
  const { images = [] } = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag }] }));
  ecr.destroy();
  return { manifest: images[0]?.imageManifest ?? '', mediaType: images[0]?.imageManifestMediaType };
}

async function archiveOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content as string);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Images of two platforms, as `docker buildx` and `skopeo` lay them out. */
function layoutOf(): { files: Record<string, string | Buffer>; manifest: string } {
  const files: Record<string, string | Buffer> = { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}' };
  const blob = (content: string | Buffer): string => {
    const digest = digestOf(content);
    files[`blobs/${digest.replace(':', '/')}`] = content;
    return digest;
  };
  const layer = gzipSync('a layer');
  const described = (mediaType: string, content: string | Buffer) => ({ mediaType, digest: blob(content), size: content.length });
  const image = (architecture: string) =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI,
      config: described('application/vnd.oci.image.config.v1+json', JSON.stringify({ architecture, os: 'linux' })),
      layers: [described('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
    });
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const manifest = image(architecture);
  const platforms = [
    { ...described(OCI, image('s390x')), platform: { architecture: 's390x', os: 'linux' } },
    { ...described(OCI, manifest), platform: { architecture, os: 'linux' } },
  ];
  const index = JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: platforms });
  files['index.json'] = JSON.stringify({ schemaVersion: 2, manifests: [described('application/vnd.oci.image.index.v1+json', index)] });
  return { files, manifest };
}

describe('croft images push', () => {
  test('an OCI layout, as a folder and as an archive: the image of this platform', async () => {
    const { files, manifest } = layoutOf();
    const layout = join(folder, 'layout');
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(layout, name, '..'), { recursive: true });
      writeFileSync(join(layout, name), content);
    }
    const first = await push(layout, 'team/app:v1');
    expect(first.stderr).toContain('KB');
    const { imageUri, digest } = JSON.parse(first.stdout) as { imageUri: string; digest: string };
    expect(imageUri).toBe(`000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:${croft.port}/team/app:v1`);
    expect(digest).toBe(digestOf(manifest));
    expect(await manifestOf('team/app', 'v1')).toEqual({ manifest, mediaType: OCI });
    const archive = join(folder, 'layout.tar.gz');
    writeFileSync(archive, gzipSync(await archiveOf(files)));
    expect(JSON.parse((await push(archive, 'team/app')).stdout)).toMatchObject({ digest });
    expect((await manifestOf('team/app', 'latest')).manifest).toBe(manifest);
  });

  test('what docker save wrote before it wrote layouts', async () => {
    const config = JSON.stringify({ architecture: 'amd64', os: 'linux' });
    const name = `${createHash('sha256').update(config).digest('hex')}.json`;
    const saved = {
      [name]: config,
      'abc/layer.tar': 'layer',
      'manifest.json': JSON.stringify([{ Config: name, RepoTags: ['x:latest'], Layers: ['abc/layer.tar'] }]),
    };
    const file = join(folder, 'saved.tar');
    writeFileSync(file, await archiveOf(saved));
    await push(file, 'saved');
    const { manifest } = await manifestOf('saved', 'latest');
    expect(JSON.parse(manifest)).toMatchObject({
      config: { digest: digestOf(config) },
      layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar', digest: digestOf('layer'), size: 5 }],
    });
  });

  test('says in a sentence what is wrong', async () => {
    const broken = join(folder, 'broken.tar');
    writeFileSync(broken, await archiveOf({ 'readme.txt': 'nothing' }));
    for (const [path, name, words] of [
      [join(folder, 'none'), 'app', 'there is no'],
      [broken, 'app', 'holds no image'],
      [broken, 'No Name', 'is no name of an image'],
    ] as const) {
      const { status, stderr } = await push(path, name);
      expect(status).toBeGreaterThan(0);
      expect(stderr).toContain(words);
      expect(stderr).not.toContain('    at ');
    }
  });
});
