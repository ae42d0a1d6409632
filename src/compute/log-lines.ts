import { createHash } from 'node:crypto';
import type { ExtensionStatus } from './extensions.ts';
import type { InvokeReport } from './types.ts';

/** The platform's own lines in a log stream; "Viewing CloudWatch logs for Lambda functions". */

export function initStartLine(runtime: string, region: string): string {
  return `INIT_START Runtime Version: ${runtimeVersion(runtime)}\tRuntime Version ARN: ${runtimeVersionArn(runtime, region)}\n`;
}

/** `python:3.12.v1`. */
export function runtimeVersion(runtime: string): string {
  const match = /^([a-z]+)(.*)$/.exec(runtime);
  return `${match?.[1] ?? runtime}:${(match?.[2] ?? '').replace(/^\.|\.x$/g, '')}.v1`;
}

/** Stable for a runtime, as a version of it is on AWS. */
export function runtimeVersionArn(runtime: string, region: string): string {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:lambda:${region}::runtime:${createHash('sha256').update(`croft:${runtime}`).digest('hex')}`;
}

export function initReportLine(durationMs: number, phase: 'init' | 'invoke', failure: Failure): string {
  return `INIT_REPORT Init Duration: ${durationMs.toFixed(2)} ms\tPhase: ${phase}\t${statusOf(failure)}\n`;
}

/** How an extension stands at the end of the init phase. */
export function extensionLine({ name, state, events, errorType }: ExtensionStatus): string {
  return `EXTENSION\tName: ${name}\tState: ${state}\tEvents: [${events.join(', ')}]${errorType ? `\tError Type: ${errorType}` : ''}\n`;
}

export function subscriptionLine(name: string, api: 'telemetry' | 'logs', types: readonly string[]): string {
  const named = types.map((type) => type.charAt(0).toUpperCase() + type.slice(1));
  return `${api === 'logs' ? 'LOGS' : 'TELEMETRY'}\tName: ${name}\tState: Subscribed\tTypes: [${named.join(', ')}]\n`;
}

export function startLine(requestId: string, version: string): string {
  return `START RequestId: ${requestId} Version: ${version}\n`;
}

export function endLine(requestId: string): string {
  return `END RequestId: ${requestId}\n`;
}

/** An invocation that ended without the handler's answer. */
export type Failure = { readonly status: 'timeout' } | { readonly status: 'error'; readonly errorType: string };

/** `trace`: the X-Ray trace header, where the invocation is traced. */
export function reportLine(requestId: string, memoryMb: number, report: InvokeReport, failure?: Failure, trace?: string): string {
  const fields = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${report.durationMs.toFixed(2)} ms`,
    `Billed Duration: ${report.billedMs} ms`,
    `Memory Size: ${memoryMb} MB`,
    `Max Memory Used: ${report.memoryUsedMb} MB`,
    ...(report.initMs === undefined ? [] : [`Init Duration: ${report.initMs.toFixed(2)} ms`]),
  ];
  return `${fields.join('\t')}\t${failure ? statusOf(failure) : ''}\n${trace ? tracedLine(trace) : ''}`;
}

function tracedLine(trace: string): string {
  const field = (name: string) => new RegExp(`${name}=([^;]+)`).exec(trace)?.[1] ?? '';
  return `XRAY TraceId: ${field('Root')}\tSegmentId: ${field('Parent')}\tSampled: true\t\n`;
}

export function timeoutLine(isoTime: string, requestId: string, seconds: string): string {
  return `${isoTime} ${requestId} Task timed out after ${seconds} seconds\n\n`;
}

export function exitLine(message: string, errorType: string): string {
  return `${message}\n${errorType}\n`;
}

function statusOf(failure: Failure): string {
  return failure.status === 'timeout' ? 'Status: timeout' : `Status: error\tError Type: ${failure.errorType}`;
}
