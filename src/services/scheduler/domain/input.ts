import { type Scope, scheduleArn } from './names.ts';

/** Of one run of a schedule. */
export interface Run extends Scope {
  readonly group: string;
  readonly name: string;
  readonly scheduledMs: number;
  readonly executionId: string;
  /** From 1. */
  readonly attempt: number;
}

/** To the second. */
export const isoTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** "Adding context attributes": their values in the place of their names. */
export function withContext(input: string, run: Run): string {
  const values: Readonly<Record<string, string>> = {
    'schedule-arn': scheduleArn(run, run.group, run.name),
    'scheduled-time': isoTime(run.scheduledMs),
    'execution-id': run.executionId,
    'attempt-number': String(run.attempt),
  };
  return input.replaceAll(/<aws\.scheduler\.([a-z-]+)>/g, (all, name: string) => values[name] ?? all);
}

/** What a templated target gets that was given no input. */
export function defaultInput(run: Run): string {
  return JSON.stringify({
    version: '0',
    id: run.executionId,
    'detail-type': 'Scheduled Event',
    source: 'aws.scheduler',
    account: run.account,
    time: isoTime(run.scheduledMs),
    region: run.region,
    resources: [scheduleArn(run, run.group, run.name)],
    detail: '{}',
  });
}
