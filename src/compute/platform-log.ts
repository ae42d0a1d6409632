import type { ExtensionStatus } from './extensions.ts';
import { levelOf, passes } from './log-levels.ts';
import {
  endLine,
  exitLine,
  extensionLine,
  type Failure,
  initReportLine,
  initStartLine,
  reportLine,
  runtimeVersion,
  runtimeVersionArn,
  startLine,
  subscriptionLine,
  timeoutLine,
} from './log-lines.ts';
import type { EnvironmentLog } from './log-output.ts';
import type { Span } from './spans.ts';
import type { Telemetry } from './telemetry.ts';
import type { TelemetryApi } from './telemetry-subscription.ts';
import type { FunctionSpec, InvokeReport, InvokeRequest } from './types.ts';

export type Phase = 'init' | 'invoke';

export interface PlatformLogParts {
  readonly spec: FunctionSpec;
  readonly logStream: string;
  readonly log: EnvironmentLog;
  readonly telemetry: Telemetry;
  /** Virtual time, ISO 8601. */
  readonly now: () => string;
}

/** What an invocation came to, for its report. */
export interface Conclusion {
  readonly report: InvokeReport;
  readonly failure?: Failure | undefined;
  /** Bytes of the answer. */
  readonly producedBytes: number;
  /** Of the runtime, and of extensions; asked for where somebody sees them. */
  readonly spans?: () => readonly Span[];
}

/**
 * What the platform says of one environment, three ways: as the lines of text logs (log-lines.ts), as JSON lines where the function logs JSON
 * (filtered by its system log level; "System log level event mapping"), and as telemetry events.
 */
export class PlatformLog {
  #parts: PlatformLogParts;
  #json: boolean;

  constructor(parts: PlatformLogParts) {
    this.#parts = parts;
    this.#json = parts.spec.logging?.format === 'JSON';
  }

  /** `logged`: the first init phase; later ones are seen by telemetry only. */
  initStart(phase: Phase, logged: boolean): void {
    const { spec, logStream } = this.#parts;
    const record = () => ({
      initializationType: this.#initializationType(),
      phase,
      runtimeVersion: runtimeVersion(spec.runtime),
      runtimeVersionArn: runtimeVersionArn(spec.runtime, spec.region),
      functionName: spec.functionName,
      functionVersion: spec.version,
      instanceId: logStream,
      instanceMaxMemory: spec.memoryMb * 1024 * 1024,
    });
    // An image has no runtime version that could be told.
    const told = logged && !spec.image;
    this.#say('platform.initStart', record, told ? 'INFO' : undefined, told ? () => initStartLine(spec.runtime, spec.region) : undefined);
  }

  /** Something that the function's owner should know. */
  warn(message: string): void {
    const text = `LAMBDA_WARNING: ${message}`;
    this.#parts.log.write(this.#json ? `${JSON.stringify({ timestamp: this.#parts.now(), level: 'WARN', message: text })}\n` : `${text}\n`);
  }

