import type { Credential } from '../identity/principal.ts';
import type { AdmissionLimits } from './admission.ts';
import { BODY_BYTES_MAX, BODY_IDLE_TIMEOUT_MS, HEADERS_TIMEOUT_MS, IN_FLIGHT_MAX, WAITING_MAX, WAITING_MS_MAX } from './limits.ts';
import type { Tls } from './tls.ts';

export interface GatewayOptions {
  /** 127.0.0.1 unless told otherwise; anything but loopback needs `auth: 'verify'`. */
  readonly host?: string;
  /** 0 picks a free one. */
  readonly port?: number;
  /** `off`: any credentials, the access key id chooses the account. `verify`: signatures are checked. */
  readonly auth?: 'off' | 'verify';
  /** With `auth: 'verify'`: the root key pair, known without a room. */
  readonly rootCredential?: Credential;
  /** Region of requests that name none; default us-east-1. */
  readonly region?: string;
  /** Serves HTTPS on the same port, beside HTTP: what `openTls` gives. */
  readonly tls?: Tls;
  /** Host names that this server answers to beside loopback's, e.g. `host.docker.internal`; only checked with auth off. */
  readonly allowedHosts?: readonly string[];
  /** Origins of web pages that may call the API beside loopback's, e.g. `https://app.example.com`. */
  readonly allowedOrigins?: readonly string[];
  /** A body held in memory. */
  readonly maxBodyBytes?: number;
  /** Writes a line per request at level `debug`. */
  readonly logRequests?: boolean;
  readonly limits?: Partial<GatewayLimits>;
}

export interface GatewayLimits extends AdmissionLimits {
  /** From the first byte of a request to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** A body of which nothing arrives. */
  readonly bodyIdleTimeoutMs: number;
}

export const LIMIT_DEFAULTS: GatewayLimits = {
  inFlight: IN_FLIGHT_MAX,
  waiting: WAITING_MAX,
  waitingMs: WAITING_MS_MAX,
  headersTimeoutMs: HEADERS_TIMEOUT_MS,
  bodyIdleTimeoutMs: BODY_IDLE_TIMEOUT_MS,
};

export const OPTION_DEFAULTS = {
  host: '127.0.0.1',
  port: 0,
  auth: 'off',
  region: 'us-east-1',
  allowedHosts: [],
  allowedOrigins: [],
  maxBodyBytes: BODY_BYTES_MAX,
  logRequests: false,
} as const satisfies GatewayOptions;
