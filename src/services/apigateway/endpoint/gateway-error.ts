import type { WireResponse } from '../../../protocol/wire.ts';
import { GATEWAY_RESPONSES, gatewayResponse, type ResponseType } from '../domain/gateway-response.ts';
import type { ApiSnapshot } from '../domain/types.ts';
import { renderTemplate, type TemplateScope } from './template.ts';

/** A request that API Gateway itself answers; turned into the gateway response of its type. */
export class GatewayError extends Error {
  readonly type: ResponseType;
  readonly errorType: string;
  /** Overrides the type's own status. */
  readonly status: number | undefined;
  /** AWS's capital M for denials by policy. */
  readonly capitalMessage: boolean;
  /** A configuration error has the JSON `null` for its message. */
  readonly nullMessage: boolean;

  constructor(type: ResponseType, errorType: string, message: string | null, options: { status?: number; capitalMessage?: boolean; cause?: unknown } = {}) {
    super(message ?? '', options.cause === undefined ? undefined : { cause: options.cause });
    this.name = errorType;
    this.type = type;
    this.errorType = errorType;
    this.status = options.status;
    this.capitalMessage = options.capitalMessage ?? false;
    this.nullMessage = message === null;
  }
}

export const missingAuthenticationToken = () =>
  new GatewayError('MISSING_AUTHENTICATION_TOKEN', 'MissingAuthenticationTokenException', 'Missing Authentication Token');
export const forbidden = () => new GatewayError('INVALID_API_KEY', 'ForbiddenException', 'Forbidden');
export const unauthorized = () => new GatewayError('UNAUTHORIZED', 'UnauthorizedException', 'Unauthorized');
export const tooLarge = () => new GatewayError('REQUEST_TOO_LARGE', 'RequestEntityTooLargeException', 'Request Too Long');
export const unsupportedMediaType = () => new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'BadRequestException', 'Unsupported Media Type');
export const integrationTimeout = () => new GatewayError('INTEGRATION_TIMEOUT', 'InternalServerErrorException', 'Endpoint request timed out');
/** What went wrong behind the gateway is not told to the caller. */
export const internalError = (status: number, cause?: unknown) =>
  new GatewayError('DEFAULT_5XX', 'InternalServerErrorException', 'Internal server error', { status, cause });
export const integrationFailure = (status: number, cause?: unknown) =>
  new GatewayError('INTEGRATION_FAILURE', 'InternalServerErrorException', 'Internal server error', { status, cause });
export const configurationError = (cause?: unknown) =>
  new GatewayError('API_CONFIGURATION_ERROR', 'InternalServerErrorException', 'Internal server error', { cause });
/** What Croft does not do is said, not left open. */
export const notBuilt = (what: string) => new GatewayError('DEFAULT_5XX', 'NotImplemented', `${what} is not implemented by Croft`, { status: 501 });

/** AWS writes a space after the colon in the answers that come from behind its front door: clients have been seen to compare the text. */
const SPACED = new Set(['InternalServerErrorException', 'BadRequestException']);

/** The answer of an error: plain where no API is known, else as the API's gateway responses say. */
export function errorAnswer(error: GatewayError, ids: Readonly<Record<string, string>>, known?: { snapshot: ApiSnapshot; scope: TemplateScope }): WireResponse {
  const headers: Record<string, string> = { 'Content-Type': 'application/json', ...ids, 'x-amzn-ErrorType': error.errorType };
  const fallback = error.status ?? Number(GATEWAY_RESPONSES[error.type] ?? 500);
  const message = error.nullMessage ? 'null' : JSON.stringify(error.message);
  const plain = `{"${error.capitalMessage ? 'Message' : 'message'}":${SPACED.has(error.errorType) ? ' ' : ''}${message}}`;
  if (!known) return { status: fallback, headers, body: plain };
  const response = gatewayResponse(known.snapshot.gatewayResponses, error.type);
  // The types' usual status is not always the one that AWS answers with: only one that was set counts.
  const own = response.statusCode === GATEWAY_RESPONSES[error.type] ? undefined : response.statusCode;
  const scope: TemplateScope = {
    ...known.scope,
    context: {
      ...known.scope.context,
      error: { message: error.message, messageString: message, responseType: error.type, validationErrorString: error.message },
    },
  };
  for (const [name, expression] of Object.entries(response.responseParameters ?? {})) {
    const header = /^gatewayresponse\.header\.(.+)$/.exec(name)?.[1];
    const value = header === undefined ? undefined : scope.mapping(expression);
    if (header !== undefined && value !== undefined) headers[header] = value;
  }
  const template = response.responseTemplates?.['application/json'];
  // AWS's own template is the plain body; only an API's own is evaluated.
  const isOwn = template !== undefined && template !== '{"message":$context.error.messageString}';
  return { status: own ? Number(own) : fallback, headers, body: isOwn ? renderTemplate(template, scope) : plain };
}
