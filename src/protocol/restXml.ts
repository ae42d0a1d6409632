import type { AwsError } from '../kit/errors.ts';
import type { OperationModel, ServiceModel, ShapeRef } from '../models/model.ts';
import { errorElements } from './awsQuery.ts';
import type { Codec, EncodeContext } from './codec.ts';
import { shapeOf } from './compiled.ts';
import { wireError } from './errorShape.ts';
import { encodeEventStream, eventStreamMember } from './eventStream.ts';
import { inBody, inOutputBody, payloadOf, writeBindings } from './rest/bindings.ts';
import { liftPresigned } from './rest/presigned.ts';
import { decodeRest, type RestBodies } from './rest/request.ts';
import { hasHeader, streamingBody } from './restJson.ts';
import { toBytes } from './scalars.ts';
import type { TokenSource } from './tokens.ts';
import type { WireResponse } from './wire.ts';
import { malformedXml, serializationError } from './wireErrors.ts';
import { xmlDecoder, xmlMembersDecoder } from './xml/decode.ts';
import { element, namespaceAttributes, withNamespace, XML_HEADER, xmlDocumentEncoder, xmlMemberEncoder, xmlRootEncoder } from './xml/encode.ts';
import { parseXml, type XmlElement, XmlSyntaxError } from './xml/parse.ts';

const XML_TYPE = 'application/xml';

/** AWS restXml ("AWS restXml protocol" in the Smithy documentation), with S3's departures from it. */
export function restXmlCodec(model: ServiceModel, newToken: TokenSource): Codec {
  const isS3 = model.metadata.serviceId === 'S3';
  const requestHeaders = (context: EncodeContext): Record<string, string> =>
    isS3 ? { Server: 'AmazonS3', 'x-amz-request-id': context.requestId, 'x-amz-id-2': hostId(context.requestId) } : { 'x-amzn-RequestId': context.requestId };
  return {
    name: 'restXml',
    model,
    decode: (operation, request) => decodeRest(model, operation, isS3 ? liftPresigned(request) : request, newToken, XML_BODIES),
    encode: (operation, output, context) => encode(model, operation, output, context, requestHeaders(context)),
    encodeError(operation, error, context) {
      const wire = wireError(model, operation, error);
      const bound = wire.ref ? writeBindings(model, wire.ref, wire.members).headers : {};
      const headers = { ...requestHeaders(context), 'Content-Type': XML_TYPE, ...bound, ...error.headers };
      // An answer to HEAD has no body, and then no type of it either.
      if (context.method === 'HEAD' || wire.status === 304) {
        const { 'Content-Type': _type, ...rest } = headers;
        return { status: wire.status, headers: rest, body: Buffer.alloc(0) };
      }
      const body = isS3 ? s3Error(wire.queryCode, error, context) : genericError(model, operation, error, context);
      return { status: wire.status, headers, body: Buffer.from(XML_HEADER + body, 'utf8') };
    },
  };
}

/** S3's XML for an error of its endpoints that are no modelled operation. */
export function s3ErrorAnswer(error: AwsError, context: EncodeContext): WireResponse {
  const headers = { Server: 'AmazonS3', 'x-amz-request-id': context.requestId, 'x-amz-id-2': hostId(context.requestId), 'Content-Type': XML_TYPE };
  return { status: error.status, headers: { ...headers, ...error.headers }, body: XML_HEADER + s3Error(error.code, error, context) };
}

/** S3's second request id, by which AWS finds the host; here derived from the first. */
export function hostId(requestId: string): string {
  return Buffer.from(`croft:${requestId}`, 'utf8').toString('base64');
}

/** S3 answers with a bare `<Error>`; members such as `Key` and `BucketName` follow the message, modelled or not. */
function s3Error(code: string, error: AwsError, context: EncodeContext): string {
  let members = '';
  for (const [name, value] of Object.entries(error.members)) {
    if (value !== undefined && value !== null && typeof value !== 'object' && /^[A-Za-z][A-Za-z0-9-]*$/.test(name)) members += element(name, String(value));
  }
  return `<Error>${element('Code', code)}${element('Message', error.message)}${members}${element('RequestId', context.requestId)}${element('HostId', hostId(context.requestId))}</Error>`;
}

function genericError(model: ServiceModel, operation: OperationModel | undefined, error: AwsError, context: EncodeContext): string {
  return `<ErrorResponse${namespaceAttributes(model.metadata.xmlNamespace)}><Error>${errorElements(model, operation, error)}</Error>${element('RequestId', context.requestId)}</ErrorResponse>`;
}

