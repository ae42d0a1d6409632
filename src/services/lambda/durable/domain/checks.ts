import type { OperationUpdate } from '@aws-sdk/client-lambda';
import { type FunctionReference, type Place, readReference } from '../../domain/names.ts';
import { invalidParameter } from '../../errors.ts';
import { OPERATION_PAYLOAD_BYTES_MAX, OPERATIONS_MAX, STORAGE_BYTES_MAX } from '../limits.ts';
import type { ExecutionRow, OperationRow } from '../store.ts';

/** The state that updates are checked against. */
export interface Known {
  readonly place: Place;
  readonly row: ExecutionRow;
  operation(id: string): OperationRow | undefined;
}

const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  STEP: ['START', 'FAIL', 'RETRY', 'SUCCEED'],
  CONTEXT: ['START', 'FAIL', 'SUCCEED'],
  WAIT: ['START', 'CANCEL'],
  CALLBACK: ['START'],
  CHAINED_INVOKE: ['START'],
  EXECUTION: ['SUCCEED', 'FAIL'],
};

/** Checks the updates of one checkpoint as a whole, then each; throws InvalidParameterValueException. */
export function checkUpdates(known: Known, updates: readonly OperationUpdate[]): void {
  const executions = updates.filter((update) => update.Type === 'EXECUTION');
  if (executions.length > 1) throw invalidParameter('Cannot checkpoint multiple EXECUTION updates.');
  if (executions.length === 1 && updates.at(-1)?.Type !== 'EXECUTION') throw invalidParameter('EXECUTION checkpoint must be the last update.');
  checkFamily(known, updates);
  const started = new Set<string>();
  for (const update of updates) {
    checkUpdate(known, update, started);
    if (update.Action === 'START') started.add(update.Id ?? '');
  }
  checkVolume(known, updates);
}

/** No operation twice, except the start and the end of a step or context; parents are contexts. */
function checkFamily(known: Known, updates: readonly OperationUpdate[]): void {
  const last = new Map<string, OperationUpdate>();
  const contexts = new Map<string, boolean>();
  for (const update of updates) {
    const id = update.Id ?? '';
    const before = last.get(id);
    const goesOn = before && (before.Type === 'STEP' || before.Type === 'CONTEXT') && before.Action === 'START' && update.Action !== 'START';
    if (before && !goesOn) throw invalidParameter('Cannot checkpoint multiple operations with the same ID.');
    if (update.ParentId !== undefined) {
      const isContext = contexts.get(update.ParentId) ?? known.operation(update.ParentId)?.type === 'CONTEXT';
      if (!isContext) throw invalidParameter('Invalid parent operation id.');
    }
    if (update.Action === 'START') contexts.set(id, update.Type === 'CONTEXT');
    last.set(id, update);
  }
}

function checkUpdate(known: Known, update: OperationUpdate, started: ReadonlySet<string>): void {
  const current = update.Type === 'EXECUTION' ? undefined : known.operation(update.Id ?? '');
  if (current) checkSame(current, update);
  checkSizes(known, update);
  const type = update.Type ?? '';
  const action = update.Action ?? '';
  if (!ACTIONS[type]?.includes(action)) throw invalidParameter('Invalid action for the given operation type.');
  if (action === 'START' && type !== 'STEP' && current) throw invalidParameter(alreadyThere(type));
  if (type === 'STEP') checkStep(current, update, started.has(update.Id ?? ''));
  if (type === 'CONTEXT' && action !== 'START' && current && current.status !== 'STARTED') throw invalidParameter('Invalid current CONTEXT state to close.');
  if (type === 'WAIT' && action === 'CANCEL' && current?.status !== 'STARTED') {
    throw invalidParameter('Cannot cancel a WAIT that does not exist or has already completed.');
  }
  if (type === 'WAIT' && action === 'START' && update.WaitOptions?.WaitSeconds === undefined) {
    throw invalidParameter('Invalid WaitOptions for the given action.');
  }
  if (type === 'CHAINED_INVOKE') checkChained(known.place, update);
  if (action === 'FAIL' && update.Payload !== undefined) throw invalidParameter('Cannot provide a Payload for FAIL action.');
  if (action === 'SUCCEED' && update.Error !== undefined) throw invalidParameter('Cannot provide an Error for SUCCEED action.');
}

