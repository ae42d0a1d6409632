import { compose } from '../src/server/compose.ts';
import type { Config } from '../src/server/config.ts';
import { defaultConfig } from '../src/server/config.ts';

/** A Croft in this process on an ephemeral port, with the memory store unless told otherwise. */
export interface TestCroft {
  readonly endpoint: string;
  readonly port: number;
  /** Spread into any SDK client: `new DynamoDBClient(croft.sdk)`. */
  readonly sdk: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string }; maxAttempts: number };
  readonly server: Awaited<ReturnType<typeof compose>>;
  stop(): Promise<void>;
}

/** `CROFT_ISOLATION` has every test run its functions that way. */
function isolation(): Partial<Config> {
  const given = process.env['CROFT_ISOLATION'];
  return given === undefined ? {} : { isolation: given as Config['isolation'] };
}

export async function startCroft(options: Partial<Config> = {}): Promise<TestCroft> {
  const server = await compose({ ...defaultConfig(), ...isolation(), port: 0, store: 'memory', ephemeral: true, logLevel: 'error', ...options });
  const { port } = await server.start();
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    port,
    sdk: { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1 },
    server,
    stop: () => server.stop(),
  };
}
