import { TELEMETRY_BUFFER } from './limits.ts';
import type { TelemetryCategory } from './telemetry.ts';

export type TelemetryApi = 'telemetry' | 'logs';

export type Destination =
  | { readonly protocol: 'HTTP'; readonly port: number; readonly path: string; readonly method: 'POST' | 'PUT' }
  | { readonly protocol: 'TCP'; readonly port: number };

export interface Subscription {
  readonly api: TelemetryApi;
  readonly schemaVersion: string;
  readonly types: readonly TelemetryCategory[];
  readonly destination: Destination;
  readonly buffering: { readonly timeoutMs: number; readonly maxItems: number; readonly maxBytes: number };
}

const CATEGORIES: readonly string[] = ['platform', 'function', 'extension'] satisfies readonly TelemetryCategory[];
/** The first one is the default. */
const VERSIONS = { telemetry: ['2022-07-01', '2022-12-13', '2025-01-29'], logs: ['2020-08-15', '2021-03-18'] } as const;
/** The name by which processes of an environment call themselves. */
const SANDBOX_HOSTS = ['sandbox.localdomain', 'sandbox'];
/** The Runtime API's own. */
const RESERVED_PORT = 9001;

/**
 * Reads a subscription request of the Telemetry API (`PUT /2022-07-01/telemetry`) or the Logs API (`PUT /2020-08-15/logs`). A text says what
 * is wrong with it, all of it at once, as AWS does.
 */
export function readSubscription(api: TelemetryApi, body: string): Subscription | string {
  let request: unknown;
  try {
    request = JSON.parse(body);
  } catch {
    return 'Request body is not a valid JSON document';
  }
  if (!isObject(request)) return 'Request body should be a JSON object';
  const failures: string[] = [];
  const destination = readDestination(request['destination'], failures);
  const types = readTypes(request['types'], failures);
  const buffering = readBuffering(request['buffering'], failures);
  const schemaVersion = request['schemaVersion'] ?? VERSIONS[api][0];
  if (typeof schemaVersion !== 'string' || !(VERSIONS[api] as readonly string[]).includes(schemaVersion)) {
    failures.push(`schemaVersion should be one of [${VERSIONS[api].join(', ')}]`);
  }
  if (failures.length > 0 || !destination) return failures.join('; ');
  return { api, schemaVersion: String(schemaVersion), types, destination, buffering };
}

function readTypes(value: unknown, failures: string[]): TelemetryCategory[] {
  if (!Array.isArray(value) || value.length === 0) {
    failures.push('types should not be empty');
    return [];
  }
  if (value.some((one) => !CATEGORIES.includes(one))) failures.push(`types should be of [${CATEGORIES.join(', ')}]`);
  return [...new Set(value as TelemetryCategory[])];
}

function readDestination(value: unknown, failures: string[]): Destination | undefined {
  if (!isObject(value)) {
    failures.push('destination is not provided');
    return undefined;
  }
  if (value['protocol'] === 'TCP') {
    const port = readPort(value['port'], 'port', failures);
    return port === undefined ? undefined : { protocol: 'TCP', port };
  }
  if (value['protocol'] === 'HTTP') return readHttp(value, failures);
  failures.push('destination protocol should be one of [HTTP, TCP]');
  return undefined;
}

function readHttp(value: Record<string, unknown>, failures: string[]): Destination | undefined {
  const text = value['URI'];
  const uri = typeof text === 'string' ? URL.parse(text) : null;
  if (!uri) {
    failures.push('URI is not provided');
    return undefined;
  }
  if (uri.protocol !== 'http:') failures.push('URI scheme should be http');
  if (!SANDBOX_HOSTS.includes(uri.hostname)) failures.push(`URI host should be ${SANDBOX_HOSTS[0]}`);
  const port = readPort(uri.port === '' ? undefined : Number(uri.port), 'URI port', failures);
  const method = value['method'] ?? 'POST';
  if (method !== 'POST' && method !== 'PUT') {
    failures.push('method should be one of [POST, PUT]');
    return undefined;
  }
  return port === undefined ? undefined : { protocol: 'HTTP', port, path: uri.pathname + uri.search, method };
}

function readPort(value: unknown, name: string, failures: string[]): number | undefined {
  if (value === undefined) failures.push(`${name} is not provided`);
  else if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 65_535) failures.push(`${name} is not valid`);
  else if (value === RESERVED_PORT) failures.push(`${name} ${RESERVED_PORT} is reserved`);
  else return value;
  return undefined;
}

function readBuffering(value: unknown, failures: string[]): Subscription['buffering'] {
  const given = isObject(value) ? value : {};
  const read = (name: keyof typeof TELEMETRY_BUFFER): number => {
    const { least, most, usual } = TELEMETRY_BUFFER[name];
    const number = given[name] ?? usual;
    if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
    failures.push(`${name} should be between ${least} and ${most}`);
    return usual;
  };
  return { timeoutMs: read('timeoutMs'), maxItems: read('maxItems'), maxBytes: read('maxBytes') };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
