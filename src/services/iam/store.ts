import { decodeJson, encodeJson } from '../../kit/json.ts';
import { type Key, keyOf, partsOf, prefixEnd } from '../../kit/key.ts';
import type { Store, Tx } from '../../store/store.ts';
import type { AccessKey, Group, InstanceProfile, Kind, ManagedPolicy, Role, User } from './domain/entities.ts';

/** What stands under each kind's key. */
export interface Stored {
  role: Role;
  user: User;
  group: Group;
  policy: ManagedPolicy;
  'instance-profile': InstanceProfile;
}

/** Names are unique without regard to case. */
export const entityKey = (account: string, kind: Kind, name: string): Key => keyOf('iam', account, kind, name.toLowerCase());
/** A policy's attachment: makes "who has it" a range. */
export const attachmentKey = (account: string, policyArn: string, kind: Kind, name: string): Key =>
  keyOf('iam', account, 'attachment', policyArn, kind, name.toLowerCase());
const attachmentPrefix = (account: string, policyArn: string): Key => keyOf('iam', account, 'attachment', policyArn);
export const memberKey = (account: string, group: string, user: string): Key => keyOf('iam', account, 'member', group.toLowerCase(), user.toLowerCase());
const memberPrefix = (account: string, group: string): Key => keyOf('iam', account, 'member', group.toLowerCase());
/** The state of a service-linked role's deletion. */
export const deletionTaskKey = (account: string, task: string): Key => keyOf('iam', account, 'deletion-task', task);
/** Access key ids are unique over accounts: the id alone must find the account. */
export const accessKeyKey = (accessKeyId: string): Key => keyOf('iam-access-key', accessKeyId);

export const rangeOf = (prefix: Key) => ({ from: prefix, to: prefixEnd(prefix) });
export const attachments = (account: string, policyArn: string) => rangeOf(attachmentPrefix(account, policyArn));
export const members = (account: string, group: string) => rangeOf(memberPrefix(account, group));

/** The entity as the transaction sees it. */
export function readTx<K extends Kind>(tx: Tx, account: string, kind: K, name: string): Stored[K] | undefined {
  const value = tx.get(entityKey(account, kind, name));
  return value && decodeJson<Stored[K]>(value);
}

export function writeTx<K extends Kind>(tx: Tx, account: string, kind: K, entity: Stored[K]): void {
  tx.put(entityKey(account, kind, entity.name), encodeJson(entity));
}

export async function read<K extends Kind>(store: Store, account: string, kind: K, name: string): Promise<Stored[K] | undefined> {
  const value = await store.get(entityKey(account, kind, name));
  return value && decodeJson<Stored[K]>(value);
}

export async function readAccessKey(store: Store, accessKeyId: string): Promise<AccessKey | undefined> {
  const value = await store.get(accessKeyKey(accessKeyId));
  return value && decodeJson<AccessKey>(value);
}

/** One page of a kind in the order of names, `after` a key, kept where `keep` says so. */
export async function list<K extends Kind>(
  store: Store,
  account: string,
  kind: K,
  options: { after?: Key; limit: number; keep: (entity: Stored[K]) => boolean },
): Promise<{ entities: Stored[K][]; last: Key | undefined; more: boolean }> {
  const prefix = keyOf('iam', account, kind);
  const entities: Stored[K][] = [];
  let from = options.after === undefined ? prefix : `${options.after}\x00`;
  let last: Key | undefined;
  for (;;) {
    const page = await store.range({ from, to: prefixEnd(prefix), limit: 200 });
    for (const [key, value] of page.entries) {
      const entity = decodeJson<Stored[K]>(value);
      if (options.keep(entity)) {
        if (entities.length === options.limit) return { entities, last, more: true };
        entities.push(entity);
      }
      last = key;
    }
    if (!page.more || last === undefined) return { entities, last, more: false };
    from = `${last}\x00`;
  }
}

/** The last part of a key, e.g. an entity's name in lower case. */
export const lastPart = (key: Key): string => partsOf(key).at(-1) ?? '';

/** Every entry of a small range (attachments, members), page by page. */
export async function all(store: Store, range: { from: Key; to: Key }): Promise<[Key, Uint8Array][]> {
  const out: [Key, Uint8Array][] = [];
  let from = range.from;
  for (;;) {
    const page = await store.range({ from, to: range.to });
    out.push(...page.entries.map(([key, value]): [Key, Uint8Array] => [key, value]));
    const last = page.entries.at(-1);
    if (!page.more || !last) return out;
    from = `${last[0]}\x00`;
  }
}
