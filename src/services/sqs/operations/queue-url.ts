import type { GetQueueUrlCommandInput, ListDeadLetterSourceQueuesCommandInput, ListQueuesCommandInput } from '@aws-sdk/client-sqs';
import { type Key, partsOf } from '../../../kit/key.ts';
import type { KeyRange } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import { queueUrl } from '../domain/address.ts';
import { invalidParameter, invalidValue, missingParameter, queueDoesNotExist } from '../errors.ts';
import { LIST_RESULTS_MAX } from '../limits.ts';
import { readQueue } from '../queues.ts';
import { findQueue, keys, namePrefixRange, rangeOf } from '../store.ts';

/** "GetQueueUrl". */
export async function getQueueUrl(ctx: Ctx, input: GetQueueUrlCommandInput) {
  if (!input.QueueName) throw missingParameter('QueueName');
  const address = { account: input.QueueOwnerAWSAccountId ?? ctx.account, region: ctx.region, name: input.QueueName };
  if (!(await findQueue(ctx.platform.store, address))) throw queueDoesNotExist(ctx);
  return { QueueUrl: queueUrl(ctx, address) };
}

/** "ListQueues": by name; without MaxResults the first 1,000, and no token. */
export async function listQueues(ctx: Ctx, input: ListQueuesCommandInput) {
  const { urls, token } = await page(ctx, namePrefixRange(keys.queues(ctx), input.QueueNamePrefix ?? ''), input);
  return { ...(urls.length > 0 ? { QueueUrls: urls } : {}), ...(token === undefined ? {} : { NextToken: token }) };
}

/** "ListDeadLetterSourceQueues". */
export async function listDeadLetterSourceQueues(ctx: Ctx, input: ListDeadLetterSourceQueuesCommandInput) {
  const { address } = await readQueue(ctx, input.QueueUrl);
  const { urls, token } = await page(ctx, rangeOf(keys.sources(address, address.name)), input);
  return { queueUrls: urls, ...(token === undefined ? {} : { NextToken: token }) };
}

async function page(ctx: Ctx, range: KeyRange, input: { readonly MaxResults?: number | undefined; readonly NextToken?: string | undefined }) {
  const max = input.MaxResults;
  if (max !== undefined && (max < 1 || max > LIST_RESULTS_MAX))
    throw invalidValue('MaxResults', max, `MaxResults must be an integer between 1 and ${LIST_RESULTS_MAX}.`);
  if (input.NextToken !== undefined && max === undefined) throw invalidParameter('MaxResults must be set when NextToken is specified.');
  const from = input.NextToken === undefined ? range.from : afterToken(range, input.NextToken);
  const { entries, more } = await ctx.platform.store.range({ from, to: range.to, limit: max ?? LIST_RESULTS_MAX });
  const names = entries.map(([key]) => partsOf(key).at(-1) ?? '');
  const urls = names.map((name) => queueUrl(ctx, { account: ctx.account, region: ctx.region, name }));
  const last = entries.at(-1)?.[0];
  return { urls, ...(more && last !== undefined && max !== undefined ? { token: Buffer.from(last, 'latin1').toString('base64') } : {}) };
}

/** A token is the last key of a page of the same list. */
function afterToken(range: KeyRange, token: string): Key {
  const key = Buffer.from(token, 'base64').toString('latin1');
  if (key < range.from || key >= range.to || Buffer.from(key, 'latin1').toString('base64') !== token) throw invalidParameter('Invalid or expired next token.');
  return `${key}\x00`;
}
