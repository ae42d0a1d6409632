import { isObject, isText, type Json, type JsonObject } from '../domain/json.ts';
import { EventProblem, ResourceProblem, TemplateProblem } from './errors.ts';
import { fromTemplate, fromTransform, PyDict, type PyText, type PyValue, textOf, Uni } from './python.ts';
import { definitionsAt, INTEGRATION, isDefinition, textValue } from './swagger.ts';
import { isIntrinsic, isTruthy } from './values.ts';

/** `GatewayResponses`: what API Gateway itself answers. "GatewayResponse" in the SAM Developer Guide. */
export function addGatewayResponses(logicalId: string, body: PyDict | undefined, responses: Json | undefined): PyDict | undefined {
  if (!isTruthy(responses) || !isObject(responses)) return body;
  const fail = (message: string) => new ResourceProblem(logicalId, message);
  if (!body) throw fail("GatewayResponses works only with inline Swagger specified in 'DefinitionBody' property.");
  for (const [type, response] of Object.entries(responses)) {
    if (isIntrinsic(response)) throw fail('Unable to set GatewayResponses attribute because intrinsic functions are not supported for this field.');
    if (!isObject(response)) throw fail(`Invalid property type '${pythonType(response)}' for GatewayResponses. Expected an object of type 'GatewayResponse'.`);
    const strange = Object.keys(response).find((name) => !['ResponseParameters', 'ResponseTemplates', 'StatusCode'].includes(name));
    if (strange !== undefined) throw fail(`Invalid property '${strange}' in 'GatewayResponses' property '${type}'.`);
  }
  if (!isDefinition(body)) throw fail("Unable to add Auth configuration because 'DefinitionBody' does not contain a valid Swagger definition.");
  const document = body.clone();
  const key = 'x-amazon-apigateway-gateway-responses';
  const present = document.get(key);
  const all = present instanceof PyDict ? present : new PyDict();
  const made = new PyDict();
  for (const [name] of (fromTemplate(responses) as PyDict).entries()) {
    made.set(name, gatewayResponse(logicalId, textOf(name), responses[textOf(name)] as JsonObject));
  }
  for (const [name, value] of made.entries()) all.set(name, value);
  document.set(key, all);
  return document.clone();
}

const pythonType = (value: Json): string =>
  Array.isArray(value) ? 'list' : isText(value) ? 'Py27UniStr' : typeof value === 'number' ? 'int' : typeof value === 'boolean' ? 'bool' : 'NoneType';

const PREFIXES = [
  ['Headers', 'header.'],
  ['Paths', 'path.'],
  ['QueryStrings', 'querystring.'],
] as const;

function gatewayResponse(logicalId: string, type: string, response: JsonObject): PyDict {
  const { ResponseParameters: parameters, ResponseTemplates: templates, StatusCode: status } = response;
  const prefixed = new PyDict();
  if (isTruthy(parameters)) {
    if (!isObject(parameters)) throw new ResourceProblem(logicalId, `Property 'GatewayResponses.${type}.ResponseParameters' should be a map.`);
    const strange = Object.keys(parameters).find((name) => !PREFIXES.some(([member]) => member === name));
    if (strange !== undefined) throw new ResourceProblem(logicalId, `Invalid gateway response parameter '${strange}'`);
  }
  if (isTruthy(status) && !/^[0-9]{1,3}$/.test(String(status))) throw new ResourceProblem(logicalId, "Property 'StatusCode' must be numeric");
  for (const [member, prefix] of PREFIXES) {
    const values = isObject(parameters) ? (parameters[member] ?? {}) : {};
    if (!isObject(values)) throw new ResourceProblem(logicalId, `Property 'ResponseParameters.${member}' should be a map.`);
    for (const [name, value] of (fromTemplate(values) as PyDict).entries()) prefixed.set(new Uni(`gatewayresponse.${prefix}${textOf(name)}`), value);
  }
  const out = new PyDict([
    ['responseParameters', prefixed],
    ['responseTemplates', isTruthy(templates) ? fromTemplate(templates) : new PyDict()],
  ]);
  if (status !== undefined && status !== null && isTruthy(String(status))) out.set('statusCode', String(status));
  return out;
}

