import type {
  CheckIfPhoneNumberIsOptedOutInput,
  CreateSMSSandboxPhoneNumberInput,
  DeleteSMSSandboxPhoneNumberInput,
  GetSMSAttributesInput,
  ListOriginationNumbersRequest,
  ListPhoneNumbersOptedOutInput,
  ListSMSSandboxPhoneNumbersInput,
  OptInPhoneNumberInput,
  SetSMSAttributesInput,
  VerifySMSSandboxPhoneNumberInput,
} from '@aws-sdk/client-sns';
import { AwsError } from '../../../kit/errors.ts';
import { partsOf } from '../../../kit/key.ts';
import type { Ctx } from '../../service.ts';
import { isPhoneNumber } from '../domain/endpoint.ts';
import { nextToken, startAfter } from '../domain/paging.ts';
import { invalid, invalidParameter, missing, resourceNotFound } from '../errors.ts';
import { PAGE_SIZE, RECORDED_MESSAGES_MAX } from '../limits.ts';
import { find, fromKey, keys, read, record, rowsOf, type SandboxRow, write } from '../store.ts';

const NAMES = new Set([
  'MonthlySpendLimit',
  'DeliveryStatusIAMRole',
  'DeliveryStatusSuccessSamplingRate',
  'DefaultSenderID',
  'DefaultSMSType',
  'UsageReportS3Bucket',
]);
const DEFAULTS: Readonly<Record<string, string>> = { MonthlySpendLimit: '1' };

/** "SetSMSAttributes": kept; no SMS is sent. */
export async function setSmsAttributes(ctx: Ctx, input: SetSMSAttributesInput): Promise<Record<string, never>> {
  const { attributes } = input;
  if (attributes === undefined || Object.keys(attributes).length === 0) throw missing('attributes');
  for (const [name, value] of Object.entries(attributes)) {
    if (!NAMES.has(name)) throw invalid(`${name} is not a valid attribute`);
    if (!isValid(name, value)) throw invalid(`${name} is invalid`);
  }
  const key = keys.sms(ctx);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => write(tx, key, { ...read<Record<string, string>>(tx, key), ...attributes }));
  return {};
}

function isValid(name: string, value: string): boolean {
  if (name === 'DefaultSMSType') return value === 'Promotional' || value === 'Transactional';
  if (name === 'DefaultSenderID') return /^(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}$/.test(value);
  if (name === 'DeliveryStatusSuccessSamplingRate') return /^\d{1,3}$/.test(value) && Number(value) <= 100;
  return name !== 'MonthlySpendLimit' || /^\d+$/.test(value);
}

/** "GetSMSAttributes". */
export async function getSmsAttributes(ctx: Ctx, input: GetSMSAttributesInput) {
  const all = { ...DEFAULTS, ...(await find<Record<string, string>>(ctx.platform.store, keys.sms(ctx))) };
  const wanted = input.attributes;
  return { attributes: wanted && wanted.length > 0 ? Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name))) : all };
}

const phoneNumberOf = (text: string | undefined, member: string): string => {
  if (text === undefined) throw missing(member);
  if (!isPhoneNumber(text)) throw invalidParameter('PhoneNumber', 'input incorrectly formatted');
  return text;
};

/** "CheckIfPhoneNumberIsOptedOut". */
export async function checkIfPhoneNumberIsOptedOut(ctx: Ctx, input: CheckIfPhoneNumberIsOptedOutInput) {
  const number = phoneNumberOf(input.phoneNumber, 'phoneNumber');
  return { isOptedOut: (await ctx.platform.store.get(keys.optOut(ctx, number))) !== undefined };
}

/** "OptInPhoneNumber": one that never opted out is no error. */
export async function optInPhoneNumber(ctx: Ctx, input: OptInPhoneNumberInput): Promise<Record<string, never>> {
  const key = keys.optOut(ctx, phoneNumberOf(input.phoneNumber, 'phoneNumber'));
  await ctx.platform.store.transact({ keys: [key] }, (tx) => tx.delete(key));
  return {};
}

