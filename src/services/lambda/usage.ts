/** What AWS bills of Lambda; "AWS Lambda pricing". Metered by each invocation that ran. */
export const usage = {
  /** Invocations, failed ones included. */
  Invocations: 'requests',
  /** Billed duration (init included) times memory. */
  GigabyteSeconds: 'GB-seconds',
} as const;
