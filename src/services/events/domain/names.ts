import { formatArn, parseArn } from '../../../kit/arn.ts';

/** Whose resource, where. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

export interface BusAddress extends Scope {
  readonly name: string;
}

export const DEFAULT_BUS = 'default';

const arn = (scope: Scope, resource: string): string => formatArn({ service: 'events', region: scope.region, account: scope.account, resource });

export const busArn = ({ name, ...scope }: BusAddress): string => arn(scope, `event-bus/${name}`);
/** Rules of the default bus do not name it. */
export const ruleArn = (scope: Scope, bus: string, name: string): string => arn(scope, bus === DEFAULT_BUS ? `rule/${name}` : `rule/${bus}/${name}`);
export const archiveArn = (scope: Scope, name: string): string => arn(scope, `archive/${name}`);
export const replayArn = (scope: Scope, name: string): string => arn(scope, `replay/${name}`);
export const connectionArn = (scope: Scope, name: string, id: string): string => arn(scope, `connection/${name}/${id}`);
export const destinationArn = (scope: Scope, name: string, id: string): string => arn(scope, `api-destination/${name}/${id}`);

/** The bus that a request names, by name or ARN; without one the caller's default bus. */
export function busOf(ctx: Scope, nameOrArn: string | undefined): BusAddress {
  if (nameOrArn === undefined || nameOrArn === '') return { account: ctx.account, region: ctx.region, name: DEFAULT_BUS };
  return busOfArn(nameOrArn) ?? { account: ctx.account, region: ctx.region, name: nameOrArn };
}

/** The bus that an ARN names; undefined where it names none. */
export function busOfArn(text: string): BusAddress | undefined {
  const parsed = parseArn(text);
  if (parsed?.service !== 'events' || !parsed.resource.startsWith('event-bus/')) return undefined;
  return { account: parsed.account, region: parsed.region, name: parsed.resource.slice('event-bus/'.length) };
}

export type TagAddress = { readonly kind: 'bus'; readonly bus: BusAddress } | { readonly kind: 'rule'; readonly bus: BusAddress; readonly rule: string };

/** The bus or rule that an ARN names; undefined for all else. */
export function taggable(text: string): TagAddress | undefined {
  const bus = busOfArn(text);
  if (bus) return { kind: 'bus', bus };
  const parsed = parseArn(text);
  if (parsed?.service !== 'events' || !parsed.resource.startsWith('rule/')) return undefined;
  const path = parsed.resource.slice('rule/'.length);
  const slash = path.lastIndexOf('/');
  const name = slash < 0 ? DEFAULT_BUS : path.slice(0, slash);
  return { kind: 'rule', bus: { account: parsed.account, region: parsed.region, name }, rule: path.slice(slash + 1) };
}

/** The name in `…:archive/NAME`, `…:connection/NAME/ID` or `…:api-destination/NAME/ID`, with its id. */
export function namedBy(text: string, kind: 'archive' | 'connection' | 'api-destination'): (BusAddress & { readonly id?: string }) | undefined {
  const parsed = parseArn(text);
  const [found, name, id] = parsed?.resource.split('/') ?? [];
  if (parsed?.service !== 'events' || found !== kind || !name) return undefined;
  return { account: parsed.account, region: parsed.region, name, ...(id === undefined ? {} : { id }) };
}
