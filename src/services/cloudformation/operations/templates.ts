import type * as Cfn from '@aws-sdk/client-cloudformation';
import type { Ctx, Operation } from '../../service.ts';
import { capabilitiesOf } from '../domain/capabilities.ts';
import { isObject, isText, type JsonObject, objectAt, scalarText } from '../domain/json.ts';
import { checkDeclarations } from '../domain/parameters.ts';
import { checkTemplate } from '../domain/template.ts';
import { changeSetNotFound, formatError, stackWithIdMissing, validationError } from '../errors.ts';
import { expandTemplate } from '../expander.ts';
import { PAGE_EXPORTS } from '../limits.ts';
import { type Export, exportsRange, findChangeSet, findStack, importsRange, readAll, getTemplate as readTemplate } from '../store.ts';
import { pageOf } from './describe.ts';
import { requiredTemplateText } from './template-input.ts';

/** "GetTemplate" in the CloudFormation API Reference. */
export const getTemplate: Operation<Cfn.GetTemplateInput, Cfn.GetTemplateOutput> = async (ctx, input) => {
  const { stackId, target } = await storedTarget(ctx, input.StackName, input.ChangeSetName);
  const read = (hash: string) => readTemplate(ctx.platform.store, ctx, stackId, hash);
  const original = await read(target.originalTemplate);
  // Without transforms there is nothing to process, and the text stays as it was written.
  const transformed = input.TemplateStage === 'Processed' && (await readUnprocessed(ctx, original)).transforms.length > 0;
  return { TemplateBody: transformed ? await read(target.processedTemplate) : original, StagesAvailable: ['Original', 'Processed'] };
};

async function storedTarget(ctx: Ctx, stackName: string | undefined, changeSetName: string | undefined) {
  if (changeSetName === undefined && stackName === undefined) throw validationError('StackName is required if ChangeSetName is not specified.');
  if (stackName === undefined && !changeSetName?.startsWith('arn:')) throw validationError('StackName is a required parameter.');
  const stack = stackName === undefined ? undefined : await findStack(ctx.platform.store, ctx, stackName);
  if (stackName !== undefined && !stack) throw stackWithIdMissing(stackName);
  if (changeSetName !== undefined) {
    const changeSet = await findChangeSet(ctx.platform.store, ctx, stack?.id, changeSetName);
    if (!changeSet) throw changeSetNotFound(changeSetName);
    return { stackId: changeSet.stackId, target: changeSet.target };
  }
  if (!stack?.current) throw stackWithIdMissing(stackName ?? '');
  return { stackId: stack.id, target: stack.current };
}

/** Declarations of parameters, as answers have them. */
function describeParameters(source: JsonObject): Cfn.ParameterDeclaration[] {
  return Object.entries(objectAt(source, 'Parameters')).map(([ParameterKey, declaration]) => {
    const member = (name: string) => scalarText(objectAt({ declaration }, 'declaration')[name]);
    const allowed = objectAt({ declaration }, 'declaration')['AllowedValues'];
    const [fallback, description] = [member('Default'), member('Description')];
    return {
      ParameterKey,
      ...(fallback === undefined ? {} : { DefaultValue: fallback }),
      ParameterType: member('Type') ?? 'String',
      NoEcho: member('NoEcho') === 'true',
      ...(description === undefined ? {} : { Description: description }),
      ParameterConstraints: Array.isArray(allowed) ? { AllowedValues: allowed.map((value) => scalarText(value) ?? '') } : {},
    };
  });
}

function requirements(source: JsonObject, transforms: readonly string[]) {
  const { capabilities, types } = capabilitiesOf(source);
  const needed = [...capabilities, ...(transforms.length > 0 ? ['CAPABILITY_AUTO_EXPAND'] : [])];
  if (needed.length === 0) return {};
  return {
    Capabilities: needed as Cfn.Capability[],
    CapabilitiesReason: `The following resource(s) require capabilities: [${(types.length > 0 ? types : transforms).join(', ')}]`,
  };
}

/** A template that macros have not seen is checked as far as its form is CloudFormation's own. */
async function readUnprocessed(ctx: Ctx, text: string): Promise<{ source: JsonObject; transforms: string[] }> {
  const { source, transforms } = await expandTemplate({ text, account: ctx.account, region: ctx.region, managedPolicies: [], nowSeconds: 0 });
  if (transforms.length === 0) checkTemplate(source);
  else {
    checkDeclarations(objectAt(source, 'Parameters'));
    if (Object.keys(objectAt(source, 'Resources')).length === 0) throw formatError('At least one Resources member must be defined.');
  }
  return { source, transforms: [...transforms] };
}

