import type { AwsError } from '../kit/errors.ts';
import type { OperationModel, ServiceModel } from '../models/model.ts';
import { bufferedBody } from './bodies.ts';
import type { Codec, EncodeContext } from './codec.ts';
import { shapeNamed } from './compiled.ts';
import { type WireError, wireError } from './errorShape.ts';
import { queryDecoder } from './query/decode.ts';
import { parseForm, queryTree } from './query/tree.ts';
import { inBody } from './rest/bindings.ts';
import { fillTokens, type TokenSource } from './tokens.ts';
import type { WireRequest, WireResponse } from './wire.ts';
import { element, namespaceAttributes, xmlMembersEncoder } from './xml/encode.ts';

/** Parameters that name the call itself. */
const CALL_PARAMETERS = new Set(['Action', 'Version']);

/** AWS query protocol ("AWS query protocol" in the Smithy documentation): form parameters in, XML out. */
export function awsQueryCodec(model: ServiceModel, newToken: TokenSource): Codec {
  return {
    name: 'awsQuery',
    model,
    decode: (operation, request) => decodeForm(model, operation, request, 'awsQuery', newToken),
    encode(operation, output, context) {
      const attributes = namespaceAttributes(operation.output?.xmlNamespace ?? model.metadata.xmlNamespace);
      let result = '';
      if (operation.output) {
        const wrapper = operation.output.resultWrapper ?? `${operation.name}Result`;
        result = `<${wrapper}>${xmlMembersEncoder(model, operation.output, 'query')(output)}</${wrapper}>`;
      }
      const root = `${operation.name}Response`;
      const body = `<${root}${attributes}>${result}<ResponseMetadata>${element('RequestId', context.requestId)}</ResponseMetadata></${root}>`;
      return xmlResponse(200, body, context);
    },
    encodeError(operation, error, context) {
      const wire = wireError(model, operation, error);
      const attributes = namespaceAttributes(model.metadata.xmlNamespace);
      const body = `<ErrorResponse${attributes}><Error>${errorElements(model, operation, error)}</Error>${element('RequestId', context.requestId)}</ErrorResponse>`;
      return xmlResponse(wire.status, body, context, error.headers);
    },
  };
}

/** EC2's variant of the query protocol: capitals in parameters, always flattened, errors in a list. */
export function ec2QueryCodec(model: ServiceModel, newToken: TokenSource): Codec {
  return {
    name: 'ec2Query',
    model,
    decode: (operation, request) => decodeForm(model, operation, request, 'ec2Query', newToken),
    encode(operation, output, context) {
      const attributes = namespaceAttributes(operation.output?.xmlNamespace ?? model.metadata.xmlNamespace);
      const members = operation.output ? xmlMembersEncoder(model, operation.output, 'ec2')(output) : '';
      const root = `${operation.name}Response`;
      return xmlResponse(200, `<${root}${attributes}>${members}${element('requestId', context.requestId)}</${root}>`, context);
    },
    encodeError(operation, error, context) {
      const wire = wireError(model, operation, error);
      const { members } = wire;
      const rest = wire.ref ? xmlMembersEncoder(model, wire.ref, 'ec2')(without(members, wire.messageMember)) : '';
      const message = error.message === '' ? '' : element('Message', error.message);
      const body = `<Response><Errors><Error>${element('Code', wire.queryCode)}${message}${rest}</Error></Errors>${element('RequestID', context.requestId)}</Response>`;
      return xmlResponse(wire.status, body, context, error.headers);
    },
  };
}

function decodeForm(
  model: ServiceModel,
  operation: OperationModel,
  request: WireRequest,
  flavour: 'awsQuery' | 'ec2Query',
  newToken: TokenSource,
): Record<string, unknown> {
  if (!operation.input) return {};
  const body = bufferedBody(operation, request);
  const parameters = [...parseForm(request.query), ...parseForm(body.toString('utf8'))].filter(([name]) => !CALL_PARAMETERS.has(name));
  const input = queryDecoder(model, operation.input, flavour)(queryTree(parameters)) as Record<string, unknown>;
  return fillTokens(shapeNamed(model, operation.input.shape), input, newToken);
}

/** Type, Code, Message and the modelled members of an error. */
export function errorElements(model: ServiceModel, operation: OperationModel | undefined, error: AwsError): string {
  const wire = wireError(model, operation, error);
  const rest = wire.ref ? xmlMembersEncoder(model, wire.ref, 'query', inBody)(without(wire.members, wire.messageMember)) : '';
  const message = error.message === '' ? '' : element('Message', error.message);
  return `${element('Type', wire.fault === 'client' ? 'Sender' : 'Receiver')}${element('Code', queryCode(wire))}${message}${rest}`;
}

/** The query protocols have their own name for a failed validation. */
function queryCode(wire: WireError): string {
  return wire.queryCode === 'ValidationException' && !wire.shape ? 'ValidationError' : wire.queryCode;
}

function without(members: Readonly<Record<string, unknown>>, name: string | undefined): Record<string, unknown> {
  const out = { ...members };
  if (name !== undefined) delete out[name];
  return out;
}

function xmlResponse(status: number, body: string, context: EncodeContext, headers: Readonly<Record<string, string>> = {}): WireResponse {
  return { status, headers: { 'x-amzn-RequestId': context.requestId, 'Content-Type': 'text/xml', ...headers }, body: Buffer.from(body, 'utf8') };
}
