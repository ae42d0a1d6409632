import type { Resource, Step } from '../domain/records.ts';
import { WaitAborted } from '../types/answers.ts';
import { removeAll, standing } from './delete.ts';
import { handlerOf, reasonOf, requestOf, withResult } from './handlers.ts';
import { dereferenced, dereferencedIfKnown } from './references.ts';
import { dependentsOf } from './remove.ts';
import type { Run } from './run.ts';
import { type Done, schedule } from './schedule.ts';

/** Takes a failed creation or update back. */
export async function rollbackPhase(run: Run): Promise<void> {
  await (run.operation.kind === 'create' ? rollbackCreation(run) : rollbackUpdate(run));
}

async function rollbackCreation(run: Run): Promise<void> {
  const failed = await removeAll(run, standing(run), true);
  if (run.signal.aborted) return;
  if (failed.length > 0) await run.finish('ROLLBACK_FAILED', `The following resource(s) failed to delete: [${failed.join(', ')}]. `, settle(run));
  else await run.finish('ROLLBACK_COMPLETE', undefined, settle(run));
}

/** A stack that never came to be still shows the template and parameters that it was to have. */
const settle = (run: Run) => (stack: Run['stack']) => (run.operation.target ? { ...stack, current: run.operation.target } : stack);

async function rollbackUpdate(run: Run): Promise<void> {
  const touched = [...run.resources.values()].filter(
    ({ step, before }) =>
      step?.operationId === run.operation.id && before !== undefined && !(step.phase === 'apply' && step.action === 'none' && step.state === 'done'),
  );
  const failed: string[] = [];
  await schedule(
    touched.map(({ logicalId }) => logicalId).reverse(),
    dependentsOf(run.resources),
    async (logicalId) => {
      const resource = run.resources.get(logicalId);
      const done = resource ? await revert(run, resource) : 'ok';
      if (done === 'failed') failed.push(logicalId);
      return done;
    },
    () => run.superseded || run.signal.aborted,
  );
  if (run.signal.aborted) return;
  if (failed.length > 0)
    await run.finish('UPDATE_ROLLBACK_FAILED', `The following resource(s) failed to update: [${failed.join(', ')}]. `, (stack) => ({
      ...stack,
      rollback: { ...run.operation, phase: 'rollback' },
    }));
  else await run.enterPhase('cleanup', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
}

/** Makes a resource what it was before the operation. */
async function revert(run: Run, resource: Resource): Promise<Done> {
  const { before, step: last } = resource;
  if (!before || (last?.phase === 'rollback' && last.state === 'done')) return 'ok';
  const step = (state: Step['state']): Step => ({ operationId: run.operation.id, phase: 'rollback', action: last?.action ?? 'update', state });
  const atMs = run.platform.clock.virtual();
  if (last?.action === 'replace' || last?.action === 'none') {
    // The old physical resource was never touched; a new one, if it came to be, is rubbish now.
    const made = last.action === 'replace' && resource.physicalId !== undefined && resource.physicalId !== before.physicalId;
    const garbage = made ? [{ physicalId: resource.physicalId ?? '', type: resource.type, properties: resource.properties, retain: false }] : [];
    const reverted: Resource = { ...before, status: 'UPDATE_COMPLETE', updatedMs: atMs, before, garbage, step: step('done') };
    await run.commit({ resources: [reverted], events: last.action === 'none' ? [] : [run.event(reverted, 'UPDATE_COMPLETE')] });
    return 'ok';
  }
  const begun: Resource = { ...resource, status: 'UPDATE_IN_PROGRESS', updatedMs: atMs, step: step('started') };
  if (last?.phase !== 'rollback') await run.commit({ resources: [begun], events: [run.event(begun, 'UPDATE_IN_PROGRESS')] });
  try {
    const request = {
      ...requestOf(run, { ...before, logicalId: resource.logicalId }),
      properties: await dereferenced(run.ctx, before.properties),
      token: run.token(resource.logicalId, 'rollback'),
    };
    const previous = await dereferencedIfKnown(run.ctx, resource.properties);
    // The code behind a custom resource may have made another physical resource of it, and may do so again.
    const present = resource.physicalId ?? before.physicalId ?? '';
    const result = await handlerOf(run, before.type).update(run.ctx, { ...request, physicalId: present, previous });
    const left = [...(resource.garbage ?? []), { physicalId: present, type: resource.type, properties: resource.properties, retain: false }];
    const garbage = left.filter(({ physicalId }) => physicalId !== result.physicalId);
    const reverted = withResult(
      { ...before, status: 'UPDATE_COMPLETE', updatedMs: run.platform.clock.virtual(), before, garbage, step: step('done') },
      result,
      before.attributes,
    );
    await run.commit({ resources: [reverted], events: [run.event(reverted, 'UPDATE_COMPLETE')] });
    return 'ok';
  } catch (error) {
    if (run.superseded || error instanceof WaitAborted) throw error;
    const reason = reasonOf(run, error, run.token(resource.logicalId, 'rollback'));
    const failed: Resource = { ...begun, status: 'UPDATE_FAILED', statusReason: reason, step: step('failed') };
    await run.commit({ resources: [failed], events: [run.event(failed, 'UPDATE_FAILED', reason)] });
    return 'failed';
  }
}
