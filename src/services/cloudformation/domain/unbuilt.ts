import { notImplemented } from '../../../kit/errors.ts';
import { isObject, type Json, type JsonObject, objectAt } from './json.ts';

/**
 * Refuses what a template may say and Croft does not do: nothing of it may be dropped in silence. Throws 501 `NotImplemented`.
 * "CreationPolicy attribute", "UpdatePolicy attribute" and "Hooks" in the CloudFormation User Guide.
 */
export function refuseUnbuilt(source: JsonObject): void {
  if (Object.keys(objectAt(source, 'Hooks')).length > 0) throw notImplemented('The template section Hooks');
  for (const [logicalId, resource] of Object.entries(objectAt(source, 'Resources'))) {
    if (!isObject(resource)) continue;
    if (isPresent(resource['CreationPolicy'])) throw notImplemented(`The CreationPolicy of resource ${logicalId}`);
    if (isPresent(resource['UpdatePolicy'])) throw notImplemented(`The UpdatePolicy of resource ${logicalId}`);
    for (const name of ['DeletionPolicy', 'UpdateReplacePolicy']) {
      if (resource[name] === 'Snapshot') throw notImplemented(`The ${name} Snapshot of resource ${logicalId}`);
    }
  }
}

const isPresent = (value: Json | undefined): boolean => value !== undefined && value !== null && !(isObject(value) && Object.keys(value).length === 0);
