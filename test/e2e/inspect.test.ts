import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CroftProcess, ROOT, startProcess } from '../process.ts';
import { createFunction } from './functions.ts';

/** Filled by scripts/test-tools.sh. */
const DEBUGPY = join(ROOT, '.cache', 'debugpy');
/** The functions' timeout, and how long they are stopped at a breakpoint. */
const TIMEOUT_SECONDS = 1;
const STOPPED_MS = 2500;
const PATIENT = { timeout: 20_000, interval: 20 };

let croft: CroftProcess;
let lambda: LambdaClient;
let folder: string;
let nodePort: number;
let pythonPort: number;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'croft-inspect-'));
  await mkdir(join(folder, 'code'));
  await symlink(DEBUGPY, join(folder, 'debugpy'));
  await writeFile(
    join(folder, 'code/app.js'),
    ['exports.handler = async (event) => {', '  const doubled = event.n * 2;', '  return doubled;', '};', ''].join('\n'),
  );
  await writeFile(join(folder, 'code/app.py'), ['def handler(event, context):', '    doubled = event["n"] * 2', '    return doubled', ''].join('\n'));
  [nodePort, pythonPort] = [await freePort(), await freePort()];
  const args = ['--isolation', 'process', '--inspect-node', String(nodePort), '--inspect-python', String(pythonPort)];
  croft = await startProcess({ dataDir: folder, args });
  lambda = new LambdaClient({ ...croft.sdk, maxAttempts: 1 });
  const Code = { S3Bucket: 'hot-reload', S3Key: join(folder, 'code') };
  for (const Runtime of ['nodejs24.x', 'python3.12'] as const) {
    await createFunction(lambda, Runtime.replace('.', '-'), Buffer.alloc(0), { Runtime, Handler: 'app.handler', Timeout: TIMEOUT_SECONDS, Code });
  }
});
afterAll(async () => {
  await croft.dispose();
  await rm(folder, { recursive: true, force: true });
});

const call = async (FunctionName: string, n: number): Promise<unknown> => {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ n }) }));
  return JSON.parse(Payload?.transformToString() ?? 'null');
};

/** Stands still for longer than the function may run. */
const standStill = () => new Promise((resolve) => setTimeout(resolve, STOPPED_MS));

interface Message {
  readonly method?: string;
  readonly params?: { readonly callFrames?: readonly { readonly location: { readonly lineNumber: number } }[] };
}

describe('Node.js', () => {
  it('stops at a breakpoint in the first call, and its timeout stands still too', async () => {
    const listed = (await (await fetch(`http://127.0.0.1:${nodePort}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
    const socket = new WebSocket(listed[0]?.webSocketDebuggerUrl ?? '');
    const messages: Message[] = [];
    socket.addEventListener('message', ({ data }) => messages.push(JSON.parse(String(data)) as Message));
    let id = 0;
    const send = (method: string, params: object = {}) => socket.send(JSON.stringify({ id: ++id, method, params }));
    socket.addEventListener('open', () => {
      send('Debugger.enable');
      send('Debugger.setBreakpointByUrl', { urlRegex: '.*/code/app\\.js$', lineNumber: 2, columnNumber: 0 });
      send('Runtime.runIfWaitingForDebugger');
    });
    // Until somebody calls, there is no runtime: the debugger waits at the door.
    const answer = call('nodejs24-x', 21);
    await vi.waitFor(() => expect(messages.some(({ method }) => method === 'Debugger.paused')).toBe(true), PATIENT);
    const paused = messages.find(({ method }) => method === 'Debugger.paused');
    expect(paused?.params?.callFrames?.[0]?.location.lineNumber).toBe(2);
    await standStill();
    send('Debugger.resume');
    expect(await answer).toBe(42);
    socket.close();
  });

  it('still times out where nobody stopped it', async () => {
    await writeFile(join(folder, 'code/app.js'), 'exports.handler = () => new Promise(() => setInterval(() => 0, 1000));\n');
    expect(await call('nodejs24-x', 1)).toMatchObject({ errorMessage: expect.stringContaining('Task timed out after 1.00 seconds') });
  });
});

describe.skipIf(!existsSync(DEBUGPY))('Python', () => {
  it('stops at a breakpoint in the first call, and its timeout stands still too', async () => {
    const client = new AdapterClient(connect(pythonPort, '127.0.0.1'));
    client.send('initialize', { adapterID: 'test', pathFormat: 'path', linesStartAt1: true });
    client.send('attach', { justMyCode: false });
    const answer = call('python3-12', 21);
    await client.until((message) => message.event === 'initialized');
    client.send('setBreakpoints', { source: { path: join(folder, 'code/app.py') }, breakpoints: [{ line: 3 }] });
    client.send('configurationDone');
    const stopped = await client.until((message) => message.event === 'stopped');
    await standStill();
    client.send('continue', { threadId: stopped.body?.threadId });
    expect(await answer).toBe(42);
    client.close();
  });
});

interface AdapterMessage {
  readonly event?: string;
  readonly body?: { readonly threadId?: number };
}

/** As much of a Debug Adapter Protocol client as the test needs. */
class AdapterClient {
  #socket: Socket;
  #buffer = Buffer.alloc(0);
  #messages: AdapterMessage[] = [];
  #sequence = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      for (;;) {
        const head = /^Content-Length: (\d+)\r\n\r\n/.exec(this.#buffer.toString('latin1', 0, 100));
        const start = head?.[0].length ?? 0;
        const end = start + Number(head?.[1]);
        if (!head || this.#buffer.length < end) return;
        this.#messages.push(JSON.parse(this.#buffer.toString('utf8', start, end)) as AdapterMessage);
        this.#buffer = this.#buffer.subarray(end);
      }
    });
  }

  send(command: string, args: object = {}): void {
    const text = JSON.stringify({ seq: ++this.#sequence, type: 'request', command, arguments: args });
    this.#socket.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  async until(wanted: (message: AdapterMessage) => boolean): Promise<AdapterMessage> {
    await vi.waitFor(() => expect(this.#messages.some(wanted)).toBe(true), PATIENT);
    return this.#messages.find(wanted) ?? {};
  }

  close(): void {
    this.#socket.destroy();
  }
}
