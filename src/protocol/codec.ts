import type { AwsError } from '../kit/errors.ts';
import type { OperationModel, ServiceModel } from '../models/model.ts';
import type { WireRequest, WireResponse } from './wire.ts';

/** The wire protocols that a server speaks. One service may speak several; the codec is chosen per request. */
export type CodecName = 'awsJson1_0' | 'awsJson1_1' | 'restJson' | 'restXml' | 'awsQuery' | 'ec2Query' | 'rpcv2Cbor';

/** What a codec needs to know beside the request. */
export interface EncodeContext {
  readonly requestId: string;
  readonly method: string;
  /** The caller sent `x-amzn-query-mode: true`: services that once spoke the query protocol then answer with its HTTP statuses. */
  readonly queryMode?: boolean;
}

/**
 * One wire protocol over one service model. Knows no service. Decoded values are those of the AWS SDK for JavaScript: `Date` for
 * timestamps, `Uint8Array` for blobs, numbers (NaN and infinities where the protocol has them), and a `Readable` for a streaming body.
 */
export interface Codec {
  readonly name: CodecName;
  readonly model: ServiceModel;
  /** Throws {@link AwsError} (`SerializationException`, `MalformedXML` …) on a body that is not of the operation's form. Does not check constraints. */
  decode(operation: OperationModel, request: WireRequest): Record<string, unknown>;
  encode(operation: OperationModel, output: Record<string, unknown>, context: EncodeContext): WireResponse;
  /** `operation` is absent where the request named none. */
  encodeError(operation: OperationModel | undefined, error: AwsError, context: EncodeContext): WireResponse;
}
