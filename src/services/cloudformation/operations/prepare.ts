import type { Tag } from '@aws-sdk/client-cloudformation';
import type { Ctx } from '../../service.ts';
import { capabilitiesOf, missingCapabilities } from '../domain/capabilities.ts';
import { changesOf } from '../domain/changes.ts';
import { checkStatics, environmentOf } from '../domain/environment.ts';
import type { Expanded, ExpandTask } from '../domain/expand.ts';
import { isObject, type JsonObject, objectAt, sameJson } from '../domain/json.ts';
import type { GivenParameter, StackParameter } from '../domain/parameters.ts';
import type { Resource, ResourceChange, Stack, Target, TypeTable } from '../domain/records.ts';
import { checkRules } from '../domain/rules.ts';
import { checkTemplate, type Template } from '../domain/template.ts';
import { refuseUnbuilt } from '../domain/unbuilt.ts';
import { insufficientCapabilities, validationError } from '../errors.ts';
import { expandTemplate } from '../expander.ts';
import { TAGS_MAX } from '../limits.ts';
import { type Export, exportsRange, getResources, getTemplate, readAll, templateHash } from '../store.ts';
import { NESTED_STACK } from '../types/table.ts';
import { storedValues } from './stored-values.ts';
import { includedText, requiredTemplateText } from './template-input.ts';

/** What `CreateStack`, `UpdateStack` and `CreateChangeSet` have in common. */
export interface StackInput {
  readonly StackName?: string | undefined;
  readonly TemplateBody?: string | undefined;
  readonly TemplateURL?: string | undefined;
  readonly UsePreviousTemplate?: boolean | undefined;
  readonly Parameters?: readonly GivenParameter[] | undefined;
  readonly Capabilities?: readonly string[] | undefined;
  readonly Tags?: readonly Tag[] | undefined;
  readonly NotificationARNs?: readonly string[] | undefined;
  readonly RoleARN?: string | undefined;
}

/** A template made ready: both texts, and the target that names them. */
export interface Prepared {
  readonly target: Target;
  readonly template: Template;
  /** Texts to be kept beside the stack. */
  readonly texts: readonly string[];
  readonly transforms: readonly string[];
}

/** Reads, transforms and checks a template with its parameters. Throws what the API would answer. */
export async function prepare(ctx: Ctx, input: StackInput, existing: Stack | undefined, stackId: string): Promise<Prepared> {
  const previous = existing?.current;
  const original = await originalText(ctx, input, previous, stackId);
  const { transforms, parameters, processed } = await expandWithIncludes(ctx, {
    text: original,
    values: { given: input.Parameters ?? [], ...(previous ? { previous: previous.parameters } : {}) },
    account: ctx.account,
    region: ctx.region,
    managedPolicies: original.includes('AWS::Serverless') ? await managedPolicies(ctx) : [],
    nowSeconds: Math.floor(ctx.platform.clock.virtual() / 1000),
  });
  const template = checkTemplate(processed);
  refuseUnbuilt(processed);
  applyRules(ctx, template, parameters);
  const { account, region } = ctx;
  const notificationArns = input.NotificationARNs ?? previous?.notificationArns ?? [];
  checkStatics({ template, parameters, account, region, stackId, stackName: existing?.name ?? input.StackName ?? '', notificationArns });
  const text = JSON.stringify(processed);
  const target: Target = {
    ...settingsOf(input, previous),
    originalTemplate: templateHash(original),
    processedTemplate: templateHash(text),
    parameters,
    ...(template.description === undefined ? {} : { description: template.description }),
  };
  return { target, template, texts: [original, text], transforms };
}

/** As {@link prepare}, for a template whose transform failed: there is nothing but the text. */
export async function unprepared(ctx: Ctx, input: StackInput, existing: Stack | undefined, stackId: string): Promise<Pick<Prepared, 'target' | 'texts'>> {
  const original = await originalText(ctx, input, existing?.current, stackId);
  const hash = templateHash(original);
  return { target: { ...settingsOf(input, existing?.current), originalTemplate: hash, processedTemplate: hash, parameters: [] }, texts: [original] };
}

async function originalText(ctx: Ctx, input: StackInput, previous: Target | undefined, stackId: string): Promise<string> {
  if (!input.UsePreviousTemplate) return requiredTemplateText(ctx, input);
  if (!previous) throw validationError('UsePreviousTemplate cannot be specified for a stack that has no template');
  return getTemplate(ctx.platform.store, ctx, stackId, previous.originalTemplate);
}

const settingsOf = (input: StackInput, previous: Target | undefined): Omit<Target, 'originalTemplate' | 'processedTemplate' | 'parameters'> => ({
  tags: input.Tags === undefined ? (previous?.tags ?? {}) : tagsOf(input.Tags),
  capabilities: [...(input.Capabilities ?? [])],
  notificationArns: [...(input.NotificationARNs ?? previous?.notificationArns ?? [])],
  ...(input.RoleARN ? { roleArn: input.RoleARN } : previous?.roleArn ? { roleArn: previous.roleArn } : {}),
});

/** Rules see parameters, mappings and the region; they are checked before anything is made. */
function applyRules(ctx: Ctx, template: Template, parameters: readonly StackParameter[]): void {
  const rules = objectAt(template.source, 'Rules');
  if (Object.keys(rules).length === 0) return;
  const { account, region } = ctx;
  const nothing = { stackId: '', stackName: '', notificationArns: [], exports: new Map<string, string>(), resource: () => undefined };
  checkRules(rules, template.parameters, environmentOf({ template, parameters, account, region, ...nothing }));
}

