import { createHash } from 'node:crypto';
import { ALPHABET_BASE32 } from '../../../identity/access-key.ts';
import type { ManagedPolicy } from './entities.ts';
import documents from './managed-policies.json' with { type: 'json' };

let cached: readonly ManagedPolicy[] | undefined;
let byArn: ReadonlyMap<string, ManagedPolicy> | undefined;

/** The AWS managed policies that Croft knows: those of serverless applications. */
export function AWS_POLICIES(): readonly ManagedPolicy[] {
  cached ??= Object.entries(documents).map(([name, { path, version, created, updated, document }]) => ({
    name,
    path,
    id: `ANPA${idOf(name)}`,
    arn: `arn:aws:iam::aws:policy${path}${name}`,
    createdMs: Date.parse(created),
    updatedMs: Date.parse(updated),
    tags: {},
    defaultVersion: version,
    lastVersion: Number(version.slice(1)),
    versions: { [version]: { document: JSON.stringify(document), createdMs: Date.parse(updated) } },
  }));
  return cached;
}

/** One of {@link AWS_POLICIES} by ARN, in any partition. */
export function awsPolicy(arn: string): ManagedPolicy | undefined {
  byArn ??= new Map(AWS_POLICIES().map((policy) => [policy.arn, policy]));
  return byArn.get(arn.replace(/^arn:aws(-cn|-us-gov):/, 'arn:aws:'));
}

/** A unique id that is the same on every Croft: AWS's own are not published. */
function idOf(name: string): string {
  return Array.from(createHash('sha256').update(name).digest().subarray(0, 17), (byte) => ALPHABET_BASE32[byte % 32]).join('');
}
