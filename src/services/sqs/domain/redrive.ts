import type { Tx } from '../../../store/store.ts';
import { invalidValue } from '../errors.ts';
import { MAX_RECEIVE_COUNT_MAX, SOURCE_QUEUE_ARNS_MAX } from '../limits.ts';
import { txQueue } from '../store.ts';
import { type Address, addressOfArn, queueArn } from './address.ts';
import { isFifo } from './settings.ts';

function objectOf(name: string, value: string, what: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  } catch {
    // Said below, as for any other value that is no object.
  }
  throw invalidValue(name, value, `${what} is not a valid JSON map.`);
}

/** "Using dead-letter queues": a RedrivePolicy for the queue at `source`, its target looked up. Returns the dead-letter queue. */
export function checkRedrivePolicy(tx: Tx, source: Address, policy: string): Address {
  const wrong = (reason: string) => invalidValue('RedrivePolicy', policy, reason);
  const fields = objectOf('RedrivePolicy', policy, 'Redrive policy');
  if (Object.keys(fields).some((name) => name !== 'deadLetterTargetArn' && name !== 'maxReceiveCount'))
    throw wrong('Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].');
  for (const name of ['deadLetterTargetArn', 'maxReceiveCount'])
    if (fields[name] === undefined || fields[name] === '') throw wrong(`Redrive policy does not contain mandatory attribute: ${name}.`);
  const count = String(fields['maxReceiveCount']);
  if (!/^\d{1,6}$/.test(count) || Number(count) < 1 || Number(count) > MAX_RECEIVE_COUNT_MAX)
    throw wrong(`Invalid value for maxReceiveCount: ${count}, valid values are from 1 to ${MAX_RECEIVE_COUNT_MAX} both inclusive.`);
  const target = addressOfArn(String(fields['deadLetterTargetArn']));
  if (!target) throw wrong('Invalid value for deadLetterTargetArn.');
  if (target.account !== source.account || target.region !== source.region) throw wrong('Dead-letter target owner should be same as the source.');
  const row = txQueue(tx, target);
  if (!row) throw wrong('Dead letter target does not exist.');
  if (isFifo(target.name) !== isFifo(source.name)) throw wrong('Dead letter queue must be same type of queue as the source.');
  const allow = row.attributes['RedriveAllowPolicy'];
  if (allow !== undefined && !allows(allow, queueArn(source))) throw wrong('Dead letter target does not allow redrive from the source queue.');
  return target;
}

interface AllowPolicy {
  readonly redrivePermission: string;
  readonly sourceQueueArns?: readonly string[];
}

/** A stored policy, checked when it was set. */
function allows(policy: string, sourceArn: string): boolean {
  const { redrivePermission, sourceQueueArns = [] } = JSON.parse(policy) as AllowPolicy;
  return redrivePermission === 'allowAll' || (redrivePermission === 'byQueue' && sourceQueueArns.includes(sourceArn));
}

/** A RedriveAllowPolicy, by itself. */
export function checkRedriveAllowPolicy(policy: string): void {
  const wrong = (reason: string) => invalidValue('RedriveAllowPolicy', policy, reason);
  const { redrivePermission, sourceQueueArns } = objectOf('RedriveAllowPolicy', policy, 'Redrive allow policy');
  if (redrivePermission === undefined) throw wrong('Redrive allow policy does not contain mandatory attribute: redrivePermission.');
  if (redrivePermission !== 'allowAll' && redrivePermission !== 'denyAll' && redrivePermission !== 'byQueue')
    throw wrong('Invalid value for redrivePermission, valid values are: [allowAll, denyAll, byQueue].');
  if (redrivePermission !== 'byQueue') {
    if (sourceQueueArns !== undefined) throw wrong('sourceQueueArns can only be specified when redrivePermission is byQueue.');
    return;
  }
  if (!Array.isArray(sourceQueueArns) || sourceQueueArns.length === 0) throw wrong('sourceQueueArns must be specified when redrivePermission is byQueue.');
  if (sourceQueueArns.length > SOURCE_QUEUE_ARNS_MAX) throw wrong(`sourceQueueArns can have at most ${SOURCE_QUEUE_ARNS_MAX} queue ARNs.`);
  if (sourceQueueArns.some((arn) => addressOfArn(String(arn)) === undefined)) throw wrong('sourceQueueArns must be queue ARNs.');
}
