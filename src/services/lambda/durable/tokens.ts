/** What a checkpoint token says: it is good for the checkpoint after `sequence` of one invocation. */
export interface CheckpointToken {
  readonly executionId: string;
  readonly invocationId: string;
  readonly sequence: number;
}

/** What a callback id says. */
export interface CallbackId {
  readonly executionId: string;
  readonly operationId: string;
}

/** Base64 of letters, digits, hyphens and vertical bars has no `/` and no `+`: it is safe in a path. */
const encode = (parts: readonly string[]): string => Buffer.from(parts.join('|'), 'latin1').toString('base64');

function decode(token: string, count: number): readonly string[] | undefined {
  const parts = Buffer.from(token, 'base64').toString('latin1').split('|');
  return parts.length === count && encode(parts) === token ? parts : undefined;
}

export const formatCheckpointToken = ({ executionId, invocationId, sequence }: CheckpointToken): string =>
  encode(['t', executionId, invocationId, String(sequence)]);

export function parseCheckpointToken(token: string): CheckpointToken | undefined {
  const [kind, executionId = '', invocationId = '', sequence = ''] = decode(token, 4) ?? [];
  return kind === 't' && /^\d{1,15}$/.test(sequence) ? { executionId, invocationId, sequence: Number(sequence) } : undefined;
}

export const formatCallbackId = ({ executionId, operationId }: CallbackId): string => encode(['c', executionId, operationId]);

export function parseCallbackId(id: string): CallbackId | undefined {
  const [kind, executionId = '', operationId = ''] = decode(id, 3) ?? [];
  return kind === 'c' && operationId !== '' ? { executionId, operationId } : undefined;
}
