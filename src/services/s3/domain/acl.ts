import type { AccessControlPolicy, Grant } from '@aws-sdk/client-s3';
import { aclNotSupported, invalidArgument, invalidRequest, malformedAcl, missingAcl, unexpectedContent } from '../errors.ts';
import { canonicalUserId } from './names.ts';
import type { Acl, AclGrant, BucketRecord } from './records.ts';

const ALL_USERS = 'http://acs.amazonaws.com/groups/global/AllUsers';
const AUTHENTICATED_USERS = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';
const LOG_DELIVERY = 'http://acs.amazonaws.com/groups/s3/LogDelivery';
const GROUPS: readonly unknown[] = [ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY];
type Permission = AclGrant['permission'];
const PERMISSIONS: readonly unknown[] = ['FULL_CONTROL', 'READ', 'READ_ACP', 'WRITE', 'WRITE_ACP'];

/** What each canned ACL grants beside the owner's full control; "Canned ACL". */
const CANNED: Readonly<Record<string, readonly (readonly [group: string, permission: Permission])[]>> = {
  private: [],
  'bucket-owner-full-control': [],
  'bucket-owner-read': [],
  'public-read': [[ALL_USERS, 'READ']],
  'public-read-write': [
    [ALL_USERS, 'READ'],
    [ALL_USERS, 'WRITE'],
  ],
  'authenticated-read': [[AUTHENTICATED_USERS, 'READ']],
  'log-delivery-write': [
    [LOG_DELIVERY, 'WRITE'],
    [LOG_DELIVERY, 'READ_ACP'],
  ],
};
const OBJECT_ONLY: ReadonlySet<string> = new Set(['bucket-owner-full-control', 'bucket-owner-read']);

export interface GrantHeaders {
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWrite?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
}

const HEADERS: readonly (readonly [member: keyof GrantHeaders, header: string, permission: Permission])[] = [
  ['GrantFullControl', 'x-amz-grant-full-control', 'FULL_CONTROL'],
  ['GrantRead', 'x-amz-grant-read', 'READ'],
  ['GrantReadACP', 'x-amz-grant-read-acp', 'READ_ACP'],
  ['GrantWrite', 'x-amz-grant-write', 'WRITE'],
  ['GrantWriteACP', 'x-amz-grant-write-acp', 'WRITE_ACP'],
];

const isCanonicalId = (id: string) => /^[0-9a-f]{64}$/i.test(id);

/** Grants in `x-amz-grant-*` headers; undefined where there are none. Throws `InvalidArgument`. */
export function grantsOfHeaders(input: GrantHeaders): AclGrant[] | undefined {
  const grants = HEADERS.flatMap(([member, header, permission]) => (input[member]?.split(',') ?? []).map((text) => grantOf(text.trim(), header, permission)));
  return HEADERS.some(([member]) => input[member] !== undefined) ? grants : undefined;
}

function grantOf(text: string, header: string, permission: Permission): AclGrant {
  const [, kind, id = ''] = /^([A-Za-z]+)\s*=\s*"?([^"]*)"?$/.exec(text) ?? [];
  switch (kind) {
    case 'uri':
      if (!GROUPS.includes(id)) throw invalidArgument('Invalid group uri', 'uri', id);
      return { type: 'Group', id, permission };
    case 'id':
      if (!isCanonicalId(id)) throw invalidArgument('Invalid id', 'id', id);
      return { type: 'CanonicalUser', id, permission };
    case 'emailAddress':
      return { type: 'AmazonCustomerByEmail', id, permission };
    default:
      throw invalidArgument('Argument format not recognized', header, text);
  }
}

function grantsOfPolicy(policy: AccessControlPolicy): AclGrant[] {
  if (policy.Owner === undefined || policy.Grants === undefined) throw malformedAcl();
  const owner = policy.Owner.ID ?? '';
  if (!isCanonicalId(owner)) throw invalidArgument('Invalid id', 'CanonicalUser/ID', owner);
  return policy.Grants.map(({ Grantee: grantee, Permission }) => {
    if (!PERMISSIONS.includes(Permission)) throw malformedAcl();
    const permission = Permission as Permission;
    const { Type: type, ID: id = '', URI: uri = '', EmailAddress: email = '' } = grantee ?? {};
    switch (type) {
      case 'Group':
        if (!GROUPS.includes(uri)) throw invalidArgument('Invalid group uri', 'Group/URI', uri);
        return { type, id: uri, permission };
      case 'CanonicalUser':
        if (!isCanonicalId(id)) throw invalidArgument('Invalid id', 'CanonicalUser/ID', id);
        return { type, id, permission };
      case 'AmazonCustomerByEmail':
        return { type, id: email, permission };
      default:
        throw malformedAcl();
    }
  });
}

