import { AwsError } from '../../../kit/errors.ts';
import { NO_VALUE, resolve, type Value } from '../domain/intrinsics.ts';
import { type Json, sameJson, scalarText } from '../domain/json.ts';
import type { Resource, Step } from '../domain/records.ts';
import { orderOf, type TemplateResource } from '../domain/template.ts';
import { WaitAborted } from '../types/answers.ts';
import { NESTED_STACK } from '../types/table.ts';
import { checkProperties, compareProperties, handlerOf, leftBehind, reasonOf, recordedNote, requestOf, withResult } from './handlers.ts';
import { finishApply } from './outcome.ts';
import { dereferenced, dereferencedIfKnown } from './references.ts';
import { type Plan, planOf, type Run } from './run.ts';
import { type Done, schedule } from './schedule.ts';

export const CREATING_REPLACEMENT = 'Requested update requires the creation of a new physical resource; hence creating one.';

const MADE_REPLACEMENT = 'Requested update required the provider to create a new physical resource';

/** Creates and updates what the target asks for, each resource after those it depends on. */
export async function applyPhase(run: Run): Promise<void> {
  const target = run.operation.target;
  if (!target) throw new Error('an applying operation has a target');
  const plan = await planOf(run, target);
  const failed: string[] = [];
  const order = orderOf(plan.active);
  const timedOut = () =>
    run.operation.kind === 'create' &&
    run.stack.timeoutMinutes !== undefined &&
    run.platform.clock.virtual() > run.operation.startedMs + run.stack.timeoutMinutes * 60_000;
  const work = async (logicalId: string): Promise<Done> => {
    const done = await applyOne(run, plan, plan.active.get(logicalId), target.tags);
    if (done === 'failed') failed.push(logicalId);
    return done;
  };
  await schedule(
    order,
    (id) => plan.active.get(id)?.dependsOn ?? [],
    work,
    () => run.halted || failed.length > 0 || timedOut(),
  );
  if (run.signal.aborted) return;
  await finishApply(run, plan, target, { failed: failed.length > 0 ? failed : earlierFailures(run), timedOut: timedOut() });
}

/** Failures that an attempt cut off by a crash had committed. */
const earlierFailures = (run: Run): string[] =>
  [...run.resources.values()]
    .filter(({ step }) => step?.operationId === run.operation.id && step.phase === 'apply' && step.state === 'failed')
    .map(({ logicalId }) => logicalId);

/** Resolved properties, free of `AWS::NoValue`. */
export const resolveProperties = (plan: Plan, wanted: TemplateResource): Record<string, Value> => {
  const resolved = resolve(wanted.properties, plan.env);
  return resolved === NO_VALUE ? {} : (resolved as Record<string, Value>);
};

async function applyOne(run: Run, plan: Plan, wanted: TemplateResource | undefined, tags: Readonly<Record<string, string>>): Promise<Done> {
  if (!wanted) return 'ok';
  const present = run.resources.get(wanted.logicalId);
  const step = present?.step?.operationId === run.operation.id && present.step.phase === 'apply' ? present.step : undefined;
  if (step?.state === 'done') return 'ok';
  if (step?.state === 'failed') return 'failed';
  const begun = step && present ? present : await begin(run, plan, wanted, present, tags);
  if (begun === undefined || begun.step?.state === 'done') return 'ok';
  if (begun.step?.state === 'failed') return 'failed';
  return carryOut(run, begun);
}

