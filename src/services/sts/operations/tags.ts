import type { Tag } from '@aws-sdk/client-sts';
import type { Principal } from '../../../identity/principal.ts';
import { invalidParameterValue } from '../errors.ts';

/** Session tags are unique without regard to case. Throws `InvalidParameterValue`. */
export function checkTagKeys(tags: readonly Tag[] | undefined): void {
  const folded = (tags ?? []).map(({ Key = '' }) => Key.toLowerCase());
  if (new Set(folded).size !== folded.length) throw invalidParameterValue('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
}

interface Tagging {
  readonly Tags?: readonly Tag[] | undefined;
  readonly TransitiveTagKeys?: readonly string[] | undefined;
}

/**
 * The tags that a new role session hands on in its turn: those handed to it, and those named in this request. Undefined where
 * there are none. Throws `InvalidParameterValue`. "Pass session tags in AWS STS" in the IAM User Guide.
 */
export function transitiveTags(caller: Principal, { Tags = [], TransitiveTagKeys = [] }: Tagging): Readonly<Record<string, string>> | undefined {
  checkTagKeys(Tags);
  const inherited = Object.entries(caller.transitiveTags ?? {});
  const fixed = new Set(inherited.map(([key]) => key.toLowerCase()));
  if (Tags.some(({ Key = '' }) => fixed.has(Key.toLowerCase()))) {
    throw invalidParameterValue(
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    );
  }
  const own = TransitiveTagKeys.map((name): [string, string] => {
    const tag = Tags.find(({ Key = '' }) => Key.toLowerCase() === name.toLowerCase());
    if (!tag) throw invalidParameterValue('The specified transitive tag key must be included in the requested tags.');
    return [tag.Key ?? '', tag.Value ?? ''];
  });
  const all = [...inherited, ...own];
  return all.length > 0 ? Object.fromEntries(all) : undefined;
}
