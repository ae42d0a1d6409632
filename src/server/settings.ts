/**
 * Every setting of `croft start`, once: its flag, its `CROFT_*` variable and its place in `croft.config.json` come from this
 * table, as do `--help` and the errors. Order of precedence: flag, variable, file, default.
 */
export interface Setting {
  /** Name in `croft.config.json`. */
  readonly name: keyof Settings;
  readonly flag: string;
  readonly kind: 'text' | 'port' | 'ports' | 'switch' | 'milliseconds' | 'megabytes';
  readonly choices?: readonly string[];
  readonly default: string | number | boolean | undefined;
  readonly help: string;
}

export interface Settings {
  port: number;
  host: string;
  dataDir: string;
  ephemeral: boolean;
  store: string;
  auth: 'off' | 'verify';
  rootAccessKeyId: string | undefined;
  rootSecretAccessKey: string | undefined;
  tls: boolean;
  region: string;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  production: boolean;
  drainMs: number;
  functionMemoryMb: number;
  strictRuntimes: boolean;
  isolation: 'auto' | 'sandbox' | 'process';
  limitCpu: boolean;
  functionNetwork: 'private' | 'host';
  allowHostPort: string;
  functionIdleMs: number;
  inspectNode: number | undefined;
  inspectPython: number | undefined;
}

export const SETTINGS: readonly Setting[] = [
  { name: 'port', flag: '--port', kind: 'port', default: 4566, help: 'the one port that everything is served on; 0 picks a free one' },
  { name: 'host', flag: '--host', kind: 'text', default: '127.0.0.1', help: 'address to bind; anything but loopback needs --auth verify' },
  { name: 'dataDir', flag: '--data-dir', kind: 'text', default: '.croft', help: 'where data is kept' },
  { name: 'ephemeral', flag: '--ephemeral', kind: 'switch', default: false, help: 'keep nothing: memory store, data gone at exit' },
  { name: 'store', flag: '--store', kind: 'text', default: 'sqlite', help: 'sqlite, memory, or postgres://user@host/database' },
  { name: 'auth', flag: '--auth', kind: 'text', choices: ['off', 'verify'], default: 'off', help: 'off: any credentials; verify: signatures are checked' },
  { name: 'rootAccessKeyId', flag: '--root-access-key-id', kind: 'text', default: undefined, help: 'with --auth verify: the root key of account 000000000000' },
  { name: 'rootSecretAccessKey', flag: '--root-secret-access-key', kind: 'text', default: undefined, help: 'its secret (better given as a variable)' },
  { name: 'tls', flag: '--tls', kind: 'switch', default: false, help: 'serve HTTPS on the same port, with a local CA (`croft tls ca` prints it)' },
  { name: 'region', flag: '--region', kind: 'text', default: 'us-east-1', help: 'region of requests that name none' },
  { name: 'logLevel', flag: '--log-level', kind: 'text', choices: ['debug', 'info', 'warn', 'error'], default: 'info', help: "Croft's own log, on stderr" },
  { name: 'production', flag: '--production', kind: 'switch', default: false, help: 'refuse what only tests need: the clock admin API' },
  { name: 'drainMs', flag: '--drain-ms', kind: 'milliseconds', default: 10_000, help: 'how long a stop waits for requests under way' },
  { name: 'functionMemoryMb', flag: '--function-memory-mb', kind: 'megabytes', default: 4096, help: 'memory that all execution environments share' },
  { name: 'strictRuntimes', flag: '--strict-runtimes', kind: 'switch', default: false, help: 'refuse to run a function on another version of its runtime' },
  {
    name: 'isolation',
    flag: '--isolation',
    kind: 'text',
    choices: ['auto', 'sandbox', 'process'],
    default: 'auto',
    help: 'sandbox: each execution environment in namespaces of its own (Linux); process: none; auto: the sandbox where it works',
  },
  { name: 'limitCpu', flag: '--limit-cpu', kind: 'switch', default: false, help: 'no more CPU than the memory size buys on AWS; else only when CPU is scarce' },
  {
    name: 'functionNetwork',
    flag: '--function-network',
    kind: 'text',
    choices: ['private', 'host'],
    default: 'private',
    help: "private: a sandboxed function reaches Croft and nothing else; host: it has this machine's network, its loopback included",
  },
  {
    name: 'allowHostPort',
    flag: '--allow-host-port',
    kind: 'ports',
    default: '',
    help: "ports of this machine's loopback that sandboxed functions may reach, e.g. 5432,6379; with --auth off also those that a function's variables name",
  },
  {
    name: 'functionIdleMs',
    flag: '--function-idle-ms',
    kind: 'milliseconds',
    default: 420_000,
    help: 'how long an idle execution environment stays; provisioned ones always do',
  },
  {
    name: 'inspectNode',
    flag: '--inspect-node',
    kind: 'port',
    default: undefined,
    help: 'the port where debuggers attach to Node.js functions (`croft dev --inspect`)',
  },
  {
    name: 'inspectPython',
    flag: '--inspect-python',
    kind: 'port',
    default: undefined,
    help: 'the port where debuggers attach to Python functions; needs debugpy in the data directory',
  },
];

/** `CROFT_DATA_DIR` for `--data-dir`. */
export function variableOf(setting: Setting): string {
  return `CROFT_${setting.flag.slice(2).replaceAll('-', '_').toUpperCase()}`;
}

/** A setting that cannot be used, in a sentence that says what to do. */
export class SettingError extends Error {}

/** Of `5432,6379`. NaN stands for what is no number. */
export function portsOf(text: string): number[] {
  return text === '' ? [] : text.split(',').map((part) => (/^\s*\d{1,5}\s*$/.test(part) ? Number(part) : Number.NaN));
}

/** Reads one value as the setting's kind; `source` names where it came from. */
export function parseSetting(setting: Setting, value: unknown, source: string): string | number | boolean {
  const bad = (expected: string) => new SettingError(`${source} must be ${expected}, not ${JSON.stringify(value)}`);
  switch (setting.kind) {
    case 'switch': {
      if (value === true || value === 'true' || value === '1') return true;
      if (value === false || value === 'false' || value === '0' || value === '') return false;
      throw bad('true or false');
    }
    case 'ports': {
      const text = typeof value === 'number' ? String(value) : value;
      if (typeof text !== 'string' || !portsOf(text).every((port) => port >= 1 && port <= 65_535)) throw bad('ports from 1 to 65535, separated by commas');
      return text;
    }
    case 'port':
    case 'milliseconds':
    case 'megabytes': {
      const number = typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
      const max = setting.kind === 'port' ? 65_535 : 999_999_999;
      if (!Number.isInteger(number) || number < 0 || number > max)
        throw bad(setting.kind === 'port' ? 'a port from 0 to 65535' : `a whole number of ${setting.kind}`);
      return number;
    }
    default: {
      if (typeof value !== 'string' || value === '') throw bad(setting.choices ? `one of ${setting.choices.join(', ')}` : 'a text');
      if (setting.choices && !setting.choices.includes(value)) throw bad(`one of ${setting.choices.join(', ')}`);
      return value;
    }
  }
}
