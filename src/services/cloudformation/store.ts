import { createHash } from 'node:crypto';
import { decodeJson, encodeJson } from '../../kit/json.ts';
import { type Key, keyOf, prefixEnd, uint64 } from '../../kit/key.ts';
import type { Store, Tx } from '../../store/store.ts';
import type { ChangeSet, Resource, Stack, StackEvent } from './domain/records.ts';

/** Whose stacks. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

export interface Export {
  readonly name: string;
  readonly value: string;
  readonly stackId: string;
}

const key = (scope: Scope, ...parts: string[]): Key => keyOf('cfn', scope.account, scope.region, ...parts);

export const stackKey = (scope: Scope, stackId: string): Key => key(scope, 'stack', stackId);
/** The stack that has the name now: deleted ones are found by id only. */
export const nameKey = (scope: Scope, name: string): Key => key(scope, 'name', name);
export const resourceKey = (scope: Scope, stackId: string, logicalId: string): Key => key(scope, 'resource', stackId, logicalId);
const eventPrefix = (scope: Scope, stackId: string): Key => key(scope, 'event', stackId);
const eventSequence = (scope: Scope, stackId: string): Key => key(scope, 'event-sequence', stackId);
export const changeSetKey = (scope: Scope, stackId: string, name: string): Key => key(scope, 'change-set', stackId, name);
/** A change set's ARN names neither its stack nor its place. */
export const changeSetIdKey = (scope: Scope, changeSetId: string): Key => key(scope, 'change-set-id', changeSetId);
const templateKey = (scope: Scope, stackId: string, hash: string): Key => key(scope, 'template', stackId, hash);
export const exportKey = (scope: Scope, name: string): Key => key(scope, 'export', name);
export const importKey = (scope: Scope, name: string, stackId: string): Key => key(scope, 'import', name, stackId);

/** A place for answers that a custom resource or a wait condition waits for: of a stack, for a token. */
export const answerPlace = (stackId: string, token: string): string => `${stackId.split('/').at(-1) ?? ''}.${token}`;
export const answerKey = (scope: Scope, place: string): Key => key(scope, 'answer', ...place.split('.'));

export const rangeUnder = (prefix: Key) => ({ from: prefix, to: prefixEnd(prefix) });
export const exportsRange = (scope: Scope) => rangeUnder(key(scope, 'export'));
export const importsRange = (scope: Scope, name: string) => rangeUnder(key(scope, 'import', name));
export const resourcesRange = (scope: Scope, stackId: string) => rangeUnder(key(scope, 'resource', stackId));
export const changeSetsRange = (scope: Scope, stackId: string) => rangeUnder(key(scope, 'change-set', stackId));
export const answersRange = (scope: Scope, stackId: string) => rangeUnder(key(scope, 'answer', stackId.split('/').at(-1) ?? ''));
export const stacksRange = (scope: Scope) => rangeUnder(key(scope, 'stack'));
export const eventsRange = (scope: Scope, stackId: string) => rangeUnder(eventPrefix(scope, stackId));

const decoded = <T>(value: Uint8Array | undefined): T | undefined => value && decodeJson<T>(value);

export const getStack = async (store: Store, scope: Scope, stackId: string): Promise<Stack | undefined> =>
  decoded<Stack>(await store.get(stackKey(scope, stackId)));
export const getStackTx = (tx: Tx, scope: Scope, stackId: string): Stack | undefined => decoded<Stack>(tx.get(stackKey(scope, stackId)));
export const putStackTx = (tx: Tx, scope: Scope, stack: Stack): void => tx.put(stackKey(scope, stack.id), encodeJson(stack));
export const getNameTx = (tx: Tx, scope: Scope, name: string): string | undefined => decoded<string>(tx.get(nameKey(scope, name)));
export const putNameTx = (tx: Tx, scope: Scope, name: string, stackId: string): void => tx.put(nameKey(scope, name), encodeJson(stackId));

/** The stack of that name or id; deleted ones by id only. */
export async function findStack(store: Store, scope: Scope, nameOrId: string): Promise<Stack | undefined> {
  if (nameOrId.startsWith('arn:')) return getStack(store, scope, nameOrId);
  const id = decoded<string>(await store.get(nameKey(scope, nameOrId)));
  return id === undefined ? undefined : getStack(store, scope, id);
}

