import type { Credential } from '../identity/principal.ts';
import type { AdmissionLimits } from './admission.ts';
import { BODY_BYTES_MAX, IN_FLIGHT_MAX, WAITING_MAX, WAITING_MS_MAX } from './limits.ts';
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
  readonly limits?: Partial<AdmissionLimits>;
}

export const ADMISSION_DEFAULTS: AdmissionLimits = { inFlight: IN_FLIGHT_MAX, waiting: WAITING_MAX, waitingMs: WAITING_MS_MAX };
export const OPTION_DEFAULTS = {
  host: '127.0.0.1',
  port: 0,
  auth: 'off',
  region: 'us-east-1',
  allowedHosts: [],
  allowedOrigins: [],
  maxBodyBytes: BODY_BYTES_MAX,
} as const satisfies GatewayOptions;
