import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import type { Ctx } from '../service.ts';

/**
 * The room against the plainest model of a versioned bucket: per key, a list of versions, newest first. Small and large bodies, so that
 * inline bodies and blobs both take part.
 */
let croft: TestCroft;
let ctx: Ctx;
let runs = 0;

beforeAll(async () => {
  croft = await startCroft();
  ctx = croft.server.platform.contextFor({ account: '000000000000', region: 'us-east-1' });
});
afterAll(() => croft.stop());

interface ModelVersion {
  id: string;
  /** Undefined for a delete marker. */
  body: string | undefined;
}

const KEYS = ['a', 'a\u0000', 'a/b', 'é', '\u{1f600}', 'z'];
const call = (operation: string, input: Record<string, unknown>) => ctx.call('s3', operation, input);
type Row = { Key: string; VersionId: string; IsLatest: boolean };

type Step =
  | { do: 'put'; key: string; body: string }
  | { do: 'delete'; key: string }
  | { do: 'deleteVersion'; key: string; pick: number }
  | { do: 'copy'; key: string; from: string }
  | { do: 'versioning'; status: string };

const command: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('put' as const), key: fc.constantFrom(...KEYS), body: fc.constantFrom('', 'small', 'x'.repeat(70_000)) }),
  fc.record({ do: fc.constant('delete' as const), key: fc.constantFrom(...KEYS) }),
  fc.record({ do: fc.constant('deleteVersion' as const), key: fc.constantFrom(...KEYS), pick: fc.nat(5) }),
  fc.record({ do: fc.constant('copy' as const), key: fc.constantFrom(...KEYS), from: fc.constantFrom(...KEYS) }),
  fc.record({ do: fc.constant('versioning' as const), status: fc.constantFrom('Enabled', 'Suspended') }),
);

class Model {
  readonly versions = new Map<string, ModelVersion[]>();
  versioning: string | undefined;

  of(key: string): ModelVersion[] {
    let list = this.versions.get(key);
    if (!list) {
      list = [];
      this.versions.set(key, list);
    }
    return list;
  }

  /** A new version: in front with versioning, else in place of the null one. */
  add(key: string, id: string, body: string | undefined): void {
    const list = this.of(key);
    if (this.versioning !== 'Enabled') this.versions.set(key, [{ id: 'null', body }, ...list.filter((version) => version.id !== 'null')]);
    else list.unshift({ id, body });
  }

  sortedKeys(): string[] {
    return [...this.versions.keys()].filter((key) => this.of(key).length > 0).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }
}

async function apply(model: Model, Bucket: string, step: Step): Promise<void> {
  switch (step.do) {
    case 'put': {
      const { VersionId } = await call('PutObject', { Bucket, Key: step.key, Body: Buffer.from(step.body) });
      model.add(step.key, String(VersionId), step.body);
      break;
    }
    case 'copy': {
      const source = model.of(step.from)[0];
      if (source?.body === undefined || (step.key === step.from && model.versioning === undefined)) break;
      const input = { Bucket, Key: step.key, CopySource: `${Bucket}/${encodeURIComponent(step.from)}`, MetadataDirective: 'REPLACE' };
      const { VersionId } = await call('CopyObject', input);
      model.add(step.key, String(VersionId), source.body);
      break;
    }
    case 'delete': {
      const { VersionId } = await call('DeleteObject', { Bucket, Key: step.key });
      if (model.versioning === undefined) model.versions.set(step.key, []);
      else model.add(step.key, String(VersionId), undefined);
      break;
    }
    case 'deleteVersion': {
      const list = model.of(step.key);
      const version = list[step.pick];
      if (!version) break;
      await call('DeleteObject', { Bucket, Key: step.key, VersionId: version.id });
      list.splice(step.pick, 1);
      break;
    }
    case 'versioning':
      await call('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: step.status } });
      model.versioning = step.status;
  }
}

async function check(model: Model, Bucket: string): Promise<void> {
  const listed = ((await call('ListObjectsV2', { Bucket }))['Contents'] as Row[]).map(({ Key }) => Key);
  expect(listed).toEqual(model.sortedKeys().filter((key) => model.of(key)[0]?.body !== undefined));
  const all = await call('ListObjectVersions', { Bucket });
  const shown = (key: string, id: string) =>
    [...(all['Versions'] as Row[]), ...(all['DeleteMarkers'] as Row[])].find((row) => row.Key === key && row.VersionId === id);
  expect((all['Versions'] as Row[]).length + (all['DeleteMarkers'] as Row[]).length).toBe([...model.versions.values()].flat().length);
  for (const key of model.sortedKeys()) {
    for (const [index, version] of model.of(key).entries()) {
      expect(shown(key, version.id)?.IsLatest).toBe(index === 0);
      if (version.body === undefined) continue;
      const { Body } = await call('GetObject', { Bucket, Key: key, VersionId: version.id });
      let text = '';
      for await (const chunk of Body as AsyncIterable<Uint8Array>) text += Buffer.from(chunk).toString();
      expect(text).toBe(version.body);
    }
  }
}

it('versions behave as a list for each key, and nothing is left of what was deleted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (steps) => {
      const Bucket = `model-${++runs}`;
      await call('CreateBucket', { Bucket });
      const model = new Model();
      for (const step of steps) await apply(model, Bucket, step);
      await check(model, Bucket);
      for (const key of model.sortedKeys()) for (const { id } of [...model.of(key)]) await call('DeleteObject', { Bucket, Key: key, VersionId: id });
      await call('DeleteBucket', { Bucket });
    }),
    { numRuns: process.env['CROFT_SOAK'] ? 500 : 40 },
  );
  await croft.server.platform.bus.quiet(5_000);
  let blobs = 0;
  await croft.server.platform.blobs.sweep(-60_000, async () => {
    blobs++;
    return true;
  });
  expect(blobs).toBe(0);
  const rows = await croft.server.platform.store.range({ from: 's3\u0000', to: 's4' });
  expect(rows.entries.map(([key]) => key)).toEqual([]);
});

it('one of many writers on If-None-Match wins', async () => {
  const Bucket = 'race';
  await call('CreateBucket', { Bucket });
  const put = (i: number) => call('PutObject', { Bucket, Key: 'k', Body: Buffer.from(`writer ${i}`), IfNoneMatch: '*' });
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => put(i)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

it('a reader always gets the whole of one version, whatever is written meanwhile', async () => {
  const Bucket = 'readers';
  await call('CreateBucket', { Bucket });
  const bodies = Array.from({ length: 30 }, (_, i) => Buffer.alloc(i % 2 === 0 ? 100 : 100_000, i));
  await call('PutObject', { Bucket, Key: 'k', Body: bodies[0] });
  let writing = true;
  const write = (async () => {
    for (const Body of bodies) await call('PutObject', { Bucket, Key: 'k', Body });
  })().finally(() => {
    writing = false;
  });
  while (writing) {
    // A memory store and inline bodies need no I/O: without a turn of the event loop the writer would never get to write its blobs.
    await setImmediate();
    const got = await call('GetObject', { Bucket, Key: 'k' });
    const parts: Uint8Array[] = [];
    for await (const chunk of got['Body'] as AsyncIterable<Uint8Array>) parts.push(chunk);
    const whole = Buffer.concat(parts);
    expect(whole.length).toBe(got['ContentLength']);
    expect(bodies.some((body) => body.equals(whole))).toBe(true);
  }
  await write;
});
