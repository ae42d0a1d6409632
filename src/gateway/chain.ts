import { AwsError } from '../kit/errors.ts';
import type { WireResponse } from '../protocol/wire.ts';
import type { CallContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayParts } from './parts.ts';
import type { BoundOperation } from './services.ts';
import { recordSpan } from './span.ts';
import { admit } from './steps/admit.ts';
import { answerAdmin, answerEndpoint } from './steps/answer.ts';
import { authenticate } from './steps/authenticate.ts';
import { authorize } from './steps/authorize.ts';
import { decode } from './steps/decode.ts';
import { encode } from './steps/encode.ts';
import { fail, failInside } from './steps/fail.ts';
import { meter } from './steps/meter.ts';
import { operate } from './steps/operate.ts';
import { receive } from './steps/receive.ts';
import { respond } from './steps/respond.ts';
import { route } from './steps/route.ts';
import { validate } from './steps/validate.ts';

/** One step: it reads what earlier steps put into `T`, and adds to it, or throws the error that the caller gets. */
export interface Step<T> {
  readonly name: string;
  readonly does: string;
  /** How a request leaves the path here. */
  readonly errorExit: string;
  readonly run: (parts: GatewayParts, on: T) => Promise<void> | void;
}

/** What the steps that every call takes, from outside or from another room, work on. */
export interface Call {
  operation: BoundOperation | undefined;
  ctx: CallContext | undefined;
  input: Record<string, unknown>;
  output: Record<string, unknown>;
  resources: readonly string[] | undefined;
  /** Once it is there, the rest of the path is skipped. */
  answer?: WireResponse | undefined;
}

// Before the first step: `server.ts` listens, reads the head (node:http), and makes the Exchange.
// biome-ignore format: one line a step

/** Where every request begins. `route` tells which of the paths below it goes on. */
export const ENTRY: readonly Step<Exchange>[] = [
  { name: 'admit',        run: admit,        does: 'bounds requests under way; with auth off, keeps foreign web pages out', errorExit: '403 Forbidden (Host, Origin, Sec-Fetch-Site) · throttling error of the protocol' },
  { name: 'route',        run: route,        does: 'tells AWS API, function endpoint and admin apart; finds service, protocol and, where the head names it, operation', errorExit: 'UnknownOperationException · InvalidAction · MethodNotAllowed' },
];

// biome-ignore format: one line a step

/** The steps that a call takes wherever it comes from: a client's request, or one room calling another (`ctx.call`). */
export const CALL_PATH: readonly Step<Call>[] = [
  { name: 'authorize',    run: authorize,    does: 'works out the IAM action and resources of the call and records them; enforces nothing yet', errorExit: 'none yet (AccessDenied)' },
  { name: 'validate',     run: validate,     does: 'checks required, length, range, pattern and enum constraints of the model', errorExit: 'ValidationException: 1 validation error detected …' },
  { name: 'operation',    run: operate,      does: 'runs the room’s operation, which commits its writes together with the events they cause', errorExit: 'the operation’s modelled errors · 501 NotImplemented' },
  { name: 'meter',        run: meter,        does: 'counts the call; the operation has metered its own units', errorExit: 'none' },
];

// biome-ignore format: one line a step

/** An AWS API call. */
export const API_PATH: readonly Step<Exchange>[] = [
  { name: 'receive',      run: receive,      does: 'collects the body into one Buffer, unless the operation streams it; a query body names its operation', errorExit: 'RequestEntityTooLargeException · MissingAction · InvalidAction' },
  { name: 'authenticate', run: authenticate, does: 'finds the caller; with --auth verify checks the signature', errorExit: 'SignatureDoesNotMatch · InvalidAccessKeyId · UnrecognizedClientException · ExpiredToken · RequestTimeTooSkewed …' },
  { name: 'decode',       run: decode,       does: 'turns the wire form into the operation’s input, by the model', errorExit: 'SerializationException · MalformedXML · MalformedQueryString …' },
  ...CALL_PATH,
  { name: 'encode',       run: encode,       does: 'turns the output into the protocol’s wire form', errorExit: '500 InternalFailure (a room’s output does not fit its model)' },
];

// biome-ignore format: one line a step

/** A request to a user’s own endpoint: an API’s stage, a function’s URL. */
export const ENDPOINT_PATH: readonly Step<Exchange>[] = [
  { name: 'receive',      run: receive,      does: 'collects the body', errorExit: '413' },
  { name: 'authenticate', run: authenticate, does: 'names the caller where the request is signed', errorExit: 'as above' },
  { name: 'endpoint',     run: answerEndpoint, does: 'hands the request to the room that answers such endpoints', errorExit: '404 where no room does · whatever the endpoint answers' },
];

// biome-ignore format: one line a step

/** Health, metrics, the clock: Croft’s own. */
export const ADMIN_PATH: readonly Step<Exchange>[] = [
  { name: 'receive',      run: receive,      does: 'collects the body', errorExit: '413' },
  { name: 'admin',        run: answerAdmin,  does: 'answers JSON', errorExit: '400 · 403 · 404 · 405, with a sentence' },
];

/** The whole way of a request. Whatever a step throws becomes an answer by `fail`; `respond` writes every answer. Never rejects. */
export async function travel(parts: GatewayParts, exchange: Exchange): Promise<void> {
  try {
    await walk(parts, ENTRY, exchange);
    if (!exchange.answer) await walk(parts, pathOf(exchange), exchange);
  } catch (error) {
    fail(parts, exchange, error);
  }
  await respond(parts, exchange);
}

/** `ctx.call`: the same steps from inside. Rejects with the AwsError that a client would get. */
export async function travelInside(parts: GatewayParts, ctx: CallContext, call: Call): Promise<Record<string, unknown>> {
  const startedMs = parts.platform.clock.mono();
  let thrown: unknown;
  try {
    await walk(parts, CALL_PATH, call);
  } catch (error) {
    thrown = failInside(parts, call, error);
  }
  recordSpan(parts, ctx, {
    kind: 'call',
    name: call.operation?.action ?? '',
    startedMs,
    status: 0,
    resources: call.resources,
    error: thrown instanceof AwsError ? thrown.code : undefined,
  });
  if (thrown !== undefined) throw thrown;
  return call.output;
}

function pathOf(exchange: Exchange): readonly Step<Exchange>[] {
  if (exchange.api) return API_PATH;
  return exchange.endpoint ? ENDPOINT_PATH : ADMIN_PATH;
}

async function walk<T extends Pick<Call, 'answer'>>(parts: GatewayParts, path: readonly Step<T>[], on: T): Promise<void> {
  for (const step of path) {
    const pending = step.run(parts, on);
    // Most steps are synchronous: awaiting them all would cost a turn of the microtask queue each.
    if (pending !== undefined) await pending;
    if (on.answer !== undefined) return;
  }
}
