import type { Principal } from '../identity/principal.ts';
import type { Platform, Service } from '../services/service.ts';
import type { Telemetry } from '../telemetry/index.ts';
import type { AdminHooks } from './admin/hooks.ts';
import type { Admission } from './admission.ts';
import type { Callers } from './callers.ts';
import type { ContextParts } from './context.ts';
import type { GatewayLimits, GatewayOptions } from './options.ts';
import type { Router } from './route.ts';
import type { Services, Wire } from './services.ts';

/** What the steps of the chain stand on: made once, never changed. */
export interface GatewayParts {
  readonly options: ResolvedOptions;
  readonly platform: Platform;
  readonly telemetry: Telemetry;
  readonly rooms: readonly Service[];
  readonly services: Services;
  readonly wire: Wire;
  readonly router: Router;
  readonly admission: Admission;
  readonly callers: Callers;
  readonly contexts: ContextParts;
  readonly admin: AdminHooks;
}

/** {@link GatewayOptions} with the defaults filled in. */
export type ResolvedOptions = Required<Omit<GatewayOptions, 'tls' | 'rootCredential' | 'limits'>> &
  Pick<GatewayOptions, 'tls' | 'rootCredential'> & { readonly limits: GatewayLimits };

export type { Principal };
