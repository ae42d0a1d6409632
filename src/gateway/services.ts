import type { OperationModel, ServiceIndexEntry, ServiceModel } from '../models/model.ts';
import type { Codec, CodecName } from '../protocol/codec.ts';
import type { OperationEntry, Service } from '../services/service.ts';
import type { Counter, Histogram, Telemetry } from '../telemetry/index.ts';
import { LATENCY_BUCKETS_SECONDS } from '../telemetry/limits.ts';

/** What the gateway needs of `models/` and `protocol/`; tests may give others. */
export interface Wire {
  readonly serviceIndex: readonly ServiceIndexEntry[];
  readonly loadModel: (service: string) => Promise<ServiceModel>;
  readonly createCodec: (model: ServiceModel, name: CodecName, newToken: () => string) => Codec;
  readonly createRestRouter: (model: ServiceModel) => RestRouter;
  readonly isStreamingInput: (model: ServiceModel, operation: OperationModel) => boolean;
  readonly validate: (model: ServiceModel, operation: OperationModel, input: Record<string, unknown>) => readonly string[];
  readonly validationMessage: (failures: readonly string[]) => string;
}

/** The operation's model, or undefined where method and path name none. */
export type RestRouter = (request: { method: string; path: string; query: string; headers: Readonly<Record<string, string>> }) => OperationModel | undefined;

/** One modelled operation, with what a request needs of it found beforehand. */
export interface BoundOperation {
  readonly service: LoadedService;
  readonly model: OperationModel;
  /** Absent: modelled but not built, which answers 501. */
  readonly entry: OperationEntry | undefined;
  readonly streams: boolean;
  /** It may wait for long for something else than this process. */
  readonly waits: boolean;
  /** IAM action, e.g. `dynamodb:GetItem`. */
  readonly action: string;
  readonly latency: Histogram;
  /** The counter of this operation's answers with `status`. */
  answered(status: number): Counter;
}

/** One service whose model has been read. */
export interface LoadedService {
  readonly index: ServiceIndexEntry;
  readonly room: Service | undefined;
  readonly model: ServiceModel;
  codec(name: CodecName): Codec;
  operation(name: string): BoundOperation | undefined;
  readonly rest: RestRouter;
}

/** Every modelled service; models are read when a request first needs them. */
export interface Services {
  readonly all: readonly ServiceIndexEntry[];
  entry(service: string): ServiceIndexEntry | undefined;
  /** Loaded already, without waiting. */
  loaded(service: string): LoadedService | undefined;
  load(service: string): Promise<LoadedService>;
}

/** `newToken` makes the idempotency tokens that callers leave out. */
export function createServices(wire: Wire, rooms: readonly Service[], telemetry: Telemetry, newToken: () => string): Services {
  const entries = new Map(wire.serviceIndex.map((entry) => [entry.service, entry]));
  const roomOf = new Map<string, Service>();
  for (const room of rooms) {
    if (!entries.has(room.name)) throw new Error(`room ${room.name} has no model`);
    if (roomOf.has(room.name)) throw new Error(`two rooms are named ${room.name}`);
    roomOf.set(room.name, room);
  }
  const ready = new Map<string, LoadedService>();
  const loading = new Map<string, Promise<LoadedService>>();
  return {
    all: wire.serviceIndex,
    entry: (service) => entries.get(service),
    loaded: (service) => ready.get(service),
    load(service) {
      const known = loading.get(service);
      if (known) return known;
      const index = entries.get(service);
      if (!index) return Promise.reject(new Error(`no service ${service}`));
      const promise = wire.loadModel(service).then((model) => {
        const bound = bind(wire, index, roomOf.get(service), model, { telemetry, newToken });
        ready.set(service, bound);
        return bound;
      });
      loading.set(service, promise);
      promise.catch(() => loading.delete(service));
      return promise;
    },
  };
}

interface Around {
  readonly telemetry: Telemetry;
  readonly newToken: () => string;
}

function bind(wire: Wire, index: ServiceIndexEntry, room: Service | undefined, model: ServiceModel, { telemetry, newToken }: Around): LoadedService {
  const codecs = new Map<CodecName, Codec>();
  const operations = new Map<string, BoundOperation>();
  let router: RestRouter | undefined;
  const unknown = Object.keys(room?.operations ?? {}).filter((name) => !Object.hasOwn(model.operations, name));
  if (unknown.length > 0) throw new Error(`room ${index.service} has operations that are not modelled: ${unknown.join(', ')}`);
  const service: LoadedService = {
    index,
    room,
    model,
    codec(name) {
      let codec = codecs.get(name);
      if (!codec) {
        codec = wire.createCodec(model, name, newToken);
        codecs.set(name, codec);
      }
      return codec;
    },
    operation(name) {
      const known = operations.get(name);
      if (known) return known;
      if (!Object.hasOwn(model.operations, name)) return undefined;
      const operation = model.operations[name];
      if (!operation) return undefined;
      const made = bindOperation(wire, service, operation, telemetry);
      operations.set(name, made);
      return made;
    },
    get rest() {
      router ??= wire.createRestRouter(model);
      return router;
    },
  };
  return service;
}

function bindOperation(wire: Wire, service: LoadedService, model: OperationModel, telemetry: Telemetry): BoundOperation {
  const labels = { service: service.index.service, operation: model.name };
  const entry = service.room && Object.hasOwn(service.room.operations, model.name) ? service.room.operations[model.name] : undefined;
  const answers: (Counter | undefined)[] = [];
  return {
    service,
    model,
    entry,
    streams: wire.isStreamingInput(service.model, model),
    waits: WAITING_OPERATIONS.has(`${service.index.service}:${model.name}`),
    action: actionOf(service.index, entry?.access?.action ?? model.name),
    latency: telemetry.metrics.histogram(
      'croft_request_duration_seconds',
      'From the head of a request to the end of its answer.',
      LATENCY_BUCKETS_SECONDS,
      labels,
    ),
    answered(status) {
      let counter = answers[status];
      if (!counter) {
        counter = telemetry.metrics.counter('croft_requests', 'Requests answered.', { ...labels, status: String(status) });
        answers[status] = counter;
      }
      return counter;
    },
  };
}

/** Function runs and long polls. */
const WAITING_OPERATIONS: ReadonlySet<string> = new Set([
  'lambda:Invoke',
  'lambda:InvokeWithResponseStream',
  'sqs:ReceiveMessage',
  'stepfunctions:StartSyncExecution',
  'stepfunctions:GetActivityTask',
]);

/** Where IAM's prefix is not the signing name ("Actions, resources, and condition keys for AWS services"). */
const ACTION_PREFIX: Readonly<Record<string, string>> = { monitoring: 'cloudwatch', tagging: 'tag' };

function actionOf(index: ServiceIndexEntry, name: string): string {
  return name.includes(':') ? name : `${ACTION_PREFIX[index.signingName] ?? index.signingName}:${name}`;
}
