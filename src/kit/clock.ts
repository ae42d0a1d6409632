/**
 * The three clocks (design decision 6).
 *
 * - `virtual()`: what AWS would call the time — TTL, visibility, schedules, retries, retention. Can be frozen, advanced, released.
 * - `mono()`: never frozen — durations, timeouts, long polls, leases.
 * - `real()`: signatures, credentials, TLS.
 *
 * All in milliseconds; `virtual` and `real` since the Unix epoch.
 */
export interface Clock {
  virtual(): number;
  mono(): number;
  real(): number;
  /** Stops the virtual clock at its present time, or at `atMs`. */
  freeze(atMs?: number): void;
  /** Moves the virtual clock forward by `byMs` (it stays frozen if it was). Listeners of {@link onJump} run. */
  advance(byMs: number): void;
  /** Lets the virtual clock run again: from where it stands when `keepOffset`, else from the real time. */
  release(options?: { keepOffset?: boolean }): void;
  readonly frozen: boolean;
  /** Called whenever virtual time changes other than by running: whoever armed a timer re-arms it. Returns the unsubscriber. */
  onJump(listener: () => void): () => void;
  /** Virtual milliseconds until `dueMs` in real waiting time; Infinity while frozen short of it. */
  waitFor(dueMs: number): number;
}

/** The clocks over the operating system's. */
export function systemClock(): Clock {
  const listeners = new Set<() => void>();
  let offsetMs = 0;
  let frozenAtMs: number | undefined;
  const virtual = () => frozenAtMs ?? Date.now() + offsetMs;
  const jumped = () => {
    for (const listener of [...listeners]) listener();
  };
  return {
    virtual,
    mono: () => performance.now(),
    real: () => Date.now(),
    freeze(atMs) {
      frozenAtMs = atMs ?? virtual();
      jumped();
    },
    advance(byMs) {
      if (!(byMs >= 0)) throw new RangeError('the virtual clock moves forward only');
      if (frozenAtMs === undefined) offsetMs += byMs;
      else frozenAtMs += byMs;
      jumped();
    },
    release(options = {}) {
      offsetMs = options.keepOffset ? virtual() - Date.now() : 0;
      frozenAtMs = undefined;
      jumped();
    },
    get frozen() {
      return frozenAtMs !== undefined;
    },
    onJump(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    waitFor(dueMs) {
      const waitMs = Math.max(0, dueMs - virtual());
      return frozenAtMs !== undefined && waitMs > 0 ? Number.POSITIVE_INFINITY : waitMs;
    },
  };
}
