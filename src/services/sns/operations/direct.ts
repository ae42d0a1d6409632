import type { PublishInput } from '@aws-sdk/client-sns';
import type { Ctx } from '../../service.ts';
import { isPhoneNumber } from '../domain/endpoint.ts';
import { checkAttributes, checkStructure, checkText } from '../domain/message.ts';
import { endpointOfArn } from '../domain/platform.ts';
import { endpointDisabled, invalidParameter, platformApplicationDisabled } from '../errors.ts';
import { RECORDED_MESSAGES_MAX, SMS_CHARS_MAX } from '../limits.ts';
import { type EndpointRow, find, keys, type PlatformApplicationRow, type RecordedRow, record } from '../store.ts';

/** "Publish" with a phone number: kept to be read, not sent. */
export async function publishToPhone(ctx: Ctx, input: PublishInput) {
  const { PhoneNumber: target = '' } = input;
  if (!isPhoneNumber(target)) throw invalidParameter('PhoneNumber', `${target} is not valid to publish to`);
  const body = checkText(input);
  if (body.length > SMS_CHARS_MAX) throw invalidParameter('Message too long');
  const bodies = checkStructure(body, input.MessageStructure);
  ctx.meter('SmsMessages', 1);
  return keep(ctx, input, { kind: 'sms', target, message: bodies?.['sms'] ?? bodies?.['default'] ?? body });
}

/** "Publish" with the ARN of a mobile endpoint: kept to be read, not sent. */
export async function publishToEndpoint(ctx: Ctx, input: PublishInput) {
  const { TargetArn: target = '' } = input;
  const { scope, platform, application, id } = endpointOfArn(target, ctx.region, 'TargetArn');
  const { store } = ctx.platform;
  const endpoint = await find<EndpointRow>(store, keys.endpoint(scope, platform, application, id));
  if (!endpoint) throw invalidParameter('TargetArn', 'No endpoint found for the target arn specified');
  const owner = await find<PlatformApplicationRow>(store, keys.application(scope, platform, application));
  if (owner?.attributes['Enabled'] === 'false') throw platformApplicationDisabled();
  if (endpoint.attributes['Enabled'] === 'false') throw endpointDisabled();
  const body = checkText(input);
  const text = input.MessageStructure === 'json' ? textFor(body, platform) : body;
  ctx.meter('PushMessages', 1);
  return keep(ctx, input, { kind: 'application', target, message: text });
}

/** One endpoint is of one platform: its own text is enough. */
function textFor(body: string, platform: string): string {
  let own: unknown;
  try {
    own = (JSON.parse(body) as Record<string, unknown> | null)?.[platform];
  } catch {
    own = undefined;
  }
  return typeof own === 'string' ? own : (checkStructure(body, 'json')?.['default'] ?? body);
}

async function keep(ctx: Ctx, input: PublishInput, what: Pick<RecordedRow, 'kind' | 'target' | 'message'>): Promise<{ MessageId: string }> {
  const attributes = checkAttributes(input.MessageAttributes, '');
  const { store, ids, clock } = ctx.platform;
  const row: RecordedRow = {
    ...what,
    messageId: ids.uuid(),
    timeMs: clock.virtual(),
    ...(input.Subject === undefined ? {} : { subject: input.Subject }),
    ...(input.MessageStructure === undefined ? {} : { messageStructure: input.MessageStructure }),
    attributes,
  };
  await store.transact({}, (tx) => record(tx, ctx, row, RECORDED_MESSAGES_MAX));
  return { MessageId: row.messageId };
}
