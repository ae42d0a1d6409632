import type {
  DeleteProvisionedConcurrencyConfigRequest,
  GetProvisionedConcurrencyConfigRequest,
  GetProvisionedConcurrencyConfigResponse,
  ListProvisionedConcurrencyConfigsRequest,
  ListProvisionedConcurrencyConfigsResponse,
  PutProvisionedConcurrencyConfigRequest,
  PutProvisionedConcurrencyConfigResponse,
} from '@aws-sdk/client-lambda';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { takenBy, withoutProvisioned } from '../domain/concurrency.ts';
import { lastModified } from '../domain/configuration.ts';
import { type FunctionReference, functionArn, isVersion, readReference } from '../domain/names.ts';
import { hasSnapStart } from '../domain/snap-start.ts';
import { refuseTenancy } from '../domain/tenancy.ts';
import { conflict, functionNotFound, invalidParameter, noProvisionedConcurrency, notFound, plainInvalidParameter } from '../errors.ts';
import { find, type LambdaRoom, requireFunction } from '../functions.ts';
import { CONCURRENT_EXECUTIONS, LIST_ITEMS_MAX, PROVISION_DELAY_MS, UNRESERVED_CONCURRENCY_MIN } from '../limits.ts';
import { type AliasRow, type FunctionRow, getAliasRow, getVersionRow, keys, type ProvisionedConfig, read, type VersionRow } from '../store.ts';
import { changeConcurrency } from './shared-concurrency.ts';

/** Who scales provisioned concurrency. */
const SCALING = 'application-autoscaling.amazonaws.com';

type Qualified = Required<FunctionReference>;

/** "PutProvisionedConcurrencyConfig". */
export function putProvisionedConcurrencyConfig(room: LambdaRoom): Operation<PutProvisionedConcurrencyConfigRequest, PutProvisionedConcurrencyConfigResponse> {
  return async (ctx, input) => {
    if (input.Qualifier === '$LATEST') throw invalidParameter('Provisioned Concurrency Configs cannot be applied to unpublished function versions.');
    const reference = readReference(ctx, input.FunctionName ?? '', input.Qualifier) as Qualified;
    const { name, qualifier } = reference;
    await requireTarget(ctx, reference);
    await refuseWithSnapStart(ctx, name, qualifier);
    const requested = input.ProvisionedConcurrentExecutions ?? 0;
    const config: ProvisionedConfig = { requested, modifiedMs: ctx.platform.clock.virtual() };
    await changeConcurrency(ctx, name, (tx, others) => {
      const fn = read<FunctionRow>(tx, keys.fn(ctx, name));
      if (!fn) throw functionNotFound(functionArn(ctx, name, qualifier));
      const next: FunctionRow = { ...fn, provisioned: { ...fn.provisioned, [qualifier]: config } };
      checkAmount(next, others);
      checkOverlap(tx, ctx, fn, qualifier);
      return next;
    });
    const answer = { ...(await statusOf(ctx, room, reference, config)), Status: 'IN_PROGRESS' as const };
    room.provisioning.applyLater(ctx.platform, ctx, name, PROVISION_DELAY_MS);
    const { StatusReason: _, ...shown } = answer;
    return shown;
  };
}

/** "GetProvisionedConcurrencyConfig". */
export function getProvisionedConcurrencyConfig(room: LambdaRoom): Operation<GetProvisionedConcurrencyConfigRequest, GetProvisionedConcurrencyConfigResponse> {
  return async (ctx, input) => {
    const reference = readPublished(ctx, input);
    await requireTarget(ctx, reference);
    const config = (await requireFunction(ctx.platform, ctx, reference.name)).provisioned?.[reference.qualifier];
    if (!config) throw noProvisionedConcurrency();
    const status = await statusOf(ctx, room, reference, config);
    if (ctx.principal.type !== 'service' || ctx.principal.arn !== SCALING) return status;
    // No member of the model, and none on the wire: Application Auto Scaling's minute.
    return { ...status, Utilization: await room.provisioning.utilization(ctx.platform, ctx, reference.name, reference.qualifier) };
  };
}

/** "ListProvisionedConcurrencyConfigs". */
export function listProvisionedConcurrencyConfigs(
  room: LambdaRoom,
): Operation<ListProvisionedConcurrencyConfigsRequest, ListProvisionedConcurrencyConfigsResponse> {
  return async (ctx, input) => {
    const { name } = readReference(ctx, input.FunctionName ?? '');
    const { provisioned = {} } = await requireFunction(ctx.platform, ctx, name);
    const after = input.Marker ? Buffer.from(input.Marker, 'base64').toString('utf8') : '';
    const left = Object.entries(provisioned)
      .filter(([qualifier]) => qualifier > after)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const page = left.slice(0, Math.min(input.MaxItems ?? LIST_ITEMS_MAX, LIST_ITEMS_MAX));
    const last = page.at(-1);
    const shown = page.map(async ([qualifier, config]) => ({
      FunctionArn: functionArn(ctx, name, qualifier),
      ...(await statusOf(ctx, room, { name, qualifier }, config)),
    }));
    return {
      ProvisionedConcurrencyConfigs: await Promise.all(shown),
      ...(last && page.length < left.length ? { NextMarker: Buffer.from(last[0], 'utf8').toString('base64') } : {}),
    };
  };
}

