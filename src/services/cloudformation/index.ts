import { partitionOf } from '../../kit/arn.ts';
import type { Access, Ctx, Operation, OperationEntry, ResourceType, Service } from '../service.ts';
import { runOperation, runTarget } from './engine/run.ts';
import { NESTING_MAX, PARALLEL_STACKS_MAX } from './limits.ts';
import * as changeSets from './operations/change-sets.ts';
import { createStack } from './operations/create-stack.ts';
import { deleteStack } from './operations/delete-stack.ts';
import * as described from './operations/describe.ts';
import * as templates from './operations/templates.ts';
import * as updates from './operations/update-stack.ts';
import { answerEndpoint } from './types/answers.ts';
import { metadataTypes } from './types/metadata.ts';
import { nestedStack } from './types/nested-stack.ts';
import { withCustomTypes } from './types/table.ts';
import { waitCondition, waitConditionHandle } from './types/wait-condition.ts';

export interface CloudFormationOptions {
  /** Every room's resource types, by name; asked each time, as rooms are composed after this one is made. */
  readonly resourceTypes: () => ReadonlyMap<string, ResourceType>;
}

/** The CloudFormation room. See README.md. */
export function createCloudFormationRoom(options: CloudFormationOptions): Service {
  const resourceTypes = () => withCustomTypes(options.resourceTypes());
  return {
    name: 'cloudformation',
    operations: {
      CancelUpdateStack: entry(updates.cancelUpdateStack),
      ContinueUpdateRollback: entry(updates.continueUpdateRollback),
      CreateChangeSet: entry(changeSets.createChangeSet(resourceTypes), ['RoleARN', 'NotificationARNs', 'ResourceTypes']),
      CreateStack: entry(createStack, ['RoleARN', 'NotificationARNs', 'ResourceTypes', 'StackPolicyBody']),
      DeleteChangeSet: entry(changeSets.deleteChangeSet),
      DeleteStack: entry(deleteStack, ['RoleARN']),
      DescribeAccountLimits: entry(templates.describeAccountLimits),
      DescribeChangeSet: entry(changeSets.describeChangeSet),
      DescribeStackEvents: entry(described.describeStackEvents),
      DescribeStackResource: entry(described.describeStackResource),
      DescribeStackResources: entry(described.describeStackResources),
      DescribeStacks: entry(described.describeStacks),
      ExecuteChangeSet: entry(changeSets.executeChangeSet),
      GetStackPolicy: entry(updates.getStackPolicy),
      GetTemplate: entry(templates.getTemplate),
      GetTemplateSummary: entry(templates.getTemplateSummary),
      ListChangeSets: entry(changeSets.listChangeSets),
      ListExports: entry(templates.listExports),
      ListImports: entry(templates.listImports),
      ListStackResources: entry(described.listStackResources),
      ListStacks: entry(described.listStacks),
      SetStackPolicy: entry(updates.setStackPolicy, ['StackPolicyBody']),
      UpdateStack: entry(updates.updateStack(resourceTypes), ['RoleARN', 'NotificationARNs', 'ResourceTypes', 'StackPolicyBody']),
      UpdateTerminationProtection: entry(updates.updateTerminationProtection),
      ValidateTemplate: entry(templates.validateTemplate),
    },
    wording: { validationCode: 'ValidationError' },
    resources: [...metadataTypes, nestedStack, waitConditionHandle, waitCondition],
    endpoints: { 'cloudformation-response': answerEndpoint },
    usage: {},
    start(platform) {
      for (let depth = 0; depth <= NESTING_MAX; depth++) {
        platform.bus.register(runTarget(depth), { concurrency: PARALLEL_STACKS_MAX }, (attempt) => runOperation(platform, resourceTypes, attempt));
      }
    },
  };
}

const access: Access = { resource: (ctx, input) => stackArn(ctx, input['StackName']) };

/** "Actions, resources, and condition keys for AWS CloudFormation": a stack, with any unique id where only its name is known. */
function stackArn(ctx: Ctx, nameOrId: unknown): string {
  if (typeof nameOrId !== 'string') return '*';
  return nameOrId.startsWith('arn:') ? nameOrId : `arn:${partitionOf(ctx.region)}:cloudformation:${ctx.region}:${ctx.account}:stack/${nameOrId}/*`;
}

function entry<I, O>(run: Operation<I, O>, recorded: readonly string[] = []): OperationEntry {
  return { run, access, recorded };
}
