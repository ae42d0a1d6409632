import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceResult, ResourceType } from '../service.ts';
import { claim, keys, unclaim } from './store.ts';

const NAME_CHARS_MAX = 64;

const isCode = (error: unknown, code: string) => error instanceof AwsError && error.code === code;
const exists = (name: string) => new AwsError('AlreadyExists', `${name} already exists`);
const given = (properties: Properties, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(names.filter((name) => properties[name] !== undefined).map((name) => [name, properties[name]]));

/** Switches may be written as text. */
function switches(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(switches);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, name === 'IsValueSecret' ? String(inner) === 'true' : switches(inner)]));
}

async function unlessThere(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    // Made by this very operation before a crash.
    if (!isCode(error, 'ResourceAlreadyExistsException')) throw error;
  }
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isCode(error, 'ResourceNotFoundException')) throw error;
  }
}

const CONNECTION = ['Description', 'AuthorizationType', 'AuthParameters', 'InvocationConnectivityParameters', 'KmsKeyIdentifier'] as const;
const connectionInput = (properties: Properties) => switches(given(properties, CONNECTION)) as Record<string, unknown>;

async function connectionResult(ctx: Ctx, name: string): Promise<ResourceResult> {
  const { ConnectionArn, SecretArn } = (await ctx.call('events', 'DescribeConnection', { Name: name })) as { ConnectionArn: string; SecretArn: string };
  return { physicalId: name, attributes: { Arn: ConnectionArn, ArnForPolicy: ConnectionArn.replace(/\/[^/]*$/, ''), SecretArn } };
}

/** "AWS::Events::Connection". */
const connection: ResourceType = {
  type: 'AWS::Events::Connection',
  replaceOn: ['Name'],
  properties: ['Name', ...CONNECTION],
  recorded: ['KmsKeyIdentifier'],
  async create(ctx, request) {
    const name = String(request.properties['Name'] ?? request.generatedName(NAME_CHARS_MAX));
    const ours = await claim(ctx.platform.store, ctx, `connection ${name}`, request.token, (tx) => tx.get(keys.connection(ctx, name)) !== undefined);
    if (!ours) throw exists(name);
    await unlessThere(ctx.call('events', 'CreateConnection', { Name: name, ...connectionInput(request.properties) }));
    return connectionResult(ctx, name);
  },
  async update(ctx, { properties, physicalId }) {
    await ctx.call('events', 'UpdateConnection', { Name: physicalId, Description: '', ...connectionInput(properties) });
    return connectionResult(ctx, physicalId);
  },
  async delete(ctx, { physicalId }) {
    await unlessGone(ctx.call('events', 'DeleteConnection', { Name: physicalId }));
    await unclaim(ctx.platform.store, ctx, `connection ${physicalId}`);
  },
};

const DESTINATION = ['Description', 'ConnectionArn', 'InvocationEndpoint', 'HttpMethod'] as const;

const destinationInput = (properties: Properties): Record<string, unknown> => ({
  ...given(properties, DESTINATION),
  ...(properties['InvocationRateLimitPerSecond'] === undefined ? {} : { InvocationRateLimitPerSecond: Number(properties['InvocationRateLimitPerSecond']) }),
});

async function destinationResult(ctx: Ctx, name: string): Promise<ResourceResult> {
  const { ApiDestinationArn } = (await ctx.call('events', 'DescribeApiDestination', { Name: name })) as { ApiDestinationArn: string };
  return { physicalId: name, attributes: { Arn: ApiDestinationArn, ArnForPolicy: ApiDestinationArn.replace(/\/[^/]*$/, '') } };
}

/** "AWS::Events::ApiDestination". */
const apiDestination: ResourceType = {
  type: 'AWS::Events::ApiDestination',
  replaceOn: ['Name'],
  properties: ['Name', 'InvocationRateLimitPerSecond', ...DESTINATION],
  recorded: ['InvocationRateLimitPerSecond'],
  async create(ctx, request) {
    const name = String(request.properties['Name'] ?? request.generatedName(NAME_CHARS_MAX));
    const ours = await claim(ctx.platform.store, ctx, `destination ${name}`, request.token, (tx) => tx.get(keys.destination(ctx, name)) !== undefined);
    if (!ours) throw exists(name);
    await unlessThere(ctx.call('events', 'CreateApiDestination', { Name: name, ...destinationInput(request.properties) }));
    return destinationResult(ctx, name);
  },
  async update(ctx, { properties, physicalId }) {
    await ctx.call('events', 'UpdateApiDestination', { Name: physicalId, Description: '', ...destinationInput(properties) });
    return destinationResult(ctx, physicalId);
  },
  async delete(ctx, { physicalId }) {
    await unlessGone(ctx.call('events', 'DeleteApiDestination', { Name: physicalId }));
    await unclaim(ctx.platform.store, ctx, `destination ${physicalId}`);
  },
};

export const resources: readonly ResourceType[] = [connection, apiDestination];
