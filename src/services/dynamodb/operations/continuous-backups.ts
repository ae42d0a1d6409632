import type {
  ContinuousBackupsDescription,
  DescribeContinuousBackupsInput,
  DescribeContinuousBackupsOutput,
  UpdateContinuousBackupsInput,
  UpdateContinuousBackupsOutput,
} from '@aws-sdk/client-dynamodb';
import { AwsError } from '../../../kit/errors.ts';
import type { Operation } from '../../service.ts';
import { Constraints, requiredOwnTableName } from '../domain/constraints.ts';
import type { TableRecord } from '../domain/table.ts';
import { RECOVERY_DAYS_MAX } from '../limits.ts';
import type { Tables } from '../store.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** The latest time that AWS restores to is five minutes ago. */
const RESTORABLE_AFTER_MS = 5 * 60 * 1000;

function tableNotFound(name: string): AwsError {
  return new AwsError('TableNotFoundException', `Table not found: ${name}`);
}

/** "DescribeContinuousBackups" */
export function describeContinuousBackups(tables: Tables): Operation<DescribeContinuousBackupsInput, DescribeContinuousBackupsOutput> {
  return async (ctx, input) => {
    const name = requiredOwnTableName(input.TableName);
    const table = await tables.find(ctx.account, ctx.region, name);
    if (!table) throw tableNotFound(name);
    return { ContinuousBackupsDescription: describe(table.record, ctx.platform.clock.virtual()) };
  };
}

/** "UpdateContinuousBackups": point-in-time recovery is kept and described; there is no restore to a point in time. */
export function updateContinuousBackups(tables: Tables): Operation<UpdateContinuousBackupsInput, UpdateContinuousBackupsOutput> {
  return async (ctx, input) => {
    const name = requiredOwnTableName(input.TableName);
    const wanted = input.PointInTimeRecoverySpecification;
    const constraints = new Constraints();
    if (constraints.required('pointInTimeRecoverySpecification', wanted)) {
      constraints.required('pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled', wanted?.PointInTimeRecoveryEnabled);
      constraints.atLeast('pointInTimeRecoverySpecification.recoveryPeriodInDays', wanted?.RecoveryPeriodInDays, 1);
      constraints.atMost('pointInTimeRecoverySpecification.recoveryPeriodInDays', wanted?.RecoveryPeriodInDays, RECOVERY_DAYS_MAX);
    }
    constraints.check();
    const nowMs = ctx.platform.clock.virtual();
    const record = await tables.change(ctx.account, ctx.region, name, (existing) => {
      if (!existing) throw tableNotFound(name);
      const { recovery, ...rest } = existing;
      const days = wanted?.RecoveryPeriodInDays ?? recovery?.days ?? RECOVERY_DAYS_MAX;
      const next: TableRecord = wanted?.PointInTimeRecoveryEnabled ? { ...rest, recovery: { sinceMs: recovery?.sinceMs ?? nowMs, days } } : rest;
      return { next, result: next };
    });
    return { ContinuousBackupsDescription: describe(record, nowMs) };
  };
}

function describe({ recovery }: TableRecord, nowMs: number): ContinuousBackupsDescription {
  if (!recovery) return { ContinuousBackupsStatus: 'ENABLED', PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' } };
  const earliestMs = Math.max(recovery.sinceMs, nowMs - recovery.days * DAY_MS);
  return {
    ContinuousBackupsStatus: 'ENABLED',
    PointInTimeRecoveryDescription: {
      PointInTimeRecoveryStatus: 'ENABLED',
      RecoveryPeriodInDays: recovery.days,
      EarliestRestorableDateTime: new Date(earliestMs),
      LatestRestorableDateTime: new Date(Math.max(earliestMs, nowMs - RESTORABLE_AFTER_MS)),
    },
  };
}
