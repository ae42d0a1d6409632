import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Ids } from '../kit/ids.ts';
import { EXTENSIONS_MAX, PLATFORM_REQUEST_BYTES_MAX } from './limits.ts';
import type { Telemetry } from './telemetry.ts';
import type { TelemetryApi } from './telemetry-subscription.ts';

export type ExtensionEvent = 'INVOKE' | 'SHUTDOWN';

/** What extensions are told of the function when they register. */
export interface FunctionIdentity {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly handler: string;
  readonly accountId: string;
}

export interface ExtensionsParts {
  readonly identity: FunctionIdentity;
  readonly ids: Ids;
  readonly telemetry: Telemetry;
  /** An extension registered, asked for its next event, or subscribed. */
  readonly onProgress: () => void;
  readonly onSubscribed: (name: string, api: TelemetryApi, types: readonly string[]) => void;
}

type State = 'Started' | 'Registered' | 'Ready' | 'Running' | 'InitError' | 'ExitError' | 'LaunchError';

interface Extension {
  readonly name: string;
  readonly id: string;
  /** External: a process of its own, started by the platform. Internal: a part of the runtime's process. */
  readonly external: boolean;
  events: readonly ExtensionEvent[];
  state: State;
  errorType?: string;
  waiting?: ServerResponse | undefined;
}

/** An extension as the log shows it. */
export interface ExtensionStatus {
  readonly name: string;
  readonly state: string;
  readonly events: readonly string[];
  readonly errorType?: string;
}

const EXTENSION_API = '/2020-01-01/extension/';
const SUBSCRIPTION_PATHS: Readonly<Record<string, TelemetryApi>> = { '/2022-07-01/telemetry': 'telemetry', '/2020-08-15/logs': 'logs' };
const NOT_ALLOWED = 'State transition is not allowed';

/** The Extensions API, and the way to the Telemetry and Logs APIs, of one environment. "Using the Lambda Extensions API to create extensions". */
export class Extensions {
  #parts: ExtensionsParts;
  #all: Extension[] = [];
  #open = false;
  /** Which failure an extension reported first. */
  #fault: 'Extension.InitError' | 'Extension.ExitError' | undefined;

  constructor(parts: ExtensionsParts) {
    this.#parts = parts;
  }

