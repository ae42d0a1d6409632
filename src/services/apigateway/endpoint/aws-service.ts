import { Readable } from 'node:stream';
import type { Principal } from '../../../identity/principal.ts';
import { parseArn } from '../../../kit/arn.ts';
import { AwsError } from '../../../kit/errors.ts';
import { loadModel, serviceIndex } from '../../../models/index.ts';
import type { OperationModel, ServiceIndexEntry, ServiceModel } from '../../../models/model.ts';
import type { Codec, CodecName } from '../../../protocol/codec.ts';
import { codecNames, createCodec, createRestRouter, isStreamingInput } from '../../../protocol/index.ts';
import type { WireRequest, WireResponse } from '../../../protocol/wire.ts';
import { INTEGRATION_TIMEOUT_MS_DEFAULT, PAYLOAD_BYTES_MAX } from '../limits.ts';
import { integrationFailure, notBuilt } from './gateway-error.ts';
import { mappedParameters } from './http.ts';
import type { Invocation } from './invocation.ts';
import { gatewayPrincipal, within, withStageVariables } from './lambda.ts';
import { mapResponse, requestBody, selectResponse } from './mapping.ts';

const FORM = 'application/x-www-form-urlencoded';

/** `arn:aws:apigateway:REGION:SERVICE:path/…` or `…:action/NAME`. */
interface Target {
  readonly region: string;
  readonly service: string;
  readonly kind: 'path' | 'action';
  /** The path below the service's host, or the action's name. */
  readonly rest: string;
}

/** "Set up an API integration request": the mapped request in the wire form of the service, which is then called like any client calls it. */
export async function awsService(call: Invocation): Promise<WireResponse> {
  const integration = call.method.methodIntegration ?? {};
  const body = requestBody(call);
  const mapped = mappedParameters(call);
  const uri = withStageVariables(integration.uri ?? '', call.stage.variables).replace(/\{([^{}]+?)\+?\}/g, (_all, name: string) => mapped.path[name] ?? '');
  const target = targetOf(uri);
  if (!target) throw integrationFailure(500);
  const entry = serviceIndex.find((one) => one.endpointPrefix === target.service || one.signingName === target.service);
  if (!entry) throw notBuilt(`An integration with the service ${target.service}`);
  const query = new URLSearchParams(mapped.querystring);
  const headers: Record<string, string> = { accept: 'application/json' };
  for (const [name, value] of mapped.header) headers[name.toLowerCase()] = value;
  const [path = '', ownQuery = ''] = target.kind === 'path' ? `/${target.rest}`.split(/\?(.*)/s) : ['/'];
  for (const [name, value] of new URLSearchParams(ownQuery)) query.append(name, value);
  const request: WireRequest = {
    method: integration.httpMethod === undefined || integration.httpMethod === 'ANY' ? call.request.method : integration.httpMethod,
    path,
    query: query.toString().replaceAll('+', '%20'),
    headers,
    body,
  };
  const answer = await within(callService(call, entry, target, request), integration.timeoutInMillis ?? INTEGRATION_TIMEOUT_MS_DEFAULT);
  const flat = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), value]));
  return mapResponse(call, selectResponse(integration, String(answer.status)), { body: await bytesOf(answer.body), headers: flat });
}

function targetOf(uri: string): Target | undefined {
  const arn = parseArn(uri);
  const match = /^(path|action)\/(.*)$/s.exec(arn?.resource ?? '');
  if (!arn || !match) return undefined;
  // A subdomain may stand before the service, as in `my-bucket.s3`: what comes last is the service.
  return { region: arn.region, service: arn.account.split('.').at(-1) ?? '', kind: match[1] as 'path', rest: match[2] ?? '' };
}

interface Asked {
  readonly codec: Codec;
  readonly operation: OperationModel;
  readonly request: WireRequest;
}

async function callService(call: Invocation, entry: ServiceIndexEntry, target: Target, request: WireRequest): Promise<WireResponse> {
  const model = await loadModel(entry.service);
  const { platform } = call.ctx;
  const codecOf = (name: CodecName) => createCodec(model, name, () => platform.ids.uuid());
  const asked = operationOf(call, model, target, request, codecOf);
  const principal = callerOf(call);
  const ctx = platform.contextFor({ account: principal.account, region: target.region, principal, trace: call.ctx.trace });
  const { codec, operation } = asked;
  const context = { requestId: ctx.requestId, method: request.method };
  const json = codec.name === 'awsQuery' && (request.headers['accept'] ?? '').includes('json');
  try {
    const wire = isStreamingInput(model, operation) ? { ...asked.request, body: Readable.from([asked.request.body]) } : asked.request;
    const output = await ctx.call(entry.service, operation.name, codec.decode(operation, wire), { principal });
    return json ? queryAsJson(codecOf('awsJson1_0'), model, operation, output, ctx.requestId) : codec.encode(operation, output, context);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (error.status === 501) throw notBuilt(`${entry.service}:${operation.name}`);
    return json ? errorAsJson(error, ctx.requestId) : codec.encodeError(operation, error, context);
  }
}

