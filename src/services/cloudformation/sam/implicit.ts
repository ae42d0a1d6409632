import { isObject, isText, type JsonObject } from '../domain/json.ts';
import { EventProblem, problemsError, ResourceProblem } from './errors.ts';
import { fromTemplate, pythonOrder, Uni } from './python.ts';
import type { Session } from './session.ts';
import { addPath, conditional, isDefinition, skeleton } from './swagger.ts';
import { ensureObject, isTruthy } from './values.ts';

export const IMPLICIT_REST = 'ServerlessRestApi';

/** A reference to an API: its logical id, whatever form it was given in. */
export const apiIdOf = (value: unknown): unknown => (isObject(value) && 'Ref' in value ? value['Ref'] : value);

interface Gathered {
  readonly condition: string | undefined;
  readonly deletionPolicy: string | undefined;
  readonly updateReplacePolicy: string | undefined;
}

/** Gives REST APIs without a definition an empty one, which events fill. */
export function defaultDefinitions(session: Session): void {
  for (const [logicalId, resource] of Object.entries(session.resources)) {
    if (!isObject(resource) || resource['Type'] !== 'AWS::Serverless::Api') continue;
    const properties = ensureObject(resource, 'Properties');
    if (isTruthy(properties['DefinitionBody'])) session.restBodies.set(logicalId, fromTemplate(properties['DefinitionBody']) as never);
    else if (!isTruthy(properties['DefinitionUri'])) {
      session.restBodies.set(logicalId, skeleton());
      session.managed.add(logicalId);
    }
  }
}

/**
 * The implicit REST API: made where a function has an `Api` event that names none, with the paths of all such events. The order of functions and events is that of
 * Python 2.7, because paths are put into the definition in that order.
 */
export function implicitRestApi(session: Session): void {
  const { resources } = session;
  const author = resources[IMPLICIT_REST];
  resources[IMPLICIT_REST] = { Type: 'AWS::Serverless::Api', Properties: { StageName: 'Prod' } };
  session.restBodies.set(IMPLICIT_REST, skeleton());
  session.managed.add(IMPLICIT_REST);
  const found = new Map<string, Map<string, Map<string, string | undefined>>>();
  const attributes: Gathered[] = [];
  const problems: Error[] = [];
  for (const logicalId of pythonOrder(Object.keys(resources))) {
    const resource = resources[logicalId];
    if (!isObject(resource) || !['AWS::Serverless::Function', 'AWS::Serverless::StateMachine'].includes(String(resource['Type']))) continue;
    try {
      gather(session, resource, found, attributes);
    } catch (error) {
      if (!(error instanceof EventProblem)) throw error;
      problems.push(new ResourceProblem(logicalId, error.message));
    }
  }
  if (problems.length > 0) throw problemsError(problems);
  conditionOfApi(session, found.get(IMPLICIT_REST), attributes);
  conditionsOfPaths(session, found);
  if (session.restBodies.get(IMPLICIT_REST)?.dict('paths').size === 0) {
    session.restBodies.delete(IMPLICIT_REST);
    session.managed.delete(IMPLICIT_REST);
    if (author === undefined) delete resources[IMPLICIT_REST];
    else {
      resources[IMPLICIT_REST] = author;
      const properties = isObject(author) ? author['Properties'] : undefined;
      if (isObject(properties) && isTruthy(properties['DefinitionBody']))
        session.restBodies.set(IMPLICIT_REST, fromTemplate(properties['DefinitionBody']) as never);
    }
  }
}

const textAt = (resource: JsonObject, name: string): string | undefined => (isText(resource[name]) ? resource[name] : undefined);

