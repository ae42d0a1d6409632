import type { Integration, IntegrationResponse, Method, MethodResponse } from '@aws-sdk/client-api-gateway';
import { parse as parseYaml } from 'yaml';
import { badRequest } from '../errors.ts';
import { DOCUMENT_DEPTH_MAX, IMPORT_BYTES_MAX, INTEGRATION_TIMEOUT_MS_DEFAULT } from '../limits.ts';
import { GATEWAY_RESPONSES, newGatewayResponse, type ResponseType } from './gateway-response.ts';
import { HTTP_METHODS, nonEmpty } from './method.ts';
import { compact } from './patch.ts';
import type { AuthorizerRow, GatewayResponseRow, RestApiRow } from './types.ts';

/** An OpenAPI 2.0 or 3.0 document with API Gateway's extensions, as an API. "OpenAPI extensions for API Gateway" in the developer guide. */

export interface ImportedMethod {
  readonly method: Method;
  /** By name: ids are given when the definition is applied. */
  readonly authorizer?: string;
  readonly validator?: string;
}

export interface ImportedModel {
  readonly name: string;
  readonly contentType: string;
  readonly description?: string;
  readonly schema: unknown;
}

export interface ApiDefinition {
  readonly api: Partial<RestApiRow>;
  /** By path, in the document's order, base path included. */
  readonly resources: ReadonlyMap<string, ReadonlyMap<string, ImportedMethod>>;
  readonly models: readonly ImportedModel[];
  readonly authorizers: readonly Omit<AuthorizerRow, 'id'>[];
  readonly validators: readonly { name: string; validateRequestBody: boolean; validateRequestParameters: boolean }[];
  readonly gatewayResponses: readonly GatewayResponseRow[];
  /** What was left out, in AWS's words. */
  readonly warnings: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
const entriesOf = (value: unknown): [string, unknown][] => Object.entries(objectOf(value));

const invalidInput = () => badRequest('Invalid OpenAPI input.');

/** Whether a value is nested deeper than `limit`; without recursion, since it may be deeper than the stack. */
function isDeeper(value: unknown, limit: number): boolean {
  const waiting: [value: unknown, depth: number][] = [[value, 0]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [item, depth] = next;
    if (typeof item !== 'object' || item === null) continue;
    if (depth >= limit) return true;
    for (const child of Object.values(item)) waiting.push([child, depth + 1]);
  }
  return false;
}

/** JSON or YAML text as a document. */
export function parseDocument(body: Uint8Array): Json {
  if (body.byteLength > IMPORT_BYTES_MAX) throw badRequest('Request body is too large, the maximum size is 6291456 bytes');
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  let document: unknown;
  try {
    document = /^\s*\{/.test(text) ? JSON.parse(text) : parseYaml(text, { version: '1.1', maxAliasCount: 100, schema: 'core' });
  } catch {
    throw invalidInput();
  }
  if (isDeeper(document, DOCUMENT_DEPTH_MAX)) throw invalidInput();
  if (!isObject(document) || (!textOf(document['swagger'])?.startsWith('2') && !textOf(document['openapi'])?.startsWith('3'))) throw invalidInput();
  return document;
}

export type BasePathMode = 'ignore' | 'prepend' | 'split';

/** The API that a document describes; throws BadRequestException. */
export function readDefinition(document: Json, basePathMode: BasePathMode): ApiDefinition {
  const reader = new Reader(document);
  const prefix = basePathOf(document, basePathMode);
  const resources = new Map<string, Map<string, ImportedMethod>>();
  for (const [path, item] of entriesOf(document['paths'])) {
    if (!path.startsWith('/')) continue;
    const full = path === '/' && prefix !== '' ? prefix : `${prefix}${path}`;
    const trimmed = full.length > 1 ? full.replace(/\/+$/, '') : full;
    resources.set(trimmed, reader.methods(objectOf(item), trimmed));
  }
  return {
    api: apiOf(document),
    resources,
    models: [...reader.models(), ...reader.inlineModels],
    authorizers: reader.authorizers(),
    validators: entriesOf(document['x-amazon-apigateway-request-validators']).map(([name, value]) => ({
      name,
      validateRequestBody: objectOf(value)['validateRequestBody'] === true,
      validateRequestParameters: objectOf(value)['validateRequestParameters'] === true,
    })),
    warnings: reader.warnings,
    gatewayResponses: entriesOf(document['x-amazon-apigateway-gateway-responses']).map(([type, value]) => gatewayResponseOf(type, objectOf(value))),
  };
}

function apiOf(document: Json): Partial<RestApiRow> {
  const info = objectOf(document['info']);
  const policy = document['x-amazon-apigateway-policy'];
  const endpoint = objectOf(document['x-amazon-apigateway-endpoint-configuration']);
  const compression = document['x-amazon-apigateway-minimum-compression-size'];
  const keySource = textOf(document['x-amazon-apigateway-api-key-source']);
  const mediaTypes = listOf(document['x-amazon-apigateway-binary-media-types']).flatMap((type) => textOf(type) ?? []);
  return compact({
    name: textOf(info['title']),
    description: textOf(info['description']) || undefined,
    version: textOf(info['version']),
    policy: policy === undefined ? undefined : JSON.stringify(policy),
    apiKeySource: keySource === 'AUTHORIZER' ? ('AUTHORIZER' as const) : keySource === 'HEADER' ? ('HEADER' as const) : undefined,
    minimumCompressionSize: typeof compression === 'number' ? compression : undefined,
    binaryMediaTypes: mediaTypes.length > 0 ? mediaTypes : undefined,
    disableExecuteApiEndpoint: endpoint['disableExecuteApiEndpoint'] === true ? true : undefined,
  }) as Partial<RestApiRow>;
}

function basePathOf(document: Json, mode: BasePathMode): string {
  if (mode === 'ignore') return '';
  const server = objectOf(listOf(document['servers'])[0]);
  const url = (textOf(server['url']) ?? '').replace(
    /\{([^}]*)\}/g,
    (_all, name: string) => textOf(objectOf(objectOf(server['variables'])[name])['default']) ?? '',
  );
  // A basePath variable counts even where the URL does not refer to it.
  const variable = textOf(objectOf(objectOf(server['variables'])['basePath'])['default']);
  const fromServer = variable ?? url.replace(/^[a-z]+:\/\/[^/]*/i, '');
  const path = document['swagger'] === undefined ? fromServer : (textOf(document['basePath']) ?? '');
  const parts = path.split('/').filter((part) => part !== '');
  const kept = mode === 'split' ? parts.slice(1) : parts;
  return kept.map((part) => `/${part}`).join('');
}

function gatewayResponseOf(type: string, value: Json): GatewayResponseRow {
  if (!Object.hasOwn(GATEWAY_RESPONSES, type)) throw badRequest(`Invalid gateway response type specified: ${type}`);
  return newGatewayResponse(
    type as ResponseType,
    compact({
      statusCode: textOf(value['statusCode']),
      responseParameters: value['responseParameters'] === undefined ? undefined : textMap(value['responseParameters']),
      responseTemplates: value['responseTemplates'] === undefined ? undefined : textMap(value['responseTemplates']),
    }),
  );
}

const textMap = (value: unknown): Record<string, string> =>
  Object.fromEntries(entriesOf(value).flatMap(([key, v]) => (textOf(v) === undefined ? [] : [[key, textOf(v) ?? '']])));

const REFERENCES_MAX = 32;

class Reader {
  readonly inlineModels: ImportedModel[] = [];
  readonly warnings: string[] = [];
  readonly #document: Json;
  readonly #schemes: Json;

