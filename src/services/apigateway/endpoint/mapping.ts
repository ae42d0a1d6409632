import type { Integration, IntegrationResponse } from '@aws-sdk/client-api-gateway';
import type { WireResponse } from '../../../protocol/wire.ts';
import { requestContent, responseContent, textOf } from './content.ts';
import { configurationError, internalError, notBuilt, unsupportedMediaType } from './gateway-error.ts';
import { headerValues, type Invocation, templateScope } from './invocation.ts';
import { jsonPath } from './json-path.ts';
import { isFieldValue, isToken, remapped } from './lambda-proxy.ts';
import { matchesWhole } from './pattern.ts';
import { overridden, renderTemplate, TemplateLimit, type TemplateScope, UnsupportedTemplate } from './template.ts';
import { getIn } from './velocity/values.ts';

/** Runs a mapping template; what the evaluator cannot do is said to the caller. */
export function render(template: string, scope: TemplateScope): string {
  try {
    return renderTemplate(template, scope);
  } catch (error) {
    if (error instanceof UnsupportedTemplate) throw notBuilt(`A mapping template with ${error.message}`);
    if (error instanceof TemplateLimit) throw internalError(500, error);
    throw error;
  }
}

/** The body for the integration: by template, or passed through as `passthroughBehavior` has it. */
export function requestBody(call: Invocation): Buffer {
  const integration = call.method.methodIntegration ?? {};
  const templates = integration.requestTemplates ?? {};
  const contentType = (headerValues(call.headers, 'content-type').at(-1) ?? 'application/json').split(';')[0]?.trim() ?? '';
  const template = templates[contentType] ?? templates['$default'];
  const content = requestContent(call);
  if (template !== undefined && template !== null) return Buffer.from(render(template, { ...templateScope(call), body: textOf(content) }), 'utf8');
  const passthrough = integration.passthroughBehavior ?? 'WHEN_NO_MATCH';
  if (passthrough === 'NEVER' || (passthrough === 'WHEN_NO_TEMPLATES' && Object.keys(templates).length > 0)) throw unsupportedMediaType();
  return content;
}

/** The integration response whose pattern matches the whole of `outcome`, else the one without a pattern. */
export function selectResponse(integration: Integration, outcome: string): IntegrationResponse {
  const responses = Object.values(integration.integrationResponses ?? {});
  const matched = responses.find((response) => response.selectionPattern && matchesWhole(response.selectionPattern, outcome));
  const chosen = matched ?? responses.find((response) => !response.selectionPattern);
  // "Output mapping refers to an invalid method response" in the execution log.
  if (!chosen) throw configurationError();
  return chosen;
}

/** What an integration gave back, before it is mapped. */
export interface IntegrationOutcome {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Status, headers and body of the method's answer, mapped from the integration's. */
export function mapResponse(call: Invocation, response: IntegrationResponse, outcome: IntegrationOutcome): WireResponse {
  const request = templateScope(call);
  const mapping = (expression: string): string | undefined => {
    const header = /^integration\.response\.(?:multivalue)?header\.(.+)$/.exec(expression)?.[1];
    if (header !== undefined) return outcome.headers[header.toLowerCase()];
    const path = /^integration\.response\.body(?:\.(.+))?$/.exec(expression);
    if (!path) return request.mapping(expression);
    if (path[1] === undefined) return outcome.body.toString('utf8');
    const value = jsonPath(outcome.body.toString('utf8'), `$.${path[1]}`);
    return value === undefined || value === null ? undefined : typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  const templates = Object.entries(response.responseTemplates ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const accepted = headerValues(call.headers, 'accept').at(-1)?.split(/[,;]/)[0]?.trim();
  const [contentType, template] =
    templates.find(([type]) => type === accepted) ?? templates.find(([type]) => type === 'application/json') ?? templates[0] ?? [];
  const headers: Record<string, string> = { 'Content-Type': contentType ?? 'application/json' };
  for (const [name, expression] of Object.entries(response.responseParameters ?? {})) {
    const header = /^method\.response\.header\.(.+)$/.exec(name)?.[1];
    const value = header === undefined ? undefined : mapping(expression);
    if (header === undefined || value === undefined) continue;
    const target = remapped(header);
    if (target !== undefined) setHeader(headers, target, value);
  }
  const content = responseContent(call, response.contentHandling, outcome.body, outcome.headers['content-type']);
  const body = template ? render(template, { ...request, body: textOf(content), mapping }) : content;
  for (const [name, value] of overridden(call.overrides.response, 'header')) setHeader(headers, name, value);
  const status = Number(getIn(call.overrides.response, 'status') ?? response.statusCode ?? '200');
  if (!Number.isInteger(status) || status < 100 || status > 599) throw internalError(500);
  return { status, headers, body };
}

/** Under its new name, in whatever case it stood there before. */
function setHeader(headers: Record<string, string>, name: string, value: string): void {
  if (!isToken(name) || !isFieldValue(value)) throw internalError(500);
  for (const existing of Object.keys(headers)) if (existing.toLowerCase() === name.toLowerCase()) delete headers[existing];
  headers[name] = value;
}
