/** What a function said of its batch: which items failed, or that it all did. */
export type Failures = readonly string[] | 'all';

/**
 * Reads a function's answer under `ReportBatchItemFailures`: nothing, null, an empty list, or one without failures, is success (recorded); what is no such answer, or names
 * no item or one that is not in the batch, is the failure of the whole batch.
 */
export function readFailures(answer: Buffer, items: ReadonlySet<string>): Failures {
  const text = answer.toString('utf8').trim();
  if (text === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return 'all';
    throw error;
  }
  if (value === null || value === '') return [];
  if (Array.isArray(value) && value.length === 0) return [];
  if (typeof value !== 'object' || Array.isArray(value)) return 'all';
  const failures = (value as { batchItemFailures?: unknown }).batchItemFailures;
  if (failures === undefined || failures === null) return [];
  if (!Array.isArray(failures)) return 'all';
  const failed: string[] = [];
  for (const entry of failures as unknown[]) {
    const id = typeof entry === 'object' && entry !== null ? (entry as { itemIdentifier?: unknown }).itemIdentifier : undefined;
    if (typeof id !== 'string' || !items.has(id)) return 'all';
    failed.push(id);
  }
  return failed;
}