export interface AclInput extends GrantHeaders {
  readonly ACL?: string | undefined;
  readonly AccessControlPolicy?: AccessControlPolicy | undefined;
}

/** What PutBucketAcl and PutObjectAcl set: by name, by headers, or as a document. Throws what S3 throws. */
export function aclOf(bucket: BucketRecord, input: AclInput, of: 'bucket' | 'object'): Acl {
  const { ACL: canned, AccessControlPolicy: policy } = input;
  if (canned !== undefined) checkCanned(canned, of);
  const grants = grantsOfHeaders(input);
  if (canned !== undefined && grants) throw invalidRequest('Specifying both Canned ACLs and Header Grants is not allowed');
  if ((canned !== undefined || grants) && policy) throw unexpectedContent();
  const acl = canned ?? grants ?? (policy && grantsOfPolicy(policy));
  if (acl === undefined) throw missingAcl();
  checkAllowed(bucket, acl);
  return acl;
}

/** The ACL that a writer asks for by headers; undefined where it asks for none. */
export function aclOfHeaders(bucket: BucketRecord, input: GrantHeaders & { readonly ACL?: string | undefined }): Acl | undefined {
  if (input.ACL !== undefined && input.ACL !== 'aws-exec-read') checkCanned(input.ACL, 'object');
  const grants = grantsOfHeaders(input);
  if (input.ACL !== undefined && grants) throw invalidRequest('Specifying both Canned ACLs and Header Grants is not allowed');
  const acl = input.ACL ?? grants;
  if (acl !== undefined) checkAllowed(bucket, acl);
  return acl;
}

function checkCanned(acl: string, of: 'bucket' | 'object'): void {
  if (!Object.hasOwn(CANNED, acl) || (of === 'bucket' && OBJECT_ONLY.has(acl))) throw invalidArgument('', 'x-amz-acl', acl);
}

/** With ACLs disabled (the default) only those pass that say what holds anyway; "Controlling ownership of objects". */
function checkAllowed(bucket: BucketRecord, acl: Acl): void {
  if (bucket.ownership !== 'BucketOwnerEnforced') return;
  const owner = canonicalUserId(bucket.account);
  const isPlain =
    typeof acl === 'string'
      ? acl === 'private' || acl === 'bucket-owner-full-control'
      : acl.every(({ id, permission }) => id === owner && permission === 'FULL_CONTROL');
  if (!isPlain) throw aclNotSupported();
}

/** Whether somebody else than its owner is granted something. */
export function isOpen(account: string, acl: Acl | undefined): boolean {
  if (acl === undefined) return false;
  if (typeof acl === 'string') return acl !== 'private';
  const owner = canonicalUserId(account);
  return acl.some(({ id }) => id !== owner);
}

/** As GetBucketAcl and GetObjectAcl describe it. */
export function describeAcl(account: string, acl: Acl | undefined): { Owner: { ID: string }; Grants: Grant[] } {
  const id = canonicalUserId(account);
  const owner: AclGrant = { type: 'CanonicalUser', id, permission: 'FULL_CONTROL' };
  const grants =
    acl === undefined || typeof acl === 'string'
      ? [owner, ...(CANNED[acl ?? 'private'] ?? []).map(([group, permission]): AclGrant => ({ type: 'Group', id: group, permission }))]
      : acl;
  return {
    Owner: { ID: id },
    Grants: grants.map(({ type, id: who, permission }) => ({ Grantee: { Type: type, [MEMBER[type]]: who }, Permission: permission }) as Grant),
  };
}

const MEMBER = { CanonicalUser: 'ID', Group: 'URI', AmazonCustomerByEmail: 'EmailAddress' } as const;
