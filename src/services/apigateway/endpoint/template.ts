import { TEMPLATES_MAX } from '../limits.ts';
import { jsonPath } from './json-path.ts';
import { Budget } from './velocity/budget.ts';
import { evaluate } from './velocity/evaluate.ts';
import { type Node, UnsupportedTemplate } from './velocity/nodes.ts';
import { parseTemplate } from './velocity/parse.ts';
import { callable, getIn, newMap, toJson, toText, type Value, type ValueMap } from './velocity/values.ts';

export { TemplateLimit, UnsupportedTemplate } from './velocity/nodes.ts';

/** What a template can refer to. */
export interface TemplateScope {
  readonly context: Readonly<Record<string, unknown>>;
  readonly stageVariables: Readonly<Record<string, string>>;
  readonly body: string;
  /** `$input.params()`: the last value of each name. */
  readonly params: {
    readonly path: Readonly<Record<string, string>>;
    readonly querystring: Readonly<Record<string, string>>;
    readonly header: Readonly<Record<string, string>>;
  };
  /** `$input.params('x')`: path, then query string, then header. */
  readonly param: (name: string) => string | undefined;
  /** A mapping expression such as `method.request.header.Accept`, `context.requestId` or `'static'`. */
  readonly mapping: (expression: string) => string | undefined;
  /** `$context.requestOverride` and `$context.responseOverride`: what the templates of one request set. */
  readonly overrides: Overrides;
}

export interface Overrides {
  readonly request: ValueMap;
  readonly response: ValueMap;
}

export function newOverrides(): Overrides {
  const maps = (...names: readonly string[]) => newMap(names.map((name) => [name, newMap()] as const));
  return { request: maps('header', 'path', 'querystring'), response: maps('header') };
}

/** One kind of override as texts: `overridden(overrides.request, 'header')`. */
export function overridden(overrides: ValueMap, kind: string): [name: string, value: string][] {
  const map = getIn(overrides, kind);
  const budget = new Budget();
  return typeof map === 'object' && map !== null && !Array.isArray(map)
    ? Object.entries(map as ValueMap).map(([name, value]) => [name, toText(value, budget)])
    : [];
}

const parsed = new Map<string, readonly Node[]>();

function parse(template: string): readonly Node[] {
  const known = parsed.get(template);
  if (known) return known;
  const nodes = parseTemplate(template);
  parsed.set(template, nodes);
  const oldest = parsed.keys().next().value;
  if (parsed.size > TEMPLATES_MAX && oldest !== undefined) parsed.delete(oldest);
  return nodes;
}

/** "API Gateway mapping template and access logging variable reference". Throws {@link UnsupportedTemplate} or {@link TemplateLimit}. */
export function renderTemplate(template: string, scope: TemplateScope): string {
  const budget = new Budget();
  const variables = newMap([
    [
      'context',
      newMap([...Object.entries(scope.context as ValueMap), ['requestOverride', scope.overrides.request], ['responseOverride', scope.overrides.response]]),
    ],
    ['stageVariables', newMap(Object.entries(scope.stageVariables))],
    ['input', inputOf(scope, budget)],
    ['util', utilOf(budget)],
  ]);
  return evaluate(parse(template), variables, budget);
}

/** A body that is not there counts as `{}`. */
const bodyOf = (scope: TemplateScope): string => (scope.body === '' ? '{}' : scope.body);

function inputOf(scope: TemplateScope, budget: Budget): Value {
  return callable({
    property: (name) => (name === 'body' ? bodyOf(scope) : undefined),
    call(name, [argument]) {
      const path = toText(argument, budget);
      switch (name) {
        case 'body':
          return bodyOf(scope);
        case 'json': {
          const value = jsonPath(bodyOf(scope), path) as Value;
          return value === undefined ? '""' : toJson(value, budget);
        }
        case 'path':
          // Of its own: what the template does to it must not be seen by the next.
          return structuredClone(jsonPath(bodyOf(scope), path)) as Value;
        case 'params': {
          if (argument !== undefined) return scope.param(path) ?? '';
          return newMap(Object.entries(scope.params).map(([kind, values]) => [kind, newMap(Object.entries(values))] as const));
        }
        default:
          throw new UnsupportedTemplate(`$input.${name}`);
      }
    },
  });
}

/** A JSON text without its quotes, single quotes escaped too. */
const escapeJavaScript = (text: string): string => JSON.stringify(text).slice(1, -1).replaceAll("'", "\\'");

function utilOf(budget: Budget): Value {
  const text = (value: Value) => toText(value, budget);
  return callable({
    property: () => undefined,
    call(name, [argument]) {
      const given = text(argument);
      switch (name) {
        case 'escapeJavaScript':
          return budget.text(escapeJavaScript(given));
        case 'parseJson':
          return parseJson(given);
        case 'urlEncode':
          return budget.text(urlEncode(given));
        case 'urlDecode':
          return urlDecode(given);
        case 'base64Encode':
          return budget.text(Buffer.from(given, 'utf8').toString('base64'));
        case 'base64Decode':
          return Buffer.from(given, 'base64').toString('utf8');
        default:
          throw new UnsupportedTemplate(`$util.${name}`);
      }
    },
  });
}

function parseJson(text: string): Value {
  try {
    return JSON.parse(text) as Value;
  } catch {
    // Not JSON: nothing, as a reference to nothing renders.
    return undefined;
  }
}

/** `application/x-www-form-urlencoded`, as Java writes it. */
const urlEncode = (text: string): string =>
  encodeURIComponent(text.toWellFormed())
    .replaceAll('%20', '+')
    .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function urlDecode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Not well-formed: kept as it came.
    return spaced;
  }
}
