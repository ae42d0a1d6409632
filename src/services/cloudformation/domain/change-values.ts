import { masked } from './custom.ts';
import { NO_VALUE, UNKNOWN, type Value } from './intrinsics.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { type StackParameter, textOfParameter } from './parameters.ts';
import type { ResourceChange } from './records.ts';

const KNOWN_LATER = '{{changeSet:KNOWN_AFTER_APPLY}}';

/** Properties as a change set shows them: scalars as texts, what is not known yet by a mark, secrets hidden. */
export function shownProperties(properties: Readonly<Record<string, Value>>, parameters: readonly StackParameter[]): JsonObject {
  const secrets = parameters
    .filter(({ noEcho }) => noEcho)
    .map(textOfParameter)
    .filter((secret) => secret !== '');
  const shown = (value: Value): Json => {
    if (value === UNKNOWN || value === NO_VALUE) return KNOWN_LATER;
    if (value === null || typeof value !== 'object') return value === null ? null : String(value);
    if (Array.isArray(value)) return value.map(shown);
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shown(member)]));
  };
  return masked(Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, shown(value)])), secrets) as JsonObject;
}

/** Values are kept up to this many characters; beyond it a change set goes without. */
const VALUES_CHARS_MAX = 1_000_000;

export function boundedValues(changes: readonly ResourceChange[]): ResourceChange[] {
  let left = VALUES_CHARS_MAX;
  return changes.map((change) => {
    left -= JSON.stringify([change.before, change.after]).length;
    if (left >= 0) return change;
    const { before: _before, after: _after, ...rest } = change;
    return rest;
  });
}

/** The members of a described change that hold values; "IncludePropertyValues". */
export const contextsOf = ({ before, after }: ResourceChange): { BeforeContext?: string; AfterContext?: string } => ({
  ...(before ? { BeforeContext: JSON.stringify({ Properties: before }) } : {}),
  ...(after ? { AfterContext: JSON.stringify({ Properties: after }) } : {}),
});

/** The values of one changed property. */
export function targetValues({ before, after }: ResourceChange, name: string | undefined, change: string | undefined) {
  if (name === undefined || (!before && !after)) return {};
  const text = (value: Json | undefined) => (value === undefined ? undefined : isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value));
  const [from, to] = [text(before?.[name]), text(after?.[name])];
  return {
    Path: `/Properties/${name}`,
    ...(from === undefined ? {} : { BeforeValue: from }),
    ...(to === undefined ? {} : { AfterValue: to }),
    ...(change === undefined ? {} : { AttributeChangeType: change }),
  };
}
