/** What AWS bills of Lambda; "AWS Lambda pricing". Metered by each invocation that ran. */
export const usage = {
  /** Invocations, failed ones included. */
  Invocations: 'requests',
  /** Billed duration (init included) times memory. */
  GigabyteSeconds: 'GB-seconds',
  /** The same, of invocations in provisioned environments. That they are kept is not metered yet. */
  ProvisionedGigabyteSeconds: 'GB-seconds',
  /** Not billed: invocations that recursive-loop detection stopped, and records that their destination refused; as the metrics of these names. */
  RecursiveInvocationsDropped: 'count',
  DeadLetterErrors: 'count',
  DestinationDeliveryFailures: 'count',
} as const;
