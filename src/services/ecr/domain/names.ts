import type { Ctx, Platform } from '../../service.ts';
import { invalidParameter } from '../errors.ts';

/** A registry: one for each account and region. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** The registry that a request names, or the caller's own. Other accounts' are reached as one's own: policies are not evaluated. */
export function placeOf(ctx: Pick<Ctx, 'account' | 'region'>, registryId: string | undefined): Place {
  if (registryId !== undefined && !/^\d{12}$/.test(registryId)) {
    throw invalidParameter(`Invalid parameter at 'registryId' failed to satisfy constraint: 'must satisfy regular expression '[0-9]{12}''`);
  }
  return { account: registryId ?? ctx.account, region: ctx.region };
}

export const repositoryArn = ({ account, region }: Place, name: string): string => `arn:aws:ecr:${region}:${account}:repository/${name}`;

/** The host that names a registry, as clients of this Croft reach it. */
export function registryHost(platform: Pick<Platform, 'address'>, { account, region }: Place): string {
  return `${account}.dkr.ecr.${region}.localhost.localstack.cloud:${platform.address().port}`;
}

const REPOSITORY = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
export const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
export const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isRepositoryName(name: string): boolean {
  return name.length >= 2 && name.length <= 256 && REPOSITORY.test(name);
}

/** The repository that an ARN names. */
export function nameInArn(ctx: Ctx, arn: string | undefined): { place: Place; name: string } {
  const match = /^arn:aws[a-z-]*:ecr:([a-z0-9-]+):(\d{12}):repository\/(.+)$/.exec(arn ?? '');
  const [, region = '', account = '', name = ''] = match ?? [];
  if (!match || region !== ctx.region) throw invalidParameter(`Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'`);
  return { place: { account, region }, name };
}
