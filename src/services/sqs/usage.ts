/** Billable dimensions; "Amazon SQS pricing": a request is counted for each 64 KiB of its payload. */
export const usage = {
  StandardRequests: 'requests',
  FifoRequests: 'requests',
  MessagesSent: 'messages',
  MessagesReceived: 'messages',
  MessagesDeleted: 'messages',
} as const;

export const REQUEST_BYTES = 65_536;

/** Requests that a payload of `bytes` counts as. */
export const requestsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / REQUEST_BYTES));
