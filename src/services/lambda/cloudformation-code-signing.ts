import type { Ctx, Properties, ResourceResult, ResourceType } from '../service.ts';
import { given, quietly, text } from './cloudformation-helpers.ts';

function settingsOf(properties: Properties): Record<string, unknown> {
  return {
    AllowedPublishers: properties['AllowedPublishers'],
    ...given({ CodeSigningPolicies: properties['CodeSigningPolicies'], Description: properties['Description'] }),
  };
}

function tagsOf(properties: Properties): Record<string, string> {
  const tags = (properties['Tags'] ?? []) as readonly { readonly Key: string; readonly Value: unknown }[];
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, String(Value)]));
}

function resultOf(answer: Record<string, unknown>): ResourceResult {
  const { CodeSigningConfigArn: arn, CodeSigningConfigId: id } = answer['CodeSigningConfig'] as Record<string, unknown>;
  return { physicalId: text(arn), attributes: { CodeSigningConfigArn: arn, CodeSigningConfigId: id } };
}

/** "AWS::Lambda::CodeSigningConfig": `Ref` is its ARN. */
export const codeSigningConfig: ResourceType = {
  type: 'AWS::Lambda::CodeSigningConfig',
  replaceOn: ['Tags'],
  properties: ['AllowedPublishers', 'CodeSigningPolicies', 'Description', 'Tags'],
  recorded: ['AllowedPublishers', 'CodeSigningPolicies'],
  async create(ctx, { properties }) {
    return resultOf(await ctx.call('lambda', 'CreateCodeSigningConfig', { ...settingsOf(properties), Tags: tagsOf(properties) }));
  },
  async update(ctx, { properties, physicalId }) {
    return resultOf(await ctx.call('lambda', 'UpdateCodeSigningConfig', { ...settingsOf(properties), CodeSigningConfigArn: physicalId }));
  },
  delete: (ctx, { physicalId }) => quietly(ctx, 'DeleteCodeSigningConfig', { CodeSigningConfigArn: physicalId }),
};

/** The configuration of a function that a template changed. */
export async function applyCodeSigning(ctx: Ctx, name: string, properties: Properties, previous: Properties): Promise<void> {
  const arn = properties['CodeSigningConfigArn'];
  if (arn === previous['CodeSigningConfigArn']) return;
  if (arn === undefined) await ctx.call('lambda', 'DeleteFunctionCodeSigningConfig', { FunctionName: name });
  else await ctx.call('lambda', 'PutFunctionCodeSigningConfig', { FunctionName: name, CodeSigningConfigArn: arn });
}