function gather(session: Session, resource: JsonObject, found: Map<string, Map<string, Map<string, string | undefined>>>, attributes: Gathered[]): void {
  const properties = resource['Properties'];
  const events = isObject(properties) ? properties['Events'] : undefined;
  if (!isObject(events)) return;
  const ids = pythonOrder(pythonOrder(Object.keys(events)).filter((id) => isObject(events[id]) && events[id]['Type'] === 'Api'));
  for (const eventId of ids) {
    const event = events[eventId] as JsonObject;
    const settings = event['Properties'];
    if (!isTruthy(settings)) continue;
    if (!isObject(settings)) throw new EventProblem(eventId, 'Properties should be a map.');
    if (!('RestApiId' in settings)) {
      propagateTags(session, properties as JsonObject);
      settings['RestApiId'] = { Ref: IMPLICIT_REST };
    }
    const apiId = apiIdOf(settings['RestApiId']);
    const { Path: path, Method: method } = settings;
    for (const [name, value] of [
      ['Path', path],
      ['Method', method],
    ] as const) {
      if (value === undefined || value === null) throw new EventProblem(eventId, `Property '${name}' is required.`);
    }
    if (!isText(apiId)) throw new EventProblem(eventId, "Property 'RestApiId' should be a string.");
    if (!isText(path)) throw new EventProblem(eventId, "Property 'Path' should be a string.");
    if (!isText(method)) throw new EventProblem(eventId, "Property 'Method' should be a string.");
    const perPath = found.get(apiId) ?? new Map<string, Map<string, string | undefined>>();
    found.set(apiId, perPath);
    const perMethod = perPath.get(path) ?? new Map<string, string | undefined>();
    perPath.set(path, perMethod.set(method, textAt(resource, 'Condition')));
    if (apiId === IMPLICIT_REST) {
      attributes.push({
        condition: textAt(resource, 'Condition'),
        deletionPolicy: textAt(resource, 'DeletionPolicy'),
        updateReplacePolicy: textAt(resource, 'UpdateReplacePolicy'),
      });
    }
    addToDefinition(session, eventId, apiId, path, method);
  }
}

function propagateTags(session: Session, properties: JsonObject): void {
  const shared = session.globals['Function'];
  const globals = isObject(shared) ? shared : {};
  const tags = isTruthy(properties['Tags']) ? properties['Tags'] : globals['Tags'];
  const propagate = isTruthy(properties['PropagateTags']) || isTruthy(globals['PropagateTags']);
  const api = session.resources[IMPLICIT_REST];
  if (!propagate || !isObject(tags) || !isTruthy(tags) || !isObject(api)) return;
  const settings = api['Properties'] as JsonObject;
  settings['Tags'] = { ...(isObject(settings['Tags']) ? settings['Tags'] : {}), ...tags };
  settings['PropagateTags'] = true;
}

function addToDefinition(session: Session, eventId: string, apiId: string, path: string, method: string): void {
  const api = session.resources[apiId];
  if (!isObject(api) || api['Type'] === 'AWS::Serverless::HttpApi') {
    throw new EventProblem(eventId, "RestApiId must be a valid reference to an 'AWS::Serverless::Api' resource in same template.");
  }
  const body = session.restBodies.get(apiId);
  if (!isDefinition(body) || !session.managed.has(apiId)) return;
  const copy = body.clone();
  addPath(copy, new Uni(path), new Uni(method));
  session.restBodies.set(apiId, copy.clone());
}

/** The API is conditional where every method is; it is retained where one of its functions is. */
function conditionOfApi(session: Session, paths: Map<string, Map<string, string | undefined>> | undefined, attributes: readonly Gathered[]): void {
  if (!paths) return;
  const api = session.resources[IMPLICIT_REST] as JsonObject;
  const conditions = new Set([...paths.values()].flatMap((methods) => [...methods.values()]));
  const named = [...conditions].filter((condition): condition is string => condition !== undefined);
  if (named.length === conditions.size && named.length > 0) {
    if (named.length > 1) combine(session, 'ServerlessRestApiCondition', named);
    api['Condition'] = named.length > 1 ? 'ServerlessRestApiCondition' : (named[0] ?? '');
  }
  for (const [name, values] of [
    ['DeletionPolicy', attributes.map(({ deletionPolicy }) => deletionPolicy)],
    ['UpdateReplacePolicy', attributes.map(({ updateReplacePolicy }) => updateReplacePolicy)],
  ] as const) {
    const strongest = ['Retain', 'Snapshot', 'Delete'].find((value) => values.includes(value));
    if (strongest !== undefined) api[name] = strongest;
  }
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

function conditionsOfPaths(session: Session, found: ReadonlyMap<string, Map<string, Map<string, string | undefined>>>): void {
  for (const apiId of session.managed) {
    const body = session.restBodies.get(apiId);
    if (!body) continue;
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
    session.restBodies.set(apiId, copy.clone());
  }
}
