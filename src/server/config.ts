import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseSetting, SETTINGS, SettingError, type Settings, variableOf } from './settings.ts';

export type Config = Readonly<Settings>;

/** Variables that begin with CROFT_ and are not settings of the server. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(['CROFT_SOAK', 'CROFT_SEED', 'CROFT_ENDPOINT', 'CROFT_OUTPUT', 'CROFT_CONFIG', 'CROFT_TEST']);

/** The defaults, whole. */
export function defaultConfig(): Config {
  return Object.fromEntries(SETTINGS.map((s) => [s.name, s.default])) as unknown as Config;
}

export interface ConfigSources {
  /** Given on the command line, by setting name; raw texts or booleans. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Path of `croft.config.json`; absent file is fine unless `fileRequired`. */
  readonly file?: string;
  readonly fileRequired?: boolean;
}

/** Flag, then `CROFT_*` variable, then `croft.config.json`, then default. Unknown names are refused: throws {@link SettingError}. */
export function loadConfig(sources: ConfigSources): Config {
  const values: Record<string, unknown> = { ...defaultConfig() };
  for (const [name, value] of Object.entries(readFile(sources))) {
    const setting = SETTINGS.find((s) => s.name === name);
    if (!setting) throw new SettingError(`${sources.file}: unknown setting "${name}"; known are ${SETTINGS.map((s) => s.name).join(', ')}`);
    values[name] = parseSetting(setting, value, `${sources.file}: "${name}"`);
  }
  for (const [variable, value] of Object.entries(sources.environment ?? {})) {
    if (!variable.startsWith('CROFT_') || value === undefined || OTHER_VARIABLES.has(variable)) continue;
    const setting = SETTINGS.find((s) => variableOf(s) === variable);
    if (!setting) throw new SettingError(`unknown variable ${variable}; known are ${SETTINGS.map(variableOf).join(', ')}`);
    values[setting.name] = parseSetting(setting, value, variable);
  }
  for (const [name, value] of Object.entries(sources.flags ?? {})) {
    const setting = SETTINGS.find((s) => s.name === name);
    if (!setting || value === undefined) continue;
    values[name] = parseSetting(setting, value, setting.flag);
  }
  return check(values as unknown as Settings);
}

function readFile(sources: ConfigSources): Record<string, unknown> {
  if (!sources.file) return {};
  let text: string;
  try {
    text = readFileSync(sources.file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !sources.fileRequired) return {};
    throw new SettingError(`cannot read ${sources.file}: ${(error as Error).message}`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new SettingError(`${sources.file} is not JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new SettingError(`${sources.file} must hold one JSON object`);
  return parsed as Record<string, unknown>;
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/** Rules between settings. */
function check(settings: Settings): Config {
  if (!/^(sqlite|memory|postgres(ql)?:\/\/.+)$/.test(settings.store)) {
    throw new SettingError(`--store must be sqlite, memory or postgres://…, not ${JSON.stringify(settings.store)}`);
  }
  if (settings.auth === 'off' && !LOOPBACK.test(settings.host)) {
    throw new SettingError(`--host ${settings.host} would let anybody on the network use this cloud: add --auth verify, or bind 127.0.0.1`);
  }
  if (settings.auth === 'verify' && (settings.rootAccessKeyId === undefined) !== (settings.rootSecretAccessKey === undefined)) {
    throw new SettingError(
      'give both CROFT_ROOT_ACCESS_KEY_ID and CROFT_ROOT_SECRET_ACCESS_KEY, or neither (then a root key is made and kept in the data directory)',
    );
  }
  return { ...settings, dataDir: resolve(settings.dataDir), store: settings.ephemeral ? 'memory' : settings.store };
}
