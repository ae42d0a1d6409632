import type { DescribeScalingActivitiesRequest, DescribeScalingActivitiesResponse } from '@aws-sdk/client-application-auto-scaling';
import type { Operation } from '../../service.ts';
import { RESULTS_MAX } from '../limits.ts';
import type { ActivityRow } from '../store.ts';
import { narrowed, page } from './pages.ts';

/** "DescribeScalingActivities": newest first for each target. */
export const describeScalingActivities: Operation<DescribeScalingActivitiesRequest, DescribeScalingActivitiesResponse> = async (ctx, input) => {
  const { items, ...more } = await page<ActivityRow>(ctx, 'activity', input, RESULTS_MAX, () => true, narrowed(input));
  const activities = items.map(({ row, target }) => ({
    ActivityId: row.id,
    ServiceNamespace: target.namespace as 'lambda',
    ResourceId: target.resource,
    ScalableDimension: target.dimension as 'lambda:function:ProvisionedConcurrency',
    Description: row.description,
    Cause: row.cause,
    StartTime: new Date(row.startMs),
    EndTime: new Date(row.endMs),
    StatusCode: row.status,
    StatusMessage: row.message,
  }));
  return { ScalingActivities: activities, ...more };
};
