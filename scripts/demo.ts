/** The second half of `npm run demo`. With CI=true it takes a free port and a data directory of its own, and stops the server at the end. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CI = process.env['CI'] === 'true';
const port = CI ? await freePort() : Number(process.env['CROFT_PORT'] ?? 4566);
const dataDir = CI ? mkdtempSync(join(tmpdir(), 'croft-demo-')) : (process.env['CROFT_DATA_DIR'] ?? '.croft');
const endpoint = `http://127.0.0.1:${port}`;

function croft(args: string[], options: { quiet?: boolean; mayFail?: boolean } = {}): string {
  const { CROFT_PORT: _port, CROFT_DATA_DIR: _dataDir, ...environment } = process.env;
  const result = spawnSync(process.execPath, ['dist/cli/main.js', ...args], {
    env: { ...environment, CROFT_ENDPOINT: endpoint },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', options.quiet ? 'pipe' : 'inherit'],
  });
  if (result.status !== 0 && !options.mayFail)
    throw new Error(`croft ${args.join(' ')} failed (exit code ${result.status})\n${result.stdout}${result.stderr ?? ''}`);
  return result.status === 0 ? result.stdout : '';
}

async function call(method: string, url: string, body?: unknown): Promise<unknown> {
  console.log(`$ curl ${method === 'GET' ? '' : `-X ${method} `}${url}${body ? ` -d '${JSON.stringify(body)}'` : ''}`);
  const response = await fetch(url, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await response.text();
  console.log(`${response.status} ${text}`);
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}`);
  return JSON.parse(text);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

try {
  console.log('3. Starting Croft');
  if (croft(['status'], { quiet: true, mayFail: true })) console.log(`Croft runs already at ${endpoint}`);
  else process.stdout.write(croft(['start', '--detach', '--port', String(port), '--data-dir', dataDir]));

  console.log('4. Deploying examples/notes: two functions, a REST API, a table');
  const deployed = JSON.parse(croft(['deploy', 'examples/notes', '--stack-name', 'notes', '--output', 'json'])) as { urls: string[] };
  const url = `${deployed.urls[0]}/notes`;

  console.log('5. Calling it');
  const note = (await call('POST', url, { text: 'hello from Croft' })) as { id: string };
  const notes = (await call('GET', url)) as { id: string }[];
  const same = (await call('GET', `${url}/${note.id}`)) as { text: string };
  if (same.text !== 'hello from Croft' || !notes.some(({ id }) => id === note.id)) throw new Error('the note that was written did not come back');

  console.log(`
It works. What you can do next:
  the API                 curl ${url}
  the aws command line    AWS_ENDPOINT_URL=${endpoint} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 aws dynamodb list-tables
  an application          npx croft init my-app && npx croft deploy my-app
  a function's log        npx croft logs <function> --tail
  stop                    npx croft stop    (the data stays in ${dataDir})`);
} catch (error) {
  console.error(`The demo stopped: ${error instanceof Error ? error.message.trim() : error}`);
  process.exitCode = 1;
} finally {
  if (CI) {
    croft(['stop'], { mayFail: true });
    rmSync(dataDir, { recursive: true, force: true });
  }
}
