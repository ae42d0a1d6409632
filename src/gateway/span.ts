import type { CallContext } from './context.ts';
import type { GatewayParts } from './parts.ts';

interface Facts {
  readonly kind: 'request' | 'call';
  readonly name: string;
  /** Monotonic. */
  readonly startedMs: number;
  readonly status: number;
  readonly error: string | undefined;
  readonly resources: readonly string[] | undefined;
}

/** Writes a call's span, where its caller sent a trace or it caused something: a plain read that nobody traces leaves none. */
export function recordSpan(parts: GatewayParts, ctx: CallContext, facts: Facts): void {
  const { span } = ctx;
  if (!span) return;
  const { clock } = parts.platform;
  const durationMs = clock.mono() - facts.startedMs;
  parts.telemetry.lineage.record({
    trace: span.cause.root,
    id: span.id,
    ...(span.cause.parent === undefined ? {} : { parent: span.cause.parent }),
    kind: facts.kind,
    name: facts.name,
    account: ctx.account,
    region: ctx.region,
    startMs: clock.virtual() - durationMs,
    durationMs,
    status: facts.status,
    ...(facts.error === undefined ? {} : { error: facts.error }),
    requestId: ctx.requestId,
    ...(facts.resources === undefined ? {} : { resources: facts.resources }),
  });
}
