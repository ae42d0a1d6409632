import type { OperationModel, ServiceModel } from '../../models/model.ts';
import { shapeOf } from '../compiled.ts';
import { matchPath, splitPath, type UriTemplate, uriTemplate } from './template.ts';

export interface RoutedRequest {
  readonly method: string;
  /** Percent-encoded. */
  readonly path: string;
  /** Percent-encoded, without its `?`. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Route {
  readonly operation: OperationModel;
  readonly template: UriTemplate;
  /** Query parameters and headers without which a request is none of this operation. */
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
}

/**
 * Finds the operation of a REST request. Of those whose method, path and literal query parameters fit, the one that names the path most
 * exactly wins, then the one with more literal query parameters, then one whose required parameters and headers are all there
 * (S3's UploadPart beside PutObject), and of those the one that requires most. Undefined where none fits.
 */
export function createRestRouter(model: ServiceModel): (request: RoutedRequest) => OperationModel | undefined {
  const byMethod = new Map<string, Route[]>();
  for (const operation of Object.values(model.operations)) {
    const routes = byMethod.get(operation.http.method) ?? [];
    routes.push(routeOf(model, operation));
    byMethod.set(operation.http.method, routes);
  }
  for (const routes of byMethod.values()) routes.sort(compareRoutes);
  return (request) => {
    const parameters = parameterNames(request.query);
    let best: Route | undefined;
    let bestScore = -1;
    for (const route of byMethod.get(request.method) ?? []) {
      if (best && compareRoutes(best, route) !== 0) break;
      if (!matches(route, request, parameters)) continue;
      const score = scoreOf(route, request, parameters);
      if (score > bestScore) {
        best = route;
        bestScore = score;
      }
    }
    return best?.operation;
  };
}

function routeOf(model: ServiceModel, operation: OperationModel): Route {
  const input = operation.input && shapeOf(model, operation.input);
  const required = new Set(input?.required);
  const bound = (location: string) =>
    Object.entries(input?.members ?? {})
      .filter(([name, ref]) => required.has(name) && ref.location === location)
      .map(([name, ref]) => ref.locationName ?? name);
  return {
    operation,
    template: uriTemplate(operation),
    requiredQuery: bound('querystring'),
    requiredHeaders: bound('header').map((name) => name.toLowerCase()),
  };
}

/** Most exact path first, then most literal query parameters. */
function compareRoutes(a: Route, b: Route): number {
  const length = Math.max(a.template.rank.length, b.template.rank.length);
  for (let i = 0; i < length; i++) {
    const difference = (b.template.rank[i] ?? -1) - (a.template.rank[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return b.template.query.size - a.template.query.size;
}

function matches(route: Route, request: RoutedRequest, parameters: ReadonlyMap<string, string>): boolean {
  for (const [name, value] of route.template.query) {
    const given = parameters.get(name);
    if (given === undefined || (value !== null && given !== value)) return false;
  }
  return matchPath(route.template, request.path) !== undefined || (route.template.segments.length === 0 && splitPath(request.path).length === 0);
}

/** 0 where something required is missing; else the more is required, the better it fits. */
function scoreOf(route: Route, request: RoutedRequest, parameters: ReadonlyMap<string, string>): number {
  if (!route.requiredQuery.every((name) => parameters.has(name))) return 0;
  if (!route.requiredHeaders.every((name) => request.headers[name] !== undefined)) return 0;
  return 1 + route.requiredQuery.length + route.requiredHeaders.length;
}

function parameterNames(query: string): Map<string, string> {
  const out = new Map<string, string>();
  if (query === '') return out;
  for (const part of query.split('&')) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    if (!out.has(name)) out.set(name, equals < 0 ? '' : part.slice(equals + 1));
  }
  return out;
}