/** "ListPhoneNumbersOptedOut": a hundred a page. */
export async function listPhoneNumbersOptedOut(ctx: Ctx, input: ListPhoneNumbersOptedOutInput) {
  const prefix = keys.optOuts(ctx);
  const page = await ctx.platform.store.range({ ...fromKey(prefix, startAfter(prefix, input.nextToken)), limit: PAGE_SIZE });
  const { NextToken } = nextToken(prefix, page);
  return { phoneNumbers: page.entries.map(([key]) => partsOf(key).at(-1) ?? ''), ...(NextToken === undefined ? {} : { nextToken: NextToken }) };
}

/** "ListOriginationNumbers": there are none; numbers come from AWS End User Messaging. */
export async function listOriginationNumbers(_ctx: Ctx, _input: ListOriginationNumbersRequest) {
  return { PhoneNumbers: [] };
}

/** "GetSMSSandboxAccountStatus": any number may be published to. */
export async function getSmsSandboxAccountStatus() {
  return { IsInSandbox: false };
}

/** "CreateSMSSandboxPhoneNumber": the code is kept with the SMS messages. */
export async function createSmsSandboxPhoneNumber(ctx: Ctx, input: CreateSMSSandboxPhoneNumberInput): Promise<Record<string, never>> {
  const phoneNumber = phoneNumberOf(input.PhoneNumber, 'phoneNumber');
  const { store, ids, clock } = ctx.platform;
  const code = ids.text(6, '0123456789');
  const key = keys.sandbox(ctx, phoneNumber);
  const messageId = ids.uuid();
  const timeMs = clock.virtual();
  await store.transact({ keys: [key] }, (tx) => {
    write(tx, key, { phoneNumber, status: 'Pending', code } satisfies SandboxRow);
    record(
      tx,
      ctx,
      { kind: 'sms', target: phoneNumber, messageId, timeMs, message: `Your verification code is ${code}`, attributes: {} },
      RECORDED_MESSAGES_MAX,
    );
  });
  return {};
}

/** "VerifySMSSandboxPhoneNumber". */
export async function verifySmsSandboxPhoneNumber(ctx: Ctx, input: VerifySMSSandboxPhoneNumberInput): Promise<Record<string, never>> {
  const key = keys.sandbox(ctx, phoneNumberOf(input.PhoneNumber, 'phoneNumber'));
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<SandboxRow>(tx, key);
    if (!row) throw resourceNotFound('Phone number not found');
    if (row.code !== input.OneTimePassword) throw new AwsError('VerificationException', 'Verification failed');
    write(tx, key, { ...row, status: 'Verified' });
  });
  return {};
}

/** "DeleteSMSSandboxPhoneNumber". */
export async function deleteSmsSandboxPhoneNumber(ctx: Ctx, input: DeleteSMSSandboxPhoneNumberInput): Promise<Record<string, never>> {
  const key = keys.sandbox(ctx, phoneNumberOf(input.PhoneNumber, 'phoneNumber'));
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (!tx.get(key)) throw resourceNotFound('Phone number not found');
    tx.delete(key);
  });
  return {};
}

/** "ListSMSSandboxPhoneNumbers". */
export async function listSmsSandboxPhoneNumbers(ctx: Ctx, input: ListSMSSandboxPhoneNumbersInput) {
  const prefix = keys.sandboxes(ctx);
  const limit = Math.min(PAGE_SIZE, input.MaxResults ?? PAGE_SIZE);
  const page = await ctx.platform.store.range({ ...fromKey(prefix, startAfter(prefix, input.NextToken)), limit });
  const PhoneNumbers = rowsOf<SandboxRow>(page).map(({ phoneNumber, status }) => ({ PhoneNumber: phoneNumber, Status: status }));
  return { PhoneNumbers, ...nextToken(prefix, page) };
}

/** For `/_aws/sns/phone-opt-outs`: what a recipient does by answering STOP. */
export async function optOut(ctx: Ctx, scope: { account: string; region: string }, phoneNumber: string): Promise<void> {
  const key = keys.optOut(scope, phoneNumberOf(phoneNumber, 'phoneNumber'));
  await ctx.platform.store.transact({ keys: [key] }, (tx) => tx.put(key, Buffer.alloc(0)));
}
