import { formatArn } from '../../../kit/arn.ts';
import type { Ctx } from '../../service.ts';
import type { Target } from '../domain/target.ts';

/** Of a scalable target. */
export function arnOf({ account, region }: Ctx, id: string): string {
  return formatArn({ service: 'application-autoscaling', region, account, resource: `scalable-target/${id}` });
}

/** Of a policy (`scalingPolicy`, `policyName`) or a scheduled action. */
export function childArn(
  { account, region }: Ctx,
  { namespace, resource }: Target,
  kind: 'scalingPolicy' | 'scheduledAction',
  id: string,
  name: string,
): string {
  const last = kind === 'scalingPolicy' ? 'policyName' : 'scheduledActionName';
  return formatArn({ service: 'autoscaling', region, account, resource: `${kind}:${id}:resource/${namespace}/${resource}:${last}/${name}` });
}