/** The operation that the wire form names, by the first protocol that it fits. */
function operationOf(call: Invocation, model: ServiceModel, target: Target, request: WireRequest, codecOf: (name: CodecName) => Codec): Asked {
  const names = codecNames(model);
  const named = (name: string | undefined): OperationModel => {
    const operation = name !== undefined && Object.hasOwn(model.operations, name) ? model.operations[name] : undefined;
    if (!operation) throw integrationFailure(500);
    return operation;
  };
  if (names[0] === 'restJson' || names[0] === 'restXml') {
    if (target.kind === 'action') throw notBuilt(`An integration with an action of ${target.service}`);
    const operation = createRestRouter(model)(request);
    if (!operation) throw integrationFailure(500);
    return { codec: codecOf(names[0]), operation, request };
  }
  const header = request.headers['x-amz-target']?.split('.').at(-1);
  const json = names.find((name) => name.startsWith('awsJson'));
  if (json && (header !== undefined || (target.kind === 'action' && !names.includes('awsQuery')))) {
    const version = request.headers['content-type']?.includes('x-amz-json-1.1')
      ? 'awsJson1_1'
      : request.headers['content-type']?.includes('x-amz-json-1.0')
        ? 'awsJson1_0'
        : json;
    return { codec: codecOf(version), operation: named(header ?? target.rest), request };
  }
  if (!names.includes('awsQuery')) throw integrationFailure(500);
  return { codec: codecOf('awsQuery'), ...asQuery(call, named, target, request) };
}

/** The parameters of the query, or of a form, make the request of the query protocol. */
function asQuery(call: Invocation, named: (name: string | undefined) => OperationModel, target: Target, request: WireRequest): Omit<Asked, 'codec'> {
  const form = new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '');
  for (const [name, value] of new URLSearchParams(request.query)) form.set(name, value);
  if (target.kind === 'action') form.set('Action', target.rest);
  if (target.service === 'sqs' && !form.has('QueueUrl') && request.path.length > 2) form.set('QueueUrl', queueUrl(call, request.path));
  const operation = named(form.get('Action') ?? undefined);
  return { operation, request: { ...request, query: '', headers: { ...request.headers, 'content-type': FORM }, body: Buffer.from(form.toString(), 'utf8') } };
}

function queueUrl(call: Invocation, path: string): string {
  const { scheme, host, port } = call.ctx.platform.address();
  return `${scheme}://${host}:${port}${path}`;
}

/** The integration's role, or the gateway itself. What the role's policies say is not evaluated yet, here as elsewhere. */
function callerOf(call: Invocation): Principal {
  const credentials = withStageVariables(call.method.methodIntegration?.credentials ?? '', call.stage.variables);
  const arn = parseArn(credentials);
  const role = arn?.service === 'iam' ? /^role\/(?:.*\/)?([^/]+)$/.exec(arn.resource)?.[1] : undefined;
  if (!arn || role === undefined) return gatewayPrincipal(call.scope.account);
  const session = 'BackplaneAssumeRoleSession';
  return {
    account: arn.account,
    accessKeyId: '',
    arn: `arn:aws:sts::${arn.account}:assumed-role/${role}/${session}`,
    userId: `${role}:${session}`,
    type: 'assumed-role',
  };
}

/** Query services answer JSON to who accepts it: the XML's elements as members, absent ones null. */
function queryAsJson(codec: Codec, model: ServiceModel, operation: OperationModel, output: Record<string, unknown>, requestId: string): WireResponse {
  const { name } = operation;
  const encoded = codec.encode(operation, output, { requestId, method: 'POST' });
  const result = JSON.parse(String(encoded.body) || '{}') as Record<string, unknown>;
  const members = Object.keys((operation.output && model.shapes[operation.output.shape]?.members) ?? {});
  const filled = members.length > 0 ? { [`${name}Result`]: Object.fromEntries(members.map((member) => [member, result[member] ?? null])) } : {};
  const body = JSON.stringify({ [`${name}Response`]: { ...filled, ResponseMetadata: { RequestId: requestId } } });
  return { status: 200, headers: { 'Content-Type': 'application/json', 'x-amzn-RequestId': requestId }, body };
}

function errorAsJson(error: AwsError, requestId: string): WireResponse {
  const body = JSON.stringify({
    Error: { Code: error.code, Message: error.message, Type: error.fault === 'client' ? 'Sender' : 'Receiver' },
    RequestId: requestId,
  });
  return { status: error.status, headers: { 'Content-Type': 'application/json', 'x-amzn-RequestId': requestId }, body };
}

async function bytesOf(body: WireResponse['body']): Promise<Buffer> {
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (Buffer.isBuffer(body)) return body;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > PAYLOAD_BYTES_MAX) throw integrationFailure(500);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
