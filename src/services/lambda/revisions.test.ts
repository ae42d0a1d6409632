import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  GetAccountSettingsCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  PublishVersionCommand,
  TagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { ROLE, zipFiles } from './testing.ts';

let croft: TestCroft;
let lambda: LambdaClient;
let zip: Uint8Array;
beforeAll(async () => {
  croft = await startCroft({ logLevel: 'warn' });
  lambda = new LambdaClient(croft.sdk);
  zip = await zipFiles({ 'index.js': 'exports.handler = async () => 1;' });
});
afterAll(() => croft.stop());

const wait = { maxWaitTime: 20, minDelay: 0.02, maxDelay: 0.1 };
const show = (FunctionName: string, Qualifier?: string) => lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }));

async function create(FunctionName: string, Publish = false) {
  const made = await lambda.send(
    new CreateFunctionCommand({ FunctionName, Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Code: { ZipFile: zip }, Publish }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, ...wait }, { FunctionName });
  return made;
}
const updated = (FunctionName: string) => waitUntilFunctionUpdatedV2({ client: lambda, ...wait }, { FunctionName });

it('gives every change a revision: activation, tags and publishing too', async () => {
  const { RevisionId: created, FunctionArn } = await create('revised', true);
  const { RevisionId: active } = await show('revised');
  const { RevisionId: version } = await show('revised', '1');
  await lambda.send(new TagResourceCommand({ Resource: FunctionArn?.replace(/:1$/, ''), Tags: { a: 'b' } }));
  const { RevisionId: tagged } = await show('revised');
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'revised', Timeout: 4 }));
  await updated('revised');
  const { RevisionId: changed } = await show('revised');
  const { RevisionId: second } = await lambda.send(new PublishVersionCommand({ FunctionName: 'revised', RevisionId: changed }));
  const { RevisionId: published } = await show('revised');
  expect(new Set([created, active, version, tagged, changed, second, published]).size).toBe(7);
  expect((await show('revised', '2')).RevisionId).toBe(second);
  const { RevisionId: alias } = await lambda.send(new CreateAliasCommand({ FunctionName: 'revised', Name: 'live', FunctionVersion: '2' }));
  const permit = (RevisionId?: string) =>
    lambda.send(
      new AddPermissionCommand({
        FunctionName: 'revised',
        Qualifier: 'live',
        StatementId: 's',
        Action: 'lambda:InvokeFunction',
        Principal: 's3.amazonaws.com',
        RevisionId,
      }),
    );
  await expect(permit('wrong')).rejects.toMatchObject({ name: 'PreconditionFailedException' });
  await permit(alias);
});

it('refuses an update while another is in progress', async () => {
  await create('busy');
  const change = () => lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'busy', ZipFile: zip, Publish: true }));
  // The version that an update publishes begins as a function does.
  const first = await change();
  expect(first).toMatchObject({ Version: '1', State: 'Pending', StateReasonCode: 'Creating' });
  expect(first.LastUpdateStatus).toBeUndefined();
  await expect(change()).rejects.toMatchObject({ name: 'ResourceConflictException' });
  await updated('busy');
  expect(await show('busy', '1')).toMatchObject({ State: 'Active', LastUpdateStatus: 'Successful' });
});

it('publishes what differs in its own description, and counts the code of every version', async () => {
  await create('described');
  const publish = (Description?: string) => lambda.send(new PublishVersionCommand({ FunctionName: 'described', Description }));
  const used = async () => (await lambda.send(new GetAccountSettingsCommand({}))).AccountUsage?.TotalCodeSize ?? 0;
  expect(await publish('first')).toMatchObject({ Version: '1', Description: 'first' });
  expect(await publish('again')).toMatchObject({ Version: '1', Description: 'first' });
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'described', Description: 'new' }));
  await updated('described');
  const before = await used();
  expect(await publish()).toMatchObject({ Version: '2', Description: 'new' });
  expect((await used()) - before).toBe(zip.length);
});
