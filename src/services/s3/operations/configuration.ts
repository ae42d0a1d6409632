import { encodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import type { BucketRecord } from '../domain/records.ts';
import { malformedXml, notFoundConfiguration } from '../errors.ts';
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

export interface Recorded {
  /** Names its row. */
  readonly kind: string;
  /** The input's member that holds it. */
  readonly member: string;
  /** What a bucket without it answers. */
  readonly missing: readonly [code: string, message: string];
  /** Throws where S3 would refuse it. */
  readonly check?: (value: Record<string, unknown>) => void;
  /** The output for what was stored. */
  readonly output: (value: Record<string, unknown>) => Record<string, unknown>;
}

/** A configuration that is kept and described, and has no effect. */
export function recordedConfiguration({ kind, member, missing, check, output }: Recorded): { put: Run; get: Run; delete: Run } {
  return {
    async put(ctx, input) {
      const bucket = await openBucket(ctx, input);
      const value = input[member];
      if (typeof value !== 'object' || value === null) throw malformedXml();
      check?.(value as Record<string, unknown>);
      const row = keys.config(bucket.id, kind);
      await inBucket(ctx, bucket, { keys: [row] }, (tx) => tx.put(row, encodeJson(value)));
      return {};
    },
    async get(ctx, input) {
      const bucket = await openBucket(ctx, input);
      const value = await readConfig<Record<string, unknown>>(ctx.platform.store, bucket.id, kind);
      if (!value) throw notFoundConfiguration(missing[0], missing[1], bucket.name);
      return output(value);
    },
    async delete(ctx, input) {
      const bucket = await openBucket(ctx, input);
      const row = keys.config(bucket.id, kind);
      await inBucket(ctx, bucket, { keys: [row] }, (tx) => tx.delete(row));
      return {};
    },
  };
}

/** The true answer of a bucket for which a configuration cannot be made here. */
export function withoutConfiguration(answer: Record<string, unknown> | readonly [code: string, message: string]): Run {
  return async (ctx, input) => {
    const bucket = await openBucket(ctx, input);
    if (Array.isArray(answer)) throw notFoundConfiguration(answer[0], answer[1], bucket.name);
    return answer as Record<string, unknown>;
  };
}

const listOf = (value: unknown): readonly Record<string, unknown>[] => (Array.isArray(value) ? (value as Record<string, unknown>[]) : []);

const CORS_METHODS: ReadonlySet<unknown> = new Set(['GET', 'PUT', 'POST', 'DELETE', 'HEAD']);

export const cors = recordedConfiguration({
  kind: 'cors',
  member: 'CORSConfiguration',
  missing: ['NoSuchCORSConfiguration', 'The CORS configuration does not exist'],
  check(value) {
    const rules = listOf(value['CORSRules']);
    const complete = (rule: Record<string, unknown>) => listOf(rule['AllowedMethods']).length > 0 && listOf(rule['AllowedOrigins']).length > 0;
    if (rules.length === 0 || rules.length > 100 || !rules.every(complete)) throw malformedXml();
    if (!rules.every((rule) => listOf(rule['AllowedMethods']).every((method) => CORS_METHODS.has(method)))) throw malformedXml();
  },
  output: (value) => ({ CORSRules: value['CORSRules'] }),
});

/** Dates came back from the store as text. */
function withDates(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withDates);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, k === 'Date' && typeof v === 'string' ? new Date(v) : withDates(v)]));
}

export const lifecycle = recordedConfiguration({
  kind: 'lifecycle',
  member: 'LifecycleConfiguration',
  missing: ['NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'],
  check(value) {
    const rules = listOf(value['Rules']);
    if (rules.length === 0 || rules.length > 1000) throw malformedXml();
    for (const rule of rules) {
      if (rule['Status'] !== 'Enabled' && rule['Status'] !== 'Disabled') throw malformedXml();
      if ((rule['Filter'] === undefined) === (rule['Prefix'] === undefined)) throw malformedXml();
    }
  },
  output: (value) => ({ Rules: withDates(value['Rules']), TransitionDefaultMinimumObjectSize: 'all_storage_classes_128K' }),
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
