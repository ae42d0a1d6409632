import { join } from 'node:path';
import { createCompute } from '../compute/compute.ts';
import { Debuggers } from '../compute/inspect/debuggers.ts';
import type { Driver } from '../compute/types.ts';
import type { Clock } from '../kit/clock.ts';
import { createApiGatewayRoom } from '../services/apigateway/index.ts';
import { createApplicationAutoScalingRoom } from '../services/application-autoscaling/index.ts';
import { createCloudFormationRoom } from '../services/cloudformation/index.ts';
import { createDynamoDbRoom, createDynamoDbStreamsRoom } from '../services/dynamodb/index.ts';
import { createEcrRoom } from '../services/ecr/index.ts';
import { createEventsRoom } from '../services/events/index.ts';
import { createIamRoom } from '../services/iam/index.ts';
import { createLambdaRoom } from '../services/lambda/index.ts';
import { createLogsRoom } from '../services/logs/index.ts';
import { createS3Room } from '../services/s3/index.ts';
import { createSchedulerRoom } from '../services/scheduler/index.ts';
import type { Platform, ResourceType, Service } from '../services/service.ts';
import { createSnsRoom } from '../services/sns/index.ts';
import { createSqsRoom } from '../services/sqs/index.ts';
import { createSsmRoom } from '../services/ssm/index.ts';
import { createStsRoom } from '../services/sts/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Config } from './config.ts';

/** What rooms that own processes or files need beside the platform. */
export interface RoomParts {
  readonly dataDir: string;
  readonly config: Config;
  readonly platform: Platform;
  /** What runs the execution environments. */
  readonly driver: Driver;
  readonly metrics: Metrics;
}

/** Below the data directory: where `croft dev --inspect` puts debugpy. */
const DEBUGPY_FOLDER = 'debugpy';

function debuggersOf({ inspectNode: nodejs, inspectPython: python }: Config, clock: Clock): Debuggers | undefined {
  if (nodejs === undefined && python === undefined) return undefined;
  return new Debuggers({ ...(nodejs === undefined ? {} : { nodejs }), ...(python === undefined ? {} : { python }) }, clock);
}

/** Every room of Croft, made once a process, in the order in which they start. */
export function allRooms({ dataDir, config, platform, driver, metrics }: RoomParts): Service[] {
  const { clock, ids, log } = platform;
  const debuggers = debuggersOf(config, clock);
  const compute = createCompute({
    directory: join(dataDir, 'compute'),
    clock,
    ids,
    log,
    memoryBudgetMb: config.functionMemoryMb,
    strictRuntimes: config.strictRuntimes,
    idleMs: config.functionIdleMs,
    driver,
    ...(debuggers ? { debuggers, debugpyDirectory: join(dataDir, DEBUGPY_FOLDER) } : {}),
  });
  metrics.gauge('croft_compute', 'Figures of the execution environments, by name.', () =>
    Object.entries(compute.stats()).map(([name, value]) => [{ name }, value] as const),
  );
  const rooms: Service[] = [
    createStsRoom(),
    createIamRoom(),
    createLogsRoom(),
    createS3Room(),
    createDynamoDbRoom(),
    createDynamoDbStreamsRoom(),
    createSqsRoom(),
    createEcrRoom(),
    createSnsRoom(),
    createSsmRoom(),
    createLambdaRoom(compute, { hotReload: config.auth === 'off', verify: config.auth === 'verify' }),
    createApiGatewayRoom(),
    createEventsRoom(),
    createSchedulerRoom(),
    createApplicationAutoScalingRoom(),
  ];
  const types = new Map<string, ResourceType>();
  rooms.push(createCloudFormationRoom({ resourceTypes: () => types }));
  for (const room of rooms) for (const type of room.resources ?? []) types.set(type.type, type);
  return rooms;
}
