import type { DescribeTimeToLiveInput, DescribeTimeToLiveOutput, UpdateTimeToLiveInput, UpdateTimeToLiveOutput } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import { enqueueBackfill, enqueuePurge } from '../background.ts';
import { Constraints, requiredOwnTableName } from '../domain/constraints.ts';
import type { TableRecord } from '../domain/table.ts';
import { tableNameNotFound, validation } from '../errors.ts';
import { indexRows, type Tables } from '../store.ts';

const ATTRIBUTE_NAME_CHARS_MAX = 255;

/** "DescribeTimeToLive" */
export function describeTimeToLive(tables: Tables): Operation<DescribeTimeToLiveInput, DescribeTimeToLiveOutput> {
  return async (ctx, input) => {
    const name = requiredOwnTableName(input.TableName);
    const table = await tables.find(ctx.account, ctx.region, name);
    if (!table) throw tableNameNotFound(name);
    const { ttlAttribute } = table.record;
    return {
      TimeToLiveDescription: ttlAttribute === undefined ? { TimeToLiveStatus: 'DISABLED' } : { TimeToLiveStatus: 'ENABLED', AttributeName: ttlAttribute },
    };
  };
}

/** "UpdateTimeToLive": from then on items expire, those that are there already as soon as they have been gone through. */
export function updateTimeToLive(tables: Tables): Operation<UpdateTimeToLiveInput, UpdateTimeToLiveOutput> {
  return async (ctx, input) => {
    const name = requiredOwnTableName(input.TableName);
    const constraints = new Constraints();
    const specification = input.TimeToLiveSpecification;
    if (constraints.required('timeToLiveSpecification', specification)) {
      constraints.required('timeToLiveSpecification.enabled', specification?.Enabled);
      if (constraints.required('timeToLiveSpecification.attributeName', specification?.AttributeName)) {
        constraints.length('timeToLiveSpecification.attributeName', specification?.AttributeName, 1, ATTRIBUTE_NAME_CHARS_MAX);
      }
    }
    constraints.check();
    const attribute = specification?.AttributeName ?? '';
    const enabled = specification?.Enabled === true;
    await tables.change(ctx.account, ctx.region, name, (record, tx) => {
      if (!record) throw tableNameNotFound(name);
      const next = changed(record, attribute, enabled);
      if (next.ttlNumber !== undefined) enqueueBackfill(ctx, tx, name, record.id, next.ttlNumber);
      else if (record.ttlNumber !== undefined) enqueuePurge(ctx, tx, indexRows(record, record.ttlNumber));
      return { next, result: undefined };
    });
    return { TimeToLiveSpecification: { Enabled: enabled, AttributeName: attribute } };
  };
}

function changed(record: TableRecord, attribute: string, enabled: boolean): TableRecord {
  const { ttlAttribute: now, ttlNumber: _, ...rest } = record;
  if (!enabled && now === undefined) throw validation('TimeToLive is already disabled');
  if (now !== undefined && now !== attribute) throw validation(`TimeToLive is active on a different AttributeName: current AttributeName is ${now}`);
  if (enabled && now !== undefined) throw validation('TimeToLive is already enabled');
  return enabled ? { ...rest, ttlAttribute: attribute, ttlNumber: record.nextIndex, nextIndex: record.nextIndex + 1 } : rest;
}
