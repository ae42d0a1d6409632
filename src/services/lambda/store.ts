import { decodeJson, encodeJson } from '../../kit/json.ts';
import { type Key, keyOf, prefixEnd } from '../../kit/key.ts';
import type { Store, Tx } from '../../store/store.ts';
import type { Place } from './domain/names.ts';

/** Where the code of a version is. */
export interface CodeRow {
  readonly blobId: string;
  readonly size: number;
  /** Of the zip; base64 as AWS shows it. */
  readonly sha256: string;
  /** The code itself, live: the zip is an empty one. */
  readonly directory?: string;
  /** What it unpacks to. Absent from rows of earlier releases. */
  readonly unzippedBytes?: number;
}

/** The container image of a version: its layers lie one behind the other in the code's blob, whose `sha256` is the manifest's, in hexadecimal. */
export interface ImageRow {
  readonly uri: string;
  readonly resolvedUri: string;
  readonly layers: readonly { readonly digest: string; readonly mediaType: string; readonly start: number; readonly size: number }[];
  readonly entryPoint: readonly string[];
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** A layer version of a function: its code stays after the layer version was deleted. */
export interface LayerUse extends CodeRow {
  readonly arn: string;
}

/** A layer's name: remembered after its last version, whose number is never given again. */
export interface LayerRow {
  readonly name: string;
  readonly nextVersion: number;
}

export interface LayerVersionRow {
  readonly version: number;
  readonly description: string;
  readonly createdMs: number;
  readonly code: CodeRow;
  readonly runtimes?: readonly string[];
  readonly architectures?: readonly string[];
  readonly licenseInfo?: string;
  /** Nobody finds it any more; functions that have it go on. */
  readonly deleted?: true;
}

/** `ImageConfig`. */
export interface ImageConfigRow {
  readonly EntryPoint?: readonly string[];
  readonly Command?: readonly string[];
  readonly WorkingDirectory?: string;
}

/** How long executions of a durable function may last, and are kept. */
export interface DurableSettings {
  /** Seconds. */
  readonly executionTimeout: number;
  readonly retentionDays: number;
  /** Recorded. */
  readonly kmsKeyArn?: string;
}

/** One configuration: `$LATEST` or a published version. */
export interface VersionRow {
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly description: string;
  readonly runtime: string;
  readonly handler: string;
  readonly role: string;
  readonly memorySize: number;
  readonly timeout: number;
  readonly variables?: Readonly<Record<string, string>>;
  readonly architectures: readonly string[];
  readonly ephemeralStorage: number;
  readonly tracing: string;
  readonly logging: { readonly format: string; readonly group: string; readonly applicationLevel?: string; readonly systemLevel?: string };
  readonly snapStart: string;
  /** `PER_TENANT`: invocations name a tenant, and tenants share no environment. */
  readonly tenancy?: string;
  /** `DurableConfig`: present on durable functions. */
  readonly durable?: DurableSettings;
  /** Members that are kept and shown, and do nothing: DeadLetterConfig, VpcConfig, KMSKeyArn, FileSystemConfigs. */
  readonly recorded: Readonly<Record<string, unknown>>;
  readonly code: CodeRow;
  /** Of a function with `PackageType: Image`, whose `runtime` and `handler` are empty. */
  readonly image?: ImageRow;
  /** What of the image's own settings the function overrides. */
  readonly imageConfig?: ImageConfigRow;
  readonly layers?: readonly LayerUse[];
  readonly lastModifiedMs: number;
  readonly revisionId: string;
  /** What environments are made for: changes with code and configuration, not with tags or publishing. Absent: the revision. */
  readonly launchId?: string;
  /** Of a published version: what `$LATEST` said then, for versions may have a description of their own. */
  readonly sourceDescription?: string;
  readonly state: 'Pending' | 'Active' | 'Failed';
  readonly stateReason?: string;
  readonly stateReasonCode?: string;
  readonly lastUpdateStatus?: 'InProgress' | 'Successful' | 'Failed';
  readonly lastUpdateReason?: string;
  readonly lastUpdateReasonCode?: string;
}

export interface FunctionRow {
  readonly name: string;
  readonly latest: VersionRow;
  /** What invocations use while an update of `latest` is in progress. */
  readonly previous?: VersionRow;
  /** The number that the next published version gets. */
  readonly nextVersion: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly reservedConcurrency?: number;
  /** Provisioned concurrency, by version or alias. */
  readonly provisioned?: Readonly<Record<string, ProvisionedConfig>>;
  /** Recorded. */
  readonly codeSigningConfigArn?: string;
  /** `Allow` or `Terminate`. */
  readonly recursiveLoop?: string;
  /** Recorded, by qualifier. */
  readonly runtimeManagement?: Readonly<Record<string, { readonly updateOn: string; readonly versionArn?: string }>>;
}

export interface ProvisionedConfig {
  readonly requested: number;
  /** Virtual time. */
  readonly modifiedMs: number;
}

/** What functions of an account and region take of its concurrency: reserved, or provisioned without being reserved. */
export interface ConcurrencyRow {
  readonly amounts: Readonly<Record<string, number>>;
}

export interface AliasRow {
  readonly name: string;
  readonly functionVersion: string;
  readonly description: string;
  readonly weights?: Readonly<Record<string, number>>;
  readonly revisionId: string;
}

export interface PolicyRow {
  readonly revisionId: string;
  /** Of a policy that was put whole: its members beside the statements. */
  readonly document?: Readonly<Record<string, unknown>>;
  readonly statements: readonly Readonly<Record<string, unknown>>[];
}

/** Kept and shown; functions run on this machine whatever it says. */
export interface CapacityProviderRow {
  readonly name: string;
  /** The model's members, as they were given. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly modifiedMs: number;
}

export interface CodeSigningRow {
  readonly id: string;
  readonly description: string;
  readonly publishers: readonly string[];
  /** `Warn` or `Enforce`. */
  readonly untrusted: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly modifiedMs: number;
}

/** How the events of a function, version or alias are handled. What is absent is the default. */
export interface EventInvokeRow {
  /** `$LATEST` for the function itself. */
  readonly qualifier: string;
  readonly ageSecondsMax?: number;
  readonly retriesMax?: number;
  readonly onSuccess?: string;
  readonly onFailure?: string;
  readonly modifiedMs: number;
}

/** The model's `Cors`, as it was given. */
export interface UrlCors {
  readonly AllowCredentials?: boolean;
  readonly AllowHeaders?: readonly string[];
  readonly AllowMethods?: readonly string[];
  readonly AllowOrigins?: readonly string[];
  readonly ExposeHeaders?: readonly string[];
  /** Seconds. */
  readonly MaxAge?: number;
}

/** A function's URL; kept under the function, and under its id for requests, which name nothing else. */
export interface UrlRow extends Place {
  readonly id: string;
  readonly name: string;
  /** An alias, or empty for the function. */
  readonly qualifier: string;
  readonly authType: string;
  readonly cors?: UrlCors;
  /** Absent: nobody said, and it is BUFFERED. */
  readonly invokeMode?: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

const ROOM = 'lambda';
const VERSION_DIGITS = 12;

/** Keys sort versions by number. */
const padded = (version: string) => version.padStart(VERSION_DIGITS, '0');

export const keys = {
  fn: (place: Place, name: string): Key => keyOf(ROOM, place.account, place.region, 'fn', name),
  functions: (place: Place): Key => keyOf(ROOM, place.account, place.region, 'fn'),
  version: (place: Place, name: string, version: string): Key => keyOf(ROOM, place.account, place.region, 'version', name, padded(version)),
  versions: (place: Place, name: string): Key => keyOf(ROOM, place.account, place.region, 'version', name),
  alias: (place: Place, name: string, alias: string): Key => keyOf(ROOM, place.account, place.region, 'alias', name, alias),
  aliases: (place: Place, name: string): Key => keyOf(ROOM, place.account, place.region, 'alias', name),
  /** `qualifier` is empty for the function itself. */
  policy: (place: Place, name: string, qualifier: string): Key => keyOf(ROOM, place.account, place.region, 'policy', name, qualifier),
  capacityProvider: (place: Place, name: string): Key => keyOf(ROOM, place.account, place.region, 'capacity-provider', name),
  capacityProviders: (place: Place): Key => keyOf(ROOM, place.account, place.region, 'capacity-provider'),
  codeSigning: (place: Place, id: string): Key => keyOf(ROOM, place.account, place.region, 'code-signing', id),
  codeSignings: (place: Place): Key => keyOf(ROOM, place.account, place.region, 'code-signing'),
  concurrency: (place: Place): Key => keyOf(ROOM, place.account, place.region, 'concurrency'),
  /** Marks functions that have provisioned concurrency: at start they are looked up here. */
  provisionedMark: (place: Place, name: string): Key => keyOf(ROOM, 'provisioned', place.account, place.region, name),
  provisionedMarks: (): Key => keyOf(ROOM, 'provisioned'),
  eventInvoke: (place: Place, name: string, qualifier: string): Key => keyOf(ROOM, place.account, place.region, 'event-invoke', name, qualifier),
  eventInvokes: (place: Place, name: string): Key => keyOf(ROOM, place.account, place.region, 'event-invoke', name),
  url: (place: Place, name: string, qualifier: string): Key => keyOf(ROOM, place.account, place.region, 'url', name, qualifier),
  urls: (place: Place, name: string): Key => keyOf(ROOM, place.account, place.region, 'url', name),
  /** Ids are known before account and region are. */
  urlId: (id: string): Key => keyOf(ROOM, 'url-id', id),
  layer: (place: Place, name: string): Key => keyOf(ROOM, place.account, place.region, 'layer', name),
  layers: (place: Place): Key => keyOf(ROOM, place.account, place.region, 'layer'),
  layerVersion: (place: Place, name: string, version: number): Key => keyOf(ROOM, place.account, place.region, 'layerversion', name, padded(String(version))),
  layerVersions: (place: Place, name: string): Key => keyOf(ROOM, place.account, place.region, 'layerversion', name),
  allLayerVersions: (place: Place): Key => keyOf(ROOM, place.account, place.region, 'layerversion'),
  layerPolicy: (place: Place, name: string, version: number): Key => keyOf(ROOM, place.account, place.region, 'layerpolicy', name, padded(String(version))),
  policies: (place: Place, name: string): Key => keyOf(ROOM, place.account, place.region, 'policy', name),
};

export const under = (prefix: Key): { readonly from: Key; readonly to: Key } => ({ from: prefix, to: prefixEnd(prefix) });

export async function getFunctionRow(store: Store, place: Place, name: string): Promise<FunctionRow | undefined> {
  const value = await store.get(keys.fn(place, name));
  return value && decodeJson<FunctionRow>(value);
}

export async function getVersionRow(store: Store, place: Place, name: string, version: string): Promise<VersionRow | undefined> {
  const value = await store.get(keys.version(place, name, version));
  return value && decodeJson<VersionRow>(value);
}

export async function getAliasRow(store: Store, place: Place, name: string, alias: string): Promise<AliasRow | undefined> {
  const value = await store.get(keys.alias(place, name, alias));
  return value && decodeJson<AliasRow>(value);
}

/** The policy of a function's, version's, alias's or layer version's key. */
export async function getPolicyRowAt(store: Store, key: Key): Promise<PolicyRow | undefined> {
  const value = await store.get(key);
  return value && decodeJson<PolicyRow>(value);
}

export async function getCapacityProviderRow(store: Store, place: Place, name: string): Promise<CapacityProviderRow | undefined> {
  const value = await store.get(keys.capacityProvider(place, name));
  return value && decodeJson<CapacityProviderRow>(value);
}

export async function getCodeSigningRow(store: Store, place: Place, id: string): Promise<CodeSigningRow | undefined> {
  const value = await store.get(keys.codeSigning(place, id));
  return value && decodeJson<CodeSigningRow>(value);
}

export async function getEventInvokeRow(store: Store, place: Place, name: string, qualifier: string): Promise<EventInvokeRow | undefined> {
  const value = await store.get(keys.eventInvoke(place, name, qualifier));
  return value && decodeJson<EventInvokeRow>(value);
}

/** A layer version that is not deleted. */
export async function getLayerVersionRow(store: Store, place: Place, name: string, version: number): Promise<LayerVersionRow | undefined> {
  const value = await store.get(keys.layerVersion(place, name, version));
  const row = value && decodeJson<LayerVersionRow>(value);
  return row?.deleted ? undefined : row;
}

export function read<T>(tx: Tx, key: Key): T | undefined {
  const value = tx.get(key);
  return value && decodeJson<T>(value);
}

export function write(
  tx: Tx,
  key: Key,
  row:
    | FunctionRow
    | CapacityProviderRow
    | ConcurrencyRow
    | VersionRow
    | AliasRow
    | PolicyRow
    | LayerRow
    | LayerVersionRow
    | UrlRow
    | EventInvokeRow
    | CodeSigningRow,
): void {
  tx.put(key, encodeJson(row));
}

/** Every row under `prefix`, in a transaction. */
export function readAll<T>(tx: Tx, prefix: Key): { readonly key: Key; readonly row: T }[] {
  const rows: { key: Key; row: T }[] = [];
  let from = prefix;
  for (;;) {
    const page = tx.range({ from, to: prefixEnd(prefix) });
    for (const [key, value] of page.entries) rows.push({ key, row: decodeJson<T>(value) });
    const last = page.entries.at(-1);
    if (!page.more || !last) return rows;
    from = `${last[0]}\x00`;
  }
}

/** One page of rows under `prefix`, after the key `after`. */
export async function listRows<T>(store: Store, prefix: Key, limit: number, after?: Key): Promise<{ readonly rows: readonly T[]; readonly lastKey?: Key }> {
  const rows: T[] = [];
  let from = after === undefined ? prefix : `${after}\x00`;
  for (;;) {
    const page = await store.range({ from, to: prefixEnd(prefix), limit: limit - rows.length });
    for (const [, value] of page.entries) rows.push(decodeJson<T>(value));
    const last = page.entries.at(-1);
    if (!page.more || !last) return { rows };
    if (rows.length >= limit) return { rows, lastKey: last[0] };
    from = `${last[0]}\x00`;
  }
}
