import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { EventProblem, problemsError, ResourceProblem } from './errors.ts';
import { fromTemplate, type PyDict, pythonOrder, Uni } from './python.ts';
import type { Session } from './session.ts';
import { ANY_METHOD, addPath, conditional, DEFAULT_ROUTE, isDefinition, openApiSkeleton, skeleton } from './swagger.ts';
import { ensureObject, ifElse, isTruthy } from './values.ts';

/** What tells the two kinds of APIs that events make apart. */
export interface ApiKind {
  readonly eventType: 'Api' | 'HttpApi';
  readonly idProperty: 'RestApiId' | 'ApiId';
  readonly implicitId: string;
  readonly resourceType: string;
  readonly initial: JsonObject;
  readonly skeleton: () => PyDict;
}

export const REST: ApiKind = {
  eventType: 'Api',
  idProperty: 'RestApiId',
  implicitId: 'ServerlessRestApi',
  resourceType: 'AWS::Serverless::Api',
  initial: { StageName: 'Prod' },
  skeleton,
};

export const HTTP: ApiKind = {
  eventType: 'HttpApi',
  idProperty: 'ApiId',
  implicitId: 'ServerlessHttpApi',
  resourceType: 'AWS::Serverless::HttpApi',
  initial: {},
  skeleton: openApiSkeleton,
};

/** A reference to an API: its logical id, whatever form it was given in. */
export const apiIdOf = (value: unknown): unknown => (isObject(value) && 'Ref' in value ? value['Ref'] : value);

interface Gathered {
  readonly condition: string | undefined;
  readonly deletionPolicy: string | undefined;
  readonly updateReplacePolicy: string | undefined;
}

/** Gives APIs without a definition an empty one, which events fill. */
export function defaultDefinitions(session: Session, kind: ApiKind): void {
  for (const [logicalId, resource] of Object.entries(session.resources)) {
    if (!isObject(resource) || resource['Type'] !== kind.resourceType) continue;
    const properties = ensureObject(resource, 'Properties');
    if (isTruthy(properties['DefinitionBody'])) session.bodies.set(logicalId, fromTemplate(properties['DefinitionBody']) as never);
    else if (!isTruthy(properties['DefinitionUri'])) {
      session.bodies.set(logicalId, kind.skeleton());
      session.managed.add(logicalId);
    }
  }
}

/**
 * The implicit API of a kind: made where a function has an event that names none, with the paths of all such events. The order of functions and events is that of
 * Python 2.7, because paths are put into the definition in that order.
 */
export function implicitApi(session: Session, kind: ApiKind): void {
  const { resources } = session;
  const { implicitId } = kind;
  const author = resources[implicitId];
  resources[implicitId] = { Type: kind.resourceType, Properties: { ...kind.initial } };
  session.bodies.set(implicitId, kind.skeleton());
  session.managed.add(implicitId);
  const found = new Map<string, Map<string, Map<string, string | undefined>>>();
  const attributes: Gathered[] = [];
  const problems: Error[] = [];
  for (const logicalId of pythonOrder(Object.keys(resources))) {
    const resource = resources[logicalId];
    if (!isObject(resource) || !['AWS::Serverless::Function', 'AWS::Serverless::StateMachine'].includes(String(resource['Type']))) continue;
    try {
      gather(session, kind, resource, found, attributes);
    } catch (error) {
      if (!(error instanceof EventProblem)) throw error;
      problems.push(new ResourceProblem(logicalId, error.message));
    }
  }
  if (problems.length > 0) throw problemsError(problems);
  conditionOfApi(session, kind, found.get(implicitId), attributes);
  conditionsOfPaths(session, kind, found);
  if (session.bodies.get(implicitId)?.dict('paths').size === 0) {
    session.bodies.delete(implicitId);
    session.managed.delete(implicitId);
    if (author === undefined) delete resources[implicitId];
    else {
      resources[implicitId] = author;
      const properties = isObject(author) ? author['Properties'] : undefined;
      if (isObject(properties) && isTruthy(properties['DefinitionBody'])) session.bodies.set(implicitId, fromTemplate(properties['DefinitionBody']) as never);
    }
  }
}

