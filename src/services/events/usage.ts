/** Billable dimensions; "Amazon EventBridge pricing": an event is counted for each 64 KiB of its payload. */
export const usage = {
  CustomEvents: 'events',
  ArchivedBytes: 'bytes',
  ReplayedEvents: 'events',
  ApiDestinationInvocations: 'invocations',
} as const;

export const EVENT_BYTES = 65_536;

/** Events that a payload of `bytes` counts as. */
export const eventsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / EVENT_BYTES));
