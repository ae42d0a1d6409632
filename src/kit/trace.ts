import type { Ids } from './ids.ts';

/** The X-Ray trace that caused a call (lineage: design decision 5). */
export interface Trace {
  /** `1-<8 hex>-<24 hex>`. */
  readonly root: string;
  /** The span that caused this one: 16 hex digits. */
  readonly parent?: string;
  readonly sampled: boolean;
  /** The functions that this trace has run through, and how often: `<8 hex>:<count>`, joined by `|`. Only Lambda writes it (recursive loops). */
  readonly lineage?: string;
}

/** A lineage of more functions than this is cut by whoever writes it. */
const LINEAGE = /^[0-9a-f]{8}:[0-9]{1,5}(?:\|[0-9a-f]{8}:[0-9]{1,5}){0,31}$/;

/** A new trace, begun at `atMs`. */
export function newTrace(ids: Ids, atMs: number): Trace {
  const seconds = Math.floor(atMs / 1000)
    .toString(16)
    .padStart(8, '0');
  return { root: `1-${seconds}-${ids.bytes(12).toString('hex')}`, sampled: false };
}

/** The `X-Amzn-Trace-Id` header's value: `Root=…;Parent=…;Sampled=…`, with `;Lineage=…` where there is one. */
export function formatTrace(trace: Trace): string {
  return `Root=${trace.root};${trace.parent ? `Parent=${trace.parent};` : ''}Sampled=${trace.sampled ? 1 : 0}${trace.lineage === undefined ? '' : `;Lineage=${trace.lineage}`}`;
}

/** The same trace for whoever is not part of what recursive-loop detection looks at. */
export function withoutLineage({ lineage: _, ...trace }: Trace): Trace {
  return trace;
}

/** Reads the header back; undefined where it is not one. */
export function parseTrace(header: string | undefined): Trace | undefined {
  if (!header) return undefined;
  const fields = new Map(header.split(';').map((f) => f.trim().split('=', 2) as [string, string]));
  const root = fields.get('Root');
  if (!root || !/^1-[0-9a-f]{8}-[0-9a-f]{24}$/.test(root)) return undefined;
  const parent = fields.get('Parent');
  const lineage = fields.get('Lineage');
  return {
    root,
    ...(parent && /^[0-9a-f]{16}$/.test(parent) ? { parent } : {}),
    sampled: fields.get('Sampled') === '1',
    ...(lineage && LINEAGE.test(lineage) ? { lineage } : {}),
  };
}
