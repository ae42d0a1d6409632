import type { LogEvent, LogSink } from '../../compute/types.ts';
import type { Platform } from '../service.ts';
import type { Place } from './domain/names.ts';
import { LOG_ATTEMPTS_MAX, LOG_BATCH_BYTES_MAX, LOG_BATCH_EVENTS_MAX, LOG_EVENT_OVERHEAD_BYTES, LOG_FLUSH_MS, LOG_RETRY_MS } from './limits.ts';
import { lambdaContext } from './principal.ts';

/** Brings the output of execution environments to CloudWatch Logs, in batches, without holding up an invocation. */
export interface LogWriter {
  open(place: Place, group: string, stream: string): LogSink;
  /** Resolves once everything written so far is stored, or given up. */
  flush(): Promise<void>;
}

export function createLogWriter(platform: () => Platform): LogWriter {
  const sinks = new Set<StreamWriter>();
  return {
    open(place, group, stream) {
      const sink = new StreamWriter(platform, place, group, stream, () => sinks.delete(sink));
      sinks.add(sink);
      return sink;
    },
    async flush() {
      await Promise.all([...sinks].map((sink) => sink.flush()));
    },
  };
}

/** One log stream. */
class StreamWriter implements LogSink {
  backlogBytes = 0;
  #platform: () => Platform;
  #place: Place;
  #group: string;
  #stream: string;
  #gone: () => void;
  #events: LogEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #created = false;
  #closed = false;
  #drained: (() => void)[] = [];

  constructor(platform: () => Platform, place: Place, group: string, stream: string, gone: () => void) {
    this.#platform = platform;
    this.#place = place;
    this.#group = group;
    this.#stream = stream;
    this.#gone = gone;
  }

  write(event: LogEvent): void {
    this.#events.push(event);
    this.backlogBytes += event.message.length + LOG_EVENT_OVERHEAD_BYTES;
    if (this.backlogBytes >= LOG_BATCH_BYTES_MAX) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), LOG_FLUSH_MS);
  }

  onDrained(listener: () => void): void {
    if (this.backlogBytes === 0) listener();
    else this.#drained.push(listener);
  }

  close(): void {
    this.#closed = true;
    void this.flush();
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#events.length > 0) {
      const batch = this.#takeBatch();
      await this.#writeBatch(batch);
      for (const event of batch) this.backlogBytes -= event.message.length + LOG_EVENT_OVERHEAD_BYTES;
    }
    for (const listener of this.#drained.splice(0)) listener();
    if (this.#closed) this.#gone();
  }

  #takeBatch(): LogEvent[] {
    let bytes = 0;
    let count = 0;
    for (const event of this.#events) {
      bytes += Buffer.byteLength(event.message) + LOG_EVENT_OVERHEAD_BYTES;
      if (count > 0 && (bytes > LOG_BATCH_BYTES_MAX || count >= LOG_BATCH_EVENTS_MAX)) break;
      count++;
    }
    return this.#events.splice(0, count);
  }

  async #writeBatch(batch: readonly LogEvent[]): Promise<void> {
    const platform = this.#platform();
    const logEvents = batch.map(({ timestampMs, message }) => ({ timestamp: timestampMs, message }));
    for (let attempt = 1; ; attempt++) {
      try {
        const ctx = lambdaContext(platform, this.#place);
        if (!this.#created) await this.#create();
        await ctx.call('logs', 'PutLogEvents', { logGroupName: this.#group, logStreamName: this.#stream, logEvents });
        return;
      } catch (error) {
        // Somebody deleted the group or the stream: on AWS the next output makes it again.
        if (error instanceof Error && error.name === 'ResourceNotFoundException') this.#created = false;
        if (attempt >= LOG_ATTEMPTS_MAX) {
          platform.log.error({ err: error, logGroup: this.#group, events: batch.length }, 'log lines of a function could not be stored');
          return;
        }
        if (this.#created) await new Promise<void>((resolve) => setTimeout(resolve, LOG_RETRY_MS));
      }
    }
  }

  async #create(): Promise<void> {
    const ctx = lambdaContext(this.#platform(), this.#place);
    const make = async (operation: string, input: Record<string, unknown>) => {
      try {
        await ctx.call('logs', operation, input);
      } catch (error) {
        if (!(error instanceof Error && error.name === 'ResourceAlreadyExistsException')) throw error;
      }
    };
    await make('CreateLogGroup', { logGroupName: this.#group });
    await make('CreateLogStream', { logGroupName: this.#group, logStreamName: this.#stream });
    this.#created = true;
  }
}
