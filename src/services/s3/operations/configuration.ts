import { encodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import type { BucketRecord } from '../domain/records.ts';
import { invalidRequest, malformedXml, notFoundConfiguration } from '../errors.ts';
import { inBucket, keys, readConfig } from '../store.ts';

export interface BucketInput {
  readonly Bucket?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
  readonly [member: string]: unknown;
}

type Run = (ctx: Ctx, input: BucketInput) => Promise<Record<string, unknown>>;

/** Changes the bucket's own row. */
export function changeBucket(ctx: Ctx, bucket: BucketRecord, change: (now: BucketRecord) => BucketRecord): Promise<void> {
  const row = keys.bucket(bucket.name);
  return inBucket(ctx, bucket, { keys: [row] }, (tx, now) => tx.put(row, encodeJson(change(now))));
}

type Kept = Record<string, unknown> | null | undefined;

export interface Recorded {
  /** Names its row. */
  readonly kind: string;
  /** The input's member that holds it. */
  readonly member: string;
  /** What a bucket without it answers: an error, or an output. */
  readonly missing: readonly [code: string, message: string] | Record<string, unknown>;
  /** Throws where S3 would refuse it. What it returns is kept in place of what was given; null: nothing is. */
  readonly check?: (value: Record<string, unknown>, bucket: BucketRecord, ctx: Ctx) => Promise<Kept> | Kept;
  /** The output for what was stored. */
  readonly output: (value: Record<string, unknown>) => Record<string, unknown>;
}

/** A configuration that is kept and described. */
export function recordedConfiguration({ kind, member, missing, check, output }: Recorded): { put: Run; get: Run; delete: Run } {
  return {
    async put(ctx, input) {
      const bucket = await openBucket(ctx, input);
      const value = input[member];
      if (typeof value !== 'object' || value === null) throw malformedXml();
      const kept = await check?.(value as Record<string, unknown>, bucket, ctx);
      const row = keys.config(bucket.id, kind);
      await inBucket(ctx, bucket, { keys: [row] }, (tx) => (kept === null ? tx.delete(row) : tx.put(row, encodeJson(kept ?? value))));
      return {};
    },
    async get(ctx, input) {
      const bucket = await openBucket(ctx, input);
      const value = await readConfig<Record<string, unknown>>(ctx.platform.store, bucket.id, kind);
      if (value) return output(value);
      if (isError(missing)) throw notFoundConfiguration(missing[0], missing[1], bucket.name);
      return missing;
    },
    async delete(ctx, input) {
      const bucket = await openBucket(ctx, input);
      const row = keys.config(bucket.id, kind);
      await inBucket(ctx, bucket, { keys: [row] }, (tx) => tx.delete(row));
      return {};
    },
  };
}

const isError = (missing: Recorded['missing']): missing is readonly [string, string] => Array.isArray(missing);

export const listOf = (value: unknown): readonly Record<string, unknown>[] => (Array.isArray(value) ? (value as Record<string, unknown>[]) : []);

const CORS_METHODS: ReadonlySet<unknown> = new Set(['GET', 'PUT', 'POST', 'DELETE', 'HEAD']);

export const cors = recordedConfiguration({
  kind: 'cors',
  member: 'CORSConfiguration',
  missing: ['NoSuchCORSConfiguration', 'The CORS configuration does not exist'],
  check(value) {
    const rules = listOf(value['CORSRules']);
    const complete = (rule: Record<string, unknown>) => listOf(rule['AllowedMethods']).length > 0 && listOf(rule['AllowedOrigins']).length > 0;
    if (rules.length === 0 || rules.length > 100 || !rules.every(complete)) throw malformedXml();
    for (const method of rules.flatMap((rule) => listOf(rule['AllowedMethods']) as readonly unknown[])) {
      if (!CORS_METHODS.has(method)) throw invalidRequest(`Found unsupported HTTP method in CORS config. Unsupported method is ${String(method)}`);
    }
    for (const rule of rules) {
      for (const [member, name] of [
        ['AllowedOrigins', 'AllowedOrigin'],
        ['AllowedHeaders', 'AllowedHeader'],
      ] as const) {
        const wrong = (listOf(rule[member]) as readonly unknown[]).find((value) => String(value).split('*').length > 2);
        if (wrong !== undefined) throw invalidRequest(`${name} "${String(wrong)}" can not have more than one wildcard.`);
      }
      const wild = (listOf(rule['ExposeHeaders']) as readonly unknown[]).find((value) => String(value).includes('*'));
      if (wild !== undefined) throw invalidRequest(`ExposeHeader "${String(wild)}" contains wildcard. We currently do not support wildcard for ExposeHeader.`);
    }
  },
  output: (value) => ({ CORSRules: value['CORSRules'] }),
});

const BLOCKS = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const;

export const publicAccessBlock = recordedConfiguration({
  kind: 'publicAccessBlock',
  member: 'PublicAccessBlockConfiguration',
  missing: ['NoSuchPublicAccessBlockConfiguration', 'The public access block configuration was not found'],
  check(value) {
    if (!BLOCKS.some((block) => value[block] !== undefined)) throw malformedXml();
  },
  output: (value) => ({ PublicAccessBlockConfiguration: Object.fromEntries(BLOCKS.map((block) => [block, value[block] === true])) }),
});

/** What every new bucket has: "Blocking public access to your Amazon S3 storage". */
export const DEFAULT_PUBLIC_ACCESS_BLOCK = Object.fromEntries(BLOCKS.map((block) => [block, true]));
