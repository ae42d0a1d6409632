import type { Platform } from '../../service.ts';
import { DeliveryError } from '../domain/failures.ts';
import { isObject, parseIfJson } from '../domain/json.ts';
import { TOKEN_MARGIN_MS, TOKEN_MS_DEFAULT, TOKENS_MAX } from '../limits.ts';
import type { ConnectionRow } from '../store.ts';
import { exchange, valuesOf } from './http.ts';

interface Token {
  readonly value: string;
  /** Real time. */
  readonly untilMs: number;
}

const tokens = new Map<string, Token>();
const keyOf = ({ id, modifiedMs }: ConnectionRow): string => `${id} ${modifiedMs}`;

/** A token that the endpoint refused is asked for anew. */
export function forgetToken(connection: ConnectionRow): void {
  tokens.delete(keyOf(connection));
}

/** The Authorization header by OAuth 2.0 client credentials; the token is kept until shortly before it ends. "Connections for API destinations". */
export async function bearerOf({ clock }: Platform, connection: ConnectionRow): Promise<string> {
  const key = keyOf(connection);
  const known = tokens.get(key);
  if (known && known.untilMs > clock.real()) return known.value;
  const { ClientParameters, AuthorizationEndpoint = '', HttpMethod = 'POST', OAuthHttpParameters } = connection.auth.OAuthParameters ?? {};
  if (!URL.canParse(AuthorizationEndpoint))
    throw new DeliveryError({ code: 'INVALID_PARAMETER', message: `${AuthorizationEndpoint} is no URL.`, retry: false });
  const url = new URL(AuthorizationEndpoint);
  for (const [name, value] of Object.entries(valuesOf(OAuthHttpParameters?.QueryStringParameters))) url.searchParams.set(name, value);
  const fields = {
    grant_type: 'client_credentials',
    client_id: ClientParameters?.ClientID ?? '',
    client_secret: ClientParameters?.ClientSecret ?? '',
    ...valuesOf(OAuthHttpParameters?.BodyParameters),
  };
  const form = new URLSearchParams(fields);
  if (HttpMethod === 'GET') for (const [name, value] of form) url.searchParams.set(name, value);
  const answer = await exchange({
    url: url.href,
    method: HttpMethod,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'Amazon/EventBridge/ApiDestinations',
      ...valuesOf(OAuthHttpParameters?.HeaderParameters),
    },
    body: form.toString(),
  });
  const parsed = answer.status < 300 ? parseIfJson(answer.body) : undefined;
  if (!isObject(parsed) || typeof parsed['access_token'] !== 'string')
    throw new DeliveryError({
      code: 'ERROR_FROM_TARGET',
      message: `The authorization endpoint answered with status ${answer.status} and no token.`,
      retry: true,
    });
  const seconds = Number(parsed['expires_in']);
  const lastsMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : TOKEN_MS_DEFAULT;
  const type = String(parsed['token_type'] ?? 'Bearer');
  const value = `${type.toLowerCase() === 'bearer' ? 'Bearer' : type} ${parsed['access_token']}`;
  if (tokens.size >= TOKENS_MAX) tokens.clear();
  tokens.set(key, { value, untilMs: clock.real() + Math.max(0, lastsMs - TOKEN_MARGIN_MS) });
  return value;
}
