import type { Dispatcher } from 'undici';
import { CliError } from './output.ts';

/** Where the commands find Croft: `--endpoint`, `CROFT_ENDPOINT`, `AWS_ENDPOINT_URL`, else the default port of this machine. */
export function endpointOf(option: string | undefined): string {
  const text = option ?? process.env['CROFT_ENDPOINT'] ?? process.env['AWS_ENDPOINT_URL'] ?? `http://127.0.0.1:${process.env['CROFT_PORT'] ?? 4566}`;
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new CliError(`--endpoint must be an http:// or https:// URL, not ${JSON.stringify(text)}`, 2);
  return text.replace(/\/$/, '');
}

export interface Health {
  readonly status: string;
  readonly version: string;
  readonly pid: number;
  readonly services: Readonly<Record<string, string>>;
  readonly [more: string]: unknown;
}

/** Asks Croft how it is; undefined where nobody answers, an error where something else does. */
export async function health(endpoint: string): Promise<Health | undefined> {
  // Loaded only now: `croft start` does without it.
  const { default: undici } = await import('undici');
  let response: Dispatcher.ResponseData;
  try {
    response = await undici.request(`${endpoint}/_croft/health`, { headersTimeout: 5_000, bodyTimeout: 5_000 });
  } catch {
    return undefined;
  }
  const text = await response.body.text();
  if (response.statusCode !== 200 || !text.startsWith('{')) throw new CliError(`${endpoint} is answered by something that is not Croft`);
  return JSON.parse(text) as Health;
}

/** Fails with what to do where Croft does not run. */
export async function requireRunning(endpoint: string): Promise<Health> {
  const answer = await health(endpoint);
  if (!answer) throw new CliError(`Croft does not answer at ${endpoint}: start it with \`croft start\`, or name another place with --endpoint`);
  return answer;
}

/** What every SDK client of the commands is made with. */
export function clientConfig(endpoint: string, region: string | undefined) {
  return {
    endpoint,
    region: region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
    credentials: {
      accessKeyId: process.env['AWS_ACCESS_KEY_ID'] ?? 'test',
      secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY'] ?? 'test',
      ...(process.env['AWS_SESSION_TOKEN'] ? { sessionToken: process.env['AWS_SESSION_TOKEN'] } : {}),
    },
    forcePathStyle: true,
  };
}