/** Decides what is to be done with a resource and commits that decision. Undefined: nothing. */
async function begin(
  run: Run,
  plan: Plan,
  wanted: TemplateResource,
  present: Resource | undefined,
  tags: Readonly<Record<string, string>>,
): Promise<Resource | undefined> {
  const exists = present?.physicalId !== undefined && present.status !== 'DELETE_COMPLETE';
  const step = (action: Step['action'], state: Step['state']): Step => ({ operationId: run.operation.id, phase: 'apply', action, state });
  const facts = {
    logicalId: wanted.logicalId,
    type: wanted.type,
    dependsOn: wanted.dependsOn,
    deletionPolicy: wanted.deletionPolicy,
    updateReplacePolicy: wanted.updateReplacePolicy,
    ...(wanted.metadata === undefined ? {} : { metadata: wanted.metadata }),
    updatedMs: run.platform.clock.virtual(),
    tags,
  };
  const fresh: Resource = {
    ...facts,
    properties: {},
    attributes: {},
    status: 'CREATE_IN_PROGRESS',
    token: run.token(wanted.logicalId, 'create'),
    step: step('create', 'started'),
  };
  let properties: Record<string, Json>;
  try {
    properties = resolveProperties(plan, wanted) as Record<string, Json>;
    const handler = run.types.get(wanted.type);
    if (handler) checkProperties(handler, properties);
  } catch (error) {
    const status = exists ? 'UPDATE_FAILED' : 'CREATE_FAILED';
    const reason = error instanceof AwsError ? error.message : reasonOf(run, error, fresh.token);
    const base: Resource =
      exists && present ? { ...present, before: snapshot(present), step: step('none', 'failed') } : { ...fresh, step: step('create', 'failed') };
    await run.commit({
      resources: [{ ...base, status, statusReason: reason }],
      events: [run.event(base, `${status.split('_')[0]}_IN_PROGRESS`), run.event(base, status, reason)],
    });
    return { ...base, status };
  }
  if (!exists || !present) {
    const created = { ...fresh, properties };
    await run.commit({ resources: [created], events: [run.event(created, 'CREATE_IN_PROGRESS')] });
    return created;
  }
  const { changed, replacing } = compareProperties(run.types.get(wanted.type), present.properties, properties);
  const retagged = !sameJson(present.tags, tags);
  const before = snapshot(present);
  // What a nested stack's template says is known to that stack only.
  if (changed.length === 0 && !retagged && wanted.type !== NESTED_STACK) {
    const kept: Resource = { ...withoutReason(present), ...facts, updatedMs: present.updatedMs, before, step: step('none', 'done') };
    await run.commit({ resources: [kept] });
    return kept;
  }
  const action = replacing.length > 0 ? 'replace' : 'update';
  const next: Resource = {
    ...withoutReason(present),
    ...facts,
    properties,
    status: 'UPDATE_IN_PROGRESS',
    token: action === 'replace' ? run.token(wanted.logicalId, 'replace') : present.token,
    before,
    step: step(action, 'started'),
  };
  await run.commit({
    resources: [next],
    events: [run.event({ ...next, physicalId: present.physicalId ?? '' }, 'UPDATE_IN_PROGRESS', action === 'replace' ? CREATING_REPLACEMENT : undefined)],
  });
  return next;
}

function withoutReason(resource: Resource): Resource {
  const { statusReason: _, ...rest } = resource;
  return rest;
}

/** A resource as it stood before this operation. */
export function snapshot(resource: Resource): NonNullable<Resource['before']> {
  const { before: _before, step: _step, garbage: _garbage, ...rest } = resource;
  return rest;
}

/** Does what was decided, with the same token however often it is tried, and commits what became of it. */
async function carryOut(run: Run, resource: Resource): Promise<Done> {
  const creating = resource.step?.action === 'create';
  const verb = creating ? 'CREATE' : 'UPDATE';
  const done = (state: Step['state']): Step => ({ operationId: run.operation.id, phase: 'apply', action: resource.step?.action ?? 'none', state });
  try {
    const handler = handlerOf(run, resource.type);
    const before = resource.before;
    const request = { ...requestOf(run, resource), properties: await dereferenced(run.ctx, resource.properties) };
    const updating = resource.step?.action === 'update' && before?.physicalId !== undefined;
    const result =
      updating && before?.physicalId !== undefined
        ? await handler.update(run.ctx, {
            ...request,
            token: run.token(resource.logicalId, 'update'),
            physicalId: before.physicalId,
            previous: await dereferencedIfKnown(run.ctx, before.properties),
          })
        : await handler.create(run.ctx, request);
    const made = withResult({ ...resource, step: done('done'), updatedMs: run.platform.clock.virtual() }, result, updating ? before?.attributes : {});
    const other = updating && made.physicalId !== before?.physicalId;
    const replaced = (other || resource.step?.action === 'replace') && before?.physicalId !== undefined ? replacedGarbage(resource, before) : undefined;
    const finished: Resource = { ...made, status: `${verb}_COMPLETE`, ...(replaced ? { garbage: [...(resource.garbage ?? []), replaced] } : {}) };
    const initiated = other
      ? [run.event(finished, `${verb}_IN_PROGRESS`, MADE_REPLACEMENT)]
      : updating
        ? []
        : [run.event(finished, `${verb}_IN_PROGRESS`, 'Resource creation Initiated')];
    await run.commit({ resources: [finished], events: [...initiated, run.event(finished, `${verb}_COMPLETE`, recordedNote(handler, resource.properties))] });
    return 'ok';
  } catch (error) {
    if (run.superseded || error instanceof WaitAborted) throw error;
    const reason = reasonOf(run, error, resource.token);
    const left = leftBehind(error);
    const failed: Resource = {
      ...resource,
      status: `${verb}_FAILED`,
      statusReason: reason,
      step: done('failed'),
      ...(creating && left ? { physicalId: left } : {}),
    };
    await run.commit({ resources: [failed], events: [run.event(failed, `${verb}_FAILED`, reason)] });
    return 'failed';
  }
}

const replacedGarbage = (resource: Resource, before: NonNullable<Resource['before']>) => ({
  physicalId: scalarText(before.physicalId) ?? '',
  type: before.type,
  properties: before.properties,
  retain: resource.updateReplacePolicy === 'Retain' || resource.updateReplacePolicy === 'RetainExceptOnCreate',
});
