import type { Readable } from 'node:stream';
import type { Blobs } from '../blobs/blobs.ts';
import type { Bus } from '../bus/bus.ts';
import type { Credential, Principal } from '../identity/principal.ts';
import type { Clock } from '../kit/clock.ts';
import type { AwsError } from '../kit/errors.ts';
import type { Ids } from '../kit/ids.ts';
import type { Log } from '../kit/log.ts';
import type { Trace } from '../kit/trace.ts';
import type { WireRequest, WireResponse } from '../protocol/wire.ts';
import type { Store } from '../store/store.ts';

/** What the platform gives to every room, once. */
export interface Platform {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** `host:port` under which this process is reached, for URLs in answers; e.g. `localhost:4566`. */
  readonly address: () => { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number };
  /** For requests that carry their signature in their body (S3's forms). Absent in tests of single rooms. */
  readonly credentials?: Credentials;
  /** A context for work that no request caused (a delivery, a stack operation). */
  readonly contextFor: (options: ContextOptions) => Ctx;
  /**
   * Calls `listener` after each commit of this process that may have brought something new to the stream `arn` of `service` (see
   * {@link Service.watch}); resolves with the unsubscriber. For those who read a stream without polling it. Absent in tests of single rooms.
   */
  readonly watch?: (service: string, arn: string, listener: () => void) => Promise<() => void>;
}

/** Who signs with which key, as the gateway knows it. */
export interface Credentials {
  /** With `--auth verify`; else nothing is verified, and callers are believed. */
  readonly verify: boolean;
  find(accessKeyId: string, sessionToken: string | undefined): Promise<Credential | undefined>;
  /** Whom an access key stands for, unverified. */
  presume(accessKeyId: string, sessionToken: string | undefined): Principal | Promise<Principal>;
}

export interface ContextOptions {
  readonly account: string;
  readonly region: string;
  readonly principal?: Principal;
  readonly trace?: Trace;
  /** Aborted when the work is of no use any more: long polls end early. */
  readonly signal?: AbortSignal;
  /** The room that works: `ctx.meter` counts for it. */
  readonly service?: string;
}

/** What one call carries. */
export interface Ctx {
  readonly platform: Platform;
  readonly account: string;
  readonly region: string;
  readonly requestId: string;
  readonly principal: Principal;
  readonly trace: Trace;
  /** Aborted when the client goes away or the server gives up waiting. */
  readonly signal: AbortSignal;
  /** HTTP facts that a few operations need (S3 virtual host, API Gateway's source ip); absent on internal calls. */
  readonly http?: { readonly host: string; readonly sourceIp: string; readonly userAgent: string; readonly headers: Readonly<Record<string, string>> };
  /**
   * Another room's operation, by the same authorize, validate and meter steps that a client's request takes.
   * Rejects with the AwsError a client would see.
   */
  call(service: string, operation: string, input: Record<string, unknown>, as?: { principal: Principal }): Promise<Record<string, unknown>>;
  /** Adds to a billable dimension of this call, e.g. `meter('ReadRequestUnits', 0.5)`. */
  meter(dimension: string, quantity: number): void;
}

/**
 * One operation. `input` has been decoded and validated against the model; the result is encoded by the model.
 * The type parameters are the SDK's own types, e.g. `Operation<PutItemInput, PutItemOutput>`.
 */
export type Operation<I = Record<string, unknown>, O = Record<string, unknown>> = (ctx: Ctx, input: I) => Promise<O>;

/** How an operation looks to IAM: the action's name where it is not `<prefix>:<Operation>`, and the resource's ARN. */
export interface Access {
  readonly action?: string;
  readonly resource?: (ctx: Ctx, input: Record<string, unknown>) => string | readonly string[];
}

/** An operation with what the platform must know beside its code. */
export interface OperationEntry {
  // biome-ignore lint/suspicious/noExplicitAny: the table holds operations of many types; the model guards the boundary
  readonly run: Operation<any, any>;
  readonly access?: Access;
  /** Parameters kept and described but without effect, for the coverage page. */
  readonly recorded?: readonly string[];
  /** Skips model validation: the operation checks its input in AWS's own order and wording. */
  readonly ownValidation?: boolean;
  /** The last word on the wire form of a success, where the model has none for it (S3: status 206, `GetBucketLocation`'s bare element). */
  readonly respond?: (ctx: Ctx, output: Record<string, unknown>, response: WireResponse) => WireResponse;
}

/** A room: one AWS service. */
export interface Service {
  /** The model's name in `models/generated`. */
  readonly name: string;
  /** Built operations; every other modelled operation answers 501. */
  readonly operations: Readonly<Record<string, OperationEntry>>;
  /** How this service words the failures that the platform finds (validation, unknown operation); absent: the protocol's default. */
  readonly wording?: ServiceWording;
  /** CloudFormation resource types of this room. */
  readonly resources?: readonly ResourceType[];
  /** Billable dimensions with their units, e.g. `{ ReadRequestUnits: 'units' }`. */
  readonly usage?: Readonly<Record<string, string>>;
  /** HTTP that is no AWS API call and that this room answers: an API's stage, a function's URL. */
  readonly endpoints?: Readonly<Partial<Record<EndpointKind, HttpEndpoint>>>;
  /** Key pairs that this room keeps (iam: users' keys; sts: sessions), for signature checks and to know the caller. */
  readonly credential?: (platform: Platform, accessKeyId: string, sessionToken: string | undefined) => Promise<Credential | undefined>;
  /** Whether a committed row of this room names the blob. For a room whose rows are too many to be looked through for ids (`server/blob-sweep.ts`). */
  readonly ownsBlob?: (platform: Platform, id: string) => Promise<boolean>;
  /** What a bucket says to a web page of another origin (s3): asked before the gateway's own guard. */
  readonly cors?: (platform: Platform, request: BucketCorsRequest) => Promise<BucketCorsVerdict>;
  /**
   * For rooms whose streams others read: calls `listener` after each commit that may have added a record to the stream `arn`, or closed a
   * shard. A stream that is not there never calls. Returns the unsubscriber.
   */
  readonly watch?: (platform: Platform, arn: string, listener: () => void) => Promise<() => void>;
  /** Runs once at start, after the store is open: registers bus targets, resumes what was under way. */
  start?(platform: Platform): Promise<void> | void;
  /** Runs at shutdown, after the sockets stopped accepting. */
  stop?(): Promise<void> | void;
}

