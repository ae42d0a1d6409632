import type { Access, OperationEntry } from '../../service.ts';
import { sendCallbackFailure, sendCallbackHeartbeat, sendCallbackSuccess } from './operations/callbacks.ts';
import { checkpointDurableExecution } from './operations/checkpoint.ts';
import { deleteDurableExecution, pauseDurableExecution, resumeDurableExecution, stopDurableExecution } from './operations/control.ts';
import { listDurableExecutionsByFunction } from './operations/list.ts';
import { getDurableExecution, getDurableExecutionHistory, getDurableExecutionState } from './operations/read.ts';

export { registerDurableDeliveries } from './deliveries.ts';
export { createWaits, durableRunner, type Waits } from './invoke.ts';

const onExecution: Access = { resource: (_ctx, input) => (typeof input['DurableExecutionArn'] === 'string' ? input['DurableExecutionArn'] : '') };
/** A callback's id says which execution it is of, and not in a form that policies know. */
const onCallback: Access = { resource: (ctx) => `arn:aws:lambda:${ctx.region}:${ctx.account}:function:*` };

/** Operations of durable executions. */
export function durableOperations(onFunction: Access): Record<string, OperationEntry> {
  return {
    CheckpointDurableExecution: { run: checkpointDurableExecution, access: onExecution },
    GetDurableExecution: { run: getDurableExecution, access: onExecution },
    GetDurableExecutionHistory: { run: getDurableExecutionHistory, access: onExecution },
    GetDurableExecutionState: { run: getDurableExecutionState, access: onExecution },
    ListDurableExecutionsByFunction: { run: listDurableExecutionsByFunction, access: onFunction },
    StopDurableExecution: { run: stopDurableExecution, access: onExecution },
    PauseDurableExecution: { run: pauseDurableExecution, access: onExecution },
    ResumeDurableExecution: { run: resumeDurableExecution, access: onExecution },
    DeleteDurableExecution: { run: deleteDurableExecution, access: onExecution },
    SendDurableExecutionCallbackSuccess: { run: sendCallbackSuccess, access: onCallback },
    SendDurableExecutionCallbackFailure: { run: sendCallbackFailure, access: onCallback },
    SendDurableExecutionCallbackHeartbeat: { run: sendCallbackHeartbeat, access: onCallback },
  };
}
