import { ACCESS_RING_ENTRIES } from './limits.ts';

/** What the authorize step found for one call: nothing is enforced yet. */
export interface AccessRecord {
  /** Virtual time. */
  readonly timeMs: number;
  readonly requestId: string;
  readonly account: string;
  readonly region: string;
  /** The caller's ARN. */
  readonly principal: string;
  /** e.g. `s3:GetObject`. */
  readonly action: string;
  /** ARNs, or `*`. */
  readonly resources: readonly string[];
  /** True for a call that one room made of another. */
  readonly internal: boolean;
}

/** The last calls, newest first. */
export interface AccessRing {
  record(entry: AccessRecord): void;
  read(filter?: { action?: string; principal?: string; limit?: number }): AccessRecord[];
}

export function createAccessRing(entries: number = ACCESS_RING_ENTRIES): AccessRing {
  const ring: (AccessRecord | undefined)[] = new Array<undefined>(entries).fill(undefined);
  let next = 0;
  return {
    record(entry) {
      ring[next] = entry;
      next = (next + 1) % entries;
    },
    read({ action, principal, limit = entries } = {}) {
      const found: AccessRecord[] = [];
      for (let back = 1; back <= entries && found.length < limit; back++) {
        const entry = ring[(next - back + entries) % entries];
        if (!entry) break;
        if (action !== undefined && entry.action !== action) continue;
        if (principal !== undefined && entry.principal !== principal) continue;
        found.push(entry);
      }
      return found;
    },
  };
}
