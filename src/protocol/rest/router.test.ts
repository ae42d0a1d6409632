import { beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../models/index.ts';
import type { OperationModel, ServiceModel } from '../../models/model.ts';
import { createRestRouter, type RoutedRequest } from './router.ts';

const SERVICES = ['s3', 'lambda', 'apigateway', 'apigatewayv2', 'scheduler', 'pipes', 'xray', 'apigatewaymanagementapi'];
const models = new Map<string, ServiceModel>();
const routers = new Map<string, (request: RoutedRequest) => OperationModel | undefined>();

beforeAll(async () => {
  for (const service of SERVICES) {
    const model = await loadModel(service);
    models.set(service, model);
    routers.set(service, createRestRouter(model));
  }
});

function route(service: string, method: string, uri: string, headers: Record<string, string> = {}): string | undefined {
  const [path = '', query = ''] = uri.split('?', 2);
  return routers.get(service)?.({ method, path, query, headers })?.name;
}

/** A request that has just what the operation's model requires. */
function requestOf(model: ServiceModel, operation: OperationModel): RoutedRequest {
  const input = operation.input && model.shapes[operation.input.shape];
  const [template = '', literal = ''] = operation.http.requestUri.split('?', 2);
  const query = literal === '' ? [] : [literal];
  const headers: Record<string, string> = {};
  for (const name of input?.required ?? []) {
    const ref = input?.members?.[name];
    if (ref?.location === 'querystring') query.push(`${ref.locationName ?? name}=1`);
    if (ref?.location === 'header') headers[(ref.locationName ?? name).toLowerCase()] = '1';
  }
  const path = template.replace(/\{([^}]+)\}/g, (_whole, label: string) => (label.endsWith('+') ? 'a/b%20c/' : 'x'));
  return { method: operation.http.method, path, query: query.join('&'), headers };
}

test.each(SERVICES)('every operation of %s is found by its own address', (service) => {
  const model = models.get(service) as ServiceModel;
  const lost = Object.values(model.operations).filter((operation) => routers.get(service)?.(requestOf(model, operation)) !== operation);
  // It lists directory buckets at the address at which ListBuckets lists the others, on another host.
  expect(lost.map((operation) => operation.name)).toEqual(service === 's3' ? ['ListDirectoryBuckets'] : []);
});

describe('precedence', () => {
  test.each<[string, string, string | undefined, Record<string, string>?]>([
    ['GET', '/', 'ListBuckets'],
    ['GET', '/bucket', 'ListObjects'],
    ['GET', '/bucket/', 'ListObjects'],
    ['GET', '/bucket?list-type=2&prefix=a', 'ListObjectsV2'],
    ['GET', '/bucket?acl', 'GetBucketAcl'],
    ['GET', '/bucket?acl=', 'GetBucketAcl'],
    ['GET', '/bucket?location', 'GetBucketLocation'],
    ['GET', '/bucket?versions', 'ListObjectVersions'],
    ['GET', '/bucket/a/b?acl', 'GetObjectAcl'],
    ['GET', '/bucket//a//b', 'GetObject'],
    ['GET', '/bucket/key?uploadId=1', 'ListParts'],
    ['GET', '/bucket/key?versionId=1', 'GetObject'],
    ['PUT', '/bucket/key', 'PutObject'],
    ['PUT', '/bucket/key?partNumber=1&uploadId=2', 'UploadPart'],
    ['PUT', '/bucket/key?partNumber=1&uploadId=2', 'UploadPartCopy', { 'x-amz-copy-source': 'b/k' }],
    ['PUT', '/bucket/key', 'CopyObject', { 'x-amz-copy-source': 'b/k' }],
    ['PUT', '/bucket/key?x-id=PutObject', 'PutObject'],
    ['POST', '/bucket/key?uploads', 'CreateMultipartUpload'],
    ['POST', '/bucket/key?uploadId=1', 'CompleteMultipartUpload'],
    ['DELETE', '/bucket/key?uploadId=1', 'AbortMultipartUpload'],
    ['DELETE', '/bucket/key', 'DeleteObject'],
    ['POST', '/bucket?delete', 'DeleteObjects'],
    ['POST', '/bucket', undefined],
    ['PATCH', '/bucket', undefined],
  ])('S3 %s %s: %s', (method, uri, expected, headers = {}) => {
    expect(route('s3', method, uri, headers)).toBe(expected);
  });

  test.each<[string, string, string | undefined]>([
    ['GET', '/2015-03-31/functions', 'ListFunctions'],
    ['GET', '/2015-03-31/functions/', 'ListFunctions'],
    ['POST', '/2015-03-31/functions/f/invocations', 'Invoke'],
    ['POST', '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations', 'Invoke'],
    ['DELETE', '/2017-03-31/tags/arn', 'UntagResource'],
    ['GET', '/2015-03-31/functions//invocations', undefined],
    ['GET', '/no/such/path', undefined],
  ])('Lambda %s %s: %s', (method, uri, expected) => {
    expect(route('lambda', method, uri)).toBe(expected);
  });
});
