import type { DescribeEndpointsResponse, DescribeLimitsOutput } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';

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
