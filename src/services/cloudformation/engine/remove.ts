import type { Garbage, Resource, Step } from '../domain/records.ts';
import { WaitAborted } from '../types/answers.ts';
import { handlerOf, reasonOf, requestOf, withResult } from './handlers.ts';
import { dereferencedIfKnown } from './references.ts';
import type { EventInput, Run } from './run.ts';
import type { Done } from './schedule.ts';

/** How a removal treats the deletion policy: a creation that is rolled back keeps `Retain`, not `RetainExceptOnCreate`. */
export const isRetained = (resource: Pick<Resource, 'deletionPolicy'>, ofCreation: boolean): boolean =>
  resource.deletionPolicy === 'Retain' || (resource.deletionPolicy === 'RetainExceptOnCreate' && !ofCreation);

/** Deletes a resource, or skips it, and commits what became of it. Its replaced physical resources go with it. */
export async function removeResource(run: Run, resource: Resource, options: { retain: boolean }): Promise<Done> {
  const step = (state: Step['state']): Step => ({ operationId: run.operation.id, phase: run.operation.phase, action: 'delete', state });
  const atMs = run.platform.clock.virtual();
  if (resource.step?.operationId === run.operation.id && resource.step.phase === run.operation.phase && resource.step.state === 'done') return 'ok';
  if (options.retain) {
    const skipped: Resource = { ...resource, status: 'DELETE_SKIPPED', updatedMs: atMs, step: step('done') };
    await run.commit({ resources: [skipped], events: [run.event(resource, 'DELETE_SKIPPED')] });
    return 'ok';
  }
  const { statusReason: _, ...plain } = await withPhysicalId(run, resource);
  if (plain.physicalId === undefined) {
    // Nothing was made that has a name.
    const gone: Resource = { ...plain, status: 'DELETE_COMPLETE', updatedMs: atMs, step: step('done') };
    await run.commit({ resources: [gone], events: [run.event(gone, 'DELETE_COMPLETE')] });
    return 'ok';
  }
  const begun: Resource = { ...plain, status: 'DELETE_IN_PROGRESS', updatedMs: atMs, step: step('started') };
  const resumed = resource.status === 'DELETE_IN_PROGRESS' && resource.step?.operationId === run.operation.id;
  if (!resumed) await run.commit({ resources: [begun], events: [run.event(begun, 'DELETE_IN_PROGRESS')] });
  try {
    for (const garbage of resource.garbage ?? []) if (!garbage.retain) await deletePhysical(run, resource.logicalId, garbage);
    await deletePhysical(run, resource.logicalId, { physicalId: plain.physicalId, type: resource.type, properties: resource.properties });
    const { garbage: _garbage, ...rest } = begun;
    const gone: Resource = { ...rest, status: 'DELETE_COMPLETE', updatedMs: run.platform.clock.virtual(), step: step('done') };
    await run.commit({ resources: [gone], events: [run.event(gone, 'DELETE_COMPLETE')] });
    return 'ok';
  } catch (error) {
    if (run.superseded || error instanceof WaitAborted) throw error;
    const reason = reasonOf(run, error, run.token(resource.logicalId, 'delete'));
    const failed: Resource = { ...begun, status: 'DELETE_FAILED', statusReason: reason, step: step('failed') };
    await run.commit({ resources: [failed], events: [run.event(failed, 'DELETE_FAILED', reason)] });
    return 'failed';
  }
}

/** A creation that a crash cut off may have made something: asked again with its token, the type's code tells what. */
async function withPhysicalId(run: Run, resource: Resource): Promise<Resource> {
  if (resource.physicalId !== undefined || resource.step?.action !== 'create' || resource.step.state !== 'started') return resource;
  try {
    const handler = handlerOf(run, resource.type);
    const made = handler.abandoned ? await handler.abandoned(run.ctx, requestOf(run, resource)) : await handler.create(run.ctx, requestOf(run, resource));
    return made ? withResult(resource, made) : resource;
  } catch (error) {
    run.platform.log.debug({ stack: run.stack.id, resource: resource.logicalId, error: String(error) }, 'an unfinished resource could not be found again');
    return resource;
  }
}

/** Deletes one physical resource by its type's code. */
export async function deletePhysical(run: Run, logicalId: string, garbage: Pick<Garbage, 'physicalId' | 'type' | 'properties'>, attempt = 1): Promise<void> {
  const { physicalId, type } = garbage;
  const properties = await dereferencedIfKnown(run.ctx, garbage.properties);
  const token = run.token(logicalId, `delete/${attempt}/${physicalId}`);
  await handlerOf(run, type).delete(run.ctx, { physicalId, properties, stackId: run.stack.id, logicalId, token, signal: run.waiting });
}

/** Events of a physical resource that is not the logical resource's present one. */
export const garbageEvent = (run: Run, logicalId: string, garbage: Garbage, status: string, reason?: string): EventInput =>
  run.event({ logicalId, type: garbage.type, physicalId: garbage.physicalId, properties: garbage.properties }, status, reason);

/** For deletion: each resource after those that depend on it. */
export function dependentsOf(resources: ReadonlyMap<string, Resource>): (id: string) => readonly string[] {
  const dependents = new Map<string, string[]>();
  for (const resource of resources.values()) {
    for (const name of resource.dependsOn) dependents.set(name, [...(dependents.get(name) ?? []), resource.logicalId]);
  }
  return (id) => dependents.get(id) ?? [];
}
