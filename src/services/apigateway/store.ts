import { decodeJson, encodeJson } from '../../kit/json.ts';
import { type Key, keyOf, prefixEnd } from '../../kit/key.ts';
import type { KeyRange, Store, Tx } from '../../store/store.ts';
import type {
  ApiSnapshot,
  AuthorizerRow,
  DeploymentRow,
  GatewayResponseRow,
  ModelRow,
  ResourceRow,
  RestApiRow,
  Scope,
  StageRow,
  ValidatorRow,
} from './domain/types.ts';
import { apiNotFound, resourceNotFound } from './errors.ts';
import { SNAPSHOT_PIECE_BYTES } from './limits.ts';

const base = (scope: Scope) => keyOf('apigw', scope.account, scope.region);

/** What belongs to an API, each under its own letter. */
export type Part =
  | 'resource'
  | 'model'
  | 'validator'
  | 'authorizer'
  | 'gatewayResponse'
  | 'deployment'
  | 'snapshot'
  | 'stage'
  | 'claim'
  | 'documentationPart'
  | 'documentationVersion';

const LETTER: Readonly<Record<Part, string>> = {
  resource: 'r',
  model: 'm',
  validator: 'v',
  authorizer: 'z',
  gatewayResponse: 'w',
  deployment: 'd',
  snapshot: 'x',
  stage: 's',
  claim: 'c',
  documentationPart: 'p',
  documentationVersion: 'o',
};
export const PARTS = Object.keys(LETTER) as readonly Part[];

export const keys = {
  apis: (scope: Scope): Key => base(scope) + keyOf('a'),
  api: (scope: Scope, apiId: string): Key => base(scope) + keyOf('a', apiId),
  parts: (scope: Scope, apiId: string, part: Part): Key => base(scope) + keyOf(LETTER[part], apiId),
  part: (scope: Scope, apiId: string, part: Part, id: string): Key => base(scope) + keyOf(LETTER[part], apiId, id),
  snapshotPiece: (scope: Scope, apiId: string, deploymentId: string, piece: number): Key =>
    base(scope) + keyOf('x', apiId, deploymentId, String(piece).padStart(4, '0')),
  /** Whose API an id is: requests to an API carry its id alone. */
  owner: (apiId: string): Key => keyOf('apigw', '', 'id', apiId),
  apiKeys: (scope: Scope): Key => base(scope) + keyOf('k'),
  apiKey: (scope: Scope, id: string): Key => base(scope) + keyOf('k', id),
  apiKeyValue: (scope: Scope, value: string): Key => base(scope) + keyOf('kv', value),
  usagePlans: (scope: Scope): Key => base(scope) + keyOf('u'),
  usagePlan: (scope: Scope, id: string): Key => base(scope) + keyOf('u', id),
  usagePlanKeys: (scope: Scope, planId: string): Key => base(scope) + keyOf('uk', planId),
  usagePlanKey: (scope: Scope, planId: string, keyId: string): Key => base(scope) + keyOf('uk', planId, keyId),
  account: (scope: Scope): Key => base(scope) + keyOf('acct'),
  /** Everything of one account and region: what a compiled router's watcher follows. */
  all: (): Key => keyOf('apigw'),
};

export const rangeOf = (prefix: Key): KeyRange => ({ from: prefix, to: prefixEnd(prefix) });

const PAGE = 200;

/** All rows under `prefix`, in key order. */
export function txList<T>(tx: Tx, prefix: Key): T[] {
  const rows: T[] = [];
  const { from, to } = rangeOf(prefix);
  for (let at = from; ; ) {
    const page = tx.range({ from: at, to, limit: PAGE });
    for (const [, value] of page.entries) rows.push(decodeJson<T>(value));
    if (!page.more) return rows;
    at = `${page.entries.at(-1)?.[0] ?? to}\x00`;
  }
}

/** All rows under `prefix`, a page at a time. */
export async function list<T>(store: Store, prefix: Key): Promise<T[]> {
  const rows: T[] = [];
  const { from, to } = rangeOf(prefix);
  for (let at = from; ; ) {
    const page = await store.range({ from: at, to, limit: PAGE });
    for (const [, value] of page.entries) rows.push(decodeJson<T>(value));
    if (!page.more) return rows;
    at = `${page.entries.at(-1)?.[0] ?? to}\x00`;
  }
}

/** The row at `key`, or throws `missing()`. */
export async function read<T>(store: Store, key: Key, missing: () => Error): Promise<T> {
  const value = await store.get(key);
  if (!value) throw missing();
  return decodeJson<T>(value);
}

export function txRead<T>(tx: Tx, key: Key, missing: () => Error): T {
  const value = tx.get(key);
  if (!value) throw missing();
  return decodeJson<T>(value);
}

export function readApi(store: Store, scope: Scope, apiId: string): Promise<RestApiRow> {
  return read<RestApiRow>(store, keys.api(scope, apiId), () => apiNotFound(scope.account, apiId));
}