export const putResourceTx = (tx: Tx, scope: Scope, stackId: string, resource: Resource): void =>
  tx.put(resourceKey(scope, stackId, resource.logicalId), encodeJson(resource));
export const getResourceTx = (tx: Tx, scope: Scope, stackId: string, logicalId: string): Resource | undefined =>
  decoded<Resource>(tx.get(resourceKey(scope, stackId, logicalId)));

/** Every value of a range, page by page. */
export async function readAll<T>(store: Store, range: { from: Key; to: Key }): Promise<T[]> {
  const out: T[] = [];
  let from = range.from;
  for (;;) {
    const page = await store.range({ from, to: range.to });
    for (const [, value] of page.entries) out.push(decodeJson<T>(value));
    const last = page.entries.at(-1);
    if (!page.more || !last) return out;
    from = `${last[0]}\x00`;
  }
}

export async function getResources(store: Store, scope: Scope, stackId: string): Promise<Map<string, Resource>> {
  const all = await readAll<Resource>(store, resourcesRange(scope, stackId));
  return new Map(all.map((resource) => [resource.logicalId, resource]));
}

/** Appends to a stack's events; the newest is last. */
export function putEventTx(tx: Tx, scope: Scope, stackId: string, event: StackEvent): void {
  tx.put(eventPrefix(scope, stackId) + uint64(tx.sequence(eventSequence(scope, stackId))), encodeJson(event));
}

/** One page of events, newest first; `before` is the key that the last page ended with. */
export async function getEvents(
  store: Store,
  scope: Scope,
  stackId: string,
  limit: number,
  before?: Key,
): Promise<{ events: StackEvent[]; last?: Key; more: boolean }> {
  const range = eventsRange(scope, stackId);
  const page = await store.range({ from: range.from, to: before ?? range.to, reverse: true, limit });
  const last = page.entries.at(-1)?.[0];
  return { events: page.entries.map(([, value]) => decodeJson<StackEvent>(value)), ...(last === undefined ? {} : { last }), more: page.more };
}

/** Keeps a template's text under its hash; the same text is kept once. */
export function putTemplateTx(tx: Tx, scope: Scope, stackId: string, text: string): void {
  tx.put(templateKey(scope, stackId, templateHash(text)), Buffer.from(text, 'utf8'));
}

export const templateHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

export async function getTemplate(store: Store, scope: Scope, stackId: string, hash: string): Promise<string> {
  const value = await store.get(templateKey(scope, stackId, hash));
  return value ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8') : '';
}

export async function findChangeSet(store: Store, scope: Scope, stackId: string | undefined, nameOrId: string): Promise<ChangeSet | undefined> {
  if (!nameOrId.startsWith('arn:')) return stackId === undefined ? undefined : decoded<ChangeSet>(await store.get(changeSetKey(scope, stackId, nameOrId)));
  const place = decoded<{ stackId: string; name: string }>(await store.get(changeSetIdKey(scope, nameOrId)));
  const found = place && decoded<ChangeSet>(await store.get(changeSetKey(scope, place.stackId, place.name)));
  return found?.id === nameOrId ? found : undefined;
}

export function putChangeSetTx(tx: Tx, scope: Scope, changeSet: ChangeSet): void {
  tx.put(changeSetKey(scope, changeSet.stackId, changeSet.name), encodeJson(changeSet));
  tx.put(changeSetIdKey(scope, changeSet.id), encodeJson({ stackId: changeSet.stackId, name: changeSet.name }));
}

export function deleteChangeSetTx(tx: Tx, scope: Scope, changeSet: ChangeSet): void {
  tx.delete(changeSetKey(scope, changeSet.stackId, changeSet.name));
  tx.delete(changeSetIdKey(scope, changeSet.id));
}

export const getChangeSetTx = (tx: Tx, scope: Scope, stackId: string, name: string): ChangeSet | undefined =>
  decoded<ChangeSet>(tx.get(changeSetKey(scope, stackId, name)));

export const getExportTx = (tx: Tx, scope: Scope, name: string): Export | undefined => decoded<Export>(tx.get(exportKey(scope, name)));
export const putExportTx = (tx: Tx, scope: Scope, exported: Export): void => tx.put(exportKey(scope, exported.name), encodeJson(exported));
