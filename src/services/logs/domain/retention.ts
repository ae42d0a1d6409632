/** What of `[startTime, endTime)` is still retained at virtual time `nowMs`; `endTime` is exclusive and absent for everything. */
export function retainedRange(retentionInDays: number | undefined, nowMs: number, startTime: number | undefined, endTime: number | undefined) {
  const retainedMs = retentionInDays === undefined ? 0 : nowMs - retentionInDays * 86_400_000;
  return { fromMs: Math.max(startTime ?? 0, retainedMs), toMs: endTime ?? Number.MAX_SAFE_INTEGER };
}
