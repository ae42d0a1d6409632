import type { Target } from '@aws-sdk/client-scheduler';

/** The next time of a schedule. */
export const FIRE = 'scheduler:fire';
/** One run of a schedule, on its way to its target. */
export const INVOKE = 'scheduler:invoke';
/** Removes a deleted group with its schedules. */
export const PURGE = 'scheduler:purge';

export interface FirePayload {
  readonly group: string;
  readonly name: string;
  readonly token: string;
  readonly scheduledMs: number;
}

export interface InvokePayload {
  readonly group: string;
  readonly name: string;
  readonly target: Target;
  readonly scheduledMs: number;
  readonly executionId: string;
}

export interface PurgePayload {
  readonly group: string;
}
