import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { VENV } from '../../../test/process.ts';

const run = promisify(execFile);

let croft: TestCroft;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  croft = await startCroft();
  folder = await mkdtemp(join(tmpdir(), 'croft-s3-'));
  env = {
    PATH: process.env['PATH'] ?? '',
    AWS_ENDPOINT_URL: croft.endpoint,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_PAGER: '',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
});
afterAll(async () => {
  await croft.stop();
  await rm(folder, { recursive: true });
});

describe.skipIf(!existsSync(join(VENV, 'aws')))('the aws command line', () => {
  const aws = async (...args: string[]) => (await run(join(VENV, 'aws'), args, { cwd: folder, env })).stdout;

  test('syncs a site, makes it a website, and gives it rules', async () => {
    await mkdir(join(folder, 'site', 'docs'), { recursive: true });
    await writeFile(join(folder, 'site', 'index.html'), 'home');
    await writeFile(join(folder, 'site', 'docs', 'page.html'), 'page');
    await aws('s3', 'mb', 's3://cli-site');
    expect((await aws('s3', 'sync', 'site', 's3://cli-site')).match(/upload:/g)).toHaveLength(2);
    expect(await aws('s3', 'sync', 'site', 's3://cli-site')).toBe('');
    await aws('s3', 'website', 's3://cli-site', '--index-document', 'index.html', '--error-document', 'docs/page.html');
    expect(JSON.parse(await aws('s3api', 'get-bucket-website', '--bucket', 'cli-site'))).toEqual({
      IndexDocument: { Suffix: 'index.html' },
      ErrorDocument: { Key: 'docs/page.html' },
    });
    const rules = { Rules: [{ ID: 'r', Status: 'Enabled', Filter: { Prefix: 'docs/' }, Expiration: { Days: 3 } }] };
    await aws('s3api', 'put-bucket-lifecycle-configuration', '--bucket', 'cli-site', '--lifecycle-configuration', JSON.stringify(rules));
    expect(JSON.parse(await aws('s3api', 'head-object', '--bucket', 'cli-site', '--key', 'docs/page.html')).Expiration).toContain('rule-id="r"');
  }, 120_000);
});

describe.skipIf(!existsSync(join(VENV, 'python')))('boto3', () => {
  test('locks, expires, configures and is told', async () => {
    const script = `
import boto3, datetime, json
from botocore.exceptions import ClientError
s3, sqs = boto3.client('s3'), boto3.client('sqs')
def refused(call, **args):
    try: call(**args)
    except ClientError as e: return e.response['Error']['Code']
s3.create_bucket(Bucket='boto', ObjectLockEnabledForBucket=True)
until = datetime.datetime(2999, 1, 1, tzinfo=datetime.timezone.utc)
v = s3.put_object(Bucket='boto', Key='k', Body=b'x', ObjectLockMode='COMPLIANCE', ObjectLockRetainUntilDate=until)['VersionId']
print(refused(s3.delete_object, Bucket='boto', Key='k', VersionId=v), s3.get_object_retention(Bucket='boto', Key='k')['Retention']['RetainUntilDate'] == until)
url = sqs.create_queue(QueueName='boto')['QueueUrl']
arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
s3.put_bucket_notification_configuration(Bucket='boto', NotificationConfiguration={'QueueConfigurations': [{'QueueArn': arn, 'Events': ['s3:ObjectCreated:*']}]})
s3.put_object(Bucket='boto', Key='told me', Body=b'x')
seen = []
while len(seen) < 2:
    for m in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MaxNumberOfMessages=10).get('Messages', []):
        body = json.loads(m['Body'])
        seen.append(body['Records'][0]['s3']['object']['key'] if 'Records' in body else body['Event'])
print(sorted(seen))
cors = {'CORSRules': [{'AllowedMethods': ['GET'], 'AllowedOrigins': ['*']}]}
s3.put_bucket_cors(Bucket='boto', CORSConfiguration=cors)
print(s3.get_bucket_cors(Bucket='boto')['CORSRules'] == cors['CORSRules'], refused(s3.get_bucket_replication, Bucket='boto'))
s3.put_bucket_metrics_configuration(Bucket='boto', Id='m', MetricsConfiguration={'Id': 'm'})
print([m['Id'] for m in s3.list_bucket_metrics_configurations(Bucket='boto')['MetricsConfigurationList']])
`;
    const { stdout } = await run(join(VENV, 'python'), ['-c', script], { env });
    expect(stdout.trim().split('\n')).toEqual(['AccessDenied True', "['s3:TestEvent', 'told+me']", 'True ReplicationConfigurationNotFoundError', "['m']"]);
  }, 120_000);
});
