import type { Socket } from 'node:net';
import type { Clock } from '../../kit/clock.ts';
import type { DebugSession } from './session.ts';

/** Debuggers that are told to restart come back within this of losing what they looked at. */
const RETURN_MS_MAX = 3000;

/** The debuggers at one port: who waits for a runtime, and who looks at one. */
export class Guests {
  #clock: Clock;
  #waiting = new Set<(session: DebugSession) => void>();
  #guests = new Map<Socket, DebugSession>();
  #current: DebugSession | undefined;
  #lostMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a runtime that starts now will be looked at. */
  get expected(): boolean {
    return this.#waiting.size > 0 || this.#guests.size > 0 || this.#clock.mono() - this.#lostMs < RETURN_MS_MAX;
  }

  /** A runtime starts: whoever waits is brought to it, and whoever looks at an idle one is sent away, to come again. */
  offer(session: DebugSession): void {
    this.#current = session;
    for (const [socket, other] of this.#guests) {
      if (other === session || other.holding) continue;
      this.#lostMs = this.#clock.mono();
      socket.destroy();
    }
    for (const give of [...this.#waiting]) give(session);
    this.#waiting.clear();
  }

  /** The session that runs now, or the next one; undefined where the guest leaves before. */
  session(guest: Socket): Promise<DebugSession | undefined> {
    if (this.#current && !this.#current.ended) return Promise.resolve(this.#current);
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      guest.once('close', () => {
        this.#waiting.delete(resolve);
        resolve(undefined);
      });
    });
  }

  /** Who loses what it looked at will come again; who leaves by itself will not. */
  enter(guest: Socket, session: DebugSession): void {
    this.#guests.set(guest, session);
    guest.once('close', () => {
      this.#guests.delete(guest);
      if (session.ended) this.#lostMs = this.#clock.mono();
      session.paused(false);
    });
  }

  closeAll(): void {
    for (const guest of this.#guests.keys()) guest.destroy();
  }
}
