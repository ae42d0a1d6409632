import type { Tx } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import type { Stack, StackEvent, StackOperation } from '../domain/records.ts';
import { runTarget, withStatus } from '../engine/run.ts';
import { validationError } from '../errors.ts';
import { putEventTx, putStackTx } from '../store.ts';

/** Ids and times of one request: computed once, outside the transaction. */
export interface Start {
  readonly operationId: string;
  readonly eventId: string;
  readonly atMs: number;
  readonly clientToken?: string;
}

export const newStart = (ctx: Ctx, clientToken: string | undefined): Start => ({
  operationId: ctx.platform.ids.uuid(),
  eventId: ctx.platform.ids.uuid(),
  atMs: ctx.platform.clock.virtual(),
  ...(clientToken ? { clientToken } : {}),
});

/** Puts the stack to work in `tx`: its record, its event and the delivery that runs the operation are one commit. */
export function startOperation(
  tx: Tx,
  ctx: Ctx,
  start: Start,
  stack: Stack,
  status: string,
  operation: Omit<StackOperation, 'id' | 'startedMs' | 'clientToken'>,
): void {
  const { operationId: id, atMs, clientToken } = start;
  const token = clientToken === undefined ? {} : { clientToken };
  putStackTx(tx, ctx, { ...withStatus(stack, status, 'User Initiated'), ...token, operation: { ...operation, id, startedMs: atMs, ...token } });
  putEventTx(tx, ctx, stack.id, stackEvent(start, stack, status, 'User Initiated'));
  ctx.platform.bus.enqueue(tx, {
    target: runTarget(stack.nesting?.depth ?? 0),
    account: ctx.account,
    region: ctx.region,
    payload: { stackId: stack.id, operationId: id },
    orderKey: stack.id,
    trace: ctx.trace,
  });
}

/** An event of the stack itself. */
export const stackEvent = (start: Start, stack: Stack, status: string, reason?: string): StackEvent => ({
  eventId: start.eventId,
  logicalId: stack.name,
  physicalId: stack.id,
  type: 'AWS::CloudFormation::Stack',
  atMs: start.atMs,
  status,
  ...(reason ? { reason } : {}),
  ...(start.clientToken ? { clientToken: start.clientToken } : {}),
});

/** Stack names: "CreateStack" in the CloudFormation API Reference. */
export function checkStackName(name: string): string {
  if (!/^[a-zA-Z][-a-zA-Z0-9]*$/.test(name)) {
    throw validationError(
      `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
    );
  }
  if (name.length > 128)
    throw validationError(
      `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must have length less than or equal to 128`,
    );
  return name;
}
