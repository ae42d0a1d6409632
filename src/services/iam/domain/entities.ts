/** The kinds of things that IAM keeps under a name, as their key part and ARN prefix. */
export type Kind = 'role' | 'user' | 'group' | 'policy' | 'instance-profile';

/** Kinds that carry permissions. */
export type IdentityKind = 'role' | 'user' | 'group';

export type Tags = Readonly<Record<string, string>>;

export interface Entity {
  readonly name: string;
  readonly path: string;
  /** AWS's unique id, e.g. `AROA…`. */
  readonly id: string;
  readonly arn: string;
  /** Virtual time. */
  readonly createdMs: number;
  readonly tags: Tags;
  /** Of the stack operation that made it. */
  readonly token?: string;
}

/** A role, user or group, with the policies it has. */
export interface Identity extends Entity {
  /** Inline policies, by name, as they were given. */
  readonly inline: Readonly<Record<string, string>>;
  /** ARNs of managed policies, oldest first. */
  readonly attached: readonly string[];
  readonly boundary?: string;
}

export interface Role extends Identity {
  readonly trustPolicy: string;
  readonly description?: string;
  readonly maxSessionSeconds: number;
  /** Made for an AWS service, and changed by AWS alone. */
  readonly serviceLinked?: boolean;
}

export interface User extends Identity {
  readonly groups: readonly string[];
  readonly accessKeyIds: readonly string[];
}

export type Group = Identity;

export interface PolicyVersion {
  readonly document: string;
  readonly createdMs: number;
}

export interface ManagedPolicy extends Entity {
  readonly description?: string;
  readonly updatedMs: number;
  /** `v1` … */
  readonly defaultVersion: string;
  /** The number of the newest version ever made: numbers are not used twice. */
  readonly lastVersion: number;
  readonly versions: Readonly<Record<string, PolicyVersion>>;
}

export interface InstanceProfile extends Entity {
  readonly roleName?: string;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly account: string;
  readonly userName: string;
  readonly userId: string;
  readonly userArn: string;
  readonly status: 'Active' | 'Inactive';
  readonly createdMs: number;
  /** Of the stack operation that made it. */
  readonly token?: string;
}

/** The first four letters of each kind's unique id: "IAM identifiers" in the IAM User Guide. */
export const ID_PREFIX: Readonly<Record<Kind, string>> = { role: 'AROA', user: 'AIDA', group: 'AGPA', policy: 'ANPA', 'instance-profile': 'AIPA' };
