import type { AliasRow, FunctionRow } from '../store.ts';

/** What a function takes of its account's concurrency, and what of that is provisioned. */
export function takenBy(fn: FunctionRow): { readonly amount: number; readonly provisioned: number } {
  const provisioned = fn.provisioned ? Object.values(fn.provisioned).reduce((sum, { requested }) => sum + requested, 0) : 0;
  return { amount: fn.reservedConcurrency ?? provisioned, provisioned };
}

/** How the provisioned concurrency of an alias is shared between its versions: by their weights, nobody with a weight left out. */
export function sharesOf(alias: AliasRow, requested: number): ReadonlyMap<string, number> {
  const [other] = Object.entries(alias.weights ?? {});
  if (!other || other[1] === 0 || requested === 0) return new Map([[alias.functionVersion, requested]]);
  const [version, weight] = other;
  if (weight >= 1) return new Map([[version, requested]]);
  const share = Math.min(Math.max(Math.round(requested * weight), 1), Math.max(requested - 1, 0));
  return new Map([
    [alias.functionVersion, requested - share],
    [version, share],
  ]);
}

/** Environments to keep initialised, by version, for all that a function asks. */
export function wantedOf(fn: FunctionRow, aliases: ReadonlyMap<string, AliasRow>): ReadonlyMap<string, number> {
  const wanted = new Map<string, number>();
  for (const [qualifier, { requested }] of Object.entries(fn.provisioned ?? {})) {
    const alias = aliases.get(qualifier);
    const shares = alias ? sharesOf(alias, requested) : new Map([[qualifier, requested]]);
    for (const [version, count] of shares) wanted.set(version, (wanted.get(version) ?? 0) + count);
  }
  // Nobody publishes $LATEST, and nobody may provision it: an alias may have been moved there.
  wanted.delete('$LATEST');
  return wanted;
}

/** The function without what is provisioned for a version or alias. */
export function withoutProvisioned(fn: FunctionRow, qualifier: string): FunctionRow {
  const { provisioned, ...rest } = fn;
  const { [qualifier]: _, ...others } = provisioned ?? {};
  return Object.keys(others).length > 0 ? { ...rest, provisioned: others } : rest;
}
