import type { Resource } from '../domain/records.ts';
import { orderOf } from '../domain/template.ts';
import { CLEANUP_ATTEMPTS_MAX } from '../limits.ts';
import { resourceKey } from '../store.ts';
import { WaitAborted } from '../types/answers.ts';
import { reasonOf } from './handlers.ts';
import { deletePhysical, garbageEvent, isRetained, removeResource } from './remove.ts';
import type { Run } from './run.ts';

/**
 * After an update or its rollback: deletes what is no longer in the template and what was replaced. A failure leaves the physical resource behind, as on AWS, and
 * does not fail the stack.
 */
export async function cleanupPhase(run: Run): Promise<void> {
  const rolledBack = run.stack.status.startsWith('UPDATE_ROLLBACK');
  for (const logicalId of removalOrder(run)) {
    const resource = run.resources.get(logicalId);
    if (!resource) continue;
    if (run.signal.aborted) return;
    if (isUnwanted(run, resource, rolledBack))
      await removeResource(run, resource, { retain: isRetained(resource, rolledBack) && resource.physicalId !== undefined });
    else await collectGarbage(run, resource);
  }
  await dropRemoved(run);
  await run.finish(rolledBack ? 'UPDATE_ROLLBACK_COMPLETE' : 'UPDATE_COMPLETE', undefined, (stack) => stack);
}

/** Dependents first, as the resources depended on each other before the update. */
function removalOrder(run: Run): string[] {
  const graph = new Map([...run.resources].map(([id, { before, dependsOn }]) => [id, { dependsOn: before?.dependsOn ?? dependsOn }]));
  return orderOf(graph).reverse();
}

/** Whether the stack's template does not have it: the update left it alone, or, rolled back, made it. */
function isUnwanted(run: Run, { step, before }: Resource, rolledBack: boolean): boolean {
  if (step?.operationId !== run.operation.id) return !rolledBack;
  return step.phase === 'cleanup' || (rolledBack && step.phase === 'apply' && before === undefined);
}

async function collectGarbage(run: Run, resource: Resource): Promise<void> {
  let left = resource;
  for (const garbage of resource.garbage ?? []) {
    const events = [garbageEvent(run, resource.logicalId, garbage, garbage.retain ? 'DELETE_SKIPPED' : 'DELETE_IN_PROGRESS')];
    if (!garbage.retain) {
      const reason = await attemptDeletion(run, resource.logicalId, garbage);
      events.push(garbageEvent(run, resource.logicalId, garbage, reason === undefined ? 'DELETE_COMPLETE' : 'DELETE_FAILED', reason));
    }
    left = { ...left, garbage: (left.garbage ?? []).filter((other) => other !== garbage) };
    await run.commit({ resources: [left], events });
  }
}

/** Undefined where it is gone, else why not. */
async function attemptDeletion(run: Run, logicalId: string, garbage: NonNullable<Resource['garbage']>[number]): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      await deletePhysical(run, logicalId, garbage, attempt);
      return undefined;
    } catch (error) {
      if (error instanceof WaitAborted) throw error;
      if (attempt >= CLEANUP_ATTEMPTS_MAX) return reasonOf(run, error, run.token(logicalId, 'cleanup'));
    }
  }
}

/** Removed resources leave the stack, those that could not be deleted too; the others forget the operation. */
async function dropRemoved(run: Run): Promise<void> {
  const { scope, stack } = run;
  const all = [...run.resources.values()];
  const gone = all.filter(({ step }) => step?.operationId === run.operation.id && step.phase === 'cleanup');
  const kept = all.filter((resource) => !gone.includes(resource)).map(({ before: _before, step: _step, ...resource }): Resource => resource);
  await run.platform.store.transact({ keys: gone.map(({ logicalId }) => resourceKey(scope, stack.id, logicalId)) }, (tx) => {
    for (const { logicalId } of gone) tx.delete(resourceKey(scope, stack.id, logicalId));
  });
  for (const { logicalId } of gone) run.resources.delete(logicalId);
  await run.commit({ resources: kept });
}
