import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { STORES, startOn } from '../e2e/stores.ts';
import { type CroftProcess, run, VENV } from '../process.ts';

describe.each(STORES)('clients unmodified, on %s', (store) => {
  let croft: CroftProcess | undefined;
  afterAll(() => croft?.dispose());

  it('boto3 through every room', { timeout: 120_000 }, async ({ skip }) => {
    croft ??= await startOn(store);
    if (!croft) return skip('no PostgreSQL on this machine');
    const { status, stdout, stderr } = await run(join(VENV, 'python'), [join(import.meta.dirname, 'tour.py')], { env: croft.environment });
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual(['dynamodb', 's3', 'functions', 'stacks', 'refusals'].map((part) => `ok ${part}`));
    expect(status).toBe(0);
  });

  it('the aws command line', { timeout: 120_000 }, async ({ skip }) => {
    croft ??= await startOn(store);
    if (!croft) return skip('no PostgreSQL on this machine');
    const { environment } = croft;
    const folder = mkdtempSync(join(tmpdir(), 'croft-cli-'));
    const aws = async (...args: string[]) => {
      const ran = await run(join(VENV, 'aws'), args, { cwd: folder, env: { ...environment, AWS_PAGER: '' } });
      return { ...ran, json: () => JSON.parse(ran.stdout) };
    };
    expect((await aws('sts', 'get-caller-identity')).json()).toMatchObject({ Account: '000000000000' });
    await aws(
      'dynamodb',
      'create-table',
      '--table-name',
      'cli',
      '--billing-mode',
      'PAY_PER_REQUEST',
      '--key-schema',
      'AttributeName=id,KeyType=HASH',
      '--attribute-definitions',
      'AttributeName=id,AttributeType=S',
    );
    expect((await aws('dynamodb', 'wait', 'table-exists', '--table-name', 'cli')).status).toBe(0);
    await aws('dynamodb', 'put-item', '--table-name', 'cli', '--item', '{"id": {"S": "1"}, "n": {"N": "1.50"}}');
    expect((await aws('dynamodb', 'get-item', '--table-name', 'cli', '--key', '{"id": {"S": "1"}}')).json()).toEqual({
      Item: { id: { S: '1' }, n: { N: '1.5' } },
    });
    expect((await aws('s3', 'mb', 's3://cli-bucket')).stderr).toBe('');
    writeFileSync(join(folder, 'file.txt'), 'hello');
    expect((await aws('s3', 'cp', 'file.txt', 's3://cli-bucket/dir/file.txt')).status).toBe(0);
    expect((await aws('s3', 'ls', 's3://cli-bucket', '--recursive')).stdout).toMatch(/ +5 dir\/file\.txt/);
    expect((await aws('s3', 'cp', 's3://cli-bucket/dir/file.txt', '-')).stdout).toBe('hello');
    expect((await aws('s3', 'rb', 's3://cli-bucket', '--force')).status).toBe(0);
    expect((await aws('lambda', 'list-functions')).json()).toHaveProperty('Functions');
    expect((await aws('iam', 'list-roles')).json()).toHaveProperty('Roles');
    const failed = await aws('dynamodb', 'describe-table', '--table-name', 'nothing');
    expect(failed.status).not.toBe(0);
    expect(failed.stderr).toContain(
      'An error occurred (ResourceNotFoundException) when calling the DescribeTable operation: Requested resource not found: Table: nothing not found',
    );
    const refused = await aws('dynamodb', 'list-exports');
    expect(refused.stderr).toContain('NotImplemented');
  });
});
