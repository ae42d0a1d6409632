import { CreateFunctionCommand, InvokeCommand, LambdaClient, paginateListFunctions, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { ROLE, zipFiles } from './testing.ts';

const FUNCTIONS = process.env['CROFT_SOAK'] === '1' ? 10_000 : 120;

let croft: TestCroft;
beforeAll(async () => {
  croft = await startCroft({ functionMemoryMb: 256, functionIdleMs: 1000 });
});
afterAll(() => croft.stop());

it(
  `registers ${FUNCTIONS} functions, and any of them can be called`,
  async () => {
    const client = new LambdaClient(croft.sdk);
    const zip = await zipFiles({ 'index.js': 'exports.handler = async () => process.env.AWS_LAMBDA_FUNCTION_NAME;' });
    const names = Array.from({ length: FUNCTIONS }, (_, i) => `many-${i}`);
    const left = [...names];
    const worker = async () => {
      for (let name = left.pop(); name; name = left.pop()) {
        await client.send(
          new CreateFunctionCommand({ FunctionName: name, Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Timeout: 30, Code: { ZipFile: zip } }),
        );
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    const listed: string[] = [];
    for await (const page of paginateListFunctions({ client }, {})) listed.push(...(page.Functions ?? []).map((one) => one.FunctionName ?? ''));
    expect(listed.sort()).toEqual([...names].sort());
    for (let i = 0; i < FUNCTIONS; i += FUNCTIONS / 10) {
      const name = `many-${i}`;
      await waitUntilFunctionActiveV2({ client, maxWaitTime: 60, minDelay: 0.02, maxDelay: 0.1 }, { FunctionName: name });
      const { Payload } = await client.send(new InvokeCommand({ FunctionName: name }));
      expect(Buffer.from(Payload ?? []).toString()).toBe(`"${name}"`);
    }
  },
  process.env['CROFT_SOAK'] === '1' ? 900_000 : 60_000,
);
