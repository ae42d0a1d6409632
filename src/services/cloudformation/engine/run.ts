import type { Attempt, Outcome } from '../../../bus/bus.ts';
import type { Ctx, Platform } from '../../service.ts';
import { masked } from '../domain/custom.ts';
import { activeResources, attributeOf, environmentOf } from '../domain/environment.ts';
import type { Environment } from '../domain/intrinsics.ts';
import type { JsonObject } from '../domain/json.ts';
import { tokenOf } from '../domain/names.ts';
import { textOfParameter } from '../domain/parameters.ts';
import type { Phase, Resource, Stack, StackEvent, StackOperation, Target, TypeTable } from '../domain/records.ts';
import { checkTemplate, type Template, type TemplateResource } from '../domain/template.ts';
import { validationError } from '../errors.ts';
import {
  type Export,
  exportsRange,
  getEvents,
  getResources,
  getStack,
  getStackTx,
  getTemplate,
  putEventTx,
  putResourceTx,
  putStackTx,
  readAll,
  type Scope,
  stackKey,
} from '../store.ts';
import { WaitAborted } from '../types/answers.ts';
import { NO_ECHO } from '../types/custom-resource.ts';
import { isCustom } from '../types/table.ts';
import { applyPhase } from './apply.ts';
import { cleanupPhase } from './cleanup.ts';
import { deletePhase } from './delete.ts';
import { rollbackPhase } from './rollback.ts';

/** Stacks of each depth have deliveries of their own: a parent that waits must not keep its child from running. */
export const runTarget = (depth: number): string => (depth === 0 ? 'cloudformation:run' : `cloudformation:run-${depth}`);

export type ResourceTypes = () => TypeTable;

/** Thrown where another operation has taken the stack over (a deletion, say), or the process stops: the run ends, the state is consistent. */
export class Superseded extends Error {}

/** An event without what the journal adds. */
export type EventInput = Omit<StackEvent, 'eventId' | 'atMs' | 'clientToken'>;

/** One stack operation at work: the stack, its resources as last committed, and the journal that commits each step. */
export class Run {
  readonly platform: Platform;
  readonly scope: Scope;
  readonly ctx: Ctx;
  readonly types: TypeTable;
  readonly signal: AbortSignal;
  /** Aborted also when the stack is in another operation: who waits for somebody's answer stops then. */
  readonly waiting: AbortSignal;
  stack: Stack;
  operation: StackOperation;
  readonly resources: Map<string, Resource>;
  /** Set once a commit found the operation gone. */
  superseded = false;

  /** Time of the newest event. */
  #eventMs: number;

  constructor(parts: Pick<Run, 'platform' | 'scope' | 'ctx' | 'types' | 'signal' | 'waiting' | 'stack' | 'operation' | 'resources'>, eventMs: number) {
    this.#eventMs = eventMs;
    this.platform = parts.platform;
    this.scope = parts.scope;
    this.ctx = parts.ctx;
    this.types = parts.types;
    this.signal = parts.signal;
    this.waiting = parts.waiting;
    this.stack = parts.stack;
    this.operation = parts.operation;
    this.resources = parts.resources;
  }

  /** Whether no further resource should be begun. */
  get halted(): boolean {
    return this.superseded || this.signal.aborted || this.operation.cancelled === true;
  }

