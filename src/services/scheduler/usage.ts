/** Billable dimensions; "Amazon EventBridge pricing": an invocation is counted for each 64 KiB of its payload. */
export const usage = { Invocations: 'invocations' } as const;

export const INVOCATION_BYTES = 65_536;

/** Invocations that a payload of `bytes` counts as. */
export const invocationsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / INVOCATION_BYTES));
