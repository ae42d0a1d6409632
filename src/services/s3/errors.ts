import { AwsError, notImplemented } from '../../kit/errors.ts';
import { KEY_BYTES_LIMIT, PART_BYTES_MIN, UPLOAD_BYTES_MAX } from './limits.ts';

/** "Error responses" in the Amazon S3 API Reference; members beside code and message are elements of the error document. */

const error = (code: string, message: string, status = 400, members: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  new AwsError(code, message, { status, members, headers });

export const accessDenied = () => error('AccessDenied', 'Access Denied', 403);
export const noSuchBucket = (BucketName: string) => error('NoSuchBucket', 'The specified bucket does not exist', 404, { BucketName });
export const invalidBucketName = (BucketName: string) => error('InvalidBucketName', 'The specified bucket is not valid.', 400, { BucketName });
export const bucketAlreadyOwnedByYou = (BucketName: string) =>
  error('BucketAlreadyOwnedByYou', 'Your previous request to create the named bucket succeeded and you already own it.', 409, { BucketName });
export const bucketAlreadyExists = (BucketName: string) =>
  error(
    'BucketAlreadyExists',
    'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
    409,
    { BucketName },
  );
export const bucketNotEmpty = (BucketName: string, versioned: boolean) =>
  error('BucketNotEmpty', `The bucket you tried to delete is not empty${versioned ? '. You must delete all versions in the bucket.' : ''}`, 409, {
    BucketName,
  });
export const invalidLocationConstraint = (LocationConstraint: string) =>
  error('InvalidLocationConstraint', 'The specified location-constraint is not valid', 400, { LocationConstraint });
export const illegalLocationConstraint = (constraint: string) =>
  error(
    'IllegalLocationConstraintException',
    `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
export const invalidBucketOwner = (value: string) =>
  error('InvalidBucketOwnerAWSAccountID', `The value of the expected bucket owner parameter must be an AWS Account ID... [${value}]`);

export const noSuchKey = (Key: string, headers: Record<string, string> = {}) => error('NoSuchKey', 'The specified key does not exist.', 404, { Key }, headers);
export const noSuchVersion = (Key: string, VersionId: string) => error('NoSuchVersion', 'The specified version does not exist.', 404, { Key, VersionId });
export const keyTooLong = (size: number) =>
  error('KeyTooLongError', 'Your key is too long', 400, { Size: String(size), MaxSizeAllowed: String(KEY_BYTES_LIMIT) });
export const deleteMarkerNotAllowed = (Method: string, headers: Record<string, string>) =>
  error('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405, { Method, ResourceType: 'DeleteMarker' }, headers);
export const invalidArgument = (message: string, ArgumentName: string, ArgumentValue?: string) =>
  error('InvalidArgument', message, 400, { ArgumentName, ...(ArgumentValue === undefined ? {} : { ArgumentValue }) });
export const invalidRequest = (message: string) => error('InvalidRequest', message);
export const malformedXml = () => error('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');
export const invalidRange = (RangeRequested: string, size: number) =>
  error('InvalidRange', 'The requested range is not satisfiable', 416, { RangeRequested, ActualObjectSize: String(size) });
export const invalidPartNumber = (requested: number, count: number) =>
  error('InvalidPartNumber', 'The requested partnumber is not satisfiable', 416, { PartNumberRequested: String(requested), ActualPartCount: String(count) });
export const preconditionFailed = (Condition: string) =>
  error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, { Condition });
export const notModified = (headers: Record<string, string>) => error('NotModified', 'Not Modified', 304, {}, headers);
export const conditionalRequestConflict = (Condition: string, Key: string) =>
  error('ConditionalRequestConflict', 'The conditional request cannot succeed due to a conflicting operation against this resource.', 409, { Condition, Key });
export const headerNotImplemented = (Header: string, additionalMessage?: string) =>
  error('NotImplemented', 'A header you provided implies functionality that is not implemented', 501, {
    Header,
    ...(additionalMessage === undefined ? {} : { additionalMessage }),
  });

export const entityTooLarge = (size: number) =>
  error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', 400, {
    ProposedSize: String(size),
    MaxSizeAllowed: String(UPLOAD_BYTES_MAX),
  });
export const entityTooSmall = (size: number, partNumber: number, ETag: string) =>
  error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', 400, {
    ETag,
    MinSizeAllowed: String(PART_BYTES_MIN),
    PartNumber: String(partNumber),
    ProposedSize: String(size),
  });
export const entityTooLargeFor = (size: number, max: number) =>
  error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', 400, { ProposedSize: String(size), MaxSizeAllowed: String(max) });
export const entityTooSmallFor = (size: number, min: number) =>
  error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', 400, { ProposedSize: String(size), MinSizeAllowed: String(min) });
export const incompleteBody = () => error('IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header');
export const metadataTooLarge = (size: number, max: number) =>
  error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', 400, { Size: String(size), MaxSizeAllowed: String(max) });
export const invalidDigest = (value: string) => error('InvalidDigest', 'The Content-MD5 you specified was invalid.', 400, { 'Content-MD5': value });
export const badMd5 = (ExpectedDigest: string, CalculatedDigest: string) =>
  error('BadDigest', 'The Content-MD5 you specified did not match what we received.', 400, { ExpectedDigest, CalculatedDigest });
export const badChecksum = (algorithm: string) => error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
export const badPartChecksum = (algorithm: string, part: number) =>
  error('BadDigest', `The ${algorithm} you specified for part ${part} did not match what we received.`);
export const invalidStorageClass = (StorageClassRequested: string) =>
  error('InvalidStorageClass', 'The storage class you specified is not valid', 400, { StorageClassRequested });
export const invalidBucketAclWithOwnership = () =>
  error('InvalidBucketAclWithObjectOwnership', "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
export const aclNotSupported = () => error('AccessControlListNotSupported', 'The bucket does not allow ACLs');

const BAD_SCHEMA = 'The XML you provided was not well-formed or did not validate against our published schema';
export const malformedAcl = () => error('MalformedACLError', BAD_SCHEMA);
export const unexpectedContent = () => error('UnexpectedContent', 'This request does not support content');
export const missingAcl = () => error('MissingSecurityHeader', 'Your request was missing a required header', 400, { MissingHeaderName: 'x-amz-acl' });

export const noSuchUpload = (UploadId: string) =>
  error('NoSuchUpload', 'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.', 404, {
    UploadId,
  });
export const invalidPart = (UploadId: string, partNumber: number, ETag: string) =>
  error(
    'InvalidPart',
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    400,
    { UploadId, PartNumber: String(partNumber), ETag },
  );
export const invalidPartOrder = (UploadId: string) =>
  error('InvalidPartOrder', 'The list of parts was not in ascending order. Parts must be ordered by part number.', 400, { UploadId });

export const invalidTag = (message: string, members: Record<string, unknown> = {}) => error('InvalidTag', message, 400, members);
export const badRequest = (message: string) => error('BadRequest', message);
export const notFoundConfiguration = (code: string, message: string, BucketName: string) => error(code, message, 404, { BucketName });
export const malformedPolicy = (message: string) => error('MalformedPolicy', message);
export const objectLocked = () => error('AccessDenied', 'Access Denied because object protected by object lock.', 403);
export const invalidBucketState = (message: string) => error('InvalidBucketState', message, 409);
export const slowDown = () => error('SlowDown', 'Please reduce your request rate.', 503);

export { notImplemented };
