import type { Access, Operation, OperationEntry, Platform, Service } from '../service.ts';
import { resources } from './cloudformation.ts';
import { fire } from './delivery/fire.ts';
import { invoke } from './delivery/invoke.ts';
import { FIRE, INVOKE, PURGE } from './delivery/payloads.ts';
import { purge } from './delivery/purge.ts';
import { DEFAULT_GROUP, groupArn, scheduleArn } from './domain/names.ts';
import { FIRE_CONCURRENCY, INVOKE_CONCURRENCY } from './limits.ts';
import { createScheduleGroup, deleteScheduleGroup, getScheduleGroup, listScheduleGroups } from './operations/groups.ts';
import { createSchedule, updateSchedule } from './operations/put-schedule.ts';
import { deleteSchedule, getSchedule, listSchedules } from './operations/schedules.ts';
import { listTagsForResource, tagResource, untagResource } from './operations/tags.ts';
import { usage } from './usage.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const onSchedule: Access = { resource: (ctx, input) => scheduleArn(ctx, text(input['GroupName']) || DEFAULT_GROUP, text(input['Name'])) };
const onGroup: Access = { resource: (ctx, input) => groupArn(ctx, text(input['Name']) || '*') };
const onSchedules: Access = { resource: (ctx, input) => scheduleArn(ctx, text(input['GroupName']) || '*', '*') };
const onArn: Access = { resource: (_ctx, input) => text(input['ResourceArn']) || '*' };

// biome-ignore lint/suspicious/noExplicitAny: the table holds operations of many types; the model guards the boundary
const entry = (run: Operation<any, any>, access: Access, recorded?: readonly string[]): OperationEntry => ({ run, access, ...(recorded ? { recorded } : {}) });

const RECORDED = ['KmsKeyArn', 'Target.RoleArn'] as const;

const operations: Record<string, OperationEntry> = {
  CreateSchedule: entry(createSchedule, onSchedule, RECORDED),
  GetSchedule: entry(getSchedule, onSchedule),
  ListSchedules: entry(listSchedules, onSchedules),
  UpdateSchedule: entry(updateSchedule, onSchedule, RECORDED),
  DeleteSchedule: entry(deleteSchedule, onSchedule),
  CreateScheduleGroup: entry(createScheduleGroup, onGroup),
  GetScheduleGroup: entry(getScheduleGroup, onGroup),
  ListScheduleGroups: entry(listScheduleGroups, onGroup),
  DeleteScheduleGroup: entry(deleteScheduleGroup, onGroup),
  TagResource: entry(tagResource, onArn),
  UntagResource: entry(untagResource, onArn),
  ListTagsForResource: entry(listTagsForResource, onArn),
};

/** Amazon EventBridge Scheduler; see README.md. */
export function createSchedulerRoom(): Service {
  return {
    name: 'scheduler',
    operations,
    usage,
    resources,
    start(platform: Platform) {
      const { bus } = platform;
      bus.register(FIRE, { concurrency: FIRE_CONCURRENCY }, (attempt) => fire(platform, attempt));
      bus.register(INVOKE, { concurrency: INVOKE_CONCURRENCY }, (attempt) => invoke(platform, attempt));
      bus.register(PURGE, { concurrency: 2 }, (attempt) => purge(platform, attempt));
    },
  };
}
