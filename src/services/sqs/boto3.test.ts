import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startCroft } from '../../../test/harness.ts';
import { run, VENV } from '../../../test/process.ts';

const SCRIPT = `
import boto3, hashlib, threading

sqs = boto3.client('sqs')
resource = boto3.resource('sqs')
queue = resource.create_queue(QueueName='boto.fifo', Attributes={'FifoQueue': 'true', 'ContentBasedDeduplication': 'true'})
assert queue.url == sqs.get_queue_url(QueueName='boto.fifo')['QueueUrl']
sent = queue.send_messages(Entries=[
    {'Id': str(n), 'MessageBody': 'm%d' % n, 'MessageGroupId': 'g', 'MessageAttributes': {'n': {'DataType': 'Number', 'StringValue': str(n)}}}
    for n in range(5)
])
assert [one['Id'] for one in sent['Successful']] == ['0', '1', '2', '3', '4'] and 'Failed' not in sent
assert sent['Successful'][0]['MD5OfMessageBody'] == hashlib.md5(b'm0').hexdigest()
got = queue.receive_messages(MaxNumberOfMessages=3, MessageAttributeNames=['All'], AttributeNames=['All'])
assert [one.body for one in got] == ['m0', 'm1', 'm2'], got
assert got[1].message_attributes == {'n': {'DataType': 'Number', 'StringValue': '1'}}
assert got[0].attributes['MessageGroupId'] == 'g' and len(got[0].attributes['SequenceNumber']) == 20
assert queue.receive_messages() == []
for one in got:
    one.delete()
assert [one.body for one in queue.receive_messages(MaxNumberOfMessages=10)] == ['m3', 'm4']

plain = resource.create_queue(QueueName='boto')
timer = threading.Timer(0.2, lambda: plain.send_message(MessageBody='late'))
timer.start()
assert [one.body for one in plain.receive_messages(WaitTimeSeconds=20)] == ['late']
for wrong, code in (
    (lambda: sqs.get_queue_url(QueueName='missing'), 'AWS.SimpleQueueService.NonExistentQueue'),
    (lambda: sqs.receive_message(QueueUrl=plain.url, MaxNumberOfMessages=11), 'InvalidParameterValue'),
    (lambda: sqs.send_message(QueueUrl=plain.url, MessageBody=''), 'MissingParameter'),
    (lambda: sqs.delete_message(QueueUrl=plain.url, ReceiptHandle='garbage'), 'ReceiptHandleIsInvalid'),
):
    try:
        wrong()
        raise SystemExit('expected ' + code)
    except sqs.exceptions.ClientError as error:
        assert error.response['Error']['Code'] == code, error.response
plain.delete()
try:
    resource.create_queue(QueueName='boto')
    raise SystemExit('expected QueueDeletedRecently')
except sqs.exceptions.QueueDeletedRecently:
    pass
print('ok')
`;

it('serves boto3 unmodified', async () => {
  const croft = await startCroft();
  try {
    const env = { AWS_ENDPOINT_URL: croft.endpoint, AWS_DEFAULT_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    const { status, stdout, stderr } = await run(join(VENV, 'python'), ['-'], { env, input: SCRIPT });
    expect([status, stdout.trim(), stderr]).toEqual([0, 'ok', '']);
  } finally {
    await croft.stop();
  }
}, 60_000);
