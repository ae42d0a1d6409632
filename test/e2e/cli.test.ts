import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CroftProcess, cleanEnvironment, croft, ROOT, run, startProcess } from '../process.ts';

const MAIN = join(ROOT, 'src/cli/main.ts');
const cli = (args: readonly string[], env: Record<string, string> = {}, cwd = ROOT) =>
  run(process.execPath, [MAIN, ...args], { env: { ...cleanEnvironment(), ...env }, cwd });
const scratch = () => mkdtempSync(join(tmpdir(), 'croft-cli-'));

describe('the command line', () => {
  let server: CroftProcess;
  let app: string;
  beforeAll(async () => {
    server = await startProcess();
    app = join(scratch(), 'my-app');
  });
  afterAll(() => server?.dispose());

  it('init, deploy, invoke, logs, delete: the first five minutes', { timeout: 60_000 }, async () => {
    expect((await croft(server, ['init', app])).stdout).toContain('croft deploy');
    expect((await croft(server, ['init', app])).stderr).toContain('exists already');
    const deployed = await croft(server, ['deploy', app, '--output', 'json']);
    expect(deployed.stderr).toContain('CREATE_COMPLETE');
    const { urls, status, outputs } = JSON.parse(deployed.stdout);
    expect(status).toBe('CREATE_COMPLETE');
    expect(outputs.TableName).toMatch(/^my-app-NotesTable-[A-Z0-9]{12,13}$/);
    const created = await fetch(`${urls[0]}/notes`, { method: 'POST', body: '{"text": "hi"}' });
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as { id: string };

    const read = await croft(server, [
      'invoke',
      'ReadNotes',
      '--stack-name',
      'my-app',
      '-p',
      JSON.stringify({ pathParameters: { id } }),
      '--log',
      '--output',
      'json',
    ]);
    expect(JSON.parse(JSON.parse(read.stdout).body)).toEqual({ id, text: 'hi' });
    expect(read.stderr).toContain('REPORT RequestId');
    const failing = await croft(server, ['invoke', 'WriteNote', '--stack-name', 'my-app', '-p', '{}']);
    expect(failing.status).toBe(1);
    expect(failing.stdout).toContain('KeyError');

    const name = outputs.TableName.replace('NotesTable', 'WriteNote').replace(/-[A-Z0-9]+$/, '');
    const functions = await run(process.execPath, [MAIN, 'logs', name], { env: { ...cleanEnvironment(), CROFT_ENDPOINT: server.endpoint } });
    expect(functions.status).toBe(1);
    const physical = JSON.parse(
      (await croft(server, ['invoke', 'WriteNote', '--stack-name', 'my-app', '-p', '{"httpMethod":"POST","body":"{\\"text\\":1}"}', '--output', 'json']))
        .stdout,
    );
    expect(physical.statusCode).toBe(201);
    expect((await croft(server, ['delete', 'my-app'])).stdout).toContain('Deleted my-app.');
    expect((await croft(server, ['delete', 'my-app'])).status).toBe(1);
  });

  it.each([
    [['deploy', '/nowhere'], 1, 'there is no /nowhere'],
    [['invoke', 'x', '-p', '{'], 2, 'the event is not JSON'],
    [['invoke', 'x', '-p', '{}', '-e', 'f'], 2, 'not both'],
    [['logs', 'x', '--since', 'yesterday'], 2, '--since must be'],
    [['invoke', 'x', '--output', 'yaml'], 2, 'Allowed choices are json, table'],
    [['start', '--prot', '1'], 2, "unknown option '--prot'"],
    [['start', '--auth', 'maybe'], 2, '--auth must be one of'],
    [['start', '--host', '0.0.0.0'], 2, 'add --auth verify'],
    [['frobnicate'], 2, 'unknown command'],
    [['tls', 'ca', '--data-dir', '/nowhere'], 1, 'croft start --tls'],
    [['invoke', 'no-such-function', '-p', '{}'], 1, 'ResourceNotFoundException'],
  ])('%j answers %i with a sentence', async (args, status, sentence) => {
    const ran = await croft(server, args);
    expect(ran.stderr).toContain(sentence);
    expect(ran.status).toBe(status);
  });

  it('a bad template is refused with its place', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'template.yaml'), 'Resources:\n  A: [1\n');
    expect((await croft(server, ['deploy', folder])).stderr).toMatch(/is not a template: .*line/);
    writeFileSync(join(folder, 'template.yaml'), 'Outputs: {}\n');
    expect((await croft(server, ['deploy', folder])).stderr).toContain('has no Resources');
    writeFileSync(join(folder, 'template.yaml'), 'Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: { CodeUri: nothing/ }\n');
    expect((await croft(server, ['deploy', folder])).stderr).toContain('F: CodeUri names nothing/');
    writeFileSync(join(folder, 'template.yaml'), 'Resources:\n  Q:\n    Type: AWS::Nothing::AtAll\n');
    const refused = await croft(server, ['deploy', folder, '--stack-name', 'refused']);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('AWS::Nothing::AtAll');
  });

  it('every command explains itself', async () => {
    for (const command of ['start', 'stop', 'status', 'deploy', 'delete', 'invoke', 'logs', 'init', 'doctor', 'backup', 'restore']) {
      const help = await cli([command, '--help']);
      expect([command, help.status]).toEqual([command, 0]);
      expect(help.stdout).toContain(`Usage: croft ${command}`);
    }
  });

  it('start, detached: status, port in use, data directory in use, stop', { timeout: 60_000 }, async () => {
    const dataDir = join(scratch(), 'data');
    const port = String(await freePort());
    const env = { CROFT_ENDPOINT: `http://127.0.0.1:${port}` };
    expect((await cli(['status'], env)).status).toBe(1);
    expect((await cli(['stop'], env)).stderr).toContain('does not answer');
    const started = await cli(['start', '-d', '--port', port, '--data-dir', dataDir]);
    expect(started.stdout).toMatch(/^Croft \d+\.\d+\.\d+ runs at http:\/\/127\.0\.0\.1:\d+ \(process \d+\)/);
    try {
      const status = await cli(['status', '--output', 'json'], env);
      expect(JSON.parse(status.stdout)).toMatchObject({
        running: true,
        services: { dynamodb: expect.any(String) },
        isolation: expect.stringMatching(/^(none|namespaces)$/),
      });
      expect((await cli(['start', '--port', port, '--data-dir', join(scratch(), 'other')])).stderr).toContain(`port ${port} is taken`);
      const taken = await cli(['start', '-d', '--port', String(await occupiedPort()), '--data-dir', join(scratch(), 'other')]);
      expect([taken.status, taken.stderr]).toEqual([1, expect.stringMatching(/port \d+ is taken/)]);
      const second = await cli(['start', '--port', '0', '--data-dir', dataDir]);
      expect(second.status).toBe(1);
      expect(second.stderr).toContain(dataDir);
    } finally {
      expect((await cli(['stop'], env)).stdout).toContain('Croft has stopped');
    }
    expect((await cli(['status'], env)).status).toBe(1);
  });

  it('backs up while running, and restores into a new directory', { timeout: 60_000 }, async () => {
    const tables = new DynamoDBClient(server.sdk);
    const { CreateTableCommand, waitUntilTableExists } = await import('@aws-sdk/client-dynamodb');
    await tables.send(
      new CreateTableCommand({
        TableName: 'kept',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    );
    await waitUntilTableExists({ client: tables, maxWaitTime: 30, minDelay: 1 }, { TableName: 'kept' });
    await tables.send(new PutItemCommand({ TableName: 'kept', Item: { id: { S: 'before' } } }));
    const folder = join(scratch(), 'backup');
    expect((await croft(server, ['backup', folder])).stdout).toContain('Backed up');
    expect((await croft(server, ['backup', folder])).stderr).toContain('exists already');
    await tables.send(new PutItemCommand({ TableName: 'kept', Item: { id: { S: 'after' } } }));
    expect(existsSync(join(folder, 'croft.db'))).toBe(true);

    const dataDir = join(scratch(), 'data');
    expect((await cli(['restore', folder, '--data-dir', dataDir])).stdout).toContain('Restored');
    expect((await cli(['restore', folder, '--data-dir', dataDir])).status).toBe(1);
    const restored = await startProcess({ dataDir });
    try {
      const there = new DynamoDBClient(restored.sdk);
      expect((await there.send(new GetItemCommand({ TableName: 'kept', Key: { id: { S: 'before' } } }))).Item).toBeDefined();
      expect((await there.send(new GetItemCommand({ TableName: 'kept', Key: { id: { S: 'after' } } }))).Item).toBeUndefined();
    } finally {
      await restored.dispose();
    }
  });

  it('an old Node.js gets one sentence', () => {
    // The check is the first thing in the file, before any import: an old Node.js must get that far.
    const text = readFileSync(MAIN, 'utf8');
    expect(text.indexOf('import(')).toBeGreaterThan(text.indexOf('Croft needs Node.js'));
    expect(text).not.toMatch(/^import /m);
  });
});

/** A port that something else than Croft answers on, until the test process ends. */
function occupiedPort(): Promise<number> {
  return new Promise((resolve) => {
    const other = createServer((socket) => socket.end('no\n')).listen(0, '127.0.0.1', () => resolve((other.address() as AddressInfo).port));
    other.unref();
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
