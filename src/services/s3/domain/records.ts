import type { ChecksumAlgorithm } from '../../../kit/checksums.ts';

/** Where an object's bytes are. */
export type Body =
  | { readonly kind: 'empty' }
  /** In the store, under this id. */
  | { readonly kind: 'inline'; readonly id: string }
  /** One blob. */
  | { readonly kind: 'blob'; readonly id: string }
  /** A multipart object: the blobs of its parts, listed in the store under this id. */
  | { readonly kind: 'parts'; readonly id: string };

export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; a composite one carries `-<parts>`. */
  readonly value: string;
  readonly type: ChecksumType;
}

export type Versioning = 'Enabled' | 'Suspended';
export type ObjectOwnership = 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter';

export interface BucketRecord {
  readonly name: string;
  /** New with each creation, so that nothing of a deleted bucket of the same name can show. */
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly createdMs: number;
  /** Absent until it was first set. */
  readonly versioning?: Versioning;
  /** Absent once its ownership controls were deleted: ACLs then count, as `ObjectWriter`. */
  readonly ownership?: ObjectOwnership;
  /** Made with the old name of a region: its location is told by that name. */
  readonly location?: 'EU';
  /** Of the stack operation that made it. */
  readonly token?: string;
  /** Recorded. */
  readonly acl?: Acl;
  /** Present where Object Lock is on, which keeps versioning enabled. */
  readonly objectLock?: { readonly retention?: Retention };
  /** Has a notification configuration: writers then look whom to tell. */
  readonly notifies?: true;
  /** Has lifecycle rules. */
  readonly hasLifecycle?: true;
  /** What objects get that name no encryption. Recorded. */
  readonly encryption?: Encryption;
}

export interface AclGrant {
  readonly type: 'CanonicalUser' | 'Group' | 'AmazonCustomerByEmail';
  readonly id: string;
  readonly permission: 'FULL_CONTROL' | 'READ' | 'READ_ACP' | 'WRITE' | 'WRITE_ACP';
}

/** A canned ACL by its name, or what is granted one by one. */
export type Acl = string | readonly AclGrant[];

export type LockMode = 'GOVERNANCE' | 'COMPLIANCE';

/** A bucket's default retention: days or years. */
export interface Retention {
  readonly mode: LockMode;
  readonly days?: number;
  readonly years?: number;
}

/** Of one version. */
export interface ObjectLock {
  readonly mode: LockMode;
  /** Virtual time. */
  readonly untilMs: number;
}

/** How an object is said to be encrypted. Recorded: Croft encrypts nothing itself. */
export interface Encryption {
  readonly algorithm: string;
  readonly kmsKeyId?: string;
  /** Base64: of the key that the client brings with each request. */
  readonly customerKeyMd5?: string;
  readonly bucketKeyEnabled?: boolean;
}

/** What the writer of an object said about it; taken over by a copy. */
export interface ObjectHeaders {
  readonly ContentType?: string;
  readonly CacheControl?: string;
  readonly ContentDisposition?: string;
  readonly ContentEncoding?: string;
  readonly ContentLanguage?: string;
  readonly Expires?: string;
  readonly WebsiteRedirectLocation?: string;
}

export interface Attributes {
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly encryption: Encryption;
  readonly acl?: Acl;
  readonly lock?: ObjectLock;
  readonly legalHold?: 'ON' | 'OFF';
}

/** The version id of what was written while versioning was not enabled. */
export const NULL_VERSION = 'null';

interface VersionBase {
  /** Counts the versions of one key, oldest first. */
  readonly sequence: number;
  readonly versionId: string;
  /** No two writes of a key have the same one. */
  readonly stamp: string;
  /** Whole seconds: S3 keeps no finer time. */
  readonly modifiedMs: number;
  /** Owner's account. */
  readonly account: string;
}

export interface DeleteMarkerRecord extends VersionBase {
  readonly deleteMarker: true;
}

export interface ObjectRecord extends VersionBase, Attributes {
  readonly deleteMarker?: undefined;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  readonly body: Body;
  readonly checksum?: StoredChecksum;
  /** Of a multipart object. */
  readonly parts?: number;
  /** Of an archived object: under way, or there until then. */
  readonly restore?: { readonly untilMs?: number };
}

export type VersionRecord = ObjectRecord | DeleteMarkerRecord;

/** One part of a finished multipart object. */
export interface PartOfObject {
  readonly number: number;
  readonly blob: string;
  readonly size: number;
  /** Base64, where the upload asked for checksums of parts. */
  readonly checksum?: string;
}

export interface UploadRecord extends Attributes {
  readonly uploadId: string;
  readonly key: string;
  readonly initiatedMs: number;
  /** The stamp of the object that the key had then. */
  readonly before?: string;
  readonly account: string;
  /** ARN of who began it. */
  readonly initiator: string;
  /** Absent where the client asked for none: parts then carry CRC64NVME for the whole. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
}

export interface PartRecord {
  readonly number: number;
  readonly blob: string;
  readonly size: number;
  readonly etag: string;
  readonly modifiedMs: number;
  /** Base64 by algorithm; what the upload needs, and what the client sent. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}