  constructor(document: Json) {
    this.#document = document;
    this.#schemes = objectOf(document['securityDefinitions'] ?? objectOf(document['components'])['securitySchemes']);
  }

  /** Follows `$ref` within the document. */
  #resolve(value: unknown): Json {
    let current = objectOf(value);
    for (let i = 0; i < REFERENCES_MAX && typeof current['$ref'] === 'string'; i++) {
      const path = current['$ref'].split('/').slice(1);
      current = objectOf(path.reduce<unknown>((at, name) => objectOf(at)[name.replaceAll('~1', '/').replaceAll('~0', '~')], this.#document));
    }
    return current;
  }

  models(): ImportedModel[] {
    const schemas = this.#document['definitions'] ?? objectOf(this.#document['components'])['schemas'];
    return entriesOf(schemas).map(([name, schema]) => {
      const description = textOf(objectOf(schema)['description']);
      return { name, contentType: 'application/json', ...(description ? { description } : {}), schema };
    });
  }

  authorizers(): Omit<AuthorizerRow, 'id'>[] {
    return entriesOf(this.#schemes).flatMap(([name, value]) => {
      const scheme = objectOf(value);
      const extension = scheme['x-amazon-apigateway-authorizer'];
      if (!isObject(extension)) return [];
      const type = (textOf(extension['type']) ?? '').toUpperCase();
      const ttl = extension['authorizerResultTtlInSeconds'];
      // A TOKEN authorizer's token stands in the header that the security scheme names.
      const source =
        textOf(extension['identitySource']) ?? (type === 'REQUEST' ? undefined : `method.request.header.${textOf(scheme['name']) ?? 'Authorization'}`);
      return [
        compact({
          name,
          type: (type === 'TOKEN' || type === 'REQUEST' ? type : 'COGNITO_USER_POOLS') as 'TOKEN',
          authType: textOf(scheme['x-amazon-apigateway-authtype']) ?? 'custom',
          providerARNs: Array.isArray(extension['providerARNs']) ? extension['providerARNs'].flatMap((arn) => textOf(arn) ?? []) : undefined,
          authorizerUri: textOf(extension['authorizerUri']),
          authorizerCredentials: textOf(extension['authorizerCredentials']),
          identitySource: source,
          identityValidationExpression: textOf(extension['identityValidationExpression']),
          authorizerResultTtlInSeconds: typeof ttl === 'number' ? ttl : undefined,
        }) as Omit<AuthorizerRow, 'id'>,
      ];
    });
  }

