import { formatArn } from '../../kit/arn.ts';
import type { Access, OperationEntry, Service } from '../service.ts';
import { resources } from './cloudformation.ts';
import { registerDeliveries } from './deliveries.ts';
import { describeScalingActivities } from './operations/activities.ts';
import { deleteScalingPolicy, describeScalingPolicies, putScalingPolicy } from './operations/policies.ts';
import { deleteScheduledAction, describeScheduledActions, putScheduledAction } from './operations/scheduled-actions.ts';
import { listTagsForResource, tagResource, untagResource } from './operations/tags.ts';
import { deregisterScalableTarget, describeScalableTargets, registerScalableTarget } from './operations/targets.ts';

/** Targets are not known by ARN before they are looked up: policies name them all, or those that a tag operation names. */
const access: Access = {
  resource: ({ account, region }, input) =>
    typeof input['ResourceARN'] === 'string'
      ? input['ResourceARN']
      : formatArn({ service: 'application-autoscaling', region, account, resource: 'scalable-target/*' }),
};

const operations: Readonly<Record<string, OperationEntry>> = {
  RegisterScalableTarget: { run: registerScalableTarget, access, recorded: ['RoleARN'] },
  DescribeScalableTargets: { run: describeScalableTargets, access },
  DeregisterScalableTarget: { run: deregisterScalableTarget, access },
  PutScalingPolicy: { run: putScalingPolicy, access },
  DescribeScalingPolicies: { run: describeScalingPolicies, access },
  DeleteScalingPolicy: { run: deleteScalingPolicy, access },
  PutScheduledAction: { run: putScheduledAction, access },
  DescribeScheduledActions: { run: describeScheduledActions, access },
  DeleteScheduledAction: { run: deleteScheduledAction, access },
  DescribeScalingActivities: { run: describeScalingActivities, access },
  TagResource: { run: tagResource, access },
  UntagResource: { run: untagResource, access },
  ListTagsForResource: { run: listTagsForResource, access },
};

/** Application Auto Scaling. See README.md. */
export function createApplicationAutoScalingRoom(): Service {
  return { name: 'application-autoscaling', operations, resources, start: registerDeliveries };
}