  /**
   * Commits a step: resources always (what was made must not be forgotten), events and the stack only while the operation is the stack's own.
   * Throws {@link Superseded} where it is not.
   */
  async commit(step: { resources?: readonly Resource[]; events?: readonly EventInput[]; stack?: (stack: Stack) => Stack }): Promise<void> {
    const { ids, clock, store } = this.platform;
    const clientToken = this.operation.clientToken;
    const events = (step.events ?? []).map(
      (event): StackEvent => ({
        ...event,
        eventId: eventId(event, ids.uuid()),
        atMs: this.#eventTime(clock.virtual()),
        ...(clientToken ? { clientToken } : {}),
      }),
    );
    const stack = await store.transact({ keys: [stackKey(this.scope, this.stack.id)] }, (tx) => {
      const present = getStackTx(tx, this.scope, this.stack.id);
      for (const resource of step.resources ?? []) putResourceTx(tx, this.scope, this.stack.id, resource);
      if (present?.operation?.id !== this.operation.id) return undefined;
      for (const event of events) putEventTx(tx, this.scope, this.stack.id, event);
      const next = step.stack ? step.stack(present) : present;
      if (step.stack) putStackTx(tx, this.scope, next);
      return next;
    });
    for (const resource of step.resources ?? []) this.resources.set(resource.logicalId, resource);
    if (!stack) {
      this.superseded = true;
      throw new Superseded('the stack is in another operation');
    }
    this.stack = stack;
    if (stack.operation) this.operation = stack.operation;
  }

  /** Readers put events in order by their times: no two of an operation have the same. */
  #eventTime(nowMs: number): number {
    this.#eventMs = Math.max(nowMs, this.#eventMs + 1);
    return this.#eventMs;
  }

  /** A stack's own event. */
  stackEvent(status: string, reason?: string): EventInput {
    return { logicalId: this.stack.name, physicalId: this.stack.id, type: 'AWS::CloudFormation::Stack', status, ...(reason ? { reason } : {}) };
  }

  /** A resource's event. */
  event(resource: Pick<Resource, 'logicalId' | 'type' | 'physicalId' | 'properties'>, status: string, reason?: string): EventInput {
    return {
      logicalId: resource.logicalId,
      physicalId: resource.physicalId ?? '',
      type: resource.type,
      status,
      ...(reason ? { reason } : {}),
      properties: JSON.stringify(masked(resource.properties, this.secrets())),
    };
  }

  /** Values that events must not show: of `NoEcho` parameters, and what custom resources answered with `NoEcho`. */
  secrets(): string[] {
    const parameters = [...(this.stack.current?.parameters ?? []), ...(this.operation.target?.parameters ?? [])];
    const hidden = parameters.filter(({ noEcho }) => noEcho).map(textOfParameter);
    for (const { attributes } of this.resources.values()) {
      if (attributes[NO_ECHO]) hidden.push(...Object.values(attributes).filter((value) => typeof value === 'string'));
    }
    return hidden.filter((value) => value !== '');
  }

  /** Moves the operation to its next phase, the stack to `status`. */
  enterPhase(phase: Phase, status: string, reason?: string, change: (stack: Stack) => Stack = (stack) => stack): Promise<void> {
    return this.commit({
      events: [this.stackEvent(status, reason)],
      stack: (stack) => ({
        ...withStatus(change(stack), status, reason),
        operation: { ...(stack.operation ?? this.operation), phase, ...(reason ? { reason } : {}) },
      }),
    });
  }

  /** Ends the operation with the stack in `status`. */
  finish(status: string, reason: string | undefined, change: (stack: Stack) => Stack): Promise<void> {
    return this.commit({
      events: [this.stackEvent(status, reason)],
      stack: (stack) => {
        const { operation: _, ...rest } = withStatus(change(stack), status, reason);
        return rest;
      },
    });
  }

  /** The token of a resource operation of this stack operation. */
  token(logicalId: string, action: string): string {
    return tokenOf(this.operation.id, logicalId, action);
  }
}

/** Sets a status; a reason of an earlier one goes. */
export function withStatus(stack: Stack, status: string, reason?: string): Stack {
  const { statusReason: _, ...rest } = stack;
  return { ...rest, status, ...(reason ? { statusReason: reason } : {}) };
}

/** `LogicalId-STATUS-2026-…` for resources, a UUID for the stack itself. */
function eventId(event: EventInput, uuid: string): string {
  return event.type === 'AWS::CloudFormation::Stack' ? uuid : `${event.logicalId}-${event.status}-${uuid}`;
}

/** A target's template and what its functions see, resources being looked up as they stand in the run. */
export interface Plan {
  readonly template: Template;
  readonly env: Environment;
  readonly active: Map<string, TemplateResource>;
  readonly imports: Set<string>;
}

