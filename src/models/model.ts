/**
 * The form of `generated/<service>.json`: AWS's own service model without its prose. The vocabulary is that of the
 * `service-2` models (`shape`, `location`, `locationName`, `flattened` …), so that the protocol cases recorded by AWS
 * (`test` data) and the services run through the same tables.
 */
export interface ServiceModel {
  readonly metadata: ServiceMetadata;
  readonly operations: Readonly<Record<string, OperationModel>>;
  readonly shapes: Readonly<Record<string, ShapeModel>>;
}

export type ProtocolName = 'json' | 'rest-json' | 'rest-xml' | 'query' | 'ec2' | 'smithy-rpc-v2-cbor';

export interface ServiceMetadata {
  readonly apiVersion: string;
  readonly endpointPrefix: string;
  readonly protocol: ProtocolName;
  /** Every protocol the service speaks, best first. */
  readonly protocols?: readonly ProtocolName[];
  readonly jsonVersion?: '1.0' | '1.1';
  readonly targetPrefix?: string;
  readonly signingName?: string;
  readonly serviceId: string;
  readonly xmlNamespace?: string | { readonly uri: string; readonly prefix?: string };
  readonly awsQueryCompatible?: Readonly<Record<string, unknown>>;
  /** What prefixes a shape's name in `__type`, where it is not `com.amazonaws.<endpointPrefix>.v<apiVersion>` (overlay). */
  readonly namespace?: string;
  /** Whose words a value of the wrong JSON type is answered in; absent: Coral's present ones (overlay). */
  readonly jsonFaults?: 'dynamodb' | 'javaClasses';
  /** Validation messages name body members as `<operation>Input.<member>` (overlay). */
  readonly bodyPathPrefix?: boolean;
}

export interface OperationModel {
  readonly name: string;
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode?: number };
  readonly input?: ShapeRef;
  readonly output?: ShapeRef & { readonly resultWrapper?: string };
  readonly errors?: readonly ShapeRef[];
  readonly httpChecksum?: Readonly<Record<string, unknown>>;
  readonly httpChecksumRequired?: boolean;
  /** Encodings in which a client may send the body (`Content-Encoding`). */
  readonly requestcompression?: { readonly encodings: readonly string[] };
  readonly authtype?: string;
  readonly auth?: readonly string[];
  readonly unsignedPayload?: boolean;
}

export interface ShapeRef {
  readonly shape: string;
  readonly location?: 'uri' | 'querystring' | 'header' | 'headers' | 'statusCode';
  readonly locationName?: string;
  readonly queryName?: string;
  readonly flattened?: boolean;
  readonly xmlAttribute?: boolean;
  readonly xmlNamespace?: string | { readonly uri: string; readonly prefix?: string };
  readonly streaming?: boolean;
  readonly idempotencyToken?: boolean;
  readonly jsonvalue?: boolean;
  readonly timestampFormat?: 'iso8601' | 'unixTimestamp' | 'rfc822';
  readonly box?: boolean;
  readonly hostLabel?: boolean;
  readonly eventpayload?: boolean;
  readonly eventheader?: boolean;
}

export interface ShapeModel {
  readonly type:
    | 'structure'
    | 'list'
    | 'map'
    | 'string'
    | 'character'
    | 'integer'
    | 'long'
    | 'short'
    | 'byte'
    | 'float'
    | 'double'
    | 'bigdecimal'
    | 'biginteger'
    | 'boolean'
    | 'timestamp'
    | 'blob';
  readonly members?: Readonly<Record<string, ShapeRef>>;
  readonly required?: readonly string[];
  readonly member?: ShapeRef;
  readonly key?: ShapeRef;
  readonly value?: ShapeRef;
  readonly payload?: string;
  readonly flattened?: boolean;
  readonly locationName?: string;
  readonly xmlNamespace?: string | { readonly uri: string; readonly prefix?: string };
  readonly timestampFormat?: 'iso8601' | 'unixTimestamp' | 'rfc822';
  readonly min?: number;
  readonly max?: number;
  /** A list's or map's constraint texts end with "Member must not be null" (overlay). */
  readonly memberRequired?: boolean;
  /** Members that the model does not have and that messages print as null (overlay). */
  readonly hiddenMembers?: readonly string[];
  readonly pattern?: string;
  readonly enum?: readonly string[];
  /** The value is not repeated in messages. */
  readonly sensitive?: boolean;
  readonly union?: boolean;
  readonly document?: boolean;
  readonly streaming?: boolean;
  readonly eventstream?: boolean;
  readonly event?: boolean;
  readonly wrapper?: boolean;
  /** The XML document is the structure's only body member itself (overlay). */
  readonly unwrapped?: boolean;
  readonly exception?: boolean;
  readonly fault?: boolean;
  readonly error?: { readonly code?: string; readonly httpStatusCode?: number; readonly senderFault?: boolean };
}

/** One row of `generated/index.ts`: enough to route a request and to answer 501 without loading the model. */
export interface ServiceIndexEntry {
  /** The room's name, e.g. `dynamodb`; also the model file's name. */
  readonly service: string;
  readonly serviceId: string;
  readonly signingName: string;
  readonly endpointPrefix: string;
  readonly targetPrefix?: string;
  readonly protocols: readonly ProtocolName[];
  readonly apiVersion: string;
  readonly operations: readonly string[];
}