const textAt = (resource: JsonObject, name: string): string | undefined => (isText(resource[name]) ? resource[name] : undefined);

function gather(
  session: Session,
  kind: ApiKind,
  resource: JsonObject,
  found: Map<string, Map<string, Map<string, string | undefined>>>,
  attributes: Gathered[],
): void {
  const properties = resource['Properties'];
  const events = isObject(properties) ? properties['Events'] : undefined;
  if (!isObject(events)) return;
  const ids = pythonOrder(pythonOrder(Object.keys(events)).filter((id) => isObject(events[id]) && events[id]['Type'] === kind.eventType));
  for (const eventId of ids) {
    const event = events[eventId] as JsonObject;
    const given = event['Properties'];
    if (!isTruthy(given) && kind === REST) continue;
    const settings = given === undefined || given === null ? ensureObject(event, 'Properties') : given;
    if (!isObject(settings)) throw new EventProblem(eventId, 'Properties should be a map.');
    if (!(kind.idProperty in settings)) {
      propagateTags(session, kind, String(resource['Type']), properties as JsonObject);
      settings[kind.idProperty] = { Ref: kind.implicitId };
    }
    if (kind === HTTP && !isTruthy(settings['Path']) && !isTruthy(settings['Method'])) {
      settings['Path'] = DEFAULT_ROUTE;
      settings['Method'] = ANY_METHOD;
    }
    const apiId = apiIdOf(settings[kind.idProperty]);
    const { Path: path, Method: method } = settings;
    for (const [name, value] of [
      ['Path', path],
      ['Method', method],
    ] as const) {
      if (value === undefined || value === null) throw new EventProblem(eventId, `Property '${name}' is required.`);
    }
    if (!isText(apiId)) throw new EventProblem(eventId, `Property '${kind.idProperty}' should be a string.`);
    if (!isText(path)) throw new EventProblem(eventId, "Property 'Path' should be a string.");
    if (!isText(method)) throw new EventProblem(eventId, "Property 'Method' should be a string.");
    const perPath = found.get(apiId) ?? new Map<string, Map<string, string | undefined>>();
    found.set(apiId, perPath);
    const perMethod = perPath.get(path) ?? new Map<string, string | undefined>();
    perPath.set(path, perMethod.set(method, textAt(resource, 'Condition')));
    if (apiId === kind.implicitId) {
      attributes.push({
        condition: textAt(resource, 'Condition'),
        deletionPolicy: textAt(resource, 'DeletionPolicy'),
        updateReplacePolicy: textAt(resource, 'UpdateReplacePolicy'),
      });
    }
    addToDefinition(session, kind, eventId, apiId, path, method);
    if (kind === HTTP && settings['RouteSettings'] !== undefined)
      addRouteSettings(session, apiId, { path, method, settings: settings['RouteSettings'], condition: textAt(resource, 'Condition') });
  }
}

function propagateTags(session: Session, kind: ApiKind, type: string, properties: JsonObject): void {
  const shared = session.globals[type.replace('AWS::Serverless::', '')];
  const globals = isObject(shared) ? shared : {};
  const tags = isTruthy(properties['Tags']) ? properties['Tags'] : globals['Tags'];
  const propagate = isTruthy(properties['PropagateTags']) || isTruthy(globals['PropagateTags']);
  const api = session.resources[kind.implicitId];
  if (!propagate || !isObject(tags) || !isTruthy(tags) || !isObject(api)) return;
  const settings = api['Properties'] as JsonObject;
  settings['Tags'] = { ...(isObject(settings['Tags']) ? settings['Tags'] : {}), ...tags };
  settings['PropagateTags'] = true;
}

function addToDefinition(session: Session, kind: ApiKind, eventId: string, apiId: string, path: string, method: string): void {
  const api = session.resources[apiId];
  if (!isObject(api) || (kind === REST && api['Type'] === HTTP.resourceType)) {
    throw new EventProblem(eventId, `${kind.idProperty} must be a valid reference to an '${kind.resourceType}' resource in same template.`);
  }
  const body = session.bodies.get(apiId);
  if (!isDefinition(body) || !session.managed.has(apiId)) return;
  const copy = body.clone();
  addPath(copy, new Uni(path), new Uni(method));
  session.bodies.set(apiId, copy.clone());
}

