import type {
  AddLayerVersionPermissionRequest,
  AddLayerVersionPermissionResponse,
  GetLayerVersionPolicyRequest,
  GetLayerVersionPolicyResponse,
  RemoveLayerVersionPermissionRequest,
} from '@aws-sdk/client-lambda';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { checkLayerVersion, type LayerVersionReference, layerVersionArn, readLayerName } from '../domain/layers.ts';
import { conflict, notFound, revisionMismatch } from '../errors.ts';
import { getLayerVersionRow, getPolicyRowAt, keys, type LayerVersionRow, type PolicyRow, read, write } from '../store.ts';
import { principalOf } from './permissions.ts';

const NO_POLICY = 'No policy is associated with the given resource.';

/** "AddLayerVersionPermission": lets other accounts read and use a layer version. */
export const addLayerVersionPermission: Operation<AddLayerVersionPermissionRequest, AddLayerVersionPermissionResponse> = async (ctx, input) => {
  const reference = referenceOf(ctx, input);
  const statement = {
    Sid: input.StatementId,
    Effect: 'Allow',
    Principal: principalOf(ctx, input.Principal ?? ''),
    Action: input.Action,
    Resource: layerVersionArn(reference),
    ...(input.OrganizationId ? { Condition: { StringEquals: { 'aws:PrincipalOrgID': input.OrganizationId } } } : {}),
  };
  const revisionId = ctx.platform.ids.uuid();
  const key = keys.layerPolicy(reference, reference.name, reference.version);
  await ctx.platform.store.transact({ keys: [key], reads: [rowKey(reference)] }, (tx) => {
    requireRow(tx, reference);
    const before = read<PolicyRow>(tx, key);
    if (before?.statements.some((one) => one['Sid'] === input.StatementId)) {
      throw conflict(`The statement id (${input.StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`);
    }
    if (input.RevisionId !== undefined && input.RevisionId !== before?.revisionId) throw revisionMismatch('GetLayerPolicy');
    write(tx, key, { revisionId, statements: [...(before?.statements ?? []), statement] });
  });
  return { Statement: JSON.stringify(statement), RevisionId: revisionId };
};

/** "GetLayerVersionPolicy". */
export const getLayerVersionPolicy: Operation<GetLayerVersionPolicyRequest, GetLayerVersionPolicyResponse> = async (ctx, input) => {
  const { store } = ctx.platform;
  const reference = referenceOf(ctx, input);
  if (!(await getLayerVersionRow(store, reference, reference.name, reference.version))) throw missing(reference);
  const row = await getPolicyRowAt(store, keys.layerPolicy(reference, reference.name, reference.version));
  if (!row) throw notFound(NO_POLICY);
  return { Policy: JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: row.statements }), RevisionId: row.revisionId };
};

/** "RemoveLayerVersionPermission". */
export const removeLayerVersionPermission: Operation<RemoveLayerVersionPermissionRequest, Record<string, never>> = async (ctx, input) => {
  const reference = referenceOf(ctx, input);
  const revisionId = ctx.platform.ids.uuid();
  const key = keys.layerPolicy(reference, reference.name, reference.version);
  await ctx.platform.store.transact({ keys: [key], reads: [rowKey(reference)] }, (tx) => {
    requireRow(tx, reference);
    const before = read<PolicyRow>(tx, key);
    if (!before) throw notFound(NO_POLICY);
    const statements = before.statements.filter((one) => one['Sid'] !== input.StatementId);
    if (statements.length === before.statements.length) throw notFound(`Statement ${input.StatementId} is not found in resource policy.`);
    if (input.RevisionId !== undefined && input.RevisionId !== before.revisionId) throw revisionMismatch('GetLayerPolicy');
    if (statements.length === 0) tx.delete(key);
    else write(tx, key, { revisionId, statements });
  });
  return {};
};

function referenceOf(ctx: Ctx, input: { LayerName?: string | undefined; VersionNumber?: number | undefined }): LayerVersionReference {
  const version = checkLayerVersion(input.VersionNumber);
  // A policy is its owner's to see and change: another account's layer is none here.
  return { ...readLayerName(ctx, input.LayerName ?? ''), account: ctx.account, version };
}

const rowKey = (reference: LayerVersionReference) => keys.layerVersion(reference, reference.name, reference.version);
const missing = (reference: LayerVersionReference) => notFound(`Layer version ${layerVersionArn(reference)} does not exist.`);

function requireRow(tx: Tx, reference: LayerVersionReference): void {
  const row = read<LayerVersionRow>(tx, rowKey(reference));
  if (!row || row.deleted) throw missing(reference);
}
