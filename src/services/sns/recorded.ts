import { AwsError } from '../../kit/errors.ts';
import { decodeJson } from '../../kit/json.ts';
import type { Key } from '../../kit/key.ts';
import type { WireResponse } from '../../protocol/wire.ts';
import type { Ctx, EndpointRequest } from '../service.ts';
import { type Scope, subscriptionOf } from './domain/arn.ts';
import { RECORDED_MESSAGES_MAX, ROWS_PER_COMMIT } from './limits.ts';
import { optOut } from './operations/sms.ts';
import type { Signer } from './signing.ts';
import { find, keys, type RecordedKind, type RecordedRow, rangeOf } from './store.ts';

/** Of recorded messages one request reads this much. */
const READ_BYTES_MAX = 64 * 1024 * 1024;

const json = (status: number, value: unknown): WireResponse => ({ status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) });
const NO_CONTENT: WireResponse = { status: 204, headers: {}, body: '' };

interface Listing {
  readonly kind: RecordedKind;
  /** The answer's member, and the parameter that asks for one target. */
  readonly member: string;
  readonly parameter: string;
}

/** LocalStack's developer endpoints, and the same for what it has none for. */
const LISTINGS: Readonly<Record<string, Listing>> = {
  '/platform-endpoint-messages': { kind: 'application', member: 'platform_endpoint_messages', parameter: 'endpointArn' },
  '/sms-messages': { kind: 'sms', member: 'sms_messages', parameter: 'phoneNumber' },
  '/email-messages': { kind: 'email', member: 'email_messages', parameter: 'emailAddress' },
  '/firehose-messages': { kind: 'firehose', member: 'firehose_messages', parameter: 'streamArn' },
};

/** `/_aws/sns/…`: messages that are kept instead of sent, confirmation tokens, opt-outs, and the certificate that signatures are checked with. */
export function answerOwnPaths(signer: () => Signer) {
  return async (ctx: Ctx, request: EndpointRequest): Promise<WireResponse> => {
    const query = new URLSearchParams(request.query);
    const scope: Scope = { account: query.get('accountId') ?? ctx.account, region: query.get('region') ?? ctx.region };
    const { path, method } = request;
    try {
      const certificate = /^\/(SimpleNotificationService-[0-9a-f]+\.pem)$/.exec(path)?.[1];
      if (certificate !== undefined) return await certificateAnswer(signer(), certificate);
      const listing = Object.hasOwn(LISTINGS, path) ? LISTINGS[path] : undefined;
      if (listing && method === 'DELETE') return await forget(ctx, scope, listing, query.get(listing.parameter));
      if (listing && method === 'GET') return json(200, await listed(ctx, scope, listing, query.get(listing.parameter)));
      if (path.startsWith('/subscription-tokens/') && method === 'GET')
        return await tokenAnswer(ctx, decodeURIComponent(path.slice('/subscription-tokens/'.length)));
      if (path === '/phone-opt-outs' && method === 'POST') return await optOutAnswer(ctx, scope, request);
    } catch (error) {
      if (error instanceof AwsError && error.fault === 'client') return json(400, { error: error.message });
      if (error instanceof URIError) return json(400, { error: 'the path is not encoded well' });
      throw error;
    }
    return json(404, { error: `there is nothing at ${path}; known are ${Object.keys(LISTINGS).join(', ')}, /subscription-tokens/{arn}, /phone-opt-outs` });
  };
}

async function certificateAnswer(signer: Signer, file: string): Promise<WireResponse> {
  const certificate = await signer.certificate(file);
  if (certificate === undefined) return json(404, { error: 'there is no such certificate' });
  return { status: 200, headers: { 'Content-Type': 'application/x-pem-file' }, body: certificate };
}

async function recordedRows(ctx: Ctx, scope: Scope, kind: RecordedKind): Promise<(readonly [key: Key, row: RecordedRow])[]> {
  const page = await ctx.platform.store.range({ ...rangeOf(keys.recorded(scope, kind)), limit: RECORDED_MESSAGES_MAX, maxBytes: READ_BYTES_MAX });
  return page.entries.map(([key, value]) => [key, decodeJson<RecordedRow>(value)]);
}

async function listed(ctx: Ctx, scope: Scope, { kind, member }: Listing, target: string | null) {
  const byTarget: Record<string, unknown[]> = target === null ? {} : { [target]: [] };
  for (const [, row] of await recordedRows(ctx, scope, kind)) {
    if (target !== null && row.target !== target) continue;
    byTarget[row.target] ??= [];
    byTarget[row.target]?.push(view(row));
  }
  return { [member]: byTarget, region: scope.region };
}

function view(row: RecordedRow) {
  const attributes = Object.fromEntries(
    Object.entries(row.attributes).map(([name, { type, value }]) => [
      name,
      { DataType: type, [type.startsWith('Binary') ? 'BinaryValue' : 'StringValue']: value },
    ]),
  );
  const who = { sms: 'PhoneNumber', application: 'TargetArn', email: 'EmailAddress', firehose: 'DeliveryStreamArn' }[row.kind];
  return {
    [who]: row.target,
    TopicArn: row.topicArn ?? null,
    SubscriptionArn: row.subscriptionArn ?? null,
    MessageId: row.messageId,
    Message: row.message,
    MessageAttributes: Object.keys(attributes).length > 0 ? attributes : null,
    MessageStructure: row.messageStructure ?? null,
    Subject: row.subject ?? null,
    Timestamp: new Date(row.timeMs).toISOString(),
    ...(row.token === undefined ? {} : { Token: row.token }),
  };
}

async function forget(ctx: Ctx, scope: Scope, { kind }: Listing, target: string | null): Promise<WireResponse> {
  const found = (await recordedRows(ctx, scope, kind)).filter(([, row]) => target === null || row.target === target).map(([key]) => key);
  for (let from = 0; from < found.length; from += ROWS_PER_COMMIT)
    await ctx.platform.store.transact({}, (tx) => {
      for (const key of found.slice(from, from + ROWS_PER_COMMIT)) tx.delete(key);
    });
  return NO_CONTENT;
}

/** A test confirms a subscription without reading what its endpoint was sent. */
async function tokenAnswer(ctx: Ctx, arn: string): Promise<WireResponse> {
  const address = subscriptionOf(arn);
  const token = await find<string>(ctx.platform.store, keys.tokenOf(address, address.id));
  if (token === undefined) return json(404, { error: 'The provided SubscriptionARN is not found', subscription_arn: arn });
  return json(200, { subscription_token: token, subscription_arn: arn });
}

async function optOutAnswer(ctx: Ctx, scope: Scope, { body }: EndpointRequest): Promise<WireResponse> {
  const text = Buffer.isBuffer(body) ? body.toString('utf8') : '';
  let given: { phoneNumber?: unknown; accountId?: unknown; region?: unknown } | null;
  try {
    given = JSON.parse(text === '' ? '{}' : text) as typeof given;
  } catch {
    return json(400, { error: 'the body must be one JSON object' });
  }
  const { phoneNumber, accountId, region } = given ?? {};
  const at: Scope = { account: typeof accountId === 'string' ? accountId : scope.account, region: typeof region === 'string' ? region : scope.region };
  await optOut(ctx, at, typeof phoneNumber === 'string' ? phoneNumber : '');
  return NO_CONTENT;
}
