import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startCroft } from '../../../test/harness.ts';
import { run, VENV } from '../../../test/process.ts';

const SCRIPT = `
import boto3, json, datetime

events, scheduler, sqs = boto3.client('events'), boto3.client('scheduler'), boto3.client('sqs')
url = sqs.create_queue(QueueName='boto')['QueueUrl']
arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
bus = events.create_event_bus(Name='boto', Tags=[{'Key': 'a', 'Value': '1'}])['EventBusArn']
assert events.list_tags_for_resource(ResourceARN=bus)['Tags'] == [{'Key': 'a', 'Value': '1'}]
for n in range(3):
    events.put_rule(Name='r%d' % n, EventBusName='boto', EventPattern=json.dumps({'detail': {'n': [{'numeric': ['>', n]}]}}))
    failed = events.put_targets(Rule='r%d' % n, EventBusName=bus, Targets=[{'Id': 't', 'Arn': arn, 'InputTransformer': {'InputPathsMap': {'n': '$.detail.n'}, 'InputTemplate': '"<n> by <aws.events.rule-name>"'}}])
    assert failed['FailedEntryCount'] == 0
pages = events.get_paginator('list_rules').paginate(EventBusName='boto', PaginationConfig={'PageSize': 2})
assert [rule['Name'] for page in pages for rule in page['Rules']] == ['r0', 'r1', 'r2']
names = events.get_paginator('list_rule_names_by_target').paginate(TargetArn=arn, EventBusName='boto')
assert [name for page in names for name in page['RuleNames']] == ['r0', 'r1', 'r2']
sent = events.put_events(Entries=[{'EventBusName': 'boto', 'Source': 's', 'DetailType': 'd', 'Detail': '{"n": 2}', 'Time': datetime.datetime(2022, 1, 1)}])
assert sent['FailedEntryCount'] == 0
got = set()
while len(got) < 2:
    for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=10).get('Messages', []):
        got.add(message['Body'])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'])
assert got == {'"2 by r0"', '"2 by r1"'}, got
event = {'id': '1', 'account': '1', 'source': 's', 'time': 't', 'region': 'r', 'resources': [], 'detail-type': 'd', 'detail': {'n': 5}}
assert events.test_event_pattern(EventPattern='{"detail":{"n":[5]}}', Event=json.dumps(event))['Result'] is True
for wrong, code in (
    (lambda: events.put_rule(Name='x', EventPattern='{"source": "s"}'), 'InvalidEventPatternException'),
    (lambda: events.put_rule(Name='x'), 'ValidationException'),
    (lambda: events.put_rule(Name='x', EventBusName='none', EventPattern='{"source": ["s"]}'), 'ResourceNotFoundException'),
    (lambda: events.delete_rule(Name='r0', EventBusName='boto'), 'ValidationException'),
    (lambda: events.create_event_bus(Name='boto'), 'ResourceAlreadyExistsException'),
    (lambda: events.delete_event_bus(Name='default'), 'ValidationException'),
    (lambda: events.delete_event_bus(Name='boto'), 'ValidationException'),
    (lambda: events.create_endpoint(Name='e', RoutingConfig={'FailoverConfig': {'Primary': {'HealthCheck': 'arn:aws:route53:::healthcheck/x'}, 'Secondary': {'Route': 'us-west-2'}}}, EventBuses=[{'EventBusArn': bus}, {'EventBusArn': bus}]), 'NotImplemented'),
):
    try:
        wrong()
        raise SystemExit('expected ' + code)
    except events.exceptions.ClientError as error:
        assert error.response['Error']['Code'] == code, error.response

scheduler.create_schedule(Name='once', ScheduleExpression='rate(1 hour)', FlexibleTimeWindow={'Mode': 'OFF'}, Target={'Arn': arn, 'RoleArn': 'arn:aws:iam::000000000000:role/r', 'Input': '"now"'})
assert [m['Body'] for m in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)['Messages']] == ['"now"']
schedule = scheduler.get_schedule(Name='once')
assert schedule['State'] == 'ENABLED' and schedule['CreationDate'].tzinfo is not None
assert [s['Name'] for s in scheduler.list_schedules(GroupName='default')['Schedules']] == ['once']
scheduler.delete_schedule(Name='once')
try:
    scheduler.get_schedule(Name='once')
    raise SystemExit('expected ResourceNotFoundException')
except scheduler.exceptions.ResourceNotFoundException as error:
    assert error.response['Error']['Message'] == 'Schedule once does not exist.'
    assert error.response['Message'] == 'Schedule once does not exist.'
print('ok')
`;

it('serves boto3 unmodified: EventBridge and Scheduler', async () => {
  const croft = await startCroft();
  try {
    const env = { AWS_ENDPOINT_URL: croft.endpoint, AWS_DEFAULT_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    const { status, stdout, stderr } = await run(join(VENV, 'python'), ['-'], { env, input: SCRIPT });
    expect([status, stdout.trim(), stderr]).toEqual([0, 'ok', '']);
  } finally {
    await croft.stop();
  }
}, 60_000);
