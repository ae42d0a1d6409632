import { isObject, type Json } from '../domain/json.ts';
import { fromTransform, mapText, PyDict, type PyText, type PyValue, textOf, Uni } from './python.ts';

/** API Gateway's own name for every method. */
export const ANY_METHOD = 'x-amazon-apigateway-any-method';
export const INTEGRATION = 'x-amazon-apigateway-integration';
const ALL_METHODS = ['OPTIONS', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'];

/** What SAM starts from: a Swagger 2.0 document without paths. */
export function skeleton(): PyDict {
  const info = new PyDict([['version', '1.0']]).set('title', fromTransform({ Ref: 'AWS::StackName' }));
  return new PyDict([
    ['swagger', '2.0'],
    ['info', info],
    ['paths', new PyDict()],
  ]);
}

/** The route of an HTTP API for what no other route takes. */
export const DEFAULT_ROUTE = '$default';

/** The same for HTTP APIs: OpenAPI 3. */
export function openApiSkeleton(): PyDict {
  const info = new PyDict([['version', '1.0']]).set('title', fromTransform({ Ref: 'AWS::StackName' }));
  return new PyDict([
    ['openapi', '3.0.1'],
    ['info', info],
    ['paths', new PyDict()],
  ]);
}

/** Whether it is a document that paths can be added to. */
export function isDefinition(value: PyValue | undefined): value is PyDict {
  if (!(value instanceof PyDict) || !(value.get('paths') instanceof PyDict)) return false;
  const version = value.get('openapi');
  return Boolean(value.get('swagger')) || (version !== undefined && version !== null && /^3(\.\d)(\.\d)?$/.test(textValue(version)));
}

export const textValue = (value: PyValue | undefined): string => (typeof value === 'string' || value instanceof Uni ? textOf(value) : String(value));

export const normalMethod = (method: PyText): PyText => (textOf(method).toLowerCase() === 'any' ? ANY_METHOD : mapText(method, (text) => text.toLowerCase()));

/** The dictionary itself, or those in the branches of an `Fn::If`. */
export function branches(value: PyValue | undefined): PyDict[] {
  if (!(value instanceof PyDict)) return [];
  const items = value.get('Fn::If');
  if (!Array.isArray(items)) return [value];
  return items.slice(1).filter((item): item is PyDict => item instanceof PyDict && !(item.size === 1 && textValue(item.get('Ref')) === 'AWS::NoValue'));
}

/** Makes room for a method of a path. */
export function addPath(document: PyDict, path: PyText, method: PyText): void {
  const paths = document.dict('paths');
  if (!paths.has(path)) paths.set(path, new PyDict());
  for (const item of branches(paths.get(path))) if (!item.has(normalMethod(method))) item.set(normalMethod(method), new PyDict());
}

/** Whether the method of the path calls something already, in every branch. */
export function hasIntegration(document: PyDict, path: PyText, method: PyText): boolean {
  const items = branches(document.dict('paths').get(path));
  return items.length > 0 && items.every((item) => branches(item.get(normalMethod(method))).some((definition) => definition.has(INTEGRATION)));
}

export const conditional = (condition: PyText, value: PyValue): PyDict =>
  new PyDict([['Fn::If', [condition, value, fromTransform({ Ref: 'AWS::NoValue' })]]], { modern: true });

const NOT_METHODS = ['summary', 'description', 'parameters'];
const integrated = (definition: PyDict): boolean => Boolean(definition.get(INTEGRATION));

/** Methods of a path that call something, in every branch. */
export function methodsOf(document: PyDict, path: PyText): [PyText, PyDict][] {
  return branches(document.dict('paths').get(path)).flatMap((item) =>
    item
      .entries()
      .filter(([method]) => !NOT_METHODS.includes(textOf(method)))
      .flatMap(([method, value]) =>
        branches(value)
          .filter(integrated)
          .map((definition): [PyText, PyDict] => [normalMethod(method), definition]),
      ),
  );
}

/** One method's definitions, in every branch. */
export const definitionsAt = (document: PyDict, path: PyText, method: PyText): PyDict[] =>
  branches(document.dict('paths').get(path)).flatMap((item) => branches(item.get(normalMethod(method))).filter(integrated));

export interface IntegrationOptions {
  readonly path: PyText;
  readonly method: PyText;
  readonly uri: PyDict;
  readonly condition: PyText | undefined;
  readonly streams: boolean;
  /** What the function is called with where not by its own permission. */
  readonly credentials?: PyValue | undefined;
}

/** The proxy integration of a function. */
export function addLambdaIntegration(document: PyDict, { path, method, uri, condition, streams, credentials }: IntegrationOptions): void {
  addPath(document, path, method);
  const name = normalMethod(method);
  for (const item of branches(document.dict('paths').get(path))) {
    const definition = item.dict(name);
    const integration = new PyDict([
      ['type', 'aws_proxy'],
      ['httpMethod', 'POST'],
      ['uri', condition === undefined ? uri : conditional(condition, uri)],
    ]);
    if (streams) integration.set('responseTransferMode', 'STREAM');
    if (credentials !== undefined) integration.set('credentials', credentials);
    definition.set(INTEGRATION, integration);
    if (!definition.has('responses')) definition.set('responses', new PyDict());
    if (condition !== undefined) item.set(name, conditional(condition, definition));
  }
}

/** Makes a method of a path, in each branch; conditional as a whole where a condition is given. */
export function addMethod(document: PyDict, path: PyText, method: PyText, fill: (definition: PyDict) => void, condition: PyText | undefined): void {
  addPath(document, path, method);
  const name = normalMethod(method);
  for (const item of branches(document.dict('paths').get(path))) {
    const definition = item.dict(name);
    fill(definition);
    if (condition !== undefined) item.set(name, conditional(condition, definition));
  }
}

export interface CorsOptions {
  readonly origin: PyValue;
  readonly headers: PyValue | undefined;
  readonly methods: PyValue | undefined;
  readonly maxAge: PyValue | undefined;
  readonly credentials: boolean;
}

/** Adds an `OPTIONS` method that answers preflight requests, unless there is one. */
export function addCors(document: PyDict, path: PyText, options: CorsOptions): void {
  let { methods } = options;
  for (const item of branches(document.dict('paths').get(path))) {
    if (item.has('options')) continue;
    if (!methods) methods = `'${allowedMethods(item)}'`;
    item.set('options', preflight({ ...options, methods }));
  }
}

function allowedMethods(item: PyDict): string {
  const names = item.entries().map(([key]) => textOf(key));
  const methods = names.includes(ANY_METHOD) ? ALL_METHODS : [...names, 'options'];
  return [...new Set(methods.map((method) => method.toUpperCase()))].sort().join(',');
}

function preflight({ origin, headers, methods, maxAge, credentials }: CorsOptions): PyDict {
  const parameters = new PyDict();
  const responseHeaders = new PyDict();
  const add = (header: string, value: PyValue, type: string) => {
    parameters.set(`method.response.header.Access-Control-${header}`, value);
    responseHeaders.set(`Access-Control-${header}`, fromTransform({ type }));
  };
  add('Allow-Origin', origin, 'string');
  if (headers) add('Allow-Headers', headers, 'string');
  if (methods) add('Allow-Methods', methods, 'string');
  if (maxAge !== undefined && maxAge !== null) add('Max-Age', maxAge, 'integer');
  if (credentials) add('Allow-Credentials', "'true'", 'string');
  const byDefault = new PyDict([
    ['statusCode', '200'],
    ['responseParameters', parameters],
    ['responseTemplates', fromTransform({ 'application/json': '{}\n' })],
  ]);
  const integration = new PyDict([
    ['type', 'mock'],
    ['requestTemplates', fromTransform({ 'application/json': '{\n  "statusCode" : 200\n}\n' })],
    ['responses', new PyDict([['default', byDefault]])],
  ]);
  const ok = new PyDict([
    ['description', 'Default response for CORS method'],
    ['headers', responseHeaders],
  ]);
  return new PyDict([
    ['summary', 'CORS support'],
    ['consumes', ['application/json']],
    ['produces', ['application/json']],
    [INTEGRATION, integration],
    ['responses', new PyDict([['200', ok]])],
  ]);
}

/** `~1` stands for a slash in media types. */
export function mediaTypes(value: Json): PyValue {
  if (Array.isArray(value)) return value.map(mediaTypes);
  if (isObject(value)) return new PyDict(Object.entries(value).map(([key, member]) => [new Uni(key.replaceAll('~1', '/')), mediaTypes(member)]));
  return typeof value === 'string' ? new Uni(value.replaceAll('~1', '/')) : value;
}

/** For OpenAPI 3 the preflight's headers have schemas, and no media types are listed. */
export function toOpenApi3(document: PyDict): void {
  moveToComponents(document, 'securityDefinitions', 'securitySchemes');
  moveToComponents(document, 'definitions', 'schemas');
  for (const [, item] of document.dict('paths').entries()) {
    const options = item instanceof PyDict ? item.get('options') : undefined;
    if (!(options instanceof PyDict)) continue;
    for (const [field, value] of options.clone().entries()) {
      const name = textOf(field);
      if (name === 'produces' || name === 'consumes') options.delete(field);
      else if (name === 'responses' && value instanceof PyDict) schemas(options);
    }
  }
}

function schemas(options: PyDict): void {
  const ok = options.dict('responses').get('200');
  const headers = ok instanceof PyDict ? ok.get('headers') : undefined;
  if (!(headers instanceof PyDict)) return;
  for (const [name, value] of headers.entries()) headers.set(name, new PyDict([['schema', value]]));
}

function moveToComponents(document: PyDict, from: string, to: string): void {
  const value = document.get(from);
  if (!(value instanceof PyDict) || value.size === 0) return;
  document.dict('components').set(to, value);
  document.delete(from);
}
