import type { Message, StoredAttribute } from './message.ts';

/** The parts of a notification that are signed, and what stands beside them. */
export interface Signed {
  readonly type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject?: string;
  readonly message: string;
  readonly timestamp: string;
  readonly token?: string;
  readonly subscribeUrl?: string;
}

/** "Verifying the signatures of Amazon SNS messages": the text that is signed. */
export function stringToSign({ type, messageId, topicArn, subject, message, timestamp, token, subscribeUrl }: Signed): string {
  const parts: [string, string | undefined][] = [
    ['Message', message],
    ['MessageId', messageId],
    ...(type === 'Notification' ? [['Subject', subject] as [string, string | undefined]] : [['SubscribeURL', subscribeUrl] as [string, string | undefined]]),
    ['Timestamp', timestamp],
    ...(type === 'Notification' ? [] : [['Token', token] as [string, string | undefined]]),
    ['TopicArn', topicArn],
    ['Type', type],
  ];
  return parts.map(([name, value]) => (value === undefined ? '' : `${name}\n${value}\n`)).join('');
}

export interface Signature {
  readonly version: string;
  /** Base64. */
  readonly value: string;
  readonly certUrl: string;
}

export const timestampOf = (timeMs: number): string => new Date(timeMs).toISOString();

type AttributeViews = Readonly<Record<string, { readonly Type: string; readonly Value: string }>>;

const viewsOf = (attributes: Readonly<Record<string, StoredAttribute>>): AttributeViews =>
  Object.fromEntries(Object.entries(attributes).map(([name, { type, value }]) => [name, { Type: type, Value: value }]));

/** JSON in the layout that SNS writes. */
function laidOut(members: readonly (readonly [string, string | AttributeViews | undefined])[]): string {
  const lines = members.flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (typeof value === 'string') return [`  ${JSON.stringify(name)} : ${JSON.stringify(value)}`];
    const inner = Object.entries(value).map(([key, view]) => `    ${JSON.stringify(key)} : ${JSON.stringify(view)}`);
    return [`  ${JSON.stringify(name)} : {\n${inner.join(',\n')}\n  }`];
  });
  return `{\n${lines.join(',\n')}\n}`;
}

export interface NotificationParts {
  readonly signed: Signed;
  /** Absent for FIFO topics, which sign nothing. */
  readonly signature?: Signature;
  readonly unsubscribeUrl: string;
  readonly message: Pick<Message, 'attributes' | 'sequenceNumber' | 'replayed'>;
}

/** What queues and HTTP endpoints get without raw delivery; "Parsing Amazon SNS message formats". */
export function notificationJson({ signed, signature, unsubscribeUrl, message }: NotificationParts): string {
  return laidOut([
    ['Type', signed.type],
    ['MessageId', signed.messageId],
    ['SequenceNumber', message.sequenceNumber],
    ['TopicArn', signed.topicArn],
    ['Replayed', message.replayed ? 'true' : undefined],
    ['Subject', signed.subject],
    ['Message', signed.message],
    ['Timestamp', signed.timestamp],
    ['SignatureVersion', signature?.version],
    ['Signature', signature?.value],
    ['SigningCertURL', signature?.certUrl],
    ['UnsubscribeURL', unsubscribeUrl],
    ['MessageAttributes', Object.keys(message.attributes).length > 0 ? viewsOf(message.attributes) : undefined],
  ]);
}

/** The messages that ask an endpoint whether it wants to be subscribed, or tell it that it no longer is. */
export function confirmationJson(signed: Signed, signature: Signature): string {
  return laidOut([
    ['Type', signed.type],
    ['MessageId', signed.messageId],
    ['Token', signed.token],
    ['TopicArn', signed.topicArn],
    ['Message', signed.message],
    ['SubscribeURL', signed.subscribeUrl],
    ['Timestamp', signed.timestamp],
    ['SignatureVersion', signature.version],
    ['Signature', signature.value],
    ['SigningCertURL', signature.certUrl],
  ]);
}

/** "Using Lambda with Amazon SNS": the event. */
export function lambdaEvent(parts: NotificationParts, subscriptionArn: string): Record<string, unknown> {
  const { signed, signature, unsubscribeUrl, message } = parts;
  return {
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: subscriptionArn,
        Sns: {
          Type: signed.type,
          MessageId: signed.messageId,
          TopicArn: signed.topicArn,
          Subject: signed.subject ?? null,
          Message: signed.message,
          Timestamp: signed.timestamp,
          // As recorded: also where the topic signs by version 2, and this is such a signature.
          SignatureVersion: signature ? '1' : undefined,
          Signature: signature?.value,
          SigningCertUrl: signature?.certUrl,
          UnsubscribeUrl: unsubscribeUrl,
          MessageAttributes: viewsOf(message.attributes),
        },
      },
    ],
  };
}
