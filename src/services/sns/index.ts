import { AwsError } from '../../kit/errors.ts';
import type { Access, Operation, OperationEntry, Platform, Service } from '../service.ts';
import { registerBackground } from './background.ts';
import { resources } from './cloudformation.ts';
import { topicArn } from './domain/arn.ts';
import { RECORDED_ATTRIBUTES } from './domain/topic-attributes.ts';
import {
  createPlatformApplication,
  deletePlatformApplication,
  getPlatformApplicationAttributes,
  listPlatformApplications,
  setPlatformApplicationAttributes,
} from './operations/platform-applications.ts';
import {
  createPlatformEndpoint,
  deleteEndpoint,
  getEndpointAttributes,
  listEndpointsByPlatformApplication,
  setEndpointAttributes,
} from './operations/platform-endpoints.ts';
import { publish, publishBatch } from './operations/publish.ts';
import {
  checkIfPhoneNumberIsOptedOut,
  createSmsSandboxPhoneNumber,
  deleteSmsSandboxPhoneNumber,
  getSmsAttributes,
  getSmsSandboxAccountStatus,
  listOriginationNumbers,
  listPhoneNumbersOptedOut,
  listSmsSandboxPhoneNumbers,
  optInPhoneNumber,
  setSmsAttributes,
  verifySmsSandboxPhoneNumber,
} from './operations/sms.ts';
import { confirmSubscription, subscribe, unsubscribe } from './operations/subscribe.ts';
import { getSubscriptionAttributes, listSubscriptions, listSubscriptionsByTopic, setSubscriptionAttributes } from './operations/subscriptions.ts';
import { listTagsForResource, tagResource, untagResource } from './operations/tags.ts';
import { addPermission, getDataProtectionPolicy, putDataProtectionPolicy, removePermission } from './operations/topic-policies.ts';
import { createTopic, deleteTopic, getTopicAttributes, listTopics, setTopicAttributes } from './operations/topics.ts';
import { answerOwnPaths } from './recorded.ts';
import { createSigner, type Signer } from './signing.ts';
import { usage } from './usage.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The ARN that a member holds. */
const on = (...members: readonly string[]): Access => ({
  resource: (_ctx, input) => members.map((member) => text(input[member])).find((arn) => arn !== '') ?? '*',
});
const onAll: Access = { resource: () => '*' };
/** Actions on a subscription are allowed by its topic. */
const onSubscription: Access = { resource: (_ctx, input) => text(input['SubscriptionArn']).split(':').slice(0, 6).join(':') || '*' };
const onName: Access = { resource: ({ account, region }, input) => topicArn({ account, region, name: text(input['Name']) }) };

/** Amazon SNS; see README.md. It words and orders its checks unlike its model, so every operation checks its own input. */
export function createSnsRoom(): Service {
  let opened: Signer | undefined;
  const signer = (): Signer => {
    if (!opened) throw new AwsError('InternalError', 'the sns room has not been started', { status: 500 });
    return opened;
  };
  return {
    name: 'sns',
    operations: operationsOf(signer),
    wording: { validationCode: 'ValidationError', unknownOperationMessage: (action) => `Could not find operation ${action} for version 2010-03-31` },
    usage,
    resources,
    endpoints: { sns: answerOwnPaths(signer) },
    start(platform: Platform) {
      opened = createSigner(platform);
      registerBackground(platform, opened);
    },
  };
}