  /** A new init phase with these external extensions. */
  begin(names: readonly string[]): void {
    for (const extension of this.#all) extension.waiting?.destroy();
    this.#all = names.map((name) => this.#make(name, true));
    this.#open = true;
    this.#fault = undefined;
  }

  /** From now on no internal extension can register. */
  closeRegistration(): void {
    this.#open = false;
  }

  get count(): number {
    return this.#all.length;
  }

  get hasExternal(): boolean {
    return this.#all.some(({ external }) => external);
  }

  /** Whether every external extension has registered. */
  get allRegistered(): boolean {
    return this.#all.every(({ external, state }) => !external || state !== 'Started');
  }

  /** Whether every extension waits for its next event. */
  get allReady(): boolean {
    return this.#all.every(({ state }) => state === 'Ready');
  }

  hasSubscribers(event: ExtensionEvent): boolean {
    return this.#all.some(({ events }) => events.includes(event));
  }

  subscribes(name: string, event: ExtensionEvent): boolean {
    return this.#all.some((one) => one.external && one.name === name && one.events.includes(event));
  }

  statuses(): readonly ExtensionStatus[] {
    return this.#all.map(({ name, state, events, errorType }) => ({ name, state, events: [...events].sort(), ...(errorType ? { errorType } : {}) }));
  }

  launchFailed(name: string, errorType: string): void {
    for (const extension of this.#all) if (extension.name === name) Object.assign(extension, { state: 'LaunchError', errorType });
  }

  /** What the end of an extension's process is called. */
  get faultType(): string {
    return this.#fault ?? 'Extension.Crash';
  }

  /** Gives an event to every extension that subscribed to it (SHUTDOWN: external ones only). */
  dispatch(event: ExtensionEvent, body: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify({ eventType: event, ...body });
    for (const extension of this.#all) {
      if (!extension.events.includes(event) || (event === 'SHUTDOWN' && !extension.external) || extension.state !== 'Ready') continue;
      extension.state = 'Running';
      const response = extension.waiting;
      extension.waiting = undefined;
      response?.setHeader('Lambda-Extension-Event-Identifier', this.#parts.ids.uuid());
      if (response) answer(response, 200, text);
    }
  }

  /** Answers a request of these APIs; false where it is none of theirs. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const [path = ''] = (request.url ?? '').split('?', 1);
    const api = SUBSCRIPTION_PATHS[path.replace(/\/$/, '')];
    const route = `${request.method} ${path}`;
    if (api && request.method === 'PUT') {
      const extension = this.#identified(request, response);
      if (extension) collect(request, response, (body) => this.#subscribe(extension, api, body, response));
    } else if (route === `POST ${EXTENSION_API}register`) {
      collect(request, response, (body) => this.#register(request, response, body));
    } else if (route === `GET ${EXTENSION_API}event/next`) {
      request.resume();
      const extension = this.#identified(request, response);
      if (extension) this.#next(extension, response);
    } else if (route === `POST ${EXTENSION_API}init/error` || route === `POST ${EXTENSION_API}exit/error`) {
      request.resume();
      const extension = this.#identified(request, response);
      if (extension) this.#failed(extension, path.endsWith('/init/error') ? 'InitError' : 'ExitError', request, response);
    } else return false;
    return true;
  }

  #make(name: string, external: boolean): Extension {
    return { name, id: this.#parts.ids.uuid(), external, events: [], state: 'Started' };
  }

  #identified(request: IncomingMessage, response: ServerResponse): Extension | undefined {
    const id = request.headers['lambda-extension-identifier'];
    if (typeof id !== 'string' || id === '') {
      request.resume();
      forbid(response, 'Extension.MissingExtensionIdentifier', 'Missing Lambda-Extension-Identifier header');
      return undefined;
    }
    const extension = this.#all.find((one) => one.id === id.toLowerCase() && one.state !== 'Started');
    if (extension) return extension;
    request.resume();
    if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
      forbid(response, 'Extension.UnknownExtensionIdentifier', `Unknown extension ${id.toLowerCase()}`);
    else forbid(response, 'Extension.InvalidExtensionIdentifier', 'Invalid Lambda-Extension-Identifier');
    return undefined;
  }

  #register(request: IncomingMessage, response: ServerResponse, body: string): void {
    const name = request.headers['lambda-extension-name'];
    if (typeof name !== 'string' || name === '') {
      forbid(response, 'Extension.InvalidExtensionName', 'Empty extension name');
      return;
    }
    const events = readEvents(body);
    if (typeof events === 'string') {
      forbid(response, 'InvalidRequestFormat', events);
      return;
    }
    const external = this.#all.find((one) => one.name === name && one.external);
    const wrong = events.find((event) => event !== 'INVOKE' && !(external && event === 'SHUTDOWN'));
    if (wrong !== undefined) {
      forbid(
        response,
        'Extension.InvalidEventType',
        `${wrong}: ${wrong === 'SHUTDOWN' ? 'ShutdownEventNotSupportedForInternalExtension' : 'ErrorInvalidEventType'}`,
      );
      return;
    }
    const extension = external ?? this.#registerInternal(name, response);
    if (!extension) return;
    if (extension.state !== 'Started') {
      forbid(
        response,
        'Extension.InvalidExtensionState',
        `State transition from ${extension.state} to Registered failed for extension ${name}. Error: ${NOT_ALLOWED}`,
      );
      return;
    }
    extension.events = events as ExtensionEvent[];
    extension.state = 'Registered';
    const { accountId, ...identity } = this.#parts.identity;
    const features = String(request.headers['lambda-extension-accept-feature'] ?? '').split(',');
    response.setHeader('Lambda-Extension-Identifier', extension.id);
    answer(response, 200, JSON.stringify({ ...(features.some((one) => one.trim() === 'accountId') ? { accountId } : {}), ...identity }));
    this.#parts.onProgress();
  }

  #registerInternal(name: string, response: ServerResponse): Extension | undefined {
    if (!this.#open) forbid(response, 'Extension.RegistrationClosed', 'Extension registration closed already');
    else if (this.#all.length >= EXTENSIONS_MAX) forbid(response, 'Extension.TooManyExtensions', `Extension limit (${EXTENSIONS_MAX}) reached`);
    else if (this.#all.some((one) => one.name === name)) forbid(response, 'Extension.InvalidExtensionState', 'Extension with this name already registered');
    else {
      const extension = this.#make(name, false);
      this.#all.push(extension);
      return extension;
    }
    return undefined;
  }

  #next(extension: Extension, response: ServerResponse): void {
    if (extension.state !== 'Registered' && extension.state !== 'Running') {
      refuseTransition(response, extension, 'Ready');
      return;
    }
    extension.state = 'Ready';
    extension.waiting = response;
    response.on('close', () => {
      if (extension.waiting === response) extension.waiting = undefined;
    });
    this.#parts.onProgress();
  }

  #failed(extension: Extension, state: 'InitError' | 'ExitError', request: IncomingMessage, response: ServerResponse): void {
    const type = request.headers['lambda-extension-function-error-type'];
    if (typeof type !== 'string' || type === '') {
      forbid(response, 'Extension.MissingHeader', 'Lambda-Extension-Function-Error-Type not found');
      return;
    }
    const allowed = extension.state === state || extension.state === 'Registered' || (state === 'ExitError' && /^(Ready|Running)$/.test(extension.state));
    if (!allowed) {
      refuseTransition(response, extension, state === 'InitError' ? 'InitError' : 'Exited');
      return;
    }
    extension.state = state;
    extension.errorType = type;
    this.#fault ??= `Extension.${state}`;
    answer(response, 202, '{"status":"OK"}\n');
  }

  #subscribe(extension: Extension, api: TelemetryApi, body: string, response: ServerResponse): void {
    const { status, body: text, subscription } = this.#parts.telemetry.subscribe(extension.name, api, body);
    answer(response, status, text);
    if (subscription) this.#parts.onSubscribed(extension.name, api, subscription.types);
  }
}

/** The events of a registration, or what is wrong with it. */
function readEvents(body: string): readonly string[] | string {
  let request: unknown;
  try {
    request = JSON.parse(body);
  } catch (error) {
    return error instanceof Error ? error.message : 'invalid JSON';
  }
  const { events = [], configurationKeys = [] } = typeof request === 'object' && request !== null ? (request as Record<string, unknown>) : {};
  if (Array.isArray(configurationKeys) && configurationKeys.length > 0) return 'configurationKeys are deprecated; use environment variables instead';
  if (events === null) return [];
  if (!Array.isArray(events) || events.some((one) => typeof one !== 'string')) return 'events should be an array of strings';
  return events as string[];
}

function refuseTransition(response: ServerResponse, extension: Extension, to: string): void {
  forbid(
    response,
    'Extension.InvalidExtensionState',
    `State transition from ${extension.state} to ${to} failed for extension ${extension.id}. Error: ${NOT_ALLOWED}`,
  );
}

function collect(request: IncomingMessage, response: ServerResponse, done: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= PLATFORM_REQUEST_BYTES_MAX) chunks.push(chunk);
  });
  request.on('end', () => {
    if (size > PLATFORM_REQUEST_BYTES_MAX)
      answer(response, 413, JSON.stringify({ errorMessage: 'Request body is too large', errorType: 'RequestEntityTooLarge' }));
    else done(Buffer.concat(chunks).toString('utf8'));
  });
}

function forbid(response: ServerResponse, errorType: string, errorMessage: string): void {
  answer(response, 403, JSON.stringify({ errorMessage, errorType }));
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
