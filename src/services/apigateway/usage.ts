/** Billable dimensions; "Amazon API Gateway pricing", REST APIs. */
export const usage = {
  /** Requests that reached a method, whatever the answer. */
  Requests: 'requests',
} as const;