function operationsOf(signer: () => Signer): Record<string, OperationEntry> {
  // biome-ignore lint/suspicious/noExplicitAny: the table holds operations of many types; the model guards the boundary
  const entry = (run: Operation<any, any>, access: Access, recorded?: readonly string[]): OperationEntry => ({
    run,
    access,
    ownValidation: true,
    ...(recorded ? { recorded } : {}),
  });
  const topicAttributes = ['Policy', ...RECORDED_ATTRIBUTES];
  return {
    CreateTopic: entry(createTopic, onName, [...topicAttributes.map((name) => `Attributes.${name}`), 'DataProtectionPolicy']),
    DeleteTopic: entry(deleteTopic, on('TopicArn')),
    ListTopics: entry(listTopics, onAll),
    GetTopicAttributes: entry(getTopicAttributes, on('TopicArn')),
    SetTopicAttributes: entry(
      setTopicAttributes,
      on('TopicArn'),
      topicAttributes.map((name) => `AttributeName.${name}`),
    ),
    AddPermission: entry(addPermission, on('TopicArn')),
    RemovePermission: entry(removePermission, on('TopicArn')),
    PutDataProtectionPolicy: entry(putDataProtectionPolicy, on('ResourceArn'), ['DataProtectionPolicy']),
    GetDataProtectionPolicy: entry(getDataProtectionPolicy, on('ResourceArn')),
    TagResource: entry(tagResource, on('ResourceArn')),
    UntagResource: entry(untagResource, on('ResourceArn')),
    ListTagsForResource: entry(listTagsForResource, on('ResourceArn')),
    Subscribe: entry(subscribe(signer), on('TopicArn'), ['Attributes.SubscriptionRoleArn', 'Attributes.DeliveryPolicy.throttlePolicy']),
    ConfirmSubscription: entry(confirmSubscription, on('TopicArn')),
    Unsubscribe: entry(unsubscribe(signer), onSubscription),
    GetSubscriptionAttributes: entry(getSubscriptionAttributes, onSubscription),
    SetSubscriptionAttributes: entry(setSubscriptionAttributes, onSubscription, ['AttributeName.SubscriptionRoleArn']),
    ListSubscriptions: entry(listSubscriptions, onAll),
    ListSubscriptionsByTopic: entry(listSubscriptionsByTopic, on('TopicArn')),
    Publish: entry(publish, on('TopicArn', 'TargetArn')),
    PublishBatch: entry(publishBatch, { action: 'sns:Publish', ...on('TopicArn') }),
    CreatePlatformApplication: entry(createPlatformApplication, onAll, ['Attributes']),
    DeletePlatformApplication: entry(deletePlatformApplication, on('PlatformApplicationArn')),
    ListPlatformApplications: entry(listPlatformApplications, onAll),
    GetPlatformApplicationAttributes: entry(getPlatformApplicationAttributes, on('PlatformApplicationArn')),
    SetPlatformApplicationAttributes: entry(setPlatformApplicationAttributes, on('PlatformApplicationArn'), ['Attributes']),
    CreatePlatformEndpoint: entry(createPlatformEndpoint, on('PlatformApplicationArn')),
    DeleteEndpoint: entry(deleteEndpoint, on('EndpointArn')),
    ListEndpointsByPlatformApplication: entry(listEndpointsByPlatformApplication, on('PlatformApplicationArn')),
    GetEndpointAttributes: entry(getEndpointAttributes, on('EndpointArn')),
    SetEndpointAttributes: entry(setEndpointAttributes, on('EndpointArn')),
    SetSMSAttributes: entry(setSmsAttributes, onAll, ['attributes']),
    GetSMSAttributes: entry(getSmsAttributes, onAll),
    CheckIfPhoneNumberIsOptedOut: entry(checkIfPhoneNumberIsOptedOut, onAll),
    OptInPhoneNumber: entry(optInPhoneNumber, onAll),
    ListPhoneNumbersOptedOut: entry(listPhoneNumbersOptedOut, onAll),
    ListOriginationNumbers: entry(listOriginationNumbers, onAll),
    GetSMSSandboxAccountStatus: entry(getSmsSandboxAccountStatus, onAll),
    CreateSMSSandboxPhoneNumber: entry(createSmsSandboxPhoneNumber, onAll),
    VerifySMSSandboxPhoneNumber: entry(verifySmsSandboxPhoneNumber, onAll),
    DeleteSMSSandboxPhoneNumber: entry(deleteSmsSandboxPhoneNumber, onAll),
    ListSMSSandboxPhoneNumbers: entry(listSmsSandboxPhoneNumbers, onAll),
  };
}