/** `Models`: schemas that requests are checked against. */
export function addModels(logicalId: string, body: PyDict | undefined, models: Json | undefined): PyDict | undefined {
  if (!isTruthy(models) || !isObject(models)) return body;
  const fail = (message: string) => new ResourceProblem(logicalId, message);
  if (!body) throw fail("Models works only with inline Swagger specified in 'DefinitionBody' property.");
  if (!isDefinition(body)) throw fail("Unable to add Models definitions because 'DefinitionBody' does not contain a valid Swagger definition.");
  if (!Object.values(models).every(isObject)) throw fail("Invalid value for 'Models' property");
  const document = body.clone();
  const present = document.get('definitions');
  const definitions = present instanceof PyDict ? present : new PyDict();
  for (const [name, schema] of (fromTemplate(models) as PyDict).entries()) {
    if (!(schema instanceof PyDict) || !schema.get('type')) throw new TemplateProblem("'Models' schema is missing 'type'.");
    definitions.set(new Uni(textOf(name).toLowerCase()), schema);
  }
  document.set('definitions', definitions);
  return document.clone();
}

/** `DisableExecuteApiEndpoint`, in the form of the definition's version. */
export function disableEndpoint(logicalId: string, body: PyDict | undefined, value: Json | undefined): PyDict | undefined {
  if (value === undefined || value === null) return body;
  if (!body) throw new ResourceProblem(logicalId, "DisableExecuteApiEndpoint works only within 'DefinitionBody' property.");
  const document = body.clone();
  const set = (holder: PyDict, where: string) => {
    const key = 'x-amazon-apigateway-endpoint-configuration';
    const present = holder.get(key);
    if (present !== undefined && !(present instanceof PyDict)) {
      throw new TemplateProblem(`Invalid OpenAPI definition${where}: The value of '${key}' should be a map.`);
    }
    holder.dict(key).set('disableExecuteApiEndpoint', fromTemplate(value));
  };
  if (document.get('openapi') && /^3(\.\d)(\.\d)?$/.test(textValue(document.get('openapi')))) {
    const given = document.get('servers');
    const servers: PyValue[] = Array.isArray(given) ? given : [new PyDict()];
    servers.forEach((server, index) => {
      if (server instanceof PyDict) set(server, ` of 'servers[${index}]'`);
    });
    document.set('servers', servers);
  } else set(document, '');
  return document.clone();
}

interface RequestOptions {
  readonly eventId: string;
  readonly properties: JsonObject;
  /** `Models` of the API. */
  readonly models: Json | undefined;
  readonly path: PyText;
  readonly method: PyText;
}

/** What an event says of requests: timeout, model, parameters. */
export function addRequestOptions(document: PyDict, options: RequestOptions): void {
  const { properties, path, method } = options;
  if (isTruthy(properties['TimeoutInMillis'])) {
    for (const definition of definitionsAt(document, path, method)) {
      definition.dict(INTEGRATION).set('timeoutInMillis', fromTemplate(properties['TimeoutInMillis']));
    }
  }
  if (isTruthy(properties['RequestModel'])) addRequestModel(document, options);
  if (isTruthy(properties['RequestParameters'])) addRequestParameters(document, options);
}

function addRequestModel(document: PyDict, { eventId, properties, models, path, method }: RequestOptions): void {
  const request = properties['RequestModel'];
  if (!isObject(request)) throw new EventProblem(eventId, "Property 'RequestModel' should be a map.");
  const model = request['Model'];
  if (!isTruthy(model)) return;
  const name = isText(model) ? model : JSON.stringify(model).replaceAll('"', "'");
  const unable = (why: string) =>
    new EventProblem(eventId, `Unable to set RequestModel [${name}] on API method [${textOf(method)}] for path [${textOf(path)}] because ${why}`);
  if (!isTruthy(models)) throw unable('the related API does not define any Models.');
  if (!isObject(models)) throw unable('the related API Models defined is of invalid type.');
  if (!isText(model)) throw unable('the related API does not contain valid Models.');
  if (!isTruthy(models[model])) throw unable("it wasn't defined in the API's Models.");
  const lower = new Uni(model.toLowerCase());
  const required = request['Required'];
  for (const definition of definitionsAt(document, path, method)) {
    if (document.get('swagger') !== undefined) {
      const schema = fromTransform({ $ref: `#/definitions/${lower.text}` });
      const parameter = new PyDict([
        ['in', 'body'],
        ['name', lower],
        ['schema', schema],
      ]);
      if (required !== undefined && required !== null) parameter.set('required', fromTemplate(required));
      const before = definition.get('parameters');
      definition.set('parameters', [...(Array.isArray(before) ? before : []), parameter]);
    } else {
      const body = fromTransform({ content: { 'application/json': { schema: { $ref: `#/components/schemas/${lower.text}` } } } }) as PyDict;
      if (required !== undefined && required !== null) body.set('required', fromTemplate(required));
      definition.set('requestBody', body);
    }
  }
  addValidator(document, { eventId, request, path, method, name });
}

