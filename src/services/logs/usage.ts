/** Billable dimensions; "Amazon CloudWatch Pricing", Logs. */
export const usage = {
  /** PutLogEvents, as its batch limit counts: UTF-8 plus 26 bytes an event. */
  IngestedBytes: 'bytes',
  /** FilterLogEvents: messages looked through. Free on AWS; kept because it explains load. */
  ScannedBytes: 'bytes',
  ReturnedBytes: 'bytes',
} as const;
