import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateFunctionCommand, type CreateFunctionCommandInput, InvokeCommand, type LambdaClient, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda';
import { ZipFile } from 'yazl';

/** A zip of a folder's files, or of the files named. */
export async function zipOf(folder: string, names: readonly string[] = readdirSync(folder)): Promise<Buffer> {
  const zip = new ZipFile();
  for (const name of names) if (statSync(join(folder, name)).isFile()) zip.addBuffer(await readFile(join(folder, name)), name);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export const ROLE = 'arn:aws:iam::000000000000:role/lambda-role';

/** Creates a function and waits until it is active. */
export async function createFunction(client: LambdaClient, name: string, zip: Buffer, more: Partial<CreateFunctionCommandInput> = {}): Promise<void> {
  await client.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: ROLE,
      Runtime: 'python3.12',
      Handler: 'lambda_function.lambda_handler',
      Code: { ZipFile: zip },
      ...more,
    }),
  );
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 } as Parameters<typeof waitUntilFunctionActiveV2>[0], {
    FunctionName: name,
  });
}

export interface Invoked {
  readonly functionError: string | undefined;
  readonly log: string;
  // biome-ignore lint/suspicious/noExplicitAny: a function's answer has any form
  readonly payload: any;
}

export async function invoke(client: LambdaClient, name: string, event: unknown): Promise<Invoked> {
  const answer = await client.send(new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)), LogType: 'Tail' }));
  const text = Buffer.from(answer.Payload ?? new Uint8Array()).toString();
  return {
    functionError: answer.FunctionError,
    log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
    payload: text === '' ? undefined : JSON.parse(text),
  };
}
