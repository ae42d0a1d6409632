import { createHash } from 'node:crypto';
import { formatTrace } from '../../../kit/trace.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Platform } from '../../service.ts';
import { functionArn, type Place } from '../domain/names.ts';
import type { VersionRow } from '../store.ts';
import { openEditor, TIMER } from './editor.ts';
import { trigger } from './lifecycle.ts';
import { OPERATION_PAYLOAD_BYTES_MAX, SYNC_RESULT_BYTES_MAX } from './limits.ts';
import { announce } from './status.ts';
import { durableKeys, type ExecutionRow, put } from './store.ts';

/** What a new execution is made of. */
export interface Start {
  readonly id: string;
  readonly name: string;
  /** The caller gave the name. */
  readonly named: boolean;
  readonly functionName: string;
  readonly row: VersionRow;
  readonly input?: string;
  readonly synchronous: boolean;
  readonly traceHeader: string;
  readonly nowMs: number;
  readonly parent?: ExecutionRow['parent'];
  readonly event?: ExecutionRow['event'];
  readonly tenantId?: string | undefined;
}

export const hashOf = (input: string | undefined): string =>
  createHash('sha256')
    .update(input ?? '')
    .digest('hex');

/** `…:function:name:version/durable-execution/name/id`. */
export function executionArn(place: Place, functionName: string, version: string, name: string, id: string): string {
  return `${functionArn(place, functionName, version)}/durable-execution/${name}/${id}`;
}

/** Writes a new execution, with its first run. */
export function createExecution(platform: Platform, tx: Tx, place: Place, start: Start): ExecutionRow {
  const { id, name, functionName, row: version, nowMs, named } = start;
  const durable = version.durable;
  if (!durable) throw new Error('an execution needs a durable function');
  const created: ExecutionRow = {
    id,
    arn: executionArn(place, functionName, version.version, name, id),
    name,
    named,
    functionName,
    version: version.version,
    status: 'RUNNING',
    inputHash: hashOf(start.input),
    resultBytesMax: start.synchronous ? SYNC_RESULT_BYTES_MAX : OPERATION_PAYLOAD_BYTES_MAX,
    startedMs: nowMs,
    timeoutSeconds: durable.executionTimeout,
    timeoutMs: nowMs + durable.executionTimeout * 1000,
    retentionDays: durable.retentionDays,
    ...(durable.kmsKeyArn === undefined ? {} : { kmsKeyArn: durable.kmsKeyArn }),
    traceHeader: start.traceHeader,
    queued: false,
    sequence: 0,
    failures: 0,
    unseen: [],
    operations: 0,
    events: 0,
    bytes: 0,
    ...(start.parent ? { parent: start.parent } : {}),
    ...(start.event ? { event: start.event } : {}),
    ...(start.tenantId === undefined ? {} : { tenantId: start.tenantId }),
  };
  const editor = openEditor(platform, tx, place, id, nowMs, created);
  if (!editor) throw new Error('a new execution opens');
  const input = start.input === undefined ? undefined : editor.keep('input', start.input);
  if (input) editor.row.input = input;
  const root = editor.add({ id, type: 'EXECUTION', status: 'STARTED', startedMs: nowMs, ...(named ? { name } : {}) });
  editor.event('ExecutionStarted', root, { Input: input && { input }, ExecutionTimeout: durable.executionTimeout });
  editor.send(TIMER, { id }, { dueMs: created.timeoutMs });
  announce(editor);
  trigger(editor);
  editor.save();
  put(tx, durableKeys.listed(place, functionName, nowMs, id), { id });
  if (named) put(tx, durableKeys.name(place, functionName, name), { id });
  return editor.row;
}

export const traceHeaderOf = (ctx: Ctx): string => formatTrace(ctx.trace);
