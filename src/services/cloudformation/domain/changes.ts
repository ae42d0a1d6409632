import { AwsError } from '../../../kit/errors.ts';
import type { ResourceType } from '../../service.ts';
import { compareProperties } from '../engine/handlers.ts';
import { boundedValues, shownProperties } from './change-values.ts';
import { activeResources, attributeOf, type EnvironmentOptions, environmentOf, type ResourceView } from './environment.ts';
import { type Environment, functionOf, holdsUnknown, NO_VALUE, resolve, UNKNOWN, type Value } from './intrinsics.ts';
import { isObject, isText, type Json, sameJson } from './json.ts';
import type { Resource, ResourceChange, TypeTable } from './records.ts';
import { collectReferences, orderOf, type Template, type TemplateResource } from './template.ts';

type Basis = Omit<EnvironmentOptions, 'resource'> & { readonly tags: Readonly<Record<string, string>> };

/** What an operation would do to each resource: "Change sets" in the CloudFormation User Guide. */
export function changesOf(basis: Basis, resources: ReadonlyMap<string, Resource>, types: TypeTable): ResourceChange[] {
  const made = new Set<string>();
  const modified = new Map<string, readonly string[]>();
  const view =
    (unknown: (logicalId: string, attribute: string) => boolean) =>
    (logicalId: string): ResourceView | undefined => {
      if (made.has(logicalId)) return { ref: UNKNOWN, attribute: () => UNKNOWN };
      const resource = resources.get(logicalId);
      if (resource?.physicalId === undefined) return undefined;
      return { ref: resource.physicalId, attribute: (name) => (unknown(logicalId, name) ? UNKNOWN : attributeOf(resource.attributes, name)) };
    };
  const env = environmentOf({ ...basis, resource: view(() => false) });
  // An attribute that is a property may change with it.
  const doubtful = environmentOf({ ...basis, resource: view((logicalId, name) => modified.get(logicalId)?.includes(name) ?? false) });
  const active = activeResources(basis.template, env);
  const changes: ResourceChange[] = [];
  for (const logicalId of orderOf(active)) {
    const wanted = active.get(logicalId);
    const present = resources.get(logicalId);
    if (!wanted) continue;
    if (present?.physicalId === undefined || present.status === 'DELETE_COMPLETE') {
      const { properties, warning } = added(wanted, env);
      made.add(logicalId);
      const after = properties ? { after: shownProperties(properties, basis.parameters) } : {};
      changes.push({ action: 'Add', logicalId, type: wanted.type, scope: [], details: [], ...after, ...(warning === undefined ? {} : { warning }) });
      continue;
    }
    const after = asProperties(resolve(wanted.properties, env));
    const direct = modification(basis, present, wanted, after, types.get(wanted.type));
    const change = direct ?? modification(basis, present, wanted, asProperties(resolve(wanted.properties, doubtful)), types.get(wanted.type));
    if (!change) continue;
    if (change.replacement === 'True') made.add(logicalId);
    modified.set(
      logicalId,
      change.details.flatMap(({ name }) => name ?? []),
    );
    changes.push({
      ...change,
      ...(direct ? {} : { indirect: true as const }),
      before: shownProperties(present.properties as Record<string, Value>, basis.parameters),
      after: shownProperties(after, basis.parameters),
    });
  }
  for (const [logicalId, { type, physicalId, status, properties }] of resources) {
    if (active.has(logicalId) || status === 'DELETE_COMPLETE' || physicalId === undefined) continue;
    const before = shownProperties(properties as Record<string, Value>, basis.parameters);
    changes.push({ action: 'Remove', logicalId, type, physicalId, scope: [], details: [], before });
  }
  return boundedValues(changes.sort((a, b) => (a.logicalId < b.logicalId ? -1 : 1)));
}

const asProperties = (value: Value): Record<string, Value> => (value === NO_VALUE || value === UNKNOWN ? {} : (value as Record<string, Value>));

/** What cannot be known of a resource that is to be made shows when it is made; an export that is not there is told of. */
function added(wanted: TemplateResource, env: Environment): { readonly properties?: Record<string, Value>; readonly warning?: string } {
  let warning: string | undefined;
  const importValue = (name: string): Value => {
    try {
      return env.importValue(name);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      warning ??= error.message.replace(/ found\.$/, '');
      return UNKNOWN;
    }
  };
  try {
    const properties = asProperties(resolve(wanted.properties, { ...env, importValue }));
    return { properties, ...(warning === undefined ? {} : { warning }) };
  } catch (error) {
    if (error instanceof AwsError) return {};
    throw error;
  }
}

function modification(
  basis: Basis,
  present: Resource,
  wanted: TemplateResource,
  after: Record<string, Value>,
  handler: ResourceType | undefined,
): ResourceChange | undefined {
  const { changed, replacing } = compareProperties(handler, present.properties, after);
  const retagged = !sameJson(present.tags, basis.tags);
  if (changed.length === 0 && !retagged) return undefined;
  const details = changed.map((name) => {
    const replaces = replacing.some((path) => path === name || path.startsWith(`${name}.`));
    const dynamic = holdsUnknown(after[name] ?? null);
    return {
      attribute: 'Properties',
      name,
      recreation: replaces ? (dynamic ? 'Conditionally' : 'Always') : 'Never',
      evaluation: dynamic ? 'Dynamic' : 'Static',
      change: present.properties[name] === undefined ? 'Add' : after[name] === undefined ? 'Remove' : 'Modify',
      ...sourceOf(wanted.properties[name], basis.template, dynamic),
    } as const;
  });
  const replacement = details.some(({ recreation }) => recreation === 'Always')
    ? 'True'
    : details.some(({ recreation }) => recreation === 'Conditionally')
      ? 'Conditional'
      : 'False';
  return {
    action: 'Modify',
    logicalId: present.logicalId,
    type: present.type,
    physicalId: present.physicalId ?? '',
    replacement,
    scope: [...(changed.length > 0 ? ['Properties'] : []), ...(retagged ? ['Tags'] : [])],
    details: [...details, ...(retagged ? [{ attribute: 'Tags', recreation: 'Never', evaluation: 'Static', source: 'DirectModification' } as const] : [])],
  };
}

function sourceOf(raw: Json | undefined, template: Template, dynamic: boolean): { source: string; causing?: string } {
  const references = new Set<string>();
  if (raw !== undefined) collectReferences(raw, references);
  const parameter = [...references].find((name) => Object.hasOwn(template.parameters, name));
  if (!dynamic && parameter !== undefined) return { source: 'ParameterReference', causing: parameter };
  const call = isObject(raw) ? functionOf(raw) : undefined;
  const resource = [...references].find((name) => template.resources.has(name));
  if (dynamic && resource !== undefined) {
    return call?.[0] === 'Ref' && isText(call[1]) ? { source: 'ResourceReference', causing: resource } : { source: 'ResourceAttribute', causing: resource };
  }
  return { source: 'DirectModification' };
}
