import type {
  CreatePlatformApplicationInput,
  DeletePlatformApplicationInput,
  GetPlatformApplicationAttributesInput,
  ListPlatformApplicationsInput,
  SetPlatformApplicationAttributesInput,
} from '@aws-sdk/client-sns';
import type { Ctx } from '../../service.ts';
import { nextToken, startAfter } from '../domain/paging.ts';
import { applicationArn, applicationAttributes, applicationOfArn, checkApplication, shown } from '../domain/platform.ts';
import { missing, notFound } from '../errors.ts';
import { PAGE_SIZE, ROWS_PER_COMMIT } from '../limits.ts';
import { find, fromKey, keys, type PlatformApplicationRow, rangeOf, read, rowsOf, write } from '../store.ts';

/** "CreatePlatformApplication": its credentials are kept, not tried. One that is there takes the attributes. */
export async function createPlatformApplication(ctx: Ctx, input: CreatePlatformApplicationInput) {
  const attributes = applicationAttributes(input.Attributes);
  const { name, platform } = checkApplication(input.Name, input.Platform);
  const key = keys.application(ctx, platform, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const has = read<PlatformApplicationRow>(tx, key);
    write(tx, key, { platform, name, attributes: { Enabled: 'true', ...has?.attributes, ...attributes } } satisfies PlatformApplicationRow);
  });
  return { PlatformApplicationArn: applicationArn(ctx, platform, name) };
}

/** "DeletePlatformApplication": with its endpoints; one that is not there is no error. */
export async function deletePlatformApplication(ctx: Ctx, input: DeletePlatformApplicationInput): Promise<Record<string, never>> {
  const { scope, platform, name } = applicationOfArn(input.PlatformApplicationArn, ctx.region);
  const key = keys.application(scope, platform, name);
  const { store } = ctx.platform;
  await store.transact({ keys: [key] }, (tx) => tx.delete(key));
  for (const prefix of [keys.endpoints(scope, platform, name), keys.devices(scope, platform, name)]) {
    for (;;) {
      const page = await store.range({ ...rangeOf(prefix), limit: ROWS_PER_COMMIT });
      if (page.entries.length === 0) break;
      await store.transact({}, (tx) => {
        for (const [found] of page.entries) tx.delete(found);
      });
    }
  }
  return {};
}

/** "ListPlatformApplications": a hundred a page. */
export async function listPlatformApplications(ctx: Ctx, input: ListPlatformApplicationsInput) {
  const prefix = keys.applications(ctx);
  const page = await ctx.platform.store.range({ ...fromKey(prefix, startAfter(prefix, input.NextToken)), limit: PAGE_SIZE });
  const PlatformApplications = rowsOf<PlatformApplicationRow>(page).map(({ platform, name, attributes }) => ({
    PlatformApplicationArn: applicationArn(ctx, platform, name),
    Attributes: shown(attributes),
  }));
  return { PlatformApplications, ...nextToken(prefix, page) };
}

/** "GetPlatformApplicationAttributes": never its credentials. */
export async function getPlatformApplicationAttributes(ctx: Ctx, input: GetPlatformApplicationAttributesInput) {
  const { scope, platform, name } = applicationOfArn(input.PlatformApplicationArn, ctx.region);
  const row = await find<PlatformApplicationRow>(ctx.platform.store, keys.application(scope, platform, name));
  if (!row) throw notFound('PlatformApplication');
  return { Attributes: shown(row.attributes) };
}

/** "SetPlatformApplicationAttributes". */
export async function setPlatformApplicationAttributes(ctx: Ctx, input: SetPlatformApplicationAttributesInput): Promise<Record<string, never>> {
  const { scope, platform, name } = applicationOfArn(input.PlatformApplicationArn, ctx.region);
  if (input.Attributes === undefined || Object.keys(input.Attributes).length === 0) throw missing('attributes');
  const key = keys.application(scope, platform, name);
  if (!(await find<PlatformApplicationRow>(ctx.platform.store, key))) throw notFound('PlatformApplication');
  const changes = applicationAttributes(input.Attributes);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<PlatformApplicationRow>(tx, key);
    if (!row) throw notFound('PlatformApplication');
    write(tx, key, { ...row, attributes: { ...row.attributes, ...changes } });
  });
  return {};
}
