import type { ResourceType } from '../../service.ts';
import type { Json, JsonObject } from './json.ts';
import type { StackParameter } from './parameters.ts';

/** Resource types by name. */
export interface TypeTable {
  get(type: string): ResourceType | undefined;
}

/** What a stack operation works towards. */
export interface Target {
  /** Names of stored templates: as given, and after macros. */
  readonly originalTemplate: string;
  readonly processedTemplate: string;
  readonly parameters: readonly StackParameter[];
  readonly tags: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
  readonly notificationArns: readonly string[];
  readonly roleArn?: string;
  readonly description?: string;
}

export interface Output {
  readonly key: string;
  readonly value: string;
  readonly description?: string;
  readonly exportName?: string;
}

/** Where a nested stack stands. */
export interface Nesting {
  readonly parentId: string;
  readonly rootId: string;
  /** From 1. */
  readonly depth: number;
}

/** A stack. Its resources, events and templates stand under keys of their own. */
export interface Stack {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly statusReason?: string;
  readonly createdMs: number;
  readonly updatedMs?: number;
  readonly deletedMs?: number;
  /** What stands now (of an operation under way: what stood before it). Absent while in review. */
  readonly current?: Target;
  readonly outputs: readonly Output[];
  /** Names of other stacks' exports that it reads. */
  readonly imports?: readonly string[];
  readonly disableRollback: boolean;
  readonly timeoutMinutes?: number;
  readonly terminationProtection: boolean;
  /** Of a nested stack. */
  readonly nesting?: Nesting;
  readonly policy?: string;
  readonly changeSetId?: string;
  readonly clientToken?: string;
  /** An update whose rollback failed: what `ContinueUpdateRollback` goes on with. */
  readonly rollback?: StackOperation;
  /** The operation under way. */
  readonly operation?: StackOperation;
}

export type Phase = 'apply' | 'rollback' | 'cleanup' | 'delete';

/** Progress of a stack operation: with the resources' own records, all that is needed to go on after a crash. */
export interface StackOperation {
  readonly id: string;
  readonly kind: 'create' | 'update' | 'delete';
  readonly phase: Phase;
  /** The delivery that runs it ends when this is no longer the stack's operation. */
  readonly target?: Target;
  readonly onFailure: 'DO_NOTHING' | 'ROLLBACK' | 'DELETE';
  readonly startedMs: number;
  readonly clientToken?: string;
  readonly cancelled?: boolean;
  readonly retain?: readonly string[];
  /** Failure that started the rollback. */
  readonly reason?: string;
}

/** A resource as it stands, with what the operation under way has done to it. */
export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  readonly status: string;
  readonly statusReason?: string;
  readonly updatedMs: number;
  readonly physicalId?: string;
  /** Resolved. */
  readonly properties: Readonly<Record<string, Json>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly dependsOn: readonly string[];
  readonly deletionPolicy: string;
  readonly updateReplacePolicy: string;
  readonly metadata?: Json;
  readonly description?: string;
  /** Of the resource operation that made it or is making it: its generated name follows from it. */
  readonly token: string;
  /** What the stack operation under way does with it. */
  readonly step?: Step;
  /** As it stood before the stack operation under way: what a rollback returns to. */
  readonly before?: Omit<Resource, 'before' | 'step' | 'garbage'>;
  /** Physical resources that were replaced and wait to be deleted. */
  readonly garbage?: readonly Garbage[];
}

export interface Garbage {
  readonly physicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, Json>>;
  readonly retain: boolean;
}

export interface Step {
  readonly operationId: string;
  readonly phase: Phase;
  readonly action: 'create' | 'update' | 'replace' | 'delete' | 'none';
  readonly state: 'started' | 'done' | 'failed';
}

export interface StackEvent {
  readonly eventId: string;
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly atMs: number;
  readonly status: string;
  readonly reason?: string;
  readonly properties?: string;
  readonly clientToken?: string;
}

export interface ResourceChange {
  readonly action: 'Add' | 'Modify' | 'Remove';
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId?: string;
  readonly replacement?: 'True' | 'False' | 'Conditional';
  readonly scope: readonly string[];
  readonly details: readonly {
    readonly attribute: string;
    readonly name?: string;
    readonly recreation: 'Always' | 'Never' | 'Conditionally';
    readonly evaluation: 'Static' | 'Dynamic';
    readonly source: string;
    readonly causing?: string;
    readonly change?: 'Add' | 'Remove' | 'Modify';
  }[];
  /** Why its values are not all known. */
  readonly warning?: string;
  /** Only what another resource's change may bring about: not shown where values are, as recorded. */
  readonly indirect?: true;
  /** Properties as they are and as they will be, for those who ask for values; absent where a change set has too many. */
  readonly before?: JsonObject;
  readonly after?: JsonObject;
}

export interface ChangeSet {
  readonly id: string;
  readonly name: string;
  readonly stackId: string;
  readonly stackName: string;
  readonly type: 'CREATE' | 'UPDATE';
  readonly description?: string;
  readonly createdMs: number;
  readonly status: string;
  readonly statusReason?: string;
  readonly executionStatus: string;
  readonly target: Target;
  readonly changes: readonly ResourceChange[];
  readonly onStackFailure?: string;
  readonly clientToken?: string;
}

/** Statuses in which a stack is at work. */
export const isInProgress = (status: string): boolean => status.endsWith('_IN_PROGRESS') && status !== 'REVIEW_IN_PROGRESS';
