import { isObject, isText, type Json, type JsonObject, scalarText } from './json.ts';

/** "Custom resource response objects" in the CloudFormation User Guide: the whole response. */
const RESPONSE_BYTES_MAX = 4_096;
const PHYSICAL_ID_MAX = 1_024;

/** What a custom resource answered. */
export interface CustomResponse {
  readonly status: 'SUCCESS' | 'FAILED';
  readonly reason: string;
  readonly physicalId: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
  readonly noEcho: boolean;
}

/** Reads a response; one that breaks the rules is a failure with AWS's reason. */
export function readResponse(text: string, expected: { readonly stackId: string; readonly logicalId: string; readonly requestId: string }): CustomResponse {
  const failed = (reason: string): CustomResponse => ({ status: 'FAILED', reason, physicalId: undefined, data: {}, noEcho: false });
  if (Buffer.byteLength(text) > RESPONSE_BYTES_MAX) return failed('Response object is too long.');
  let response: unknown;
  try {
    response = JSON.parse(text);
  } catch {
    return failed('Response is not valid JSON');
  }
  if (!isObject(response)) return failed('Response is not a valid JSON object');
  const { Status: status, StackId, RequestId, LogicalResourceId, PhysicalResourceId: physicalId, Data: data } = response;
  if (status !== 'SUCCESS' && status !== 'FAILED') return failed('Invalid response object: Value of property Status must be SUCCESS or FAILED');
  if (StackId !== expected.stackId || RequestId !== expected.requestId || LogicalResourceId !== expected.logicalId) {
    return failed('Invalid response object: StackId, RequestId and LogicalResourceId must be those of the request');
  }
  if (physicalId !== undefined && (!isText(physicalId) || physicalId === '' || Buffer.byteLength(physicalId) > PHYSICAL_ID_MAX))
    return failed('Invalid PhysicalResourceId');
  if (data !== undefined && data !== null && !isObject(data)) return failed('Invalid response object: Value of property Data must be an object');
  return {
    status,
    reason: scalarText(response['Reason']) ?? '',
    physicalId: isText(physicalId) ? physicalId : undefined,
    data: isObject(data) ? data : {},
    noEcho: scalarText(response['NoEcho']) === 'true',
  };
}

/** Properties as functions are sent them: every scalar is a text. */
export function asTexts(value: Json): Json {
  if (Array.isArray(value)) return value.map(asTexts);
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asTexts(member)]));
  return scalarText(value) ?? '';
}

/** One signal put to a wait condition's handle. */
interface Signal {
  readonly status: string;
  readonly uniqueId: string;
  readonly data: string;
  readonly reason: string;
}

/** The signals of a handle by unique id, the last of each; what is no signal counts as a failure. "Create wait conditions" in the CloudFormation User Guide. */
export function signalsOf(bodies: readonly string[]): Map<string, Signal> {
  const signals = new Map<string, Signal>();
  for (const body of bodies) {
    let signal: JsonObject = {};
    try {
      const parsed: unknown = JSON.parse(body);
      if (isObject(parsed)) signal = parsed;
    } catch {
      // Not JSON: no status, so it is a failure below.
    }
    const text = (name: string) => scalarText(signal[name]) ?? '';
    const uniqueId = text('UniqueId');
    signals.set(uniqueId, { status: text('Status'), uniqueId, data: text('Data'), reason: text('Reason') });
  }
  return signals;
}

/** Replaces what must not be shown. */
export function masked(value: Json, secrets: readonly string[]): Json {
  if (Array.isArray(value)) return value.map((item) => masked(item, secrets));
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, masked(member, secrets)]));
  const text = scalarText(value);
  if (text === undefined || !secrets.some((secret) => text.includes(secret))) return value;
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, '****'), text);
}
