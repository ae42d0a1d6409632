import type { ChangeSet, Resource } from '../domain/records.ts';
import { answersRange, changeSetsRange, deleteChangeSetTx, exportKey, getNameTx, importKey, nameKey, readAll, stackKey } from '../store.ts';
import { dependentsOf, isRetained, removeResource } from './remove.ts';
import type { Run } from './run.ts';
import { schedule } from './schedule.ts';

/** What still has to be deleted: everything that is not gone. */
export const standing = (run: Run): Resource[] =>
  [...run.resources.values()].filter(({ status }) => status !== 'DELETE_COMPLETE' && status !== 'DELETE_SKIPPED');

/** Deletes every resource, dependents first, then the stack's own traces; what is left is found by the stack's id. */
export async function deletePhase(run: Run): Promise<void> {
  const failed = await removeAll(run, standing(run), run.operation.kind === 'create');
  if (run.signal.aborted) return;
  if (failed.length > 0) {
    await run.finish('DELETE_FAILED', `The following resource(s) failed to delete: [${failed.join(', ')}]. `, (stack) => stack);
    return;
  }
  await forget(run);
  await run.finish('DELETE_COMPLETE', undefined, (stack) => ({ ...stack, deletedMs: run.platform.clock.virtual() }));
}

/** Deletes resources in parallel; answers the logical ids of those that would not go. */
export async function removeAll(run: Run, resources: readonly Resource[], ofCreation: boolean): Promise<string[]> {
  const failed: string[] = [];
  const retained = new Set(run.operation.retain ?? []);
  const order = resources.map(({ logicalId }) => logicalId).reverse();
  await schedule(
    order,
    dependentsOf(run.resources),
    async (logicalId) => {
      const resource = run.resources.get(logicalId);
      if (!resource) return 'ok';
      const done = await removeResource(run, resource, {
        retain: retained.has(logicalId) || (isRetained(resource, ofCreation) && resource.physicalId !== undefined),
      });
      if (done === 'failed') failed.push(logicalId);
      return done;
    },
    () => run.superseded || run.signal.aborted,
  );
  return failed.sort();
}

/** Takes back the stack's name, exports, imports and change sets. */
async function forget(run: Run): Promise<void> {
  const { store } = run.platform;
  const { scope, stack } = run;
  const changeSets = await readAll<ChangeSet>(store, changeSetsRange(scope, stack.id));
  const answers = answersRange(scope, stack.id);
  await store.transact({ keys: [stackKey(scope, stack.id), nameKey(scope, stack.name)], ranges: [answers] }, (tx) => {
    for (const [key] of tx.range(answers).entries) tx.delete(key);
    if (getNameTx(tx, scope, stack.name) === stack.id) tx.delete(nameKey(scope, stack.name));
    for (const { exportName } of stack.outputs) if (exportName !== undefined) tx.delete(exportKey(scope, exportName));
    for (const name of stack.imports ?? []) tx.delete(importKey(scope, name, stack.id));
    for (const changeSet of changeSets) deleteChangeSetTx(tx, scope, changeSet);
  });
}
