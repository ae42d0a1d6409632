import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AddPermissionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { createFunction } from '../../../test/e2e/functions.ts';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { hasSeedApps, ROOT, SEED_APPS, VENV } from '../../../test/process.ts';

const run = promisify(execFile);
const PILLOW = join(ROOT, '.cache', 'pillow');

/** Vendored Pillow, installed once into the cache; the reason where it cannot be. */
async function installPillow(): Promise<string | undefined> {
  if (existsSync(join(PILLOW, 'PIL'))) return undefined;
  await mkdir(PILLOW, { recursive: true });
  return run(join(VENV, 'pip'), ['install', '--quiet', '--disable-pip-version-check', '--target', PILLOW, 'Pillow']).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

const missing = hasSeedApps ? await installPillow() : 'the guides’ apps are not beside the project';
if (missing) console.warn(`the thumbnailer is not tested: ${missing}`);

async function zip(app: string): Promise<Buffer> {
  const file = new ZipFile();
  file.addBuffer(await readFile(join(SEED_APPS, app, 'lambda_function.py')), 'lambda_function.py');
  for (const entry of await readdir(PILLOW, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !path.endsWith('.pyc')) file.addFile(path, path.slice(PILLOW.length + 1), { compress: false });
  }
  file.end();
  const chunks: Buffer[] = [];
  for await (const chunk of file.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A JPEG with something in it, made by the same library. */
async function jpeg(width: number, height: number): Promise<Buffer> {
  const script = `import sys; from PIL import Image; Image.linear_gradient('L').resize((${width}, ${height})).convert('RGB').save(sys.stdout.buffer, 'JPEG')`;
  const { stdout } = await run(join(VENV, 'python'), ['-c', script], { env: { PYTHONPATH: PILLOW }, encoding: 'buffer', maxBuffer: 16 * 1024 ** 2 });
  return stdout;
}

async function sizeOf(image: Uint8Array): Promise<string> {
  const script = 'import sys, io; from PIL import Image; i = Image.open(io.BytesIO(sys.stdin.buffer.read())); print(i.format, *i.size)';
  const child = run(join(VENV, 'python'), ['-c', script], { env: { PYTHONPATH: PILLOW } });
  child.child.stdin?.end(image);
  return (await child).stdout.trim();
}

describe.skipIf(missing !== undefined)('the guides’ thumbnailer, unmodified', () => {
  let croft: TestCroft;
  let s3: S3Client;
  beforeAll(async () => {
    croft = await startCroft();
    s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
  });
  afterAll(() => croft.stop());

  /** The app as a function that every new object of a new bucket calls. */
  async function deploy(app: string, Bucket: string) {
    const lambda = new LambdaClient(croft.sdk);
    const { stdout } = await run(join(VENV, 'python'), ['-c', 'import sys; print("python%d.%d" % sys.version_info[:2])']);
    await createFunction(lambda, app, await zip(app), { Runtime: stdout.trim() as 'python3.12', Timeout: 30, MemorySize: 512 });
    const permission = { StatementId: 's3', Action: 'lambda:InvokeFunction', Principal: 's3.amazonaws.com' };
    await lambda.send(new AddPermissionCommand({ FunctionName: app, ...permission }));
    await s3.send(new CreateBucketCommand({ Bucket }));
    const LambdaFunctionArn = `arn:aws:lambda:us-east-1:000000000000:function:${app}`;
    const LambdaFunctionConfigurations = [{ LambdaFunctionArn, Events: ['s3:ObjectCreated:*' as const] }];
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { LambdaFunctionConfigurations } }));
  }

  async function keysOf(Bucket: string): Promise<(string | undefined)[]> {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    return Contents.map(({ Key }) => Key);
  }

  test('a photo has its thumbnail, whose own event is skipped', async () => {
    const Bucket = 'photos';
    await deploy('thumbnailer', Bucket);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'photo.jpg', Body: await jpeg(1200, 800), ContentType: 'image/jpeg' }));
    const thumbnail = await eventually(() => s3.send(new GetObjectCommand({ Bucket, Key: 'thumbnails/photo.jpg' })));
    expect(thumbnail.ContentType).toBe('image/jpeg');
    expect(await sizeOf((await thumbnail.Body?.transformToByteArray()) ?? new Uint8Array())).toBe('JPEG 300 200');
    expect(await croft.server.platform.bus.quiet(20_000)).toBe(true);
    expect(await keysOf(Bucket)).toEqual(['photo.jpg', 'thumbnails/photo.jpg']);
  }, 60_000);

  test('a resizer that writes where it reads is stopped', async () => {
    const Bucket = 'loop';
    await deploy('image-resizer', Bucket);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'p.jpg', Body: await jpeg(600, 400) }));
    expect(await croft.server.platform.bus.quiet(60_000)).toBe(true);
    const keys = await keysOf(Bucket);
    expect(keys.length).toBeGreaterThan(10);
    expect(keys.length).toBeLessThan(20);
    const image = await s3.send(new GetObjectCommand({ Bucket, Key: 'thumbnails/p.jpg' }));
    expect(await sizeOf((await image.Body?.transformToByteArray()) ?? new Uint8Array())).toBe('JPEG 150 100');
  }, 90_000);

  async function eventually<T>(look: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await look();
      } catch (error) {
        if (!(error instanceof NoSuchKey)) throw error;
        await croft.server.platform.bus.quiet(1000);
      }
    }
  }
});
