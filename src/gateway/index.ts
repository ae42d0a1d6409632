import type { Socket } from 'node:net';
import { AwsError } from '../kit/errors.ts';
import type { ContextOptions, Credentials, Ctx, Platform, Service } from '../services/service.ts';
import type { Telemetry } from '../telemetry/index.ts';
import type { AdminHooks } from './admin/hooks.ts';
import { createAdmission } from './admission.ts';
import { bodyBytesHeld } from './body.ts';
import { isLoopback } from './browser.ts';
import { createCallers } from './callers.ts';
import { travelInside } from './chain.ts';
import { CallContext, type ContextParts, type InternalCall, platformContext } from './context.ts';
import { CALL_DEPTH_MAX } from './limits.ts';
import { type GatewayOptions, LIMIT_DEFAULTS, OPTION_DEFAULTS } from './options.ts';
import type { GatewayParts } from './parts.ts';
import { createRouter } from './route.ts';
import { createSockets } from './server.ts';
import { createServices, type Wire } from './services.ts';
import { modelWire } from './wire.ts';

export type { AdminHooks } from './admin/hooks.ts';
export { API_PATH, CALL_PATH, ENTRY } from './chain.ts';
export type { GatewayOptions } from './options.ts';
export { openTls, type Tls } from './tls.ts';

export interface GatewaySetup {
  readonly services: readonly Service[];
  readonly platform: Platform;
  readonly telemetry: Telemetry;
  readonly options: GatewayOptions;
  readonly admin: AdminHooks;
  /** Only tests give another. */
  readonly wire?: Wire;
}

/** Sockets, routing, identity and the chain of one process. */
export interface Gateway {
  /** Opens the port. Rejects with the system's error (`EADDRINUSE` …). */
  listen(): Promise<{ readonly port: number }>;
  /** Serves a connection that somebody else accepted: a function's, from inside of its sandbox. */
  accept(socket: Socket): void;
  /** Stops accepting, drains for up to `graceMs`, then cuts. */
  close(graceMs: number): Promise<void>;
  /** One call from inside, by the internal path: what backs `Ctx.call`. */
  call(ctx: Ctx, service: string, operation: string, input: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** A context for work that no request caused: `platform.contextFor`. */
  contextFor(options: ContextOptions): Ctx;
  /** For rooms that verify signatures themselves: `platform.credentials`. */
  readonly credentials: Credentials;
}

/**
 * Makes the gateway. `platform.contextFor` may point to the result (`contextFor: (o) => gateway.contextFor(o)`): it is not called here.
 * Throws where auth is off and the host is not loopback.
 */
export function createGateway({ services: rooms, platform, telemetry, options: given, admin, wire = modelWire }: GatewaySetup): Gateway {
  const options = { ...OPTION_DEFAULTS, ...given, limits: { ...LIMIT_DEFAULTS, ...given.limits } };
  if (options.auth === 'off' && !isLoopback(options.host)) {
    throw new Error(`with auth off anybody on the network could use this cloud: host ${options.host} needs auth verify, or bind 127.0.0.1`);
  }
  const call: InternalCall = async (from, service, operation, input, principal) => {
    if (from.depth >= CALL_DEPTH_MAX) throw new AwsError('InternalFailure', 'calls between services are nested too deeply', { status: 500 });
    const loaded = parts.services.loaded(service) ?? (await parts.services.load(service));
    const bound = loaded.operation(operation);
    if (!bound) throw new Error(`${service} has no operation ${operation}`);
    const ctx = new CallContext(
      contexts,
      { account: principal.account, region: from.region, principal, service },
      { cause: from.trace, signal: from.signal, depth: from.depth + 1 },
    );
    return travelInside(parts, ctx, { operation: bound, ctx, input, output: {}, resources: undefined });
  };
  const contexts: ContextParts = { platform, telemetry, call };
  const parts: GatewayParts = {
    options,
    platform,
    telemetry,
    rooms,
    services: createServices(wire, rooms, telemetry, () => platform.ids.uuid()),
    wire,
    router: createRouter(wire.serviceIndex),
    admission: createAdmission(options.limits),
    callers: createCallers(rooms, platform, given.rootCredential),
    contexts,
    admin,
  };
  const sockets = createSockets(parts);
  telemetry.metrics.gauge('croft_requests_in_flight', 'Requests under way.', () => parts.admission.active);
  telemetry.metrics.gauge('croft_requests_waiting', 'Requests waiting to be admitted.', () => parts.admission.waiting);
  telemetry.metrics.gauge('croft_connections', 'Open connections.', () => sockets.connections());
  telemetry.metrics.gauge('croft_request_body_bytes', 'Request bodies held in memory.', () => bodyBytesHeld());
  return {
    listen: () => sockets.listen(),
    accept: (socket) => sockets.accept(socket),
    close: (graceMs) => sockets.close(graceMs),
    call: (ctx, service, operation, input) => ctx.call(service, operation, input),
    contextFor: (contextOptions) => platformContext(contexts, contextOptions),
    credentials: { verify: options.auth === 'verify', find: parts.callers.find, presume: parts.callers.presume },
  };
}
