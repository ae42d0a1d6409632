import type { Clock } from '../../kit/clock.ts';
import type { Store } from '../../store/store.ts';
import { takenBy } from './domain/concurrency.ts';
import type { Place } from './domain/names.ts';
import { throttled } from './errors.ts';
import { CONCURRENT_EXECUTIONS, RATES_MAX, REQUESTS_PER_CONCURRENCY, SCALING_ENVIRONMENTS_MAX, SCALING_SECONDS, UNRESERVED_CONCURRENCY_MIN } from './limits.ts';
import { amountsOf, sumOf } from './operations/shared-concurrency.ts';
import { type FunctionRow, keys } from './store.ts';

/** A bucket that fills with time: what a rate allows. */
class Rate {
  #tokens: number;
  #atMs: number;

  constructor(burst: number, nowMs: number) {
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Takes one; else the seconds until there is one. */
  take(perSecond: number, burst: number, nowMs: number): number | undefined {
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * perSecond);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return Math.max(1, Math.ceil((1 - this.#tokens) / perSecond));
    this.#tokens--;
    return undefined;
  }
}

/**
 * The concurrency of accounts and functions: who may begin an invocation, and who is throttled why.
 * "Understanding Lambda function scaling", "Configuring reserved concurrency".
 */
export class Concurrency {
  #clock: Clock;
  #store: Store;
  /** Invocations on demand under way, by function. */
  #running = new Map<string, number>();
  /** Of functions that reserve nothing, by account and region. */
  #unreserved = new Map<string, number>();
  /** What is left of the account's concurrency to functions that reserve nothing; forgotten when it changes. */
  #pools = new Map<string, Promise<number>>();
  #watched = new Set<string>();
  #requests = new Map<string, Rate>();
  #starts = new Map<string, Rate>();

  constructor(clock: Clock, store: Store) {
    this.#clock = clock;
    this.#store = store;
  }

  /** Counts an invocation of a function against the requests per second. Throws TooManyRequestsException. */
  request(key: string, fn: FunctionRow): void {
    const { reservedConcurrency } = fn;
    // What reserves nothing at all has no rate either: its concurrency says so.
    if (reservedConcurrency === 0) return;
    const perSecond = (reservedConcurrency ?? CONCURRENT_EXECUTIONS) * REQUESTS_PER_CONCURRENCY;
    const retryAfter = this.#take(this.#requests, key, perSecond, perSecond * SCALING_SECONDS);
    if (retryAfter === undefined) return;
    throw throttled(reservedConcurrency === undefined ? 'FunctionInvocationRateLimitExceeded' : 'ReservedFunctionInvocationRateLimitExceeded', retryAfter);
  }

  /** Counts a new environment against the scaling rate. Throws TooManyRequestsException. */
  start(key: string): void {
    const retryAfter = this.#take(this.#starts, key, SCALING_ENVIRONMENTS_MAX / SCALING_SECONDS, SCALING_ENVIRONMENTS_MAX);
    if (retryAfter !== undefined) throw throttled('FunctionInvocationRateLimitExceeded', retryAfter);
  }

  /** Begins an invocation that no provisioned environment takes; {@link leave} ends it. Throws TooManyRequestsException. */
  enter(place: Place, key: string, fn: FunctionRow): void | Promise<void> {
    const own = this.#running.get(key) ?? 0;
    if (fn.reservedConcurrency !== undefined) {
      const { provisioned } = takenBy(fn);
      if (own >= fn.reservedConcurrency - provisioned) throw throttled('ReservedFunctionConcurrentInvocationLimitExceeded');
      this.#running.set(key, own + 1);
      return;
    }
    const account = accountOf(place);
    // So many are left to them whatever others reserve.
    if ((this.#unreserved.get(account) ?? 0) < UNRESERVED_CONCURRENCY_MIN) this.#count(account, key);
    else return this.#enterPool(place, account, key);
  }

  /** `reserved` as the function was when it entered. */
  leave(place: Place, key: string, fn: FunctionRow): void {
    decrement(this.#running, key);
    if (fn.reservedConcurrency === undefined) decrement(this.#unreserved, accountOf(place));
  }

  /** Invocations on demand of a function under way. */
  runningOf(key: string): number {
    return this.#running.get(key) ?? 0;
  }

  async #enterPool(place: Place, account: string, key: string): Promise<void> {
    const pool = await this.#pool(place, account);
    if ((this.#unreserved.get(account) ?? 0) >= pool) throw throttled('ConcurrentInvocationLimitExceeded');
    this.#count(account, key);
  }

  #count(account: string, key: string): void {
    this.#running.set(key, (this.#running.get(key) ?? 0) + 1);
    this.#unreserved.set(account, (this.#unreserved.get(account) ?? 0) + 1);
  }

  #pool(place: Place, account: string): Promise<number> {
    let pool = this.#pools.get(account);
    if (!pool) {
      const key = keys.concurrency(place);
      if (!this.#watched.has(account)) {
        this.#watched.add(account);
        this.#store.watch(key, () => this.#pools.delete(account));
      }
      pool = amountsOf(this.#store, place).then((amounts) => CONCURRENT_EXECUTIONS - sumOf(amounts));
      pool.catch(() => this.#pools.delete(account));
      this.#pools.set(account, pool);
    }
    return pool;
  }

  #take(rates: Map<string, Rate>, key: string, perSecond: number, burst: number): number | undefined {
    const nowMs = this.#clock.mono();
    let rate = rates.get(key);
    if (!rate) {
      if (rates.size >= RATES_MAX) rates.clear();
      rate = new Rate(burst, nowMs);
      rates.set(key, rate);
    }
    return rate.take(perSecond, burst, nowMs);
  }
}

const accountOf = (place: Place): string => `${place.account}:${place.region}`;

function decrement(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 1) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}
