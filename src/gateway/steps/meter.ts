import type { Call } from '../chain.ts';
import type { GatewayParts } from '../parts.ts';

/** Every call that succeeded is one `Requests` unit of its service. */
export function meter(_parts: GatewayParts, { ctx }: Call): void {
  ctx?.meter('Requests', 1);
}
