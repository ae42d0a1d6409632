import { isUtf8 } from 'node:buffer';
import { internalError } from './gateway-error.ts';
import { headerValues, type Invocation } from './invocation.ts';
import { fromBase64, matchesMediaType } from './lambda-proxy.ts';

/** "Content type conversions in API Gateway": what is binary is told by media types alone, and converted as the integration says. */

type Handling = 'CONVERT_TO_BINARY' | 'CONVERT_TO_TEXT' | undefined;

const binaryTypes = (call: Invocation) => call.deployment.snapshot.api.binaryMediaTypes;

/** The request's body as the integration gets it. */
export function requestContent(call: Invocation): Buffer {
  const handling = call.method.methodIntegration?.contentHandling as Handling;
  const isBinary = matchesMediaType(headerValues(call.headers, 'content-type').at(-1), binaryTypes(call));
  if (isBinary) return handling === 'CONVERT_TO_TEXT' ? encoded(call.body) : call.body;
  return handling === 'CONVERT_TO_BINARY' ? decoded(call.body) : asText(call.body);
}

/** The integration's body as the caller gets it; who accepts binary is given binary where nothing is said. */
export function responseContent(call: Invocation, handling: Handling, body: Buffer, contentType: string | undefined): Buffer {
  const wanted = handling ?? (matchesMediaType(headerValues(call.headers, 'accept').at(-1), binaryTypes(call)) ? 'CONVERT_TO_BINARY' : 'CONVERT_TO_TEXT');
  if (matchesMediaType(contentType, binaryTypes(call))) return wanted === 'CONVERT_TO_TEXT' ? encoded(body) : body;
  return wanted === 'CONVERT_TO_TEXT' ? asText(body) : decoded(body);
}

/** What a template reads; binary that was not converted to text has no template. */
export function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw internalError(500);
  return body.toString('utf8');
}

const encoded = (body: Buffer): Buffer => Buffer.from(body.toString('base64'), 'latin1');

const decoded = (body: Buffer): Buffer => fromBase64(body.toString('latin1'));

/** What is no UTF-8 becomes replacement characters. */
const asText = (body: Buffer): Buffer => (isUtf8(body) ? body : Buffer.from(body.toString('utf8'), 'utf8'));
