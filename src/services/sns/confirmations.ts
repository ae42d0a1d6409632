import type { Tx } from '../../store/store.ts';
import type { Ctx } from '../service.ts';
import { type SubscriptionAddress, subscriptionArn, type TopicAddress, topicArn } from './domain/arn.ts';
import { DEFAULT_CONTENT_TYPE, DEFAULT_RETRY, effectiveSubscriptionPolicy } from './domain/delivery-policy.ts';
import { isHttp } from './domain/endpoint.ts';
import { confirmationJson, type Signed, timestampOf } from './domain/envelope.ts';
import { deliveryPolicyOf } from './domain/topic-attributes.ts';
import { HTTP_TARGET, type HttpPayload } from './http.ts';
import { RECORDED_MESSAGES_MAX, TOKEN_MS } from './limits.ts';
import { endpointOf, type Signer } from './signing.ts';
import { keys, read, record, type SubscriptionRow, type TokenRow, type TopicRow, write } from './store.ts';

export type ConfirmationType = 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';

/** A token, and the message that brings it to an endpoint; `send` writes both into the commit that causes them. */
export interface Confirmation {
  readonly send: (tx: Tx, row: SubscriptionRow, restores?: SubscriptionRow) => void;
}

const TEXTS: Readonly<Record<ConfirmationType, (topic: string, subscription: string) => string>> = {
  SubscriptionConfirmation: (topic) =>
    `You have chosen to subscribe to the topic ${topic}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`,
  UnsubscribeConfirmation: (_topic, subscription) =>
    `You have chosen to deactivate subscription ${subscription}.\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.`,
};

/** "Subscribing an HTTP/S endpoint": makes what asks an endpoint to confirm, ahead of the commit that sends it. */
export async function prepareConfirmation(
  ctx: Ctx,
  signer: Signer,
  { address, topic, protocol, subscriptionId }: { address: TopicAddress; topic: TopicRow; protocol: string; subscriptionId: string },
  type: ConfirmationType,
): Promise<Confirmation> {
  const { platform, trace } = ctx;
  const token = platform.ids.bytes(144).toString('hex');
  const nowMs = platform.clock.virtual();
  const arn = topicArn(address);
  const ownArn = subscriptionArn({ ...address, id: subscriptionId } satisfies SubscriptionAddress);
  const signed: Signed = {
    type,
    messageId: platform.ids.uuid(),
    topicArn: arn,
    message: TEXTS[type](arn, ownArn),
    timestamp: timestampOf(nowMs),
    token,
    subscribeUrl: `${endpointOf(platform)}/?Action=ConfirmSubscription&TopicArn=${arn}&Token=${token}`,
  };
  const body = isHttp(protocol) ? confirmationJson(signed, await signer.sign(signed, topic.attributes['SignatureVersion'] ?? '1')) : signed.message;
  const tokenRow: TokenRow = { ...address, subscriptionId, untilMs: nowMs + TOKEN_MS };
  return {
    send(tx, row, restores) {
      const newestKey = keys.tokenOf(address, subscriptionId);
      const before = read<string>(tx, newestKey);
      if (before !== undefined && !restores) tx.delete(keys.token(before));
      write(tx, newestKey, token);
      write(tx, keys.token(token), restores ? { ...tokenRow, restores } : tokenRow);
      if (!isHttp(protocol)) {
        const { messageId, timestamp: _at, message } = signed;
        record(
          tx,
          address,
          { kind: 'email', target: row.endpoint, topicArn: arn, subscriptionArn: ownArn, messageId, timeMs: nowMs, message, attributes: {}, token },
          RECORDED_MESSAGES_MAX,
        );
        return;
      }
      const policy = effectiveSubscriptionPolicy(undefined, deliveryPolicyOf(topic.attributes));
      const payload: HttpPayload = {
        url: row.endpoint,
        headers: {
          'x-amz-sns-message-type': type,
          'x-amz-sns-message-id': signed.messageId,
          'x-amz-sns-topic-arn': arn,
          ...(type === 'UnsubscribeConfirmation' ? { 'x-amz-sns-subscription-arn': ownArn } : {}),
          'content-type': DEFAULT_CONTENT_TYPE,
        },
        body,
        policy: policy.healthyRetryPolicy ?? DEFAULT_RETRY,
        retries: 0,
      };
      platform.bus.enqueue(tx, { target: HTTP_TARGET, account: address.account, region: address.region, payload, trace });
    },
  };
}
