import type { QueueRow } from '../store.ts';
import { type Address, addressOfArn } from './address.ts';

/** A queue's attributes as the rules need them. */
export interface Settings {
  readonly fifo: boolean;
  readonly delayMs: number;
  readonly visibilityMs: number;
  readonly retentionMs: number;
  readonly waitMs: number;
  readonly messageBytesMax: number;
  readonly contentBasedDeduplication: boolean;
  readonly deduplicateByGroup: boolean;
  readonly redrive?: Redrive;
}

export interface Redrive {
  readonly target: Address;
  readonly maxReceiveCount: number;
}

/** What a queue has that was never set; "SetQueueAttributes". */
export const DEFAULTS: Readonly<Record<string, string>> = {
  DelaySeconds: '0',
  MaximumMessageSize: '1048576',
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
  VisibilityTimeout: '30',
  SqsManagedSseEnabled: 'true',
};

export const FIFO_DEFAULTS: Readonly<Record<string, string>> = {
  ContentBasedDeduplication: 'false',
  DeduplicationScope: 'queue',
  FifoQueue: 'true',
  FifoThroughputLimit: 'perQueue',
};

export const isFifo = (name: string): boolean => name.endsWith('.fifo');

/** Every attribute in force, those never set included. */
export function attributesOf(row: Pick<QueueRow, 'name' | 'attributes'>): Record<string, string> {
  return { ...DEFAULTS, ...(isFifo(row.name) ? FIFO_DEFAULTS : {}), ...row.attributes };
}

export function settingsOf(row: QueueRow): Settings {
  const attributes = attributesOf(row);
  const seconds = (name: string) => Number(attributes[name]) * 1000;
  const redrive = redriveOf(attributes['RedrivePolicy']);
  return {
    fifo: isFifo(row.name),
    delayMs: seconds('DelaySeconds'),
    visibilityMs: seconds('VisibilityTimeout'),
    retentionMs: seconds('MessageRetentionPeriod'),
    waitMs: seconds('ReceiveMessageWaitTimeSeconds'),
    messageBytesMax: Number(attributes['MaximumMessageSize']),
    contentBasedDeduplication: attributes['ContentBasedDeduplication'] === 'true',
    deduplicateByGroup: attributes['DeduplicationScope'] === 'messageGroup',
    ...(redrive ? { redrive } : {}),
  };
}

/** A stored policy, checked when it was set. */
function redriveOf(policy: string | undefined): Redrive | undefined {
  if (policy === undefined) return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(policy) as { deadLetterTargetArn: string; maxReceiveCount: number | string };
  const target = addressOfArn(deadLetterTargetArn);
  return target && { target, maxReceiveCount: Number(maxReceiveCount) };
}
