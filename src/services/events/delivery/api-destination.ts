import type { ConnectionHttpParameters } from '@aws-sdk/client-eventbridge';
import { DeliveryError } from '../domain/failures.ts';
import { isObject, parseIfJson } from '../domain/json.ts';
import { namedBy } from '../domain/names.ts';
import { type ConnectionRow, type DestinationRow, keys, read } from '../store.ts';
import { checkAnswer, exchange, fillPath, valuesOf } from './http.ts';
import { bearerOf, forgetToken } from './oauth.ts';
import type { Sending } from './send.ts';

const gone = (message: string) => new DeliveryError({ code: 'NO_RESOURCE', message, retry: false });

/** "API destinations as targets": the endpoint with the connection's authorization. Rate limits of destinations are recorded, not applied. */
export async function toApiDestination({ platform, payload, input, attempt }: Sending, arn: string): Promise<void> {
  const place = namedBy(arn, 'api-destination');
  const destination = place && (await read<DestinationRow>(platform.store, keys.destination(place, place.name)));
  if (!place || !destination || destination.id !== place.id) throw gone(`The API destination ${arn} does not exist.`);
  const connectionPlace = namedBy(destination.connectionArn, 'connection');
  const connection = connectionPlace && (await read<ConnectionRow>(platform.store, keys.connection(connectionPlace, connectionPlace.name)));
  if (!connection) throw gone(`The connection ${destination.connectionArn} does not exist.`);
  const authorization = await authorizationOf(platform, connection);
  const { PathParameterValues, HeaderParameters = {}, QueryStringParameters = {} } = payload.target.HttpParameters ?? {};
  const own = connection.auth.InvocationHttpParameters;
  const url = new URL(fillPath(destination.endpoint, PathParameterValues));
  // What the connection says goes before what the target says.
  for (const [name, value] of Object.entries({ ...QueryStringParameters, ...valuesOf(own?.QueryStringParameters) })) url.searchParams.set(name, value);
  const answer = await exchange({
    url: url.href,
    method: destination.method,
    headers: lowerCase({
      'user-agent': 'Amazon/EventBridge/ApiDestinations',
      'content-type': 'application/json; charset=utf-8',
      range: 'bytes=0-1048575',
      ...HeaderParameters,
      ...valuesOf(own?.HeaderParameters),
      ...authorization,
    }),
    body: bodyWith(input, own),
  });
  platform.contextFor({ account: attempt.account, region: attempt.region, service: 'events' }).meter('ApiDestinationInvocations', 1);
  if (answer.status === 401 || answer.status === 407) forgetToken(connection);
  checkAnswer(answer);
}

async function authorizationOf(platform: Sending['platform'], connection: ConnectionRow): Promise<Record<string, string>> {
  const { BasicAuthParameters, ApiKeyAuthParameters } = connection.auth;
  if (Object.keys(connection.auth).length === 0)
    throw new DeliveryError({ code: 'NO_PERMISSIONS', message: `Connection ${connection.name} is deauthorized.`, retry: false });
  switch (connection.authorizationType) {
    case 'BASIC': {
      const pair = `${BasicAuthParameters?.Username ?? ''}:${BasicAuthParameters?.Password ?? ''}`;
      return { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` };
    }
    case 'API_KEY':
      return { [ApiKeyAuthParameters?.ApiKeyName ?? '']: ApiKeyAuthParameters?.ApiKeyValue ?? '' };
    default:
      return { authorization: await bearerOf(platform, connection) };
  }
}

const lowerCase = (headers: Record<string, string>) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** A connection's body parameters become members of the event, where that is an object. */
function bodyWith(input: string, parameters: ConnectionHttpParameters | undefined): string {
  const extra = valuesOf(parameters?.BodyParameters);
  if (Object.keys(extra).length === 0) return input;
  const parsed = parseIfJson(input);
  return isObject(parsed) ? JSON.stringify({ ...parsed, ...extra }) : input;
}
