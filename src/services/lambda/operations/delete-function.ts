import type { DeleteFunctionRequest, DeleteFunctionResponse } from '@aws-sdk/client-lambda';
import type { Operation } from '../../service.ts';
import { functionArn, isVersion, readReference } from '../domain/names.ts';
import { conflict, functionNotFound, invalidParameter } from '../errors.ts';
import { functionKey, type LambdaRoom } from '../functions.ts';
import { type AliasRow, type FunctionRow, keys, read, readAll, type UrlRow, under, type VersionRow } from '../store.ts';
import { isUsedByVersion } from './code.ts';
import { concurrencyKeys, dropProvisioned, releaseConcurrency } from './shared-concurrency.ts';

/** "DeleteFunction": a function with all its versions, aliases and policies, or one version. */
export function deleteFunction(room: LambdaRoom): Operation<DeleteFunctionRequest, DeleteFunctionResponse> {
  return async (ctx, input) => {
    const { store, blobs } = ctx.platform;
    const { name, qualifier } = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
    if (qualifier === '$LATEST') throw invalidParameter('$LATEST version cannot be deleted without deleting the function.');
    if (qualifier !== undefined && !isVersion(qualifier)) throw invalidParameter('Deletion of aliases is not currently supported.');
    const key = keys.fn(ctx, name);
    const ranges = [keys.versions(ctx, name), keys.aliases(ctx, name), keys.policies(ctx, name), keys.urls(ctx, name), keys.eventInvokes(ctx, name)];
    const gone = await store.transact({ keys: [key, ...concurrencyKeys(ctx, name)], ranges: ranges.map(under) }, (tx) => {
      const fn = read<FunctionRow>(tx, key);
      if (!fn) throw functionNotFound(functionArn(ctx, name));
      if (qualifier !== undefined) {
        const pointing = readAll<AliasRow>(tx, keys.aliases(ctx, name)).find(
          ({ row }) => row.functionVersion === qualifier || row.weights?.[qualifier] !== undefined,
        );
        if (pointing) throw conflict(`Version ${qualifier} is being used by alias(es): [${pointing.row.name}]. Please delete or update the alias(es) first.`);
        const version = read<VersionRow>(tx, keys.version(ctx, name, qualifier));
        tx.delete(keys.version(ctx, name, qualifier));
        tx.delete(keys.policy(ctx, name, qualifier));
        if (fn.provisioned?.[qualifier]) dropProvisioned(tx, ctx, fn, qualifier);
        const blobId = version?.code.blobId;
        const used = blobId === undefined || blobId === fn.latest.code.blobId || isUsedByVersion(tx, ctx, name, blobId);
        return { blobs: used ? [] : [blobId], versions: [qualifier] };
      }
      const versions = readAll<VersionRow>(tx, keys.versions(ctx, name));
      for (const { row } of readAll<UrlRow>(tx, keys.urls(ctx, name))) tx.delete(keys.urlId(row.id));
      for (const prefix of ranges) for (const { key: one } of readAll(tx, prefix)) tx.delete(one);
      tx.delete(key);
      releaseConcurrency(tx, ctx, name);
      const all = [fn.latest, ...(fn.previous ? [fn.previous] : []), ...versions.map(({ row }) => row)];
      return { blobs: [...new Set(all.map((row) => row.code.blobId))], versions: all.map((row) => row.version) };
    });
    for (const blobId of gone.blobs) await blobs.delete(blobId);
    await room.provisioning.apply(ctx.platform, ctx, name);
    for (const version of gone.versions) room.compute.retire(`${functionKey(ctx, name)}:${version}`);
    return { StatusCode: 204 };
  };
}
