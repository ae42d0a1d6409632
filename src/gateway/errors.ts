import { AwsError, notImplemented } from '../kit/errors.ts';
import type { CodecName } from '../protocol/codec.ts';
import type { WireResponse } from '../protocol/wire.ts';

/** A bug in Croft, as AWS words its own: the caller learns nothing of its inside. */
export function internalFailure(cause: unknown): AwsError {
  return new AwsError('InternalFailure', 'We encountered an internal error. Please try again.', { status: 500, cause });
}

/** A service that is modelled but that no room implements; or one of its operations. */
export function notBuilt(service: string, operation: string | undefined): AwsError {
  return notImplemented(operation ? `${service}:${operation}` : service);
}

/** The throttling error of each protocol and service: S3 says `SlowDown` with 503, query services `Throttling`. */
export function throttlingOf(service: string | undefined, codec: CodecName | undefined): AwsError {
  if (service === 's3') return new AwsError('SlowDown', 'Please reduce your request rate.', { status: 503, headers: { 'Retry-After': '1' } });
  if (service === 'lambda') return new AwsError('TooManyRequestsException', 'Rate exceeded', { status: 429, headers: { 'Retry-After': '1' } });
  if (codec === 'awsQuery' || codec === 'ec2Query') return new AwsError('Throttling', 'Rate exceeded', { status: 400 });
  return new AwsError('ThrottlingException', 'Rate exceeded', { status: 400 });
}

/** The protocol's error form where no service, and so no model, is known. */
export function bareError(codec: CodecName, error: AwsError, requestId: string, method: string): WireResponse {
  const headers: Record<string, string> = { ...error.headers, 'x-amzn-requestid': requestId };
  const message = escapeXml(error.message);
  switch (codec) {
    case 'awsQuery':
    case 'ec2Query': {
      const type = error.fault === 'client' ? 'Sender' : 'Receiver';
      headers['Content-Type'] = 'text/xml';
      const body = `<ErrorResponse><Error><Type>${type}</Type><Code>${error.code}</Code><Message>${message}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
      return { status: error.status, headers, body };
    }
    case 'restXml': {
      headers['Content-Type'] = 'application/xml';
      const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${error.code}</Code><Message>${message}</Message><RequestId>${requestId}</RequestId></Error>`;
      return { status: error.status, headers, body: method === 'HEAD' ? '' : body };
    }
    case 'rpcv2Cbor':
      headers['Content-Type'] = 'application/cbor';
      headers['Smithy-Protocol'] = 'rpc-v2-cbor';
      return { status: error.status, headers, body: cborMap({ __type: error.code, message: error.message }) };
    default:
      headers['Content-Type'] =
        codec === 'awsJson1_1' ? 'application/x-amz-json-1.1' : codec === 'restJson' ? 'application/json' : 'application/x-amz-json-1.0';
      headers['x-amzn-errortype'] = error.code;
      return { status: error.status, headers, body: JSON.stringify({ __type: error.code, message: error.message }) };
  }
}

/** RFC 8949: a map of short texts. */
function cborMap(entries: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [Buffer.of(0xa0 | Object.keys(entries).length)];
  for (const text of Object.entries(entries).flat()) {
    const bytes = Buffer.from(text, 'utf8');
    parts.push(bytes.length < 24 ? Buffer.of(0x60 | bytes.length) : Buffer.of(0x79, bytes.length >> 8, bytes.length & 0xff), bytes.subarray(0, 0xffff));
  }
  return Buffer.concat(parts);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
