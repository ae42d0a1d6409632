import type { Socket } from 'node:net';
import type { Clock } from '../../kit/clock.ts';

/** How long an environment that starts waits for a debugger that is on its way. */
const WAIT_MS_MAX = 30_000;
const TRY_MS = 25;
const TRIES_MAX = 400;

/** One start of a runtime that a debugger may look into. Its time stands still while its program does. */
export class DebugSession {
  /** Where the runtime's debugger listens, as seen in its sandbox. */
  readonly port: number;
  /** The runtime waits for a debugger before it runs the function's code. */
  readonly wait: boolean;
  #clock: Clock;
  #open: (port: number) => Promise<Socket>;
  #paused = false;
  #since: number | undefined;
  #heldMs = 0;
  #ended = false;
  #startedMs: number;
  #initialised: boolean;
  #sockets = new Set<Socket>();

  constructor(parts: { readonly port: number; readonly wait: boolean; readonly clock: Clock; readonly open: (port: number) => Promise<Socket> }) {
    this.port = parts.port;
    this.wait = parts.wait;
    this.#clock = parts.clock;
    this.#open = parts.open;
    this.#startedMs = parts.clock.mono();
    this.#initialised = !parts.wait;
    this.#hold();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether the program stands still, or waits for the debugger that is to come. */
  get holding(): boolean {
    if (this.#ended) return false;
    return this.#paused || (!this.#initialised && this.#clock.mono() - this.#startedMs < WAIT_MS_MAX);
  }

  /** How long it has stood still in all. */
  heldMs(): number {
    return this.#heldMs + (this.#since === undefined ? 0 : this.#clock.mono() - this.#since);
  }

  paused(now: boolean): void {
    this.#paused = now;
    this.#hold();
  }

  /** The runtime asks for its first event: nobody waits for a debugger any more. */
  initialised(): void {
    this.#initialised = true;
    this.#hold();
  }

  /** A connection to the runtime's debugger, as soon as that listens. Undefined where the runtime ended before. */
  async connect(): Promise<Socket | undefined> {
    for (let tries = 0; tries < TRIES_MAX && !this.#ended; tries++) {
      try {
        const socket = await this.#open(this.port);
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        return socket;
      } catch {
        // It has not begun to listen.
        await new Promise((resolve) => setTimeout(resolve, TRY_MS));
      }
    }
    return undefined;
  }

  end(): void {
    this.#ended = true;
    this.paused(false);
    for (const socket of this.#sockets) socket.destroy();
  }

  #hold(): void {
    const nowMs = this.#clock.mono();
    if (this.holding) this.#since ??= nowMs;
    else if (this.#since !== undefined) {
      this.#heldMs += nowMs - this.#since;
      this.#since = undefined;
    }
  }
}
