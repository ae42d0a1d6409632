import type { Socket } from 'node:net';
import { TELEMETRY_BATCHES_MAX, TELEMETRY_EARLY_EVENTS_MAX } from './limits.ts';
import { jsonObject } from './log-levels.ts';
import { createSender, type Sender } from './telemetry-sender.ts';
import { readSubscription, type Subscription, type TelemetryApi } from './telemetry-subscription.ts';
import type { FunctionLogging } from './types.ts';

export type TelemetryCategory = 'platform' | 'function' | 'extension';

/** One event as subscribers get it; "Lambda Telemetry API Event schema reference". */
export interface TelemetryEvent {
  /** ISO 8601. */
  readonly time: string;
  readonly type: string;
  readonly record: unknown;
}

export interface TelemetryParts {
  /** A connection to a port inside the sandbox. */
  readonly connect: (port: number) => Promise<Socket>;
  /** Virtual time, ISO 8601. */
  readonly now: () => string;
}

/** An answer to a subscription. */
export interface SubscribeAnswer {
  readonly status: number;
  readonly body: string;
  readonly subscription?: Subscription;
}

/**
 * The Telemetry API and the Logs API of one environment: who subscribed while it initialised gets its events, those of before
 * included, in batches. A batch that cannot be delivered is tried again for a while, then dropped and said to be.
 */
export class Telemetry {
  #parts: TelemetryParts;
  #subscribers = new Map<string, Subscriber>();
  /** What a subscriber that comes later in the init phase gets first; undefined once none can come. */
  #early: { readonly category: TelemetryCategory; readonly event: TelemetryEvent }[] | undefined;

  constructor(parts: TelemetryParts) {
    this.#parts = parts;
  }

  /** A new init phase: `possible` where extensions can subscribe. */
  begin(possible: boolean): void {
    for (const subscriber of this.#subscribers.values()) subscriber.stop();
    this.#subscribers.clear();
    this.#early = possible ? [] : undefined;
  }

  /** The init phase is over: nobody can subscribe any more. */
  close(): void {
    this.#early = undefined;
  }

  /** Whether anybody can see events. */
  get isWatched(): boolean {
    return this.#early !== undefined || this.#subscribers.size > 0;
  }

  subscribe(name: string, api: TelemetryApi, body: string): SubscribeAnswer {
    const title = api === 'logs' ? 'Logs' : 'Telemetry';
    if (this.#early === undefined) {
      return { status: 403, body: JSON.stringify({ errorMessage: `${title} API subscription is closed`, errorType: `${title}.SubscriptionClosed` }) };
    }
    const read = readSubscription(api, body);
    if (typeof read === 'string') {
      return { status: 400, body: JSON.stringify({ errorType: api === 'logs' ? 'Logs.ValidationError' : 'ValidationError', errorMessage: read }) };
    }
    const known = this.#subscribers.get(name);
    if (known && known.subscription.api !== api) {
      const errorMessage = `Extension ${name} is subscribed to the ${api === 'logs' ? 'Telemetry' : 'Logs'} API already`;
      return { status: 403, body: JSON.stringify({ errorMessage, errorType: `${title}.SubscriptionConflict` }) };
    }
    known?.stop();
    const subscriber = new Subscriber(read, createSender(read.destination, this.#parts.connect), this.#parts.now);
    this.#subscribers.set(name, subscriber);
    // The one before of the same extension has had them.
    if (!known) for (const { category, event } of this.#early) subscriber.add(category, event);
    return { status: 200, body: '"OK"', subscription: read };
  }

  publish(category: TelemetryCategory, type: string, record: unknown): void {
    if (!this.isWatched) return;
    const event = { time: this.#parts.now(), type, record };
    if (this.#early && this.#early.length < TELEMETRY_EARLY_EVENTS_MAX) this.#early.push({ category, event });
    for (const subscriber of this.#subscribers.values()) subscriber.add(category, event);
  }

  /** A line of the function or an extension; where the function logs JSON, its JSON lines are records of their own. */
  publishLine(origin: 'function' | 'extension', line: string, logging: FunctionLogging | undefined): void {
    if (!this.isWatched) return;
    this.publish(origin, origin, (logging?.format === 'JSON' ? jsonObject(line) : undefined) ?? line);
  }

  /** Sends what is buffered now; resolves when that is delivered or given up. */
  async flush(): Promise<void> {
    await Promise.all([...this.#subscribers.values()].map((subscriber) => subscriber.flush()));
  }
}

/** Events that only the Logs API has, and those that it lacks. */
const ONLY_LOGS = new Set(['platform.end', 'platform.fault', 'platform.logsSubscription']);
const NOT_LOGS = new Set(['platform.initStart', 'platform.initRuntimeDone', 'platform.initReport', 'platform.telemetrySubscription']);
const RUNTIME_DONE_SINCE = '2021-03-18';

class Subscriber {
  readonly subscription: Subscription;
  #sender: Sender;
  #now: () => string;
  #items: string[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #batches = 0;
  #dropped = { records: 0, bytes: 0 };
  #stopped = false;

  constructor(subscription: Subscription, sender: Sender, now: () => string) {
    this.subscription = subscription;
    this.#sender = sender;
    this.#now = now;
  }

  add(category: TelemetryCategory, event: TelemetryEvent): void {
    if (this.#stopped || !this.subscription.types.includes(category) || !this.#takes(event.type)) return;
    this.#push(JSON.stringify(event));
  }

  #takes(type: string): boolean {
    if (this.subscription.api === 'telemetry') return !ONLY_LOGS.has(type);
    return !NOT_LOGS.has(type) && (type !== 'platform.runtimeDone' || this.subscription.schemaVersion === RUNTIME_DONE_SINCE);
  }

  #push(item: string): void {
    const { timeoutMs, maxItems, maxBytes } = this.subscription.buffering;
    this.#items.push(item);
    this.#bytes += Buffer.byteLength(item);
    if (this.#items.length >= maxItems || this.#bytes >= maxBytes) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), timeoutMs).unref();
  }

  /** Never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#items.length === 0) return this.#sending;
    const items = this.#items;
    const bytes = this.#bytes;
    this.#items = [];
    this.#bytes = 0;
    if (this.#batches >= TELEMETRY_BATCHES_MAX) {
      this.#drop(items.length, bytes);
      return this.#sending;
    }
    this.#batches++;
    this.#sending = this.#sending.then(async () => {
      const delivered = !this.#stopped && (await this.#sender.send(items, () => this.#stopped));
      this.#batches--;
      if (!delivered) this.#drop(items.length, bytes);
      else this.#reportDropped();
    });
    return this.#sending;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#sender.close();
  }

  #drop(records: number, bytes: number): void {
    this.#dropped = { records: this.#dropped.records + records, bytes: this.#dropped.bytes + bytes };
  }

  /** The subscriber can be reached again: it learns what it missed. */
  #reportDropped(): void {
    if (this.#stopped || this.#dropped.records === 0 || !this.subscription.types.includes('platform')) return;
    const record = {
      droppedBytes: this.#dropped.bytes,
      droppedRecords: this.#dropped.records,
      reason: 'Consumer seems to have fallen behind as it has not acknowledged receipt of logs.',
    };
    this.#dropped = { records: 0, bytes: 0 };
    this.#push(JSON.stringify({ time: this.#now(), type: 'platform.logsDropped', record }));
  }
}
