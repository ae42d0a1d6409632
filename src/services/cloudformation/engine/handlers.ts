import { AwsError } from '../../../kit/errors.ts';
import type { ResourceRequest, ResourceResult, ResourceType } from '../../service.ts';
import type { Value } from '../domain/intrinsics.ts';
import { type Json, sameJson } from '../domain/json.ts';
import { generatedName } from '../domain/names.ts';
import type { Resource } from '../domain/records.ts';
import type { Run } from './run.ts';

type Properties = Readonly<Record<string, Json>>;

/** The type's code, or the reason why the resource fails. Nothing unknown is ever made. */
export function handlerOf(run: Run, type: string): ResourceType {
  const handler = run.types.get(type);
  if (!handler) throw new Error(`Resource type ${type} is not supported by Croft`);
  return handler;
}

/** Refuses properties that the type does not know. */
export function checkProperties(handler: ResourceType, properties: Properties): void {
  if (handler.properties.includes('*')) return;
  const strange = Object.keys(properties).filter((name) => !handler.properties.includes(name));
  if (strange.length > 0) throw new Error(`Encountered unsupported property ${strange.join(', ')} (${handler.type} in Croft)`);
}

/** What the event of a finished resource says of properties that were only kept. */
export function recordedNote(handler: ResourceType, properties: Properties): string | undefined {
  const kept = (handler.recorded ?? []).filter((name) => Object.hasOwn(properties, name));
  return kept.length > 0 ? `Kept without effect by Croft: ${kept.join(', ')}` : undefined;
}

/** What a type's code is given. */
export function requestOf(run: Run, resource: Pick<Resource, 'logicalId' | 'properties' | 'token' | 'tags'>): ResourceRequest {
  return {
    properties: resource.properties,
    logicalId: resource.logicalId,
    stackId: run.stack.id,
    stackName: run.stack.name,
    generatedName: (maxLength) => generatedName(run.stack.name, resource.logicalId, resource.token, maxLength),
    token: resource.token,
    tags: resource.tags,
    signal: run.waiting,
  };
}

/** Physical id and attributes into a record; attributes that an update does not repeat stay. */
export function withResult(resource: Resource, result: ResourceResult, keep: Resource['attributes'] = {}): Resource {
  return { ...resource, physicalId: result.physicalId, attributes: { ...keep, ...result.attributes } };
}

/** Whether going from `before` to `after` needs a new physical resource, and which top-level properties differ. */
export function compareProperties(
  handler: ResourceType | undefined,
  before: Properties,
  after: Record<string, Value>,
): { changed: string[]; replacing: string[] } {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = names.filter((name) => !sameJson(before[name], after[name]));
  const replacing = (handler?.replaceOn ?? []).filter((path) => !sameJson(at(before, path), at(after, path)));
  return { changed, replacing };
}

function at(properties: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = properties;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value ?? null;
}

/** A physical id that a failed creation left behind, so that the rollback can delete it. */
export function leftBehind(error: unknown): string | undefined {
  const physicalId = typeof error === 'object' && error !== null ? (error as { physicalId?: unknown }).physicalId : undefined;
  return typeof physicalId === 'string' ? physicalId : undefined;
}

/** The reason of a failed resource's event, in the form of AWS's resource handlers. */
export function reasonOf(run: Run, error: unknown, token: string): string {
  if (error instanceof AwsError) {
    return `Resource handler returned message: "${error.message}" (RequestToken: ${token}, HandlerErrorCode: ${handlerCode(error)})`;
  }
  if (error instanceof Error && error.constructor === Error) return error.message;
  run.platform.log.error({ stack: run.stack.id, error: error instanceof Error ? error.stack : String(error) }, 'a resource type failed unexpectedly');
  return 'Internal Failure';
}

/** "Handler error codes" of the CloudFormation CLI User Guide. */
function handlerCode(error: AwsError): string {
  if (/AlreadyExists|AlreadyOwned|ResourceInUse|Conflict/.test(error.code)) return 'AlreadyExists';
  if (/NotFound|NoSuch|NonExistent/.test(error.code)) return 'NotFound';
  if (/AccessDenied|Unauthorized/.test(error.code)) return 'AccessDenied';
  if (/Throttl|TooManyRequests/.test(error.code)) return 'Throttling';
  if (/LimitExceeded|Quota/.test(error.code)) return 'ServiceLimitExceeded';
  if (/Validation|Invalid|Malformed|BadRequest/.test(error.code)) return 'InvalidRequest';
  return 'GeneralServiceException';
}
