import type { Principal } from '../identity/principal.ts';
import { AwsError } from '../kit/errors.ts';
import { newTrace, type Trace } from '../kit/trace.ts';
import type { ContextOptions, Ctx, Platform } from '../services/service.ts';
import type { Cause, Telemetry } from '../telemetry/index.ts';

/** A call of one room by another: the internal path of `chain.ts`. */
export type InternalCall = (
  from: CallContext,
  service: string,
  operation: string,
  input: Record<string, unknown>,
  principal: Principal,
) => Promise<Record<string, unknown>>;

/** What every context of a process shares. */
export interface ContextParts {
  readonly platform: Platform;
  readonly telemetry: Telemetry;
  readonly call: InternalCall;
}

type HttpFacts = NonNullable<Ctx['http']>;

/**
 * What one call carries. Most calls ask for little of it, so request id, trace, span and signal are made when they are first read.
 */
export class CallContext implements Ctx, Cause {
  readonly #parts: ContextParts;
  readonly account: string;
  readonly region: string;
  readonly principal: Principal;
  readonly http?: HttpFacts;
  /** 0 for a client's request; one more for each room that calls another. */
  readonly depth: number;
  /** The room whose call this is: its meters. */
  service: string;
  /** What is called, and what it is about, once that is known. */
  action = '';
  resources: readonly string[] | undefined;
  #requestId: string | undefined;
  /** As the caller sent it. */
  #cause: Trace | undefined;
  /** Something came before this call in its trace, or follows from it. */
  #causes: boolean;
  #trace: Trace | undefined;
  #spanId: string | undefined;
  #abort: AbortController | undefined;
  #aborted: Error | undefined;
  readonly #outer: AbortSignal | undefined;

  constructor(
    parts: ContextParts,
    caller: { account: string; region: string; principal: Principal; service: string },
    rest: { http?: HttpFacts | undefined; cause?: Trace | undefined; trace?: Trace | undefined; signal?: AbortSignal | undefined; depth?: number } = {},
  ) {
    this.#parts = parts;
    this.account = caller.account;
    this.region = caller.region;
    this.principal = caller.principal;
    this.service = caller.service;
    if (rest.http) this.http = rest.http;
    this.depth = rest.depth ?? 0;
    this.#cause = rest.cause;
    this.#causes = rest.cause !== undefined;
    this.#trace = rest.trace;
    this.#outer = rest.signal;
  }

  get platform(): Platform {
    return this.#parts.platform;
  }

  get requestId(): string {
    this.#requestId ??= this.#parts.platform.ids.uuid();
    return this.#requestId;
  }

  get name(): string {
    return this.action;
  }

  /** What this call causes names this call as its parent. */
  get trace(): Trace {
    this.#causes = true;
    return this.commitTrace;
  }

  /** The same for its commits, which tell of the call themselves: they alone make no span necessary. */
  get commitTrace(): Trace {
    if (!this.#trace) {
      const { ids, clock } = this.#parts.platform;
      this.#cause ??= newTrace(ids, clock.virtual());
      this.#spanId = ids.bytes(8).toString('hex');
      this.#trace = { ...this.#cause, parent: this.#spanId };
    }
    return this.#trace;
  }

  /** The trace that caused this call and the span that this call is; undefined where the caller sent no trace and nothing was caused. */
  get span(): { readonly cause: Trace; readonly id: string } | undefined {
    if (!this.#cause || !this.#causes) return undefined;
    return { cause: this.#cause, id: this.trace.parent ?? '' };
  }

  get signal(): AbortSignal {
    if (this.#outer) return this.#outer;
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#aborted) this.#abort.abort(this.#aborted);
    }
    return this.#abort.signal;
  }

  /** Aborts {@link signal}: the client went away, or the server gives up. */
  abort(reason: Error): void {
    this.#aborted ??= reason;
    this.#abort?.abort(reason);
  }

  call(service: string, operation: string, input: Record<string, unknown>, as?: { principal: Principal }): Promise<Record<string, unknown>> {
    return this.#parts.call(this, service, operation, input, as?.principal ?? this.principal);
  }

  meter(dimension: string, quantity: number): void {
    this.#parts.telemetry.meters.meter(this.account, this.region, this.service, dimension, quantity);
  }
}

/** A context that no request caused. It is no span of its own: what it causes has the given trace's parent (a delivery) for its own. */
export function platformContext(parts: ContextParts, options: ContextOptions): CallContext {
  if (!/^\d{12}$/.test(options.account)) throw new AwsError('InternalFailure', 'an account has 12 digits', { status: 500 });
  const principal = options.principal ?? servicePrincipal(options.account);
  return new CallContext(
    parts,
    { account: options.account, region: options.region, principal, service: options.service ?? 'croft' },
    { trace: options.trace ?? newTrace(parts.platform.ids, parts.platform.clock.virtual()), signal: options.signal ?? new AbortController().signal },
  );
}

function servicePrincipal(account: string): Principal {
  return { account, accessKeyId: '', arn: `arn:aws:iam::${account}:root`, userId: account, type: 'service' };
}
