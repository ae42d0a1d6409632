import { AwsError } from '../../kit/errors.ts';
import type { BucketCorsRequest, BucketCorsVerdict, Platform } from '../service.ts';
import { allowCors, type CorsRule } from './domain/cors.ts';
import { readBucket, readConfig } from './store.ts';

const NOT_ALLOWED =
  "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";

/** What a bucket says to a web page that wants something of it ({@link Service.cors}). */
export async function judgeCors(platform: Platform, request: BucketCorsRequest): Promise<BucketCorsVerdict> {
  const { origin, headers } = request;
  if (origin === undefined) {
    return { configured: true, refusal: new AwsError('BadRequest', 'Insufficient information. Origin request header needed.') };
  }
  // A method in the header counts on any request, preflight or not.
  const method = headers['access-control-request-method'] ?? request.method;
  const forbidden = (message: string) =>
    new AwsError('AccessForbidden', message, { status: 403, members: { Method: method, ResourceType: request.hasKey ? 'OBJECT' : 'BUCKET' } });
  const bucketOnly = (message: string) => new AwsError('AccessForbidden', message, { status: 403, members: { Method: method, ResourceType: 'BUCKET' } });
  const bucket = await readBucket(platform.store, request.bucket);
  if (!bucket) return { configured: false, refusal: bucketOnly('CORSResponse: Bucket not found') };
  const kept = await readConfig<{ CORSRules: CorsRule[] }>(platform.store, bucket.id, 'cors');
  if (!kept) return { configured: false, refusal: bucketOnly('CORSResponse: CORS is not enabled for this bucket.') };
  if (request.method === 'OPTIONS' && headers['access-control-request-method'] === undefined) {
    return { configured: true, refusal: new AwsError('BadRequest', 'Invalid Access-Control-Request-Method: null') };
  }
  const allowed = allowCors(kept.CORSRules, { origin, method, headers: headers['access-control-request-headers'] });
  return allowed ? { configured: true, headers: allowed } : { configured: true, refusal: forbidden(NOT_ALLOWED) };
}