interface ValidatorOptions {
  readonly eventId: string;
  readonly request: JsonObject;
  readonly path: PyText;
  readonly method: PyText;
  readonly name: string;
}

function addValidator(document: PyDict, { eventId, request, path, method, name }: ValidatorOptions): void {
  const { ValidateBody: givenBody, ValidateParameters: givenParameters } = request;
  if ((givenBody ?? null) === null && (givenParameters ?? null) === null) return;
  const [body, parameters] = [givenBody ?? false, givenParameters ?? false];
  if (typeof body !== 'boolean' || typeof parameters !== 'boolean') {
    throw new EventProblem(
      eventId,
      `Unable to set Validator to RequestModel [${name}] on API method [${textOf(method)}] for path [${textOf(path)}] ValidateBody and ValidateParameters must be a boolean type, strings or intrinsics are not supported.`,
    );
  }
  const validator = body ? (parameters ? 'body-and-params' : 'body-only') : parameters ? 'params-only' : 'no-validation';
  const key = 'x-amazon-apigateway-request-validators';
  const all = document.dict(key);
  if (!all.get(validator))
    all.set(
      validator,
      new PyDict([
        ['validateRequestBody', body],
        ['validateRequestParameters', parameters],
      ]),
    );
  for (const definition of definitionsAt(document, path, method)) definition.set('x-amazon-apigateway-request-validator', validator);
}

function addRequestParameters(document: PyDict, { eventId, properties, path, method }: RequestOptions): void {
  const given = properties['RequestParameters'];
  const invalid = (why: string) => new EventProblem(eventId, `Invalid value for 'RequestParameters' property. ${why}`);
  const parameters = (Array.isArray(given) ? given : []).map((each) => {
    const [name, settings]: [string, Json] = isText(each) ? [each, {}] : isObject(each) ? (Object.entries(each)[0] ?? ['', null]) : ['', null];
    if (!isText(each) && !isObject(each)) throw invalid('Property must be either a string or an object');
    if (!/^method\.request\.(querystring|path|header)\./.test(name)) {
      throw invalid("Keys must be in the format 'method.request.[querystring|path|header].{value}', e.g 'method.request.header.Authorization'.");
    }
    if (!isObject(settings) || Object.keys(settings).some((key) => key !== 'Required' && key !== 'Caching')) {
      throw invalid('Values must be an object, e.g { Required: true, Caching: false }');
    }
    return { name, required: settings['Required'] ?? false, caching: isTruthy(settings['Caching']) };
  });
  for (const definition of definitionsAt(document, path, method)) {
    const before = definition.get('parameters');
    const list = Array.isArray(before) ? [...before] : [];
    for (const { name, required, caching } of parameters) {
      const [, location = '', short = ''] = /^method\.request\.([^.]+)\.(.*)$/.exec(name) ?? [];
      list.push(
        new PyDict([
          ['in', location === 'querystring' ? 'query' : new Uni(location)],
          ['name', new Uni(short)],
          ['required', fromTemplate(required)],
          ['type', 'string'],
        ]),
      );
      if (!caching) continue;
      const integration = definition.dict(INTEGRATION);
      const keys = integration.get('cacheKeyParameters');
      integration.set('cacheKeyParameters', [...(Array.isArray(keys) ? keys : []), new Uni(name)]);
    }
    definition.set('parameters', list);
  }
}
