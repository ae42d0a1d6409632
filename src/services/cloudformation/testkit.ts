import { createBus } from '../../bus/outbox.ts';
import { type Clock, systemClock } from '../../kit/clock.ts';
import { notImplemented } from '../../kit/errors.ts';
import { createIds } from '../../kit/ids.ts';
import { newTrace } from '../../kit/trace.ts';
import { createMemoryStore } from '../../store/memory/memory.ts';
import type { Store } from '../../store/store.ts';
import type { ContextOptions, Ctx, Platform, ResourceRequest, ResourceType, Service } from '../service.ts';

/** Rooms on a memory store without sockets: for what a test must interrupt, or watch from within. */
export interface Bench {
  readonly platform: Platform;
  readonly ctx: Ctx;
  call(service: string, operation: string, input?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Waits until no delivery waits or runs. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

export const newStore = (): Store => createMemoryStore({ real: () => 0 });

const QUIET_MS_MAX = 10_000;
const quietLog = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export async function openBench(rooms: readonly Service[], store: Store = newStore(), clock: Clock = systemClock()): Promise<Bench> {
  const ids = createIds();
  const bus = createBus({ store, clock, ids, onError: () => undefined });
  const platform: Platform = {
    store,
    blobs: undefined as unknown as Platform['blobs'],
    bus,
    clock,
    ids,
    log: quietLog,
    address: () => ({ scheme: 'http', host: 'localhost', port: 4566 }),
    contextFor: (options) => context(options),
  };
  const context = ({ account, region, principal, trace }: ContextOptions): Ctx => {
    const ctx: Ctx = {
      platform,
      account,
      region,
      requestId: ids.uuid(),
      principal: principal ?? { account, accessKeyId: 'test', arn: `arn:aws:iam::${account}:root`, userId: account, type: 'root' },
      trace: trace ?? newTrace(ids, clock.virtual()),
      signal: new AbortController().signal,
      call: async (service, operation, input) => {
        const entry = rooms.find(({ name }) => name === service)?.operations[operation];
        if (!entry) throw notImplemented(operation);
        return (await entry.run(ctx, input)) as Record<string, unknown>;
      },
      meter: () => undefined,
    };
    return ctx;
  };
  for (const room of rooms) await room.start?.(platform);
  await bus.start();
  const ctx = context({ account: '000000000000', region: 'us-east-1' });
  return {
    platform,
    ctx,
    call: (service, operation, input = {}) => ctx.call(service, operation, input),
    async quiet() {
      if (!(await bus.quiet(QUIET_MS_MAX))) throw new Error('deliveries are still under way');
    },
    stop: () => bus.stop(1000),
  };
}

/** Thrown by a fake resource type in place of work. */
export interface FakeType extends ResourceType {
  /** What it was asked, in order: `create A`, `update A`, `delete name`. */
  readonly calls: string[];
  /** What stands: physical id to properties. */
  readonly standing: Map<string, Record<string, unknown>>;
}

/** A resource type that keeps its resources in a map, by token, and fails where a property says so. */
export function fakeType(type: string, hooks: { before?: (call: string) => Promise<void> | void } = {}): FakeType {
  const calls: string[] = [];
  const standing = new Map<string, Record<string, unknown>>();
  const byToken = new Map<string, string>();
  const note = async (call: string) => {
    calls.push(call);
    await hooks.before?.(call);
  };
  const attributes = (physicalId: string, request: ResourceRequest) => ({ Arn: `arn:fake:${physicalId}`, Value: request.properties['Value'] ?? '' });
  return {
    type,
    properties: ['Name', 'Value', 'Fail', 'FailUpdate', 'FailDelete', 'Kept'],
    recorded: ['Kept'],
    replaceOn: ['Name'],
    calls,
    standing,
    async create(_ctx, request) {
      await note(`create ${request.logicalId}`);
      if (request.properties['Fail']) throw new Error(String(request.properties['Fail']));
      const physicalId = byToken.get(request.token) ?? String(request.properties['Name'] ?? request.generatedName());
      byToken.set(request.token, physicalId);
      standing.set(physicalId, { ...request.properties });
      return { physicalId, attributes: attributes(physicalId, request) };
    },
    async update(_ctx, request) {
      await note(`update ${request.logicalId}`);
      if (request.properties['FailUpdate']) throw new Error(String(request.properties['FailUpdate']));
      standing.set(request.physicalId, { ...request.properties });
      return { physicalId: request.physicalId, attributes: attributes(request.physicalId, request) };
    },
    async delete(_ctx, { physicalId, properties, logicalId }) {
      await note(`delete ${logicalId}`);
      if (properties['FailDelete']) throw new Error(String(properties['FailDelete']));
      standing.delete(physicalId);
    },
  };
}
