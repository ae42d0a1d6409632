import { invalidParameter } from '../errors.ts';
import type { VersionRow } from '../store.ts';

/** An invocation names a tenant exactly if the function tells tenants apart. "Tenant isolation". */
export function checkTenant(row: VersionRow, tenantId: string | undefined): void {
  if (row.tenancy !== undefined && tenantId === undefined)
    throw invalidParameter('The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.');
  if (row.tenancy === undefined && tenantId !== undefined)
    throw invalidParameter('The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.');
}

/** What tenant isolation excludes. */
export function refuseTenancy(row: VersionRow, what: string): void {
  if (row.tenancy !== undefined) throw invalidParameter(`${what} is not supported for functions with tenant isolation mode.`);
}
