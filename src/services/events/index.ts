import type { Access, Ctx, Operation, OperationEntry, Platform, Service } from '../service.ts';
import { resources } from './cloudformation.ts';
import { authorize } from './delivery/authorize.ts';
import { deliver } from './delivery/deliver.ts';
import { AUTHORIZE, DELIVER, PUBLISH, REPLAY, SCHEDULE, SWEEP } from './delivery/payloads.ts';
import { publish } from './delivery/publish.ts';
import { replay } from './delivery/replay.ts';
import { fireSchedule } from './delivery/schedule.ts';
import { sweep } from './delivery/sweep.ts';
import { archiveArn, busArn, busOf, connectionArn, destinationArn, replayArn, ruleArn } from './domain/names.ts';
import { DELIVER_CONCURRENCY, PUBLISH_CONCURRENCY } from './limits.ts';
import * as apiDestinations from './operations/api-destinations.ts';
import * as archives from './operations/archives.ts';
import * as connections from './operations/connections.ts';
import * as buses from './operations/event-buses.ts';
import { listEventSources, listPartnerEventSources } from './operations/partner.ts';
import { putPermission, removePermission } from './operations/permissions.ts';
import { putEvents } from './operations/put-events.ts';
import { putRule } from './operations/put-rule.ts';
import * as replays from './operations/replays.ts';
import * as rules from './operations/rules.ts';
import { listTagsForResource, tagResource, untagResource } from './operations/tags.ts';
import { listTargetsByRule, putTargets, removeTargets } from './operations/targets.ts';
import { testEventPattern } from './operations/test-event-pattern.ts';
import { usage } from './usage.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const onBus = (member: 'Name' | 'EventBusName'): Access => ({ resource: (ctx, input) => busArn(busOf(ctx, text(input[member]))) });
const onRule = (member: 'Name' | 'Rule'): Access => ({
  resource: (ctx, input) => {
    const bus = busOf(ctx, text(input['EventBusName']));
    return ruleArn(bus, bus.name, text(input[member]));
  },
});
const named = (arnOf: (ctx: Ctx, name: string, id: string) => string, member: string): Access => ({
  resource: (ctx, input) => arnOf(ctx, text(input[member]) || '*', '*'),
});
const onArchive = named(archiveArn, 'ArchiveName');
const onReplay = named(replayArn, 'ReplayName');
const onConnection = named(connectionArn, 'Name');
const onDestination = named(destinationArn, 'Name');
const onArn: Access = { resource: (_ctx, input) => text(input['ResourceARN']) || '*' };
const onBuses: Access = {
  resource: (ctx, input) =>
    (Array.isArray(input['Entries']) ? input['Entries'] : []).map((entry: { EventBusName?: unknown }) => busArn(busOf(ctx, text(entry?.EventBusName)))),
};

// biome-ignore lint/suspicious/noExplicitAny: the table holds operations of many types; the model guards the boundary
const entry = (run: Operation<any, any>, access: Access = {}, recorded?: readonly string[]): OperationEntry => ({
  run,
  access,
  ...(recorded ? { recorded } : {}),
});

const BUS_RECORDED = ['KmsKeyIdentifier', 'DeadLetterConfig', 'LogConfig'] as const;

const operations: Record<string, OperationEntry> = {
  PutEvents: entry(putEvents, onBuses),
  TestEventPattern: entry(testEventPattern),
  CreateEventBus: entry(buses.createEventBus, onBus('Name'), BUS_RECORDED),
  DescribeEventBus: entry(buses.describeEventBus, onBus('Name')),
  ListEventBuses: entry(buses.listEventBuses),
  UpdateEventBus: entry(buses.updateEventBus, onBus('Name'), BUS_RECORDED),
  DeleteEventBus: entry(buses.deleteEventBus, onBus('Name')),
  PutPermission: entry(putPermission, onBus('EventBusName'), ['Policy', 'Principal', 'Condition']),
  RemovePermission: entry(removePermission, onBus('EventBusName')),
  PutRule: entry(putRule, onRule('Name'), ['RoleArn']),
  DescribeRule: entry(rules.describeRule, onRule('Name')),
  ListRules: entry(rules.listRules, onBus('EventBusName')),
  ListRuleNamesByTarget: entry(rules.listRuleNamesByTarget, onBus('EventBusName')),
  DeleteRule: entry(rules.deleteRule, onRule('Name')),
  EnableRule: entry(rules.enableRule, onRule('Name')),
  DisableRule: entry(rules.disableRule, onRule('Name')),
  PutTargets: entry(putTargets, onRule('Rule'), ['Targets.RoleArn']),
  RemoveTargets: entry(removeTargets, onRule('Rule')),
  ListTargetsByRule: entry(listTargetsByRule, onRule('Rule')),
  CreateArchive: entry(archives.createArchive, onArchive, ['KmsKeyIdentifier']),
  DescribeArchive: entry(archives.describeArchive, onArchive),
  ListArchives: entry(archives.listArchives),
  UpdateArchive: entry(archives.updateArchive, onArchive, ['KmsKeyIdentifier']),
  DeleteArchive: entry(archives.deleteArchive, onArchive),
  StartReplay: entry(replays.startReplay, onReplay),
  DescribeReplay: entry(replays.describeReplay, onReplay),
  ListReplays: entry(replays.listReplays),
  CancelReplay: entry(replays.cancelReplay, onReplay),
  CreateConnection: entry(connections.createConnection, onConnection, ['KmsKeyIdentifier']),
  DescribeConnection: entry(connections.describeConnection, onConnection),
  ListConnections: entry(connections.listConnections),
  UpdateConnection: entry(connections.updateConnection, onConnection, ['KmsKeyIdentifier']),
  DeauthorizeConnection: entry(connections.deauthorizeConnection, onConnection),
  DeleteConnection: entry(connections.deleteConnection, onConnection),
  CreateApiDestination: entry(apiDestinations.createApiDestination, onDestination, ['InvocationRateLimitPerSecond']),
  DescribeApiDestination: entry(apiDestinations.describeApiDestination, onDestination),
  ListApiDestinations: entry(apiDestinations.listApiDestinations),
  UpdateApiDestination: entry(apiDestinations.updateApiDestination, onDestination, ['InvocationRateLimitPerSecond']),
  DeleteApiDestination: entry(apiDestinations.deleteApiDestination, onDestination),
  TagResource: entry(tagResource, onArn),
  UntagResource: entry(untagResource, onArn),
  ListTagsForResource: entry(listTagsForResource, onArn),
  ListEventSources: entry(listEventSources),
  ListPartnerEventSources: entry(listPartnerEventSources),
};

/** Amazon EventBridge; see README.md. */
export function createEventsRoom(): Service {
  return {
    name: 'events',
    operations,
    usage,
    resources,
    start(platform: Platform) {
      const { bus } = platform;
      bus.register(PUBLISH, { concurrency: PUBLISH_CONCURRENCY }, (attempt) => publish(platform, attempt));
      bus.register(DELIVER, { concurrency: DELIVER_CONCURRENCY }, (attempt) => deliver(platform, attempt));
      bus.register(SCHEDULE, { concurrency: PUBLISH_CONCURRENCY }, (attempt) => fireSchedule(platform, attempt));
      bus.register(REPLAY, { concurrency: 4 }, (attempt) => replay(platform, attempt));
      bus.register(SWEEP, { concurrency: 2 }, (attempt) => sweep(platform, attempt));
      bus.register(AUTHORIZE, { concurrency: 4 }, (attempt) => authorize(platform, attempt));
    },
  };
}
