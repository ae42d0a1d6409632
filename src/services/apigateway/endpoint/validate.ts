import { GatewayError, notBuilt } from './gateway-error.ts';
import { headerValues, type Invocation } from './invocation.ts';
import { SchemaValidator, UnsupportedSchema } from './json-schema.ts';

/** "Use request validation in API Gateway": required parameters, then the body against the model of its media type. */
export function validateRequest(call: Invocation): void {
  const { snapshot } = call.deployment;
  const validator = snapshot.validators.find((row) => row.id === call.method.requestValidatorId);
  if (validator?.validateRequestParameters) checkParameters(call);
  if (validator?.validateRequestBody) checkBody(call);
}

function checkParameters(call: Invocation): void {
  const missing: Record<string, string[]> = { header: [], path: [], querystring: [] };
  for (const [name, required] of Object.entries(call.method.requestParameters ?? {})) {
    const match = /^method\.request\.(?:multivalue)?(header|path|querystring)\.(.+)$/.exec(name);
    const [, place = '', key = ''] = match ?? [];
    if (!required || !match) continue;
    const value = place === 'header' ? headerValues(call.headers, key).at(-1) : place === 'path' ? call.pathParameters[key] : call.query.get(key)?.at(-1);
    if (!value) missing[place]?.push(key);
  }
  const names = [...(missing['header'] ?? []), ...(missing['path'] ?? []), ...(missing['querystring'] ?? [])];
  if (names.length > 0) throw new GatewayError('BAD_REQUEST_PARAMETERS', 'BadRequestException', `Missing required request parameters: [${names.join(', ')}]`);
}

const invalidBody = () => new GatewayError('BAD_REQUEST_BODY', 'BadRequestException', 'Invalid request body');

function checkBody(call: Invocation): void {
  const { models } = call.deployment.snapshot;
  const contentType = (headerValues(call.headers, 'content-type').at(-1) ?? 'application/json').split(';')[0]?.trim() ?? '';
  const requestModels = call.method.requestModels ?? {};
  const name = requestModels[contentType] ?? requestModels['$default'];
  if (name === undefined) return;
  const model = models.find((row) => row.name === name);
  if (!model?.schema) return;
  let body: unknown;
  try {
    body = JSON.parse(call.body.length === 0 ? '{}' : call.body.toString('utf8'));
  } catch {
    throw invalidBody();
  }
  try {
    const validator = new SchemaValidator((reference) => models.find((row) => reference.endsWith(`/models/${row.name}`))?.schema);
    if (!validator.accepts(JSON.parse(model.schema), body)) throw invalidBody();
  } catch (error) {
    if (error instanceof UnsupportedSchema) throw notBuilt(`Request validation with the schema keyword ${error.message}`);
    throw error;
  }
}