/** The API is conditional where every method is; it is retained where one of its functions is. */
function conditionOfApi(
  session: Session,
  kind: ApiKind,
  paths: Map<string, Map<string, string | undefined>> | undefined,
  attributes: readonly Gathered[],
): void {
  if (!paths) return;
  const api = session.resources[kind.implicitId] as JsonObject;
  const conditions = new Set([...paths.values()].flatMap((methods) => [...methods.values()]));
  const named = [...conditions].filter((condition): condition is string => condition !== undefined);
  if (named.length === conditions.size && named.length > 0) {
    if (named.length > 1) combine(session, `${kind.implicitId}Condition`, named);
    api['Condition'] = named.length > 1 ? `${kind.implicitId}Condition` : (named[0] ?? '');
  }
  for (const [name, values] of [
    ['DeletionPolicy', attributes.map(({ deletionPolicy }) => deletionPolicy)],
    ['UpdateReplacePolicy', attributes.map(({ updateReplacePolicy }) => updateReplacePolicy)],
  ] as const) {
    const strongest = ['Retain', 'Snapshot', 'Delete'].find((value) => values.includes(value));
    if (strongest !== undefined) api[name] = strongest;
  }
}

/** Settings of one route, beside those that the API has for it. */
function addRouteSettings(session: Session, apiId: string, route: { path: string; method: string; settings: Json; condition: string | undefined }): void {
  const properties = ensureObject(session.resources[apiId] as JsonObject, 'Properties');
  const all = ensureObject(properties, 'RouteSettings');
  const name = route.method === ANY_METHOD ? route.path : `${route.method.toUpperCase()} ${route.path}`;
  const settings = route.condition === undefined ? route.settings : ifElse(route.condition, route.settings);
  all[name] = { ...(isObject(all[name]) ? all[name] : {}), ...(isObject(settings) ? settings : {}) };
}

/** At most ten conditions fit into one `Fn::Or`: more are put together in two steps. */
const OR_MAX = 10;

function combine(session: Session, name: string, conditions: readonly string[]): void {
  const list = [...conditions].sort().map((Condition) => ({ Condition }));
  if (list.length <= OR_MAX) {
    session.conditions[name] = { 'Fn::Or': list };
    return;
  }
  const groups: JsonObject[] = [];
  for (let at = 0; at < list.length; at += OR_MAX) {
    const group = `${name}${groups.length}`;
    session.conditions[group] = { 'Fn::Or': list.slice(at, at + OR_MAX) };
    groups.push({ Condition: group });
  }
  session.conditions[name] = { 'Fn::Or': groups };
}

function conditionsOfPaths(session: Session, kind: ApiKind, found: ReadonlyMap<string, Map<string, Map<string, string | undefined>>>): void {
  for (const apiId of session.managed) {
    const body = session.bodies.get(apiId);
    const api = session.resources[apiId];
    if (!body || !isObject(api) || api['Type'] !== kind.resourceType) continue;
    const copy = body.clone();
    const paths = copy.dict('paths');
    for (const [key] of paths.entries()) {
      const path = key instanceof Uni ? key.text : key;
      const conditions = new Set(found.get(apiId)?.get(path)?.values() ?? []);
      const named = [...conditions].filter((condition): condition is string => condition !== undefined);
      if (named.length === 0 || named.length !== conditions.size) continue;
      const combined = `${apiId}${path.replaceAll('/', 'SLASH').replaceAll('{', 'OB').replaceAll('}', 'CB')}PathCondition`;
      if (named.length > 1) combine(session, combined, named);
      // A condition of its own came from the template; a combined one is SAM's, on top of what did.
      const condition = new Uni(named.length > 1 ? combined : (named[0] ?? ''));
      paths.set(key, conditional(condition, paths.get(key) ?? null));
    }
    session.bodies.set(apiId, copy.clone());
  }
}
