import { SCALE_IN_SAMPLES, SCALE_IN_SHARE, SCALE_OUT_SAMPLES } from '../limits.ts';
import type { TargetRow } from '../store.ts';

/** What a target tracking policy says, as far as it counts here. */
export interface Tracking {
  readonly target: number;
  readonly scaleOutCooldownMs: number;
  readonly scaleInCooldownMs: number;
  readonly disableScaleIn: boolean;
}

export function trackingOf(configuration: Readonly<Record<string, unknown>>): Tracking {
  return {
    target: Number(configuration['TargetValue']),
    scaleOutCooldownMs: Number(configuration['ScaleOutCooldown'] ?? 0) * 1000,
    scaleInCooldownMs: Number(configuration['ScaleInCooldown'] ?? 0) * 1000,
    disableScaleIn: configuration['DisableScaleIn'] === true,
  };
}

export interface Decision {
  readonly capacity: number;
  /** The policy that decided, by its place in the list. */
  readonly by: number;
}

/**
 * The capacity that the policies of a target ask for, within its bounds; undefined where nothing changes. The largest wins.
 * "How target tracking scaling works".
 */
export function decide(row: TargetRow, policies: readonly Tracking[], current: number, nowMs: number): Decision | undefined {
  const wishes = policies.map((policy, by) => ({ capacity: wishOf(row, policy, current, nowMs), by }));
  const most = wishes.reduce<Decision | undefined>((best, one) => (best && best.capacity >= one.capacity ? best : one), undefined);
  if (!most) return undefined;
  const capacity = Math.min(row.max, Math.max(row.min, most.capacity));
  return capacity === current ? undefined : { capacity, by: most.by };
}

function wishOf(row: TargetRow, policy: Tracking, current: number, nowMs: number): number {
  const samples = row.samples ?? [];
  const newest = samples.at(-1) ?? 0;
  const wish = Math.ceil((current * newest) / policy.target - 1e-9);
  const above = samples.length >= SCALE_OUT_SAMPLES && samples.slice(-SCALE_OUT_SAMPLES).every((one) => one > policy.target);
  if (above && !row.suspended.out && nowMs >= (row.scaledOutMs ?? Number.NEGATIVE_INFINITY) + policy.scaleOutCooldownMs) return Math.max(current, wish);
  const below = samples.length >= SCALE_IN_SAMPLES && samples.slice(-SCALE_IN_SAMPLES).every((one) => one < policy.target * SCALE_IN_SHARE);
  const cooled = nowMs >= Math.max(row.scaledInMs ?? Number.NEGATIVE_INFINITY, row.scaledOutMs ?? Number.NEGATIVE_INFINITY) + policy.scaleInCooldownMs;
  if (below && !policy.disableScaleIn && !row.suspended.in && cooled) return Math.min(current, wish);
  return current;
}
