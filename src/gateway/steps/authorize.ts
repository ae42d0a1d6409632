import { ACCESS_RESOURCES_MAX } from '../../telemetry/limits.ts';
import type { Call } from '../chain.ts';
import type { GatewayParts } from '../parts.ts';

const ANY: readonly string[] = ['*'];

/** The IAM action and resources of the call, recorded. Nothing is enforced yet. */
export function authorize(parts: GatewayParts, call: Call): void {
  const { operation, ctx } = call;
  if (!operation || !ctx) return;
  const resources = resourcesOf(parts, call);
  call.resources = resources;
  parts.telemetry.access.record({
    timeMs: parts.platform.clock.virtual(),
    requestId: ctx.requestId,
    account: ctx.account,
    region: ctx.region,
    principal: ctx.principal.arn,
    action: operation.action,
    resources,
    internal: ctx.depth > 0,
  });
}

/** Access is worked out before the input is validated, so a room's function may meet what it does not expect: then it is `*`. */
function resourcesOf(parts: GatewayParts, { operation, ctx, input }: Call): readonly string[] {
  const resource = operation?.entry?.access?.resource;
  if (!resource || !ctx) return ANY;
  try {
    const found = resource(ctx, input);
    return typeof found === 'string' ? listOf(found) : found.slice(0, ACCESS_RESOURCES_MAX);
  } catch (error) {
    parts.platform.log.debug({ err: error, action: operation?.action }, 'the resource of a call could not be worked out');
    return ANY;
  }
}

const LISTS_MAX = 1000;
const lists = new Map<string, readonly string[]>();

/** The same list for the same resource: records of access keep it for a thousand calls, and would keep as many copies. */
function listOf(resource: string): readonly string[] {
  const known = lists.get(resource);
  if (known) return known;
  if (lists.size >= LISTS_MAX) lists.clear();
  const list = [resource];
  lists.set(resource, list);
  return list;
}
