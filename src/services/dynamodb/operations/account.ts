import type {
  DescribeContinuousBackupsInput,
  DescribeContinuousBackupsOutput,
  DescribeEndpointsResponse,
  DescribeLimitsOutput,
} from '@aws-sdk/client-dynamodb';
import { AwsError } from '../../../kit/errors.ts';
import type { Operation } from '../../service.ts';
import { requiredOwnTableName } from '../domain/constraints.ts';
import type { Tables } from '../store.ts';

const ACCOUNT_UNITS_MAX = 80_000;
const TABLE_UNITS_MAX = 40_000;
const ENDPOINT_CACHE_MINUTES = 1440;

/** "DescribeLimits": the quotas a new account has; Croft enforces none of them. */
export const describeLimits: Operation<object, DescribeLimitsOutput> = async () => ({
  AccountMaxReadCapacityUnits: ACCOUNT_UNITS_MAX,
  AccountMaxWriteCapacityUnits: ACCOUNT_UNITS_MAX,
  TableMaxReadCapacityUnits: TABLE_UNITS_MAX,
  TableMaxWriteCapacityUnits: TABLE_UNITS_MAX,
});

/** "DescribeEndpoints": this process, as it is reached. */
export const describeEndpoints: Operation<object, DescribeEndpointsResponse> = async (ctx) => {
  const { host, port } = ctx.platform.address();
  return { Endpoints: [{ Address: `${host}:${port}`, CachePeriodInMinutes: ENDPOINT_CACHE_MINUTES }] };
};

/** "DescribeContinuousBackups": point-in-time recovery is not there, and so is disabled. */
export function describeContinuousBackups(tables: Tables): Operation<DescribeContinuousBackupsInput, DescribeContinuousBackupsOutput> {
  return async (ctx, input) => {
    const name = requiredOwnTableName(input.TableName);
    if (!(await tables.find(ctx.account, ctx.region, name))) throw new AwsError('TableNotFoundException', `Table not found: ${name}`);
    return {
      ContinuousBackupsDescription: {
        ContinuousBackupsStatus: 'ENABLED',
        PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' },
      },
    };
  };
}
