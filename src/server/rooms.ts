import { createIamRoom } from '../services/iam/index.ts';
import { createLogsRoom } from '../services/logs/index.ts';
import { createS3Room } from '../services/s3/index.ts';
import type { Platform, Service } from '../services/service.ts';
import { createStsRoom } from '../services/sts/index.ts';
import type { Config } from './config.ts';

/** What rooms that own processes or files need beside the platform. */
export interface RoomParts {
  readonly dataDir: string;
  readonly config: Config;
  readonly platform: Platform;
}

/** Every room of Croft, made once a process, in the order in which they start. */
export function allRooms(_parts: RoomParts): Service[] {
  return [createStsRoom(), createIamRoom(), createLogsRoom(), createS3Room()];
}