  subscribed(name: string, api: TelemetryApi, types: readonly string[]): void {
    const type = api === 'logs' ? 'platform.logsSubscription' : 'platform.telemetrySubscription';
    this.#say(
      type,
      () => ({ name, state: 'Subscribed', types }),
      'INFO',
      () => subscriptionLine(name, api, types),
    );
  }

  extensions(statuses: readonly ExtensionStatus[]): void {
    for (const status of statuses)
      this.#say(
        'platform.extension',
        () => status,
        status.errorType ? 'WARN' : 'INFO',
        () => extensionLine(status),
      );
  }

  initDone(phase: Phase, durationMs: number, failure: Failure | undefined): void {
    const status = statusOf(failure);
    const common = { initializationType: this.#initializationType(), phase, status, ...errorTypeOf(failure) };
    const level = failure ? 'WARN' : 'DEBUG';
    this.#say('platform.initRuntimeDone', () => common, level);
    const record = () => ({ ...common, metrics: { durationMs: round(durationMs) } });
    // The text of an init phase under the function's own timeout is the timeout's.
    const logged = failure && !(phase === 'invoke' && failure.status === 'timeout');
    this.#say('platform.initReport', record, level, logged ? () => initReportLine(durationMs, phase, failure) : undefined);
  }

  start(request: InvokeRequest): void {
    const { version } = this.#parts.spec;
    const record = () => ({ requestId: request.requestId, version, ...this.#tracing(request) });
    this.#say('platform.start', record, 'INFO', () => startLine(request.requestId, version));
  }

  /** The runtime is done with an event, or gone. */
  runtimeDone(request: InvokeRequest, { report, failure, producedBytes, spans }: Conclusion): void {
    const record = () => ({
      requestId: request.requestId,
      status: statusOf(failure),
      ...errorTypeOf(failure),
      ...this.#tracing(request),
      ...spansOf(spans),
      metrics: { durationMs: round(report.durationMs), producedBytes },
    });
    this.#say('platform.runtimeDone', record, failure ? 'WARN' : 'DEBUG');
  }

  timedOut(request: InvokeRequest, seconds: string): void {
    if (!this.#json) this.#parts.log.write(timeoutLine(this.#parts.now(), request.requestId, seconds));
  }

  fault(message: string, errorType: string): void {
    this.#say('platform.fault', () => message);
    if (!this.#json) this.#parts.log.write(exitLine(message, errorType));
  }

  end(request: InvokeRequest): void {
    this.#parts.telemetry.publish('platform', 'platform.end', { requestId: request.requestId });
    if (!this.#json) this.#parts.log.write(endLine(request.requestId));
  }

  report(request: InvokeRequest, { report, failure, spans }: Conclusion): void {
    const { memoryMb } = this.#parts.spec;
    const record = () => ({
      requestId: request.requestId,
      metrics: {
        durationMs: round(report.durationMs),
        billedDurationMs: report.billedMs,
        memorySizeMB: memoryMb,
        maxMemoryUsedMB: report.memoryUsedMb,
        ...(report.initMs === undefined ? {} : { initDurationMs: round(report.initMs) }),
      },
      ...this.#tracing(request),
      ...spansOf(spans),
      status: statusOf(failure),
      ...errorTypeOf(failure),
    });
    const trace = this.#isTraced(request) ? request.trace : undefined;
    this.#say('platform.report', record, failure ? 'WARN' : 'INFO', () => reportLine(request.requestId, memoryMb, report, failure, trace));
  }

  /** `level`: of the JSON line, absent for none; `text`: the text line, absent for none. */
  #say(type: string, makeRecord: () => unknown, level?: 'DEBUG' | 'INFO' | 'WARN', text?: () => string): void {
    const { telemetry, log, now, spec } = this.#parts;
    if (!this.#json && text) log.write(text());
    // Most functions log text, and nobody watches them.
    if (!this.#json && !telemetry.isWatched) return;
    const record = makeRecord();
    telemetry.publish('platform', type, record);
    if (this.#json && level && passes(level, levelOf(spec.logging?.systemLevel))) {
      log.write(`${JSON.stringify({ time: now(), type, record })}\n`);
    }
  }

  #initializationType(): string {
    return this.#parts.spec.initializationType ?? 'on-demand';
  }

  #isTraced(request: InvokeRequest): boolean {
    return this.#parts.spec.tracing === 'Active' && request.trace.includes('Sampled=1');
  }

  #tracing(request: InvokeRequest): { readonly tracing?: unknown } {
    if (!this.#isTraced(request)) return {};
    const spanId = /Parent=([0-9a-f]+)/.exec(request.trace)?.[1];
    return { tracing: { ...(spanId ? { spanId } : {}), type: 'X-Amzn-Trace-Id', value: request.trace } };
  }
}

function statusOf(failure: Failure | undefined): 'success' | 'timeout' | 'error' {
  return failure?.status ?? 'success';
}

function spansOf(spans: Conclusion['spans']): { readonly spans?: readonly Span[] } {
  const all = spans?.() ?? [];
  return all.length > 0 ? { spans: all } : {};
}

function errorTypeOf(failure: Failure | undefined): { readonly errorType?: string } {
  return failure?.status === 'error' ? { errorType: failure.errorType } : {};
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