function alreadyThere(type: string): string {
  return type === 'CHAINED_INVOKE' ? 'Cannot start a CHAINED_INVOKE operation that already exists.' : `Cannot start a ${type} that already exist.`;
}

function checkSame(current: OperationRow, update: OperationUpdate): void {
  if (update.Type !== current.type) throw invalidParameter('Inconsistent operation type.');
  if (update.SubType !== undefined && update.SubType !== current.subType) throw invalidParameter('Inconsistent operation subtype.');
  if (update.Name !== undefined && update.Name !== current.name) throw invalidParameter('Inconsistent operation name.');
  if (update.ParentId !== undefined && update.ParentId !== current.parentId) throw invalidParameter('Inconsistent parent operation id.');
}

/** `startedHere`: by an earlier update of the same checkpoint. */
function checkStep(current: OperationRow | undefined, update: OperationUpdate, startedHere: boolean): void {
  const open = startedHere || current === undefined || current.status === 'STARTED' || current.status === 'READY';
  if (update.Action === 'START') {
    if (current && current.status !== 'READY') throw invalidParameter('Invalid current STEP state to start.');
  } else if (update.Action === 'RETRY') {
    if (!open) throw invalidParameter('Invalid current STEP state to re-attempt.');
    if (!update.StepOptions) throw invalidParameter('Invalid StepOptions for the given action.');
    if (update.Error !== undefined && update.Payload !== undefined) throw invalidParameter('Cannot provide both error and payload to RETRY a STEP.');
  } else if (!open) throw invalidParameter('Invalid current STEP state to close.');
}

function checkSizes({ row }: Known, update: OperationUpdate): void {
  const bytes = update.Payload === undefined ? 0 : Buffer.byteLength(update.Payload);
  if (update.Type === 'EXECUTION') {
    if (bytes > row.resultBytesMax) throw invalidParameter(resultTooLarge(row));
  } else if (bytes > OPERATION_PAYLOAD_BYTES_MAX) {
    const what = update.Type === 'CHAINED_INVOKE' ? 'input' : 'output';
    throw invalidParameter(`${update.Type} ${what} payload size must be less than or equal to ${OPERATION_PAYLOAD_BYTES_MAX} bytes.`);
  }
  if (update.Error && Buffer.byteLength(JSON.stringify(update.Error)) > OPERATION_PAYLOAD_BYTES_MAX) {
    throw invalidParameter(`Error object size must be less than ${OPERATION_PAYLOAD_BYTES_MAX} bytes.`);
  }
}

export function resultTooLarge(row: ExecutionRow): string {
  return `Execution output payload size must be less than or equal to ${row.resultBytesMax} bytes.`;
}

function checkChained(place: Place, update: OperationUpdate): void {
  const options = update.ChainedInvokeOptions;
  if (!options) throw invalidParameter('Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.');
  readTarget(place, options.FunctionName ?? '');
}

/** The function that a chained invocation names. Throws AWS's errors for another account or region. */
export function readTarget(place: Place, functionName: string): FunctionReference {
  const [, , , region, account] = functionName.startsWith('arn:') ? functionName.split(':') : [];
  if (account !== undefined && account !== place.account) throw invalidParameter('Cannot start a CHAINED_INVOKE on a function in another account.');
  if (region !== undefined && region !== place.region) throw invalidParameter('Cannot start a CHAINED_INVOKE on a function in another region.');
  try {
    return readReference(place, functionName);
  } catch {
    throw invalidParameter(`Invalid function ARN '${functionName}'`);
  }
}

function checkVolume({ row, operation }: Known, updates: readonly OperationUpdate[]): void {
  const added = new Set(updates.filter((update) => update.Type !== 'EXECUTION' && !operation(update.Id ?? '')).map((update) => update.Id)).size;
  if (row.operations + added > OPERATIONS_MAX) throw invalidParameter(`Durable execution operations must be less than or equal to ${OPERATIONS_MAX}.`);
  const bytes = updates.reduce((sum, one) => sum + Buffer.byteLength(one.Payload ?? '') + (one.Error ? JSON.stringify(one.Error).length : 0), 0);
  if (row.bytes + bytes > STORAGE_BYTES_MAX) throw invalidParameter(`Durable execution storage must be less than or equal to ${STORAGE_BYTES_MAX} bytes.`);
}
