import { notImplemented } from '../../../kit/errors.ts';
import table from './service-linked-roles.json' with { type: 'json' };

/** What AWS makes for a service that has a role of its own in the account. */
export interface ServiceLinkedRole {
  readonly role: string;
  /** The AWS managed policy that it has, in `/aws-service-role/`. */
  readonly policy: string;
  /** Whether an account may have several, told apart by a suffix. */
  readonly customSuffix?: boolean;
}

const BY_SERVICE: ReadonlyMap<string, ServiceLinkedRole> = new Map(Object.entries(table));

/**
 * The role of a service's principal, e.g. `batch.amazonaws.com`. "AWS services that work with IAM" names the services;
 * each one's guide names its role. A service that the table lacks answers 501: its role's name cannot be derived.
 */
export function serviceLinkedRole(service: string): ServiceLinkedRole {
  const known = BY_SERVICE.get(service);
  if (!known) throw notImplemented(`The service-linked role of ${service}`);
  return known;
}