/** How XML bodies are read; the rest of a request is the same for both REST protocols. */
const XML_BODIES: RestBodies = {
  payload: decodePayload,
  members: (model, input, body) => xmlMembersDecoder(model, input, inBody)(parseBody(model, body)),
};

function decodePayload(model: ServiceModel, ref: ShapeRef, body: Buffer): unknown {
  const shape = shapeOf(model, ref);
  if (body.length === 0) return undefined;
  if (shape.type === 'blob') return body;
  if (shape.type === 'string') return body.toString('utf8');
  const root = parseBody(model, body);
  if (model.metadata.serviceId === 'S3' && ref.locationName !== undefined && root.name !== ref.locationName) throw malformedXml();
  return xmlDecoder(model, ref)(root);
}

function parseBody(model: ServiceModel, body: Buffer): XmlElement {
  try {
    return parseXml(body.toString('utf8'));
  } catch (error) {
    if (!(error instanceof XmlSyntaxError)) throw error;
    throw model.metadata.serviceId === 'S3' ? malformedXml() : serializationError('');
  }
}

function encode(
  model: ServiceModel,
  operation: OperationModel,
  output: Record<string, unknown>,
  context: EncodeContext,
  requestHeaders: Record<string, string>,
): WireResponse {
  const status = operation.http.responseCode ?? 200;
  const { output: ref } = operation;
  if (!ref) return { status, headers: requestHeaders, body: Buffer.alloc(0) };
  const bound = writeBindings(model, ref, output);
  const base = { status: bound.status ?? status, headers: { ...requestHeaders, ...bound.headers } };
  if (eventStreamMember(model, ref)) {
    const response = encodeEventStream(model, operation, output, context, 'xml');
    return { ...response, status: base.status, headers: { ...response.headers, ...base.headers } };
  }
  const payload = payloadOf(model, ref);
  if (payload) return encodePayload(model, payload, output[payload.name], base);
  const shape = shapeOf(model, ref);
  if (!Object.values(shape.members ?? {}).some(inOutputBody)) return { ...base, body: Buffer.alloc(0) };
  const body = shape.unwrapped ? unwrappedBody(model, ref, output) : wrappedBody(model, operation, ref, output);
  return { status: base.status, headers: withType(base.headers, XML_TYPE), body: Buffer.from(XML_HEADER + body, 'utf8') };
}

function wrappedBody(model: ServiceModel, operation: OperationModel, ref: ShapeRef, output: Record<string, unknown>): string {
  const shape = shapeOf(model, ref);
  const root = ref.locationName ?? shape.locationName ?? `${operation.name}Response`;
  const attributes = namespaceAttributes(ref.xmlNamespace ?? shape.xmlNamespace ?? model.metadata.xmlNamespace);
  return xmlRootEncoder(model, ref, root, attributes, inOutputBody)(output);
}

/** GetBucketLocation's only member is the document itself. */
function unwrappedBody(model: ServiceModel, ref: ShapeRef, output: Record<string, unknown>): string {
  const [name, member] = Object.entries(shapeOf(model, ref).members ?? {}).find(([, candidate]) => inOutputBody(candidate)) as [string, ShapeRef];
  const label = member.locationName ?? name;
  const attributes = namespaceAttributes(model.metadata.xmlNamespace);
  const value = output[name];
  const xml = value === undefined || value === null ? `<${label}/>` : xmlMemberEncoder(model, name, member, 'restXml')(value);
  return withNamespace(xml, label, attributes);
}

function encodePayload(
  model: ServiceModel,
  payload: NonNullable<ReturnType<typeof payloadOf>>,
  value: unknown,
  base: { status: number; headers: Record<string, string> },
): WireResponse {
  const { ref, shape } = payload;
  if (value === undefined || value === null) return { ...base, body: Buffer.alloc(0) };
  if (shape.type === 'blob') {
    const body = ref.streaming || shape.streaming ? streamingBody(value) : toBytes(value);
    return { status: base.status, headers: withType(base.headers, 'application/octet-stream'), body };
  }
  if (shape.type === 'string') return { status: base.status, headers: withType(base.headers, 'text/plain'), body: Buffer.from(String(value), 'utf8') };
  // A payload's own name may just repeat the member's: then the shape names the document.
  const root = (ref.locationName === payload.name ? undefined : ref.locationName) ?? shape.locationName ?? ref.shape;
  const xml = xmlDocumentEncoder(model, ref, root)(value);
  return { status: base.status, headers: withType(base.headers, XML_TYPE), body: Buffer.from(XML_HEADER + xml, 'utf8') };
}

function withType(headers: Record<string, string>, type: string): Record<string, string> {
  return hasHeader(headers, 'content-type') ? headers : { 'Content-Type': type, ...headers };
}
