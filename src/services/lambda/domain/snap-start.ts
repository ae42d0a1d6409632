import { invalidParameter } from '../errors.ts';
import { EPHEMERAL_STORAGE_MB_DEFAULT } from '../limits.ts';
import type { VersionRow } from '../store.ts';

/** "Improving startup performance with Lambda SnapStart", "Supported features and limitations". */
const RUNTIMES = /^(java(11|17|21|25)|python3\.(1[2-9]|[2-9]\d)|dotnet(8|10))$/;

/** What the log of an environment says of a function with SnapStart. */
export const SNAP_START_NOTE =
  'SnapStart: Croft keeps no snapshot; this version was initialised once when it was published, and each new environment is initialised anew';

export const hasSnapStart = (row: Pick<VersionRow, 'snapStart'>): boolean => row.snapStart === 'PublishedVersions';

/** Throws for what AWS does not allow beside SnapStart. */
export function checkSnapStart(row: Pick<VersionRow, 'snapStart' | 'runtime' | 'ephemeralStorage' | 'recorded' | 'tenancy'>): void {
  if (!hasSnapStart(row)) return;
  if (!RUNTIMES.test(row.runtime)) throw invalidParameter(`${row.runtime} is not supported for SnapStart enabled functions.`);
  if (row.ephemeralStorage > EPHEMERAL_STORAGE_MB_DEFAULT)
    throw invalidParameter('Ephemeral storage greater than 512 MB is not supported for SnapStart enabled functions.');
  if (row.recorded['FileSystemConfigs'] !== undefined) throw invalidParameter('EFS is not supported for SnapStart enabled functions.');
  if (row.tenancy !== undefined) throw invalidParameter('Tenant isolation is not supported for SnapStart enabled functions.');
}
