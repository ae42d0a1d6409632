import type { Call } from '../chain.ts';
import { notBuilt } from '../errors.ts';
import type { GatewayParts } from '../parts.ts';

/** The room's operation. */
export function operate(parts: GatewayParts, call: Call): Promise<void> {
  const { operation, ctx } = call;
  if (!operation || !ctx) throw new Error('no operation to run');
  if (!operation.entry) throw notBuilt(operation.service.index.service, operation.model.name);
  const { run } = operation.entry;
  ctx.action = operation.action;
  ctx.resources = call.resources;
  return parts.telemetry.calls
    .run(ctx, () => run(ctx, call.input))
    .then((output: Record<string, unknown> | undefined) => {
      call.output = output ?? {};
    });
}