  methods(item: Json, path: string): Map<string, ImportedMethod> {
    const methods = new Map<string, ImportedMethod>();
    for (const [key, operation] of entriesOf(item)) {
      const name = key === 'x-amazon-apigateway-any-method' ? 'ANY' : key.toUpperCase();
      if (!HTTP_METHODS.includes(name) || (name === 'ANY' && key !== 'x-amazon-apigateway-any-method')) continue;
      methods.set(name, this.#method({ httpMethod: name, path }, objectOf(operation), listOf(item['parameters'])));
    }
    return methods;
  }

  #method({ httpMethod, path }: { httpMethod: string; path: string }, operation: Json, shared: readonly unknown[]): ImportedMethod {
    const security = this.#security(operation);
    // The path's own parameters need not be declared.
    const inPath = [...path.matchAll(/\{([^{}+]+)\+?\}/g)].map(([, name]) => [`method.request.path.${name}`, true] as const);
    const requestParameters: Record<string, boolean> = Object.fromEntries(inPath);
    const requestModels: Record<string, string> = {};
    for (const raw of [...shared, ...listOf(operation['parameters'])]) {
      const parameter = this.#resolve(raw);
      const name = textOf(parameter['name']) ?? '';
      const place = { path: 'path', query: 'querystring', header: 'header' }[textOf(parameter['in']) ?? ''];
      if (place !== undefined) requestParameters[`method.request.${place}.${name}`] = parameter['required'] === true;
      if (parameter['in'] === 'body') this.#addModels(requestModels, this.#mediaTypes('consumes', operation), parameter['schema']);
    }
    const content = objectOf(this.#resolve(operation['requestBody'])['content']);
    for (const [mediaType, value] of Object.entries(content)) this.#addModels(requestModels, [mediaType], objectOf(value)['schema']);
    const validator = textOf(operation['x-amazon-apigateway-request-validator'] ?? this.#document['x-amazon-apigateway-request-validator']);
    const extension = operation['x-amazon-apigateway-integration'];
    const method: Method = compact({
      httpMethod,
      authorizationType: security.type,
      authorizationScopes: security.scopes.length > 0 ? [...security.scopes] : undefined,
      apiKeyRequired: security.apiKey,
      operationName: textOf(operation['operationId']),
      requestParameters: nonEmpty(requestParameters),
      requestModels: nonEmpty(requestModels),
      methodResponses: this.#responses(operation),
      methodIntegration: isObject(extension) ? integrationOf(extension, this.#onlyTexts(extension['requestParameters'], path, httpMethod)) : undefined,
    });
    return { method, ...(security.authorizer === undefined ? {} : { authorizer: security.authorizer }), ...(validator ? { validator } : {}) };
  }

  /** Values that are no text are left out with a warning. */
  #onlyTexts(value: unknown, path: string, httpMethod: string): Record<string, string> {
    return Object.fromEntries(
      entriesOf(value).flatMap(([name, item]) => {
        if (typeof item === 'string') return [[name, item]];
        this.warnings.push(
          `Invalid format for 'requestParameters'. Expected type string for property '${name}' of resource '${path}' and method '${httpMethod}' but got '${textOf(item) ?? JSON.stringify(item)}'`,
        );
        return [];
      }),
    );
  }

  #mediaTypes(kind: 'consumes' | 'produces', operation: Json): string[] {
    const types = listOf(operation[kind] ?? this.#document[kind]).flatMap((type) => textOf(type) ?? []);
    return types.length > 0 ? types : ['application/json'];
  }

  /** A schema by reference is a model; one in place becomes a model with a name of its own. */
  #addModels(models: Record<string, string>, mediaTypes: readonly string[], schema: unknown): void {
    if (!isObject(schema)) return;
    let name = textOf(schema['$ref'])?.split('/').at(-1);
    if (name === undefined) {
      name = `MODEL${(this.inlineModels.length + 1).toString(16).padStart(6, '0')}`;
      this.inlineModels.push({ name, contentType: mediaTypes[0] ?? 'application/json', schema });
    }
    for (const mediaType of mediaTypes) models[mediaType] = name;
  }

  #responses(operation: Json): Record<string, MethodResponse> | undefined {
    const responses: Record<string, MethodResponse> = {};
    for (const [status, raw] of entriesOf(operation['responses'])) {
      if (!/^[1-5]\d\d$/.test(status)) continue;
      const value = this.#resolve(raw);
      const models: Record<string, string> = {};
      this.#addModels(models, this.#mediaTypes('produces', operation), value['schema']);
      for (const [mediaType, body] of entriesOf(value['content'])) this.#addModels(models, [mediaType], objectOf(body)['schema']);
      const parameters = Object.fromEntries(Object.keys(objectOf(value['headers'])).map((name) => [`method.response.header.${name}`, false]));
      responses[status] = compact({ statusCode: status, responseParameters: nonEmpty(parameters), responseModels: nonEmpty(models) });
    }
    return nonEmpty(responses);
  }