export function txApi(tx: Tx, scope: Scope, apiId: string): RestApiRow {
  return txRead<RestApiRow>(tx, keys.api(scope, apiId), () => apiNotFound(scope.account, apiId));
}

/** A missing API is answered as a missing resource by everything that names a resource. */
export function readResource(store: Store, scope: Scope, apiId: string, resourceId: string): Promise<ResourceRow> {
  return read<ResourceRow>(store, keys.part(scope, apiId, 'resource', resourceId), resourceNotFound);
}

/** Reads, changes and writes back one row in one commit. */
export function update<T, R>(store: Store, key: Key, missing: () => Error, change: (row: T, tx: Tx) => readonly [T, R]): Promise<R> {
  return store.transact({ keys: [key] }, (tx) => {
    const [row, result] = change(txRead<T>(tx, key, missing), tx);
    tx.put(key, encodeJson(row));
    return result;
  });
}

export function putPart(tx: Tx, scope: Scope, apiId: string, part: Part, id: string, row: unknown): void {
  tx.put(keys.part(scope, apiId, part, id), encodeJson(row));
}

/**
 * Says for the stack operation `token` that it makes the named thing: true where it is not there yet, or where this very operation
 * began it before a crash; false where it is somebody else's. The claim goes with its API.
 */
export function claim(store: Store, scope: Scope, apiId: string, name: string, token: string, exists: (tx: Tx) => boolean): Promise<boolean> {
  const key = keys.part(scope, apiId, 'claim', name);
  return store.transact({ keys: [key] }, (tx) => {
    const holder = tx.get(key);
    if (holder && decodeJson<string>(holder) === token) return true;
    if (exists(tx)) return false;
    tx.put(key, encodeJson(token));
    return true;
  });
}

/** Takes back {@link claim} once the thing is deleted. */
export function unclaim(store: Store, scope: Scope, apiId: string, name: string): Promise<void> {
  const key = keys.part(scope, apiId, 'claim', name);
  return store.transact({ keys: [key] }, (tx) => tx.delete(key));
}

/** Everything that a deployment freezes, from one state. */
export function txSnapshot(tx: Tx, scope: Scope, apiId: string): ApiSnapshot {
  return {
    api: txApi(tx, scope, apiId),
    resources: txList<ResourceRow>(tx, keys.parts(scope, apiId, 'resource')),
    models: txList<ModelRow>(tx, keys.parts(scope, apiId, 'model')),
    validators: txList<ValidatorRow>(tx, keys.parts(scope, apiId, 'validator')),
    authorizers: txList<AuthorizerRow>(tx, keys.parts(scope, apiId, 'authorizer')),
    gatewayResponses: txList<GatewayResponseRow>(tx, keys.parts(scope, apiId, 'gatewayResponse')),
  };
}

/** Writes a deployment with its snapshot. */
export function putDeployment(tx: Tx, scope: Scope, apiId: string, row: Omit<DeploymentRow, 'pieces'>, snapshot: ApiSnapshot): DeploymentRow {
  const bytes = encodeJson(snapshot);
  const pieces = Math.ceil(bytes.length / SNAPSHOT_PIECE_BYTES);
  for (let piece = 0; piece < pieces; piece++) {
    tx.put(keys.snapshotPiece(scope, apiId, row.id, piece), bytes.subarray(piece * SNAPSHOT_PIECE_BYTES, (piece + 1) * SNAPSHOT_PIECE_BYTES));
  }
  const full = { ...row, pieces };
  putPart(tx, scope, apiId, 'deployment', row.id, full);
  return full;
}

export function deleteDeployment(tx: Tx, scope: Scope, apiId: string, row: DeploymentRow): void {
  for (let piece = 0; piece < row.pieces; piece++) tx.delete(keys.snapshotPiece(scope, apiId, row.id, piece));
  tx.delete(keys.part(scope, apiId, 'deployment', row.id));
}

/** The API as it was when it was deployed; undefined where the deployment is gone. */
export async function readSnapshot(store: Store, scope: Scope, apiId: string, deploymentId: string): Promise<ApiSnapshot | undefined> {
  const value = await store.get(keys.part(scope, apiId, 'deployment', deploymentId));
  if (!value) return undefined;
  const { pieces } = decodeJson<DeploymentRow>(value);
  const parts = await store.getMany(Array.from({ length: pieces }, (_, piece) => keys.snapshotPiece(scope, apiId, deploymentId, piece)));
  if (parts.some((part) => part === undefined)) return undefined;
  return decodeJson<ApiSnapshot>(Buffer.concat(parts.filter((part) => part !== undefined)));
}

export async function readStage(store: Store, scope: Scope, apiId: string, stageName: string): Promise<StageRow | undefined> {
  const value = await store.get(keys.part(scope, apiId, 'stage', stageName));
  return value ? decodeJson<StageRow>(value) : undefined;
}

/** Account and region of an API, told by its id alone. */
export async function readOwner(store: Store, apiId: string): Promise<Scope | undefined> {
  const value = await store.get(keys.owner(apiId));
  return value ? decodeJson<Scope>(value) : undefined;
}
