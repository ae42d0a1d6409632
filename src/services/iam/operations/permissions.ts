import { parseArn } from '../../../kit/arn.ts';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Ctx, Operation } from '../../service.ts';
import type { Identity, IdentityKind } from '../domain/entities.ts';
import { checkIdentityPolicy, countedCharacters } from '../domain/policy-document.ts';
import { limitExceeded, noSuchEntity, policyNotAttachable, policyNotFound, validationError } from '../errors.ts';
import { ATTACHED_POLICIES_MAX, INLINE_POLICY_CHARACTERS_MAX } from '../limits.ts';
import { attachmentKey, entityKey, type Stored, writeTx } from '../store.ts';
import { change, encodeDocument, modifiable, need, needTx, pageIn, TITLE } from './common.ts';
import { findPolicy, policyNameOf } from './policies.ts';

type Input = Record<string, unknown>;
const text = (input: Input, member: string): string => String(input[member] ?? '');

/**
 * The operations that roles, users and groups have alike: `PutRolePolicy`, `AttachUserPolicy` … "IAM API Reference".
 * Member names differ only in the kind's own (`RoleName`, `UserName`, `GroupName`).
 */
export function permissionOperations(kind: IdentityKind): Record<string, Operation> {
  const title = TITLE[kind];
  const nameOf = (input: Input) => text(input, `${title}Name`);
  return {
    [`Put${title}Policy`]: (ctx, input) => putInline(ctx, kind, nameOf(input), text(input, 'PolicyName'), text(input, 'PolicyDocument')),
    [`Get${title}Policy`]: async (ctx, input) => {
      const identity: Identity = await need(ctx, kind, nameOf(input));
      const document = inlineOf(identity, kind, text(input, 'PolicyName'));
      return { [`${title}Name`]: identity.name, PolicyName: text(input, 'PolicyName'), PolicyDocument: encodeDocument(document) };
    },
    [`Delete${title}Policy`]: async (ctx, input) => {
      const policyName = text(input, 'PolicyName');
      await changeIdentity(ctx, kind, nameOf(input), (identity) => {
        inlineOf(identity, kind, policyName);
        return { ...identity, inline: Object.fromEntries(Object.entries(identity.inline).filter(([name]) => name !== policyName)) };
      });
      return {};
    },
    [`List${title}Policies`]: async (ctx, input) => {
      const identity: Identity = await need(ctx, kind, nameOf(input));
      const { items, ...paging } = pageIn(Object.keys(identity.inline).sort(), input);
      return { PolicyNames: items, ...paging };
    },
    [`Attach${title}Policy`]: (ctx, input) => attach(ctx, kind, nameOf(input), text(input, 'PolicyArn')),
    [`Detach${title}Policy`]: async (ctx, input) => {
      const arn = text(input, 'PolicyArn');
      await changeIdentity(ctx, kind, nameOf(input), (identity, remove) => {
        if (!identity.attached.includes(arn)) throw policyNotFound(arn);
        remove(attachmentKey(ctx.account, arn, kind, identity.name));
        return { ...identity, attached: identity.attached.filter((other) => other !== arn) };
      });
      return {};
    },
    [`ListAttached${title}Policies`]: async (ctx, input) => {
      const identity: Identity = await need(ctx, kind, nameOf(input));
      const inPath = (arn: string) => `/${arn.slice(arn.indexOf(':policy/') + 8)}`.startsWith(text(input, 'PathPrefix') || '/');
      const { items, ...paging } = pageIn(identity.attached.filter(inPath), input);
      return { AttachedPolicies: items.map((arn) => ({ PolicyName: arn.slice(arn.lastIndexOf('/') + 1), PolicyArn: arn })), ...paging };
    },
  };
}

/** `PutRolePermissionsBoundary`, `DeleteUserPermissionsBoundary` …: stored and described. */
export function boundaryOperations(kind: 'role' | 'user'): Record<string, Operation> {
  const title = TITLE[kind];
  return {
    [`Put${title}PermissionsBoundary`]: async (ctx, input) => {
      const boundary = text(input, 'PermissionsBoundary');
      if (!(await findPolicy(ctx, boundary))) throw policyNotFound(boundary);
      await changeIdentity(ctx, kind, text(input, `${title}Name`), (identity) => ({ ...identity, boundary }));
      return {};
    },
    [`Delete${title}PermissionsBoundary`]: async (ctx, input) => {
      await changeIdentity(ctx, kind, text(input, `${title}Name`), (identity) => {
        if (identity.boundary === undefined) throw noSuchEntity(`${title} ${identity.name} does not have a permissions boundary.`);
        const { boundary: _, ...without } = identity;
        return without;
      });
      return {};
    },
  };
}

function inlineOf(identity: Identity, kind: IdentityKind, policyName: string): string {
  const document = Object.hasOwn(identity.inline, policyName) ? identity.inline[policyName] : undefined;
  if (document === undefined) throw noSuchEntity(`The ${kind} policy with name ${policyName} cannot be found.`);
  return document;
}

async function changeIdentity(
  ctx: Ctx,
  kind: IdentityKind,
  name: string,
  apply: (identity: Identity, remove: (key: string) => void) => Identity,
): Promise<void> {
  await change(ctx, kind, name, (entity, tx) => apply(modifiable<Identity>(entity), (key) => tx.delete(key)) as Stored[typeof kind]);
}

async function putInline(ctx: Ctx, kind: IdentityKind, name: string, policyName: string, document: string): Promise<Record<string, unknown>> {
  await need(ctx, kind, name);
  checkIdentityPolicy(document);
  await changeIdentity(ctx, kind, name, (identity) => {
    const inline = { ...identity.inline, [policyName]: document };
    const size = Object.values(inline).reduce((sum, each) => sum + countedCharacters(each), 0);
    const max = INLINE_POLICY_CHARACTERS_MAX[kind];
    if (size > max) throw limitExceeded(`Maximum policy size of ${max} bytes exceeded for ${kind} ${identity.name}`);
    return { ...identity, inline };
  });
  return {};
}

async function attach(ctx: Ctx, kind: IdentityKind, name: string, arn: string): Promise<Record<string, unknown>> {
  if (!parseArn(arn)) throw validationError('Invalid ARN:  Could not be parsed!');
  await need(ctx, kind, name);
  if (!(await findPolicy(ctx, arn))) throw policyNotAttachable(arn);
  const own = policyNameOf(ctx, arn);
  const keys = [entityKey(ctx.account, kind, name), attachmentKey(ctx.account, arn, kind, name)];
  const reads = own === undefined ? [] : [entityKey(ctx.account, 'policy', own)];
  await ctx.platform.store.transact({ keys, reads }, (tx) => {
    const identity = modifiable<Identity>(needTx(tx, ctx, kind, name));
    const policyKey = reads[0];
    if (policyKey !== undefined) {
      const value = tx.get(policyKey);
      if (!value || decodeJson<{ arn: string }>(value).arn !== arn) throw policyNotAttachable(arn);
    }
    if (identity.attached.includes(arn)) return;
    if (identity.attached.length >= ATTACHED_POLICIES_MAX) throw limitExceeded(`Cannot exceed quota for PoliciesPer${TITLE[kind]}: ${ATTACHED_POLICIES_MAX}`);
    tx.put(attachmentKey(ctx.account, arn, kind, identity.name), encodeJson(kind));
    writeTx(tx, ctx.account, kind, { ...identity, attached: [...identity.attached, arn] } as Stored[typeof kind]);
  });
  return {};
}