/**
 * `lambda-code`: the download links of GetFunction (`/_aws/lambda-code/{blob}`). `cloudformation-response`: where custom resources and wait conditions are answered
 * (`/_aws/cloudformation-response/{id}`). `sqs-messages`: a queue's messages, without receiving them (`/_aws/sqs/messages`).
 * `s3-website`: a bucket served as a website (`{bucket}.s3-website.…`). `s3-form`: a browser's form posted to a bucket; its body streams.
 * `sns`: messages that are kept instead of sent, and the signing certificate (`/_aws/sns/…`).
 * `s3-website`: a bucket served as a website (`{bucket}.s3-website.…`). `s3-form`: a browser's form posted to a bucket; its body streams.
 * `registry`: container images (`/v2/…`); bodies stream.
 */
export type EndpointKind =
  | 'execute-api'
  | 'lambda-url'
  | 'lambda-code'
  | 'cloudformation-response'
  | 'sqs-messages'
  | 'sns'
  | 's3-website'
  | 's3-form'
  | 'registry';

/** A request to a user's own endpoint, told apart by host (`{id}.execute-api.…`) or path (`/restapis/{id}/{stage}/_user_request_/…`). */
export interface EndpointRequest extends WireRequest {
  /** The API's or function URL's id. */
  readonly id: string;
  /** Named by the path forms only; host forms carry the stage as the first segment of `path`. */
  readonly stage?: string;
  /** What is left of the path, percent-encoded, with its leading `/`. */
  readonly path: string;
  /** Header names and values as received, in order, repeats kept. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly httpVersion: string;
  readonly sourceIp: string;
}

/** A request that a browser marks as another origin's, or any `OPTIONS`. */
export interface BucketCorsRequest {
  readonly bucket: string;
  readonly hasKey: boolean;
  readonly method: string;
  readonly origin: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** `configured`: the bucket has rules of its own. `headers` allow the request; `refusal` is the answer to a preflight. */
export type BucketCorsVerdict = { readonly configured: boolean } & (
  | { readonly headers: Readonly<Record<string, string>>; readonly refusal?: undefined }
  | { readonly headers?: undefined; readonly refusal: AwsError }
);

export type HttpEndpoint = (ctx: Ctx, request: EndpointRequest) => Promise<WireResponse>;

export interface ServiceWording {
  /** The code of a constraint failure: `ValidationException` (default), `ValidationError`, `InvalidParameterValueException` … */
  readonly validationCode?: string;
  /** Rewrites the platform's message where this service's differs; undefined where it does not. */
  readonly validationMessage?: (failures: readonly string[]) => string | undefined;
  readonly unknownOperationCode?: string;
  /** The query protocol's message for an action that does not exist. */
  readonly unknownOperationMessage?: (action: string) => string;
}

/** What a CloudFormation resource type does; "AWS resource and property types reference". */
export interface ResourceType {
  /** e.g. `AWS::DynamoDB::Table`. */
  readonly type: string;
  /** Creates it and resolves with the physical id (`Ref`) and `GetAtt` attributes once it is stable. */
  create(ctx: Ctx, request: ResourceRequest): Promise<ResourceResult>;
  /** Applies a change that needs no replacement. */
  update(ctx: Ctx, request: ResourceRequest & { readonly physicalId: string; readonly previous: Properties }): Promise<ResourceResult>;
  /** Resolves once it is gone; a resource that is not there any more is a success. */
  delete(
    ctx: Ctx,
    request: { readonly physicalId: string; readonly properties: Properties; readonly stackId: string; readonly logicalId: string } & Waiting,
  ): Promise<void>;
  /** What a creation that was cut off has made so far, without waiting; undefined: nothing. Absent: `create` is asked again. */
  abandoned?(ctx: Ctx, request: ResourceRequest): Promise<ResourceResult | undefined>;
  /** Properties (dotted from the top) whose change replaces the resource. */
  readonly replaceOn: readonly string[];
  /** Top-level properties understood; any other fails the resource loudly. `*` stands for every name. */
  readonly properties: readonly string[];
  /** Properties kept but without effect: the stack's events say so. */
  readonly recorded?: readonly string[];
}

export type Properties = Readonly<Record<string, unknown>>;

/** For types that wait for somebody else's answer: a token, the same at each retry, and a signal aborted when the wait is of no use any more. */
export interface Waiting {
  readonly token?: string;
  readonly signal?: AbortSignal;
}

export interface ResourceRequest extends Waiting {
  readonly properties: Properties;
  readonly logicalId: string;
  readonly stackId: string;
  readonly stackName: string;
  /** A name as CloudFormation makes them (`stack-LogicalId-XXXXXXXXXXXX`), the same at each retry, cut to `maxLength` where asked. */
  readonly generatedName: (maxLength?: number) => string;
  /** The same at each retry of this resource operation. */
  readonly token: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface ResourceResult {
  readonly physicalId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A body that streams: in input as a Readable, in output as anything async-iterable. */
export type StreamingBody = Readable | AsyncIterable<Uint8Array>;
