import type { GatewayParts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import type { AdminRequest } from './admin.ts';

/** The clock moves at most this far at once: a century. */
const ADVANCE_MS_MAX = 100 * 366 * 86_400_000;

/** `GET /_croft/clock`: virtual and real time, and whether the virtual one stands still. */
export function readClock({ parts }: AdminRequest): unknown {
  const { clock } = parts.platform;
  return { virtual: iso(clock.virtual()), real: iso(clock.real()), frozen: clock.frozen, offsetMs: clock.virtual() - clock.real() };
}

/** `POST /_croft/clock/freeze`, optionally `{"at": "2030-01-01T02:00:00Z"}`. */
export function freeze(request: AdminRequest): unknown {
  const { clock } = writable(request.parts);
  const { at } = only(request, ['at']);
  const atMs = at === undefined ? undefined : typeof at === 'string' ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(atMs)) throw bad('"at" must be a time such as "2030-01-01T02:00:00Z"');
  if (atMs !== undefined && atMs < clock.virtual()) throw bad('virtual time does not go back: "at" must not be before the present virtual time');
  clock.freeze(atMs);
  return readClock(request);
}

/** `POST /_croft/clock/advance` with `{"byMs": 86400000}`: what falls due on the way fires, in order. */
export async function advance(request: AdminRequest): Promise<unknown> {
  const { clock } = writable(request.parts);
  const { byMs } = only(request, ['byMs']);
  if (typeof byMs !== 'number' || !(byMs >= 0) || byMs > ADVANCE_MS_MAX) throw bad(`"byMs" must be a number of milliseconds from 0 to ${ADVANCE_MS_MAX}`);
  const { advanceClock } = request.parts.admin;
  const facts = advanceClock ? await advanceClock(byMs) : {};
  if (!advanceClock) clock.advance(byMs);
  return { ...(readClock(request) as object), ...facts };
}

/** `POST /_croft/clock/release`, optionally `{"keepOffset": true}`: it runs again, from the real time or from where it stands. */
export function release(request: AdminRequest): unknown {
  const { clock } = writable(request.parts);
  const { keepOffset } = only(request, ['keepOffset']);
  if (keepOffset !== undefined && typeof keepOffset !== 'boolean') throw bad('"keepOffset" must be true or false');
  clock.release({ keepOffset: keepOffset ?? false });
  return readClock(request);
}

function writable(parts: GatewayParts): GatewayParts['platform'] {
  if (parts.admin.production) throw new Refusal(403, 'Forbidden', 'the clock cannot be changed in production mode: start Croft without --production');
  return parts.platform;
}

function only({ body }: AdminRequest, known: readonly string[]): Readonly<Record<string, unknown>> {
  const unknown = Object.keys(body).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw bad(`unknown field ${unknown.join(', ')}; known is ${known.join(', ')}`);
  return body;
}

function bad(message: string): Refusal {
  return new Refusal(400, 'BadRequest', message);
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