/** Reads a target's template back and evaluates its conditions. */
export async function planOf(run: Run, target: Target): Promise<Plan> {
  const { store } = run.platform;
  const template = checkTemplate(JSON.parse(await getTemplate(store, run.scope, run.stack.id, target.processedTemplate)) as JsonObject);
  const exports = await readAll<Export>(store, exportsRange(run.scope));
  const imports = new Set<string>();
  const env = environmentOf({
    template,
    parameters: target.parameters,
    account: run.scope.account,
    region: run.scope.region,
    stackId: run.stack.id,
    stackName: run.stack.name,
    notificationArns: target.notificationArns,
    exports: new Map(exports.map(({ name, value }) => [name, value])),
    onImport: (name) => imports.add(name),
    resource: (logicalId) => {
      const resource = run.resources.get(logicalId);
      if (resource?.physicalId === undefined) return undefined;
      return { ref: resource.physicalId, attribute: (name) => attributeOf(resource.attributes, name) ?? missingAnswer(run, resource, name) };
    },
  });
  return { template, env, active: activeResources(template, env), imports };
}

/** A custom resource has the attributes that its function gives it, and no others. */
function missingAnswer(run: Run, { type, logicalId, token }: Resource, name: string): undefined {
  if (!isCustom(type)) return undefined;
  throw validationError(`CustomResource attribute error: Vendor response doesn't contain ${name} key in object ${run.stack.id}|${logicalId}|${token}`);
}

/**
 * Runs a stack operation from wherever it stands: a delivery target of the bus, `cloudformation:run`. Each step is a commit, so that
 * after a crash the next attempt goes on with the same tokens and repeats nothing that is done.
 */
export async function runOperation(platform: Platform, types: ResourceTypes, attempt: Attempt): Promise<Outcome> {
  const { stackId, operationId } = attempt.payload as { stackId: string; operationId: string };
  const scope = { account: attempt.account, region: attempt.region };
  const ctx = platform.contextFor({ ...scope, trace: attempt.trace });
  const takenOver = new AbortController();
  const watching = platform.store.watch(stackKey(scope, stackId), () => {
    getStack(platform.store, scope, stackId).then(
      (stack) => stack?.operation?.id === operationId || takenOver.abort(),
      (error: unknown) => platform.log.warn({ stack: stackId, error: String(error) }, 'a stack could not be read while it is at work'),
    );
  });
  const signal = AbortSignal.any([attempt.signal, takenOver.signal]);
  try {
    return await runPhases(platform, types, attempt, { ctx, scope, stackId, operationId, waiting: signal });
  } finally {
    watching();
  }
}

interface Work {
  readonly ctx: Ctx;
  readonly scope: Scope;
  readonly stackId: string;
  readonly operationId: string;
  readonly waiting: AbortSignal;
}

async function runPhases(platform: Platform, types: ResourceTypes, attempt: Attempt, { ctx, scope, stackId, operationId, waiting }: Work): Promise<Outcome> {
  for (;;) {
    const stack = await getStack(platform.store, scope, stackId);
    if (!stack?.operation || stack.operation.id !== operationId) return { done: true };
    const resources = await getResources(platform.store, scope, stackId);
    const { events } = await getEvents(platform.store, scope, stackId, 1);
    const parts = { platform, scope, ctx, types: types(), signal: attempt.signal, waiting, stack, operation: stack.operation, resources };
    const run = new Run(parts, events[0]?.atMs ?? stack.operation.startedMs);
    try {
      await PHASES[stack.operation.phase](run);
    } catch (error) {
      if (!(error instanceof Superseded || error instanceof WaitAborted)) throw error;
    }
    // Stopped between two steps: another process, or the next start, goes on.
    if (attempt.signal.aborted) return { retry: { atMs: platform.clock.virtual() } };
  }
}

const PHASES: Readonly<Record<Phase, (run: Run) => Promise<void>>> = {
  apply: applyPhase,
  rollback: rollbackPhase,
  cleanup: cleanupPhase,
  delete: deletePhase,
};
