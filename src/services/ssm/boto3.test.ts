import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startCroft } from '../../../test/harness.ts';
import { run, VENV } from '../../../test/process.ts';

const SCRIPT = `
import boto3

ssm = boto3.client('ssm')
E = ssm.exceptions
def fails(code, call, text=None):
    try:
        call()
    except E.ClientError as error:
        assert error.response['Error']['Code'] == code, error.response
        assert text is None or text in error.response['Error']['Message'], error.response
        return
    raise SystemExit('expected ' + code)

assert ssm.put_parameter(Name='/app/db/host', Value='h1', Type='String', Tags=[{'Key': 'k', 'Value': 'v'}])['Version'] == 1
fails('ParameterAlreadyExists', lambda: ssm.put_parameter(Name='/app/db/host', Value='h2', Type='String'))
put = ssm.put_parameter(Name='/app/db/host', Value='h2', Overwrite=True, Description='d')
assert (put['Version'], put['Tier']) == (2, 'Standard')
got = ssm.get_parameter(Name='/app/db/host')['Parameter']
assert (got['Value'], got['Version'], got['Type'], got['DataType']) == ('h2', 2, 'String', 'text'), got
assert got['ARN'] == 'arn:aws:ssm:us-east-1:000000000000:parameter/app/db/host'
assert ssm.get_parameter(Name=got['ARN'])['Parameter']['Value'] == 'h2'
old = ssm.get_parameter(Name='/app/db/host:1')['Parameter']
assert (old['Value'], old['Selector']) == ('h1', ':1'), old
fails('ParameterVersionNotFound', lambda: ssm.get_parameter(Name='/app/db/host:9'), 'could not find version 9')

ssm.put_parameter(Name='/app/db/password', Value='s3cret', Type='SecureString')
hidden = ssm.get_parameter(Name='/app/db/password')['Parameter']
assert 's3cret' not in hidden['Value'] and hidden['Type'] == 'SecureString'
assert ssm.get_parameter(Name='/app/db/password', WithDecryption=True)['Parameter']['Value'] == 's3cret'
assert ssm.describe_parameters(ParameterFilters=[{'Key': 'Type', 'Values': ['SecureString']}])['Parameters'][0]['KeyId'] == 'alias/aws/ssm'

ssm.put_parameter(Name='plain', Value='x', Type='String')
for name in ('plain', '/plain'):
    assert ssm.get_parameter(Name=name)['Parameter']['Name'] == name
many = ssm.get_parameters(Names=['plain', 'missing', '/app/db/host'])
assert {p['Name'] for p in many['Parameters']} == {'plain', '/app/db/host'} and many['InvalidParameters'] == ['missing']

for n in range(25):
    ssm.put_parameter(Name='/app/n/%02d' % n, Value=str(n), Type='String')
pages = [page['Parameters'] for page in ssm.get_paginator('get_parameters_by_path').paginate(Path='/app', Recursive=True)]
assert [len(page) for page in pages] == [10, 10, 7], pages
assert [p['Name'] for p in ssm.get_parameters_by_path(Path='/app/db/')['Parameters']] == ['/app/db/host', '/app/db/password']
assert ssm.get_parameters_by_path(Path='/app')['Parameters'] == []
assert [p['Name'] for p in ssm.get_parameters_by_path(Path='/')['Parameters']] == ['plain']
assert len(ssm.describe_parameters(ParameterFilters=[{'Key': 'Name', 'Option': 'BeginsWith', 'Values': ['/app/n/']}])['Parameters']) == 25
assert len(ssm.describe_parameters(ParameterFilters=[{'Key': 'tag:k', 'Values': ['v']}])['Parameters']) == 1
fails('ValidationException', lambda: ssm.get_parameters_by_path(Path='app'), 'must begin with a forward slash')
fails('InvalidFilterKey', lambda: ssm.describe_parameters(ParameterFilters=[{'Key': 'Label', 'Values': ['x']}]))

labelled = ssm.label_parameter_version(Name='/app/db/host', ParameterVersion=1, Labels=['stable', 'aws-no'])
assert labelled['InvalidLabels'] == ['aws-no'] and labelled['ParameterVersion'] == 1
assert ssm.get_parameter(Name='/app/db/host:stable')['Parameter']['Value'] == 'h1'
ssm.label_parameter_version(Name='/app/db/host', Labels=['stable'])
history = ssm.get_parameter_history(Name='/app/db/host')['Parameters']
assert [(p['Version'], p['Value'], p['Labels']) for p in history] == [(1, 'h1', []), (2, 'h2', ['stable'])], history
assert ssm.unlabel_parameter_version(Name='/app/db/host', ParameterVersion=2, Labels=['stable', 'other'])['InvalidLabels'] == ['other']

for n in range(101):
    ssm.put_parameter(Name='many', Value=str(n), Type='String', Overwrite=True)
assert ssm.get_parameter_history(Name='many')['Parameters'][0]['Version'] == 2

fails('ParameterNotFound', lambda: ssm.get_parameter(Name='missing'))
fails('ParameterNotFound', lambda: ssm.delete_parameter(Name='missing'))
fails('ValidationException', lambda: ssm.put_parameter(Name='awsthing', Value='x', Type='String'), 'be prefixed with')
fails('AccessDeniedException', lambda: ssm.put_parameter(Name='/aws/thing', Value='x', Type='String'))
fails('ValidationException', lambda: ssm.put_parameter(Name='/a//b', Value='x', Type='String'), 'sub-paths divided by slash symbol')
fails('HierarchyLevelLimitExceededException', lambda: ssm.put_parameter(Name='/a' * 16, Value='x', Type='String'))
fails('ValidationException', lambda: ssm.put_parameter(Name='big', Value='x' * 4097, Type='String'), 'maximum parameter value of 4096')
assert ssm.put_parameter(Name='big', Value='x' * 4097, Type='String', Tier='Intelligent-Tiering')['Tier'] == 'Advanced'
fails('ParameterPatternMismatchException', lambda: ssm.put_parameter(Name='p', Value='A', Type='String', AllowedPattern='[a-z]+'))
fails('InvalidAllowedPatternException', lambda: ssm.put_parameter(Name='p', Value='a' * 60, Type='String', AllowedPattern='(a+)+b'))
fails('ValidationException', lambda: ssm.put_parameter(Name='p', Value='x'), 'A parameter type is required')
fails('NotImplemented', lambda: ssm.list_documents())

tags = lambda: {t['Key']: t['Value'] for t in ssm.list_tags_for_resource(ResourceType='Parameter', ResourceId='/app/db/host')['TagList']}
ssm.add_tags_to_resource(ResourceType='Parameter', ResourceId='/app/db/host', Tags=[{'Key': 'l', 'Value': 'w'}])
ssm.remove_tags_from_resource(ResourceType='Parameter', ResourceId='/app/db/host', TagKeys=['k'])
assert tags() == {'l': 'w'}
gone = ssm.delete_parameters(Names=['/app/db/host', 'missing'])
assert gone['DeletedParameters'] == ['/app/db/host'] and gone['InvalidParameters'] == ['missing']
assert ssm.put_parameter(Name='/app/db/host', Value='new', Type='String')['Version'] == 1
assert len(ssm.get_parameter_history(Name='/app/db/host')['Parameters']) == 1
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