/** "ValidateTemplate" in the CloudFormation API Reference. */
export const validateTemplate: Operation<Cfn.ValidateTemplateInput, Cfn.ValidateTemplateOutput> = async (ctx, input) => {
  const { source, transforms } = await readUnprocessed(ctx, await requiredTemplateText(ctx, input));
  return {
    Parameters: describeParameters(source).map(({ ParameterKey, DefaultValue, NoEcho, Description }) => ({
      ParameterKey,
      ...(DefaultValue === undefined ? {} : { DefaultValue }),
      NoEcho,
      ...(Description === undefined ? {} : { Description }),
    })),
    ...(isText(source['Description']) ? { Description: source['Description'] } : {}),
    ...requirements(source, transforms),
    ...(transforms.length > 0 ? { DeclaredTransforms: transforms } : {}),
  };
};

/** "GetTemplateSummary" in the CloudFormation API Reference. */
export const getTemplateSummary: Operation<Cfn.GetTemplateSummaryInput, Cfn.GetTemplateSummaryOutput> = async (ctx, input) => {
  let text: string;
  if (input.StackName !== undefined) {
    const inReview = (await findStack(ctx.platform.store, ctx, input.StackName))?.status === 'REVIEW_IN_PROGRESS';
    if (inReview) throw validationError('GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.');
    const { stackId, target } = await storedTarget(ctx, input.StackName, undefined);
    text = await readTemplate(ctx.platform.store, ctx, stackId, target.originalTemplate);
  } else text = await requiredTemplateText(ctx, input);
  const { source, transforms } = await readUnprocessed(ctx, text);
  const types = new Map<string, string[]>();
  for (const [logicalId, definition] of Object.entries(objectAt(source, 'Resources'))) {
    const type = isObject(definition) && isText(definition['Type']) ? definition['Type'] : '';
    types.set(type, [...(types.get(type) ?? []), logicalId]);
  }
  const version = scalarText(source['AWSTemplateFormatVersion']) ?? (input.StackName === undefined ? undefined : '2010-09-09');
  return {
    Parameters: describeParameters(source),
    ...(isText(source['Description']) ? { Description: source['Description'] } : {}),
    ...requirements(source, transforms),
    ResourceTypes: [...types.keys()],
    ...(version === undefined ? {} : { Version: version }),
    ...(source['Metadata'] === undefined ? {} : { Metadata: JSON.stringify(source['Metadata']) }),
    ...(transforms.length > 0 ? { DeclaredTransforms: transforms } : {}),
    ResourceIdentifierSummaries: [...types].map(([ResourceType, LogicalResourceIds]) => ({ ResourceType, LogicalResourceIds })),
  };
};

/** "ListExports" in the CloudFormation API Reference. */
export const listExports: Operation<Cfn.ListExportsInput, Cfn.ListExportsOutput> = async (ctx, input) => {
  const { items, NextToken } = pageOf(await readAll<Export>(ctx.platform.store, exportsRange(ctx)), input.NextToken, PAGE_EXPORTS);
  return { Exports: items.map(({ name, value, stackId }) => ({ ExportingStackId: stackId, Name: name, Value: value })), ...(NextToken ? { NextToken } : {}) };
};

/** "ListImports" in the CloudFormation API Reference. */
export const listImports: Operation<Cfn.ListImportsInput, Cfn.ListImportsOutput> = async (ctx, input) => {
  const users = await readAll<{ stackName: string }>(ctx.platform.store, importsRange(ctx, input.ExportName ?? ''));
  if (users.length === 0) throw validationError(`Export '${input.ExportName ?? ''}' is not imported by any stack.`);
  const { items, NextToken } = pageOf(users, input.NextToken, PAGE_EXPORTS);
  return { Imports: items.map(({ stackName }) => stackName), ...(NextToken ? { NextToken } : {}) };
};

/** "DescribeAccountLimits" in the CloudFormation API Reference. */
export const describeAccountLimits: Operation<Cfn.DescribeAccountLimitsInput, Cfn.DescribeAccountLimitsOutput> = async () => ({
  AccountLimits: [
    { Name: 'StackLimit', Value: 2000 },
    { Name: 'StackOutputsLimit', Value: 200 },
    { Name: 'ConcurrentResourcesLimit', Value: 2500 },
  ],
});
