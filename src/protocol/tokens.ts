import type { ShapeModel } from '../models/model.ts';

/** Makes an idempotency token, e.g. `platform.ids.uuid`. */
export type TokenSource = () => string;

/** Fills top-level `idempotencyToken` members that a caller left out: each such request is a new one. */
export function fillTokens(shape: ShapeModel, input: Record<string, unknown>, newToken: TokenSource): Record<string, unknown> {
  for (const name of tokenMembers(shape)) input[name] ??= newToken();
  return input;
}

const known = new WeakMap<ShapeModel, readonly string[]>();

function tokenMembers(shape: ShapeModel): readonly string[] {
  let names = known.get(shape);
  if (!names) {
    names = Object.entries(shape.members ?? {})
      .filter(([, ref]) => ref.idempotencyToken)
      .map(([name]) => name);
    known.set(shape, names);
  }
  return names;
}