  #security(operation: Json): { type: string; apiKey: boolean; authorizer?: string; scopes: readonly string[] } {
    const explicit = textOf(objectOf(operation['x-amazon-apigateway-auth'])['type'])?.toUpperCase();
    let found: { type: string; apiKey: boolean; authorizer?: string; scopes: readonly string[] } = { type: 'NONE', apiKey: false, scopes: [] };
    for (const requirement of listOf(operation['security'] ?? this.#document['security'])) {
      for (const [name, scopes] of entriesOf(requirement)) {
        const scheme = objectOf(this.#schemes[name]);
        const extension = scheme['x-amazon-apigateway-authorizer'];
        if (isObject(extension)) {
          const cognito = textOf(extension['type'])?.toLowerCase() === 'cognito_user_pools';
          found = {
            ...found,
            type: cognito ? 'COGNITO_USER_POOLS' : 'CUSTOM',
            authorizer: name,
            scopes: listOf(scopes).flatMap((scope) => textOf(scope) ?? []),
          };
        } else if (textOf(scheme['x-amazon-apigateway-authtype'])?.toLowerCase() === 'awssigv4') found = { ...found, type: 'AWS_IAM' };
        else if (scheme['type'] === 'apiKey' && textOf(scheme['name'])?.toLowerCase() === 'x-api-key') found = { ...found, apiKey: true };
      }
    }
    return explicit === 'AWS_IAM' || explicit === 'NONE' ? { type: explicit, apiKey: found.apiKey, scopes: [] } : found;
  }
}

/** `x-amazon-apigateway-integration`. The resource's id, its cache namespace, is filled in when it is applied. */
function integrationOf(value: Json, parameters: Readonly<Record<string, string>>): Integration {
  const type = (textOf(value['type']) ?? '').toUpperCase() as NonNullable<Integration['type']>;
  const timeout = value['timeoutInMillis'];
  const templates = textMap(value['requestTemplates']);
  const responses: Record<string, IntegrationResponse> = {};
  for (const [pattern, raw] of entriesOf(value['responses'])) {
    const response = objectOf(raw);
    const statusCode = textOf(response['statusCode']) ?? '200';
    responses[statusCode] = compact({
      statusCode,
      selectionPattern: pattern === 'default' ? undefined : pattern,
      responseParameters: response['responseParameters'] === undefined ? undefined : textMap(response['responseParameters']),
      responseTemplates: response['responseTemplates'] === undefined ? undefined : textMap(response['responseTemplates']),
      contentHandling: textOf(response['contentHandling']) as 'CONVERT_TO_TEXT' | undefined,
    });
  }
  return compact({
    type,
    httpMethod: type === 'MOCK' ? undefined : textOf(value['httpMethod'])?.toUpperCase(),
    uri: type === 'MOCK' ? undefined : textOf(value['uri']),
    connectionType: (textOf(value['connectionType']) ?? (type.startsWith('HTTP') ? 'INTERNET' : undefined)) as 'INTERNET' | undefined,
    connectionId: textOf(value['connectionId']),
    credentials: textOf(value['credentials']),
    requestParameters: nonEmpty({ ...parameters }),
    requestTemplates: nonEmpty(templates),
    passthroughBehavior: (textOf(value['passthroughBehavior']) ?? 'WHEN_NO_MATCH').toUpperCase(),
    contentHandling: textOf(value['contentHandling']) as 'CONVERT_TO_TEXT' | undefined,
    timeoutInMillis: typeof timeout === 'number' ? timeout : INTEGRATION_TIMEOUT_MS_DEFAULT,
    cacheNamespace: textOf(value['cacheNamespace']),
    cacheKeyParameters: listOf(value['cacheKeyParameters']).flatMap((name) => textOf(name) ?? []),
    integrationResponses: nonEmpty(responses),
  });
}