/** Reads the values that parameters name in Parameter Store and the snippets that a template includes, then the template with them. */
async function expandWithIncludes(ctx: Ctx, task: ExpandTask): Promise<Expanded> {
  const includes = new Map<string, string>();
  const stored = new Map<string, string>();
  for (;;) {
    const expanded = await expandTemplate({ ...task, includes: [...includes], stored: [...stored] });
    if (expanded.missing.length === 0 && expanded.unread.length === 0) return expanded;
    for (const location of expanded.missing) includes.set(location, await includedText(ctx, location));
    for (const [name, value] of await storedValues(ctx, expanded.unread, expanded.parameters)) stored.set(name, value);
  }
}

/** AWS managed policies by name, as the serverless transform looks them up. */
async function managedPolicies(ctx: Ctx): Promise<[string, string][]> {
  const { Policies } = (await ctx.call('iam', 'ListPolicies', { Scope: 'AWS', MaxItems: 1000 })) as { Policies?: { PolicyName: string; Arn: string }[] };
  return (Policies ?? []).map(({ PolicyName, Arn }) => [PolicyName, Arn]);
}

function tagsOf(tags: readonly Tag[]): Record<string, string> {
  if (tags.length > TAGS_MAX) throw validationError(`Number of tags ${tags.length} exceeds the maximum of ${TAGS_MAX}`);
  const reserved = tags.find(({ Key }) => Key?.startsWith('aws:'));
  if (reserved) throw validationError('aws: prefixed tag key names are not allowed for external use.');
  return Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}

/** Throws where the template needs an acknowledgement that was not given. */
export function checkCapabilities(prepared: Prepared): void {
  const missing = capabilitiesMissing(prepared, true);
  if (missing.length > 0) throw insufficientCapabilities(missing);
}

/** A change set shows what macros made, so that it needs no `CAPABILITY_AUTO_EXPAND`. */
export function capabilitiesMissing({ target, template, transforms }: Prepared, macros: boolean): string[] {
  const expand = macros && transforms.length > 0 ? ['CAPABILITY_AUTO_EXPAND'] : [];
  const missing = missingCapabilities(expand, target.capabilities);
  return missing.length > 0 ? missing : missingCapabilities(capabilitiesOf(template.source).capabilities, target.capabilities);
}

/** What going to the prepared target would change, and whether anything would. */
export async function compare(
  ctx: Ctx,
  stack: Pick<Stack, 'id' | 'name' | 'current'>,
  prepared: Prepared,
  types: TypeTable,
): Promise<{ changes: ResourceChange[]; any: boolean }> {
  const { store } = ctx.platform;
  const exports = await readAll<Export>(store, exportsRange(ctx));
  const resources = await getResources(store, ctx, stack.id);
  refuseTypeChange(prepared.template, resources);
  const changes = changesOf(
    {
      template: prepared.template,
      parameters: prepared.target.parameters,
      account: ctx.account,
      region: ctx.region,
      stackId: stack.id,
      stackName: stack.name,
      notificationArns: prepared.target.notificationArns,
      exports: new Map(exports.map(({ name, value }) => [name, value])),
      tags: prepared.target.tags,
    },
    resources,
    types,
  );
  const nested = [...prepared.template.resources.values()].some(({ type }) => type === NESTED_STACK);
  if (changes.length > 0 || nested || !stack.current) return { changes, any: true };
  const before = JSON.parse((await getTemplate(store, ctx, stack.id, stack.current.processedTemplate)) || '{}') as JsonObject;
  const after = prepared.template.source;
  const sections = ['Outputs', 'Conditions', 'Mappings'];
  const sameSections = sections.every((name) => sameJson(before[name] ?? null, after[name] ?? null)) && sameJson(attributesOf(before), attributesOf(after));
  const { tags, notificationArns, roleArn, parameters } = prepared.target;
  const same = sameJson(tags, stack.current.tags) && sameJson(notificationArns, stack.current.notificationArns) && roleArn === stack.current.roleArn;
  const outputsAffected = Object.keys(objectAt(after, 'Outputs')).length > 0 && !sameJson(parameters, stack.current.parameters);
  return { changes, any: !sameSections || !same || outputsAffected };
}

/** Members of resources that change no physical resource and are still part of the stack. */
function attributesOf(source: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const [logicalId, resource] of Object.entries(objectAt(source, 'Resources'))) {
    if (!isObject(resource)) continue;
    const { DeletionPolicy = null, UpdateReplacePolicy = null, Metadata = null } = resource;
    out[logicalId] = { DeletionPolicy, UpdateReplacePolicy, Metadata };
  }
  return out;
}

function refuseTypeChange(template: Template, resources: ReadonlyMap<string, Resource>): void {
  const changed = [...template.resources.values()].filter(({ logicalId, type }) => {
    const present = resources.get(logicalId);
    return present?.physicalId !== undefined && present.status !== 'DELETE_COMPLETE' && present.type !== type;
  });
  if (changed.length > 0) {
    const ids = changed.map(({ logicalId }) => logicalId).join(', ');
    throw validationError(`Update of resource type is not permitted. The new template modifies resource type of the following resources: [${ids}]`);
  }
}
