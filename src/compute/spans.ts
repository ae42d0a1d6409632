/** A part of an invocation, as telemetry shows it; "Lambda Telemetry API Event schema reference", Span. */
export interface Span {
  readonly name: 'responseLatency' | 'responseDuration' | 'runtimeOverhead' | 'extensionOverhead';
  /** ISO 8601. */
  readonly start: string;
  readonly durationMs: number;
}

/** When what happened in an invocation; monotonic milliseconds. */
export interface InvokeTimes {
  readonly startedMs: number;
  /** The answer's first byte and its end. */
  responseMs?: number;
  respondedMs?: number;
  /** The runtime asked for the next event. */
  readyMs?: number;
}

/** Of the runtime: until it began to answer, while it answered, and from then on until it asked for the next event. */
export function runtimeSpans({ startedMs, responseMs, respondedMs, readyMs }: InvokeTimes, isoOf: (monoMs: number) => string): readonly Span[] {
  if (responseMs === undefined || respondedMs === undefined) return [];
  return [
    span('responseLatency', startedMs, responseMs, isoOf),
    span('responseDuration', responseMs, respondedMs, isoOf),
    ...(readyMs === undefined ? [] : [span('runtimeOverhead', respondedMs, readyMs, isoOf)]),
  ];
}

/** Of extensions: from the runtime's end until they asked for the next event. */
export function extensionSpans({ readyMs }: InvokeTimes, endedMs: number, isoOf: (monoMs: number) => string): readonly Span[] {
  return readyMs === undefined ? [] : [span('extensionOverhead', readyMs, endedMs, isoOf)];
}

function span(name: Span['name'], fromMs: number, toMs: number, isoOf: (monoMs: number) => string): Span {
  return { name, start: isoOf(fromMs), durationMs: Math.round((toMs - fromMs) * 1000) / 1000 };
}
