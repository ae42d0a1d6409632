import type { Credential, Principal } from '../identity/principal.ts';
import type { Platform, Service } from '../services/service.ts';
import { CALLER_MS_MAX, CALLERS_MAX } from './limits.ts';

/** Accounts of credentials that name none. */
export const DEFAULT_ACCOUNT = '000000000000';

/** Who signs with which key. */
export interface Callers {
  /** The caller behind an access key with auth off: nothing is verified. Synchronous where no room has to be asked. */
  presume(accessKeyId: string, sessionToken: string | undefined): Principal | Promise<Principal>;
  /** The key pair, from the root key or the rooms that keep keys; never remembered, so that a deleted key stops working at once. */
  find(accessKeyId: string, sessionToken: string | undefined): Promise<Credential | undefined>;
  readonly anonymous: Principal;
}

/** Keys that rooms give out look like AWS's own; whatever else a developer types is a made-up one. */
const ISSUED = /^A[KS]IA[A-Z0-9]{16}$/;

export function createCallers(rooms: readonly Service[], platform: Platform, root: Credential | undefined): Callers {
  const keepers = rooms.filter((room) => room.credential !== undefined);
  const known = new Map<string, { principal: Principal; untilMs: number }>();

  const find: Callers['find'] = async (accessKeyId, sessionToken) => {
    if (root && root.accessKeyId === accessKeyId) return root;
    for (const room of keepers) {
      const credential = await room.credential?.(platform, accessKeyId, sessionToken);
      if (credential) return credential;
    }
    return undefined;
  };

  const remember = (accessKeyId: string, principal: Principal, untilMs: number): Principal => {
    if (known.size >= CALLERS_MAX) known.clear();
    known.set(accessKeyId, { principal, untilMs });
    return principal;
  };

  return {
    anonymous: { account: DEFAULT_ACCOUNT, accessKeyId: '', arn: '', userId: 'anonymous', type: 'anonymous' },
    find,
    presume(accessKeyId, sessionToken) {
      const cached = known.get(accessKeyId);
      if (cached && (cached.untilMs === Number.POSITIVE_INFINITY || cached.untilMs > platform.clock.mono())) return cached.principal;
      if (keepers.length === 0 || !ISSUED.test(accessKeyId)) return remember(accessKeyId, rootOf(accessKeyId), Number.POSITIVE_INFINITY);
      return find(accessKeyId, sessionToken).then((credential) =>
        remember(accessKeyId, credential?.principal ?? rootOf(accessKeyId), platform.clock.mono() + (credential ? CALLER_MS_MAX : 0)),
      );
    },
  };
}

/** A 12-digit access key id is the account. */
function rootOf(accessKeyId: string): Principal {
  const account = /^\d{12}$/.test(accessKeyId) ? accessKeyId : DEFAULT_ACCOUNT;
  return { account, accessKeyId, arn: `arn:aws:iam::${account}:root`, userId: account, type: 'root' };
}
