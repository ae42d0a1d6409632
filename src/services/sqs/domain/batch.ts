import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';
import { AwsError } from '../../../kit/errors.ts';
import { emptyBatch, entryIdsNotDistinct, invalidEntryId, missingParameter, tooManyEntries } from '../errors.ts';
import { BATCH_ENTRIES_MAX, BATCH_ENTRY_ID_CHARS_MAX } from '../limits.ts';

interface Identified {
  readonly Id: string | undefined;
}

const ENTRY_ID = new RegExp(`^[\\w-]{1,${BATCH_ENTRY_ID_CHARS_MAX}}$`);

/** The rules that a batch must meet as a whole; "Amazon SQS batch actions". */
export function checkBatch(entries: readonly Identified[] | undefined, entryType: string): void {
  if (!entries || entries.length === 0) throw emptyBatch(entryType);
  if (entries.length > BATCH_ENTRIES_MAX) throw tooManyEntries(entries.length);
  const seen = new Set<string>();
  for (const { Id } of entries) {
    if (Id === undefined) throw missingParameter(`${entryType}.1.Id`);
    if (!ENTRY_ID.test(Id)) throw invalidEntryId();
    if (seen.has(Id)) throw entryIdsNotDistinct(Id);
    seen.add(Id);
  }
}

/** The query protocol's code of an error, as failed entries state it. */
const CODES: Readonly<Record<string, string>> = { QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue' };

/** What became of one entry: an error of ours, or anything else thrown on. */
export function failedEntry(id: string, error: unknown): BatchResultErrorEntry {
  if (!(error instanceof AwsError)) throw error;
  return { Id: id, SenderFault: error.fault === 'client', Code: CODES[error.code] ?? error.code, Message: error.message };
}

/** Sorts the outcomes of a batch into the two lists; an empty one is left out. */
export function batchResult<S>(successful: S[], failed: BatchResultErrorEntry[]): { Successful: S[]; Failed?: BatchResultErrorEntry[] } {
  return { Successful: successful, ...(failed.length > 0 ? { Failed: failed } : {}) };
}