/** "DeleteProvisionedConcurrencyConfig": one that is not there is a success. */
export function deleteProvisionedConcurrencyConfig(room: LambdaRoom): Operation<DeleteProvisionedConcurrencyConfigRequest, Record<string, never>> {
  return async (ctx, input) => {
    const reference = readPublished(ctx, input);
    await requireTarget(ctx, reference);
    await changeConcurrency(ctx, reference.name, (tx) => {
      const fn = read<FunctionRow>(tx, keys.fn(ctx, reference.name));
      if (!fn) throw functionNotFound(functionArn(ctx, reference.name, reference.qualifier));
      return withoutProvisioned(fn, reference.qualifier);
    });
    await room.provisioning.apply(ctx.platform, ctx, reference.name);
    return {};
  };
}

function readPublished(ctx: Ctx, input: GetProvisionedConcurrencyConfigRequest): Qualified {
  if (input.Qualifier === '$LATEST') throw invalidParameter('The function resource provided must be an alias or a published version.');
  return readReference(ctx, input.FunctionName ?? '', input.Qualifier) as Qualified;
}

async function requireTarget(ctx: Ctx, { name, qualifier }: Qualified): Promise<void> {
  const { store } = ctx.platform;
  const arn = functionArn(ctx, name, qualifier);
  if (isVersion(qualifier)) {
    if (!(await getVersionRow(store, ctx, name, qualifier))) throw functionNotFound(arn);
  } else if (!(await getAliasRow(store, ctx, name, qualifier))) throw notFound(`Cannot find alias arn: ${arn}`);
}

/** SnapStart and tenant isolation exclude it. */
async function refuseWithSnapStart(ctx: Ctx, name: string, qualifier: string): Promise<void> {
  const { row } = await find(ctx.platform, ctx, { name, qualifier });
  if (hasSnapStart(row)) throw invalidParameter('Provisioned concurrency is not supported for SnapStart enabled functions.');
  refuseTenancy(row, 'Provisioned concurrency');
}

/** Whether the function, and the account, have so much concurrency to give. */
function checkAmount(next: FunctionRow, others: number): void {
  const { amount, provisioned } = takenBy(next);
  if (next.reservedConcurrency !== undefined) {
    if (provisioned <= next.reservedConcurrency) return;
    throw invalidParameter('Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function');
  }
  const free = CONCURRENT_EXECUTIONS - others;
  if (amount > free) throw plainInvalidParameter(`Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [${free}].`);
  if (free - amount < UNRESERVED_CONCURRENCY_MIN) {
    throw plainInvalidParameter(
      `Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${UNRESERVED_CONCURRENCY_MIN}].`,
    );
  }
}

/** A version is provisioned by itself or by the aliases that point to it, not both. */
function checkOverlap(tx: Tx, ctx: Ctx, fn: FunctionRow, qualifier: string): void {
  const others = Object.keys(fn.provisioned ?? {}).filter((one) => one !== qualifier);
  if (isVersion(qualifier)) {
    if (!read<VersionRow>(tx, keys.version(ctx, fn.name, qualifier))) throw functionNotFound(functionArn(ctx, fn.name, qualifier));
    const pointing = others.some((one) => !isVersion(one) && read<AliasRow>(tx, keys.alias(ctx, fn.name, one))?.functionVersion === qualifier);
    if (pointing) throw conflict('Version is pointed by a Provisioned Concurrency alias');
    return;
  }
  const alias = read<AliasRow>(tx, keys.alias(ctx, fn.name, qualifier));
  if (!alias) throw notFound(`Cannot find alias arn: ${functionArn(ctx, fn.name, qualifier)}`);
  if (alias.functionVersion === '$LATEST') throw invalidParameter('Provisioned Concurrency Configs cannot be applied to unpublished function versions.');
  if (others.includes(alias.functionVersion)) throw conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version");
}

async function statusOf(
  ctx: Ctx,
  room: LambdaRoom,
  { name, qualifier }: Qualified,
  config: ProvisionedConfig,
): Promise<GetProvisionedConcurrencyConfigResponse> {
  const { status, allocated, reason } = await room.provisioning.status(ctx.platform, ctx, name, qualifier, config.requested);
  return {
    RequestedProvisionedConcurrentExecutions: config.requested,
    AvailableProvisionedConcurrentExecutions: allocated,
    AllocatedProvisionedConcurrentExecutions: allocated,
    Status: status,
    ...(reason === undefined ? {} : { StatusReason: reason }),
    LastModified: lastModified(config.modifiedMs),
  };
}
