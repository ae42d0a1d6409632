import { execFile } from 'node:child_process';
import { access, constants, readdir, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../kit/root.ts';
import { RuntimeMissingError } from './failures.ts';
import { compareLevels, FAMILIES, familyOf, howToInstall, type InterpretedFamily, levelOf, RUNTIME_NAMES, wantedLevel } from './runtime-catalog.ts';
import type { ResolvedRuntime } from './types.ts';

const run = promisify(execFile);

/** An interpreter on this machine. */
export interface Interpreter {
  readonly family: InterpretedFamily;
  readonly executable: string;
  /** Major and minor for Python and Ruby, major for the others: what AWS's names tell apart. */
  readonly level: readonly number[];
  readonly version: string;
}

/** A line of `croft doctor` and `croft runtimes list`. */
export interface RuntimeStatus {
  readonly name: string;
  readonly status: 'exact' | 'nearest' | 'absent';
  readonly executable?: string;
  readonly version?: string;
  /** Where it is not exact: what brings it. */
  readonly install?: string;
}

const VERSION_TIMEOUT_MS = 5000;
/** AWS's Java runtime interface client: without it no JVM helps. */
const JAVA_CLIENT = /^aws-lambda-java-runtime-interface-client-.*\.jar$/;

const found = new Map<InterpretedFamily, Promise<readonly Interpreter[]>>();

/** Which of AWS's runtime names this machine can run, and by what. */
export async function discoverRuntimes(): Promise<readonly RuntimeStatus[]> {
  return Promise.all(
    RUNTIME_NAMES.map(async (name): Promise<RuntimeStatus> => {
      const family = familyOf(name);
      if (family === 'provided') return { name, status: 'exact' };
      const best = family && choose(name, await interpreters(family));
      if (!best) return { name, status: 'absent', install: howToInstall(name) };
      const { executable, version } = best;
      if (family === 'java' && !(await hasJavaClient())) return { name, status: 'absent', executable, version, install: `\`croft runtimes install ${name}\`` };
      return best.exact ? { name, status: 'exact', executable, version } : { name, status: 'nearest', executable, version, install: howToInstall(name) };
    }),
  );
}

/**
 * The interpreter for a runtime name: the exact one, else the nearest newer, else the newest there is (`strict`: only the exact one).
 * Throws {@link RuntimeMissingError}, which says what to install.
 */
export async function resolveRuntime(name: string, options: { readonly strict?: boolean } = {}): Promise<ResolvedRuntime> {
  const family = familyOf(name);
  if (family === 'provided') return { name, family, executable: '', version: '', exact: true };
  const best = family && choose(name, await interpreters(family));
  if (!best) throw new RuntimeMissingError(`The runtime ${name} is not on this machine. Install ${howToInstall(name)}, and start Croft again`);
  if (options.strict && !best.exact) {
    throw new RuntimeMissingError(
      `The runtime ${name} is not on this machine, and --strict-runtimes lets no other version stand in. Install ${howToInstall(name)}, and start Croft again`,
    );
  }
  if (family === 'java' && !(await hasJavaClient())) {
    throw new RuntimeMissingError(`The runtime ${name} needs AWS's runtime interface client for Java: run \`croft runtimes install ${name}\``);
  }
  return best;
}

/** Pure: the best of `all` for a runtime name. */
export function choose(name: string, all: readonly Interpreter[]): ResolvedRuntime | undefined {
  const family = familyOf(name);
  if (!family || family === 'provided') return undefined;
  const wanted = wantedLevel(name, family);
  const candidates = all.filter((one) => one.family === family).sort((a, b) => compareLevels(a.level, b.level));
  const best = candidates.find((one) => compareLevels(one.level, wanted) >= 0) ?? candidates.at(-1);
  if (!best) return undefined;
  return { name, family, executable: best.executable, version: best.version, exact: compareLevels(best.level, wanted) === 0 };
}

/** What is said where another version stands in. */
export function substituteWarning(runtime: ResolvedRuntime): string | undefined {
  if (runtime.exact || runtime.family === 'provided' || runtime.family === 'image') return undefined;
  const { title } = FAMILIES[runtime.family];
  return `${runtime.name} is not installed on this machine; the function runs on ${title} ${runtime.version} (${runtime.executable})`;
}

/** Where `croft runtimes install` puts what it brings. */
export function installedFolder(): string {
  return join(projectRoot(), 'runtimes', 'installed');
}

export function javaFolder(): string {
  return join(projectRoot(), 'runtimes', 'java', 'vendor');
}

async function hasJavaClient(): Promise<boolean> {
  return (await readdir(javaFolder()).catch(() => [])).some((name) => JAVA_CLIENT.test(name));
}

/** Searched once a family, when it is first asked for. */
function interpreters(family: InterpretedFamily): Promise<readonly Interpreter[]> {
  const known = found.get(family) ?? search(family);
  found.set(family, known);
  return known;
}

/** Looks again at the next question: something was installed. */
export function forgetRuntimes(): void {
  found.clear();
}

async function search(family: InterpretedFamily): Promise<readonly Interpreter[]> {
  const folders = await candidateFolders(family);
  const { program } = FAMILIES[family];
  const lists = await Promise.all(
    folders.map(async (folder) => (await readdir(folder).catch(() => [])).filter((name) => program.test(name)).map((name) => join(folder, name))),
  );
  const files = new Set(lists.flat());
  if (family === 'nodejs') files.add(process.execPath);
  const seen = new Set<string>();
  const results = await Promise.all(
    [...files].map(async (file) => {
      const real = await realpath(file).catch(() => undefined);
      if (real === undefined || seen.has(real)) return [];
      seen.add(real);
      return inspect(real, family);
    }),
  );
  // Of one version, the first in the order of the path is taken.
  const first = new Map<string, Interpreter>();
  for (const one of results.flat()) if (!first.has(one.level.join('.'))) first.set(one.level.join('.'), one);
  return [...first.values()];
}

async function candidateFolders(family: InterpretedFamily): Promise<readonly string[]> {
  const home = homedir();
  const below = async (folder: string, ...rest: string[]) => (await readdir(folder).catch(() => [])).sort().map((name) => join(folder, name, ...rest));
  // The shims of version managers are scripts that choose by the current directory: slow, and often none.
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '' && basename(folder) !== 'shims');
  const common = [...path, '/usr/local/bin', '/usr/bin'];
  const more = {
    python: async () => [
      ...(await below(join(process.env['PYENV_ROOT'] ?? join(home, '.pyenv'), 'versions'), 'bin')),
      ...(await below(join(home, '.local', 'share', 'uv', 'python'), 'bin')),
    ],
    nodejs: async () => [
      join(projectRoot(), 'node_modules', '.bin'),
      ...(await nodePackages(join(projectRoot(), 'node_modules'))),
      ...(await Promise.all((await below(installedFolder(), 'node_modules')).map(nodePackages))).flat(),
      ...(await below(join(home, '.nvm', 'versions', 'node'), 'bin')),
    ],
    java: async () => [
      ...(process.env['JAVA_HOME'] ? [join(process.env['JAVA_HOME'], 'bin')] : []),
      ...(await below('/usr/lib/jvm', 'bin')),
      ...(await below('/Library/Java/JavaVirtualMachines', 'Contents', 'Home', 'bin')),
      ...(await below(join(home, '.sdkman', 'candidates', 'java'), 'bin')),
    ],
    ruby: async () => [
      ...(await below(join(process.env['RBENV_ROOT'] ?? join(home, '.rbenv'), 'versions'), 'bin')),
      ...(await below(join(home, '.rubies'), 'bin')),
      ...(await below('/opt/rubies', 'bin')),
    ],
    dotnet: async () => [...(process.env['DOTNET_ROOT'] ? [process.env['DOTNET_ROOT']] : []), join(home, '.dotnet'), '/usr/lib/dotnet', '/usr/share/dotnet'],
  };
  return [...new Set([...common, ...(await more[family]())])];
}

/** The npm packages that are a Node.js. */
async function nodePackages(modules: string): Promise<string[]> {
  return (await readdir(modules).catch(() => [])).filter((name) => /^node-(linux|darwin|win)-/.test(name)).map((name) => join(modules, name, 'bin'));
}

async function inspect(executable: string, family: InterpretedFamily): Promise<readonly Interpreter[]> {
  const { versionArgs, version, oldest } = FAMILIES[family];
  try {
    await access(executable, constants.X_OK);
    const isThis = family === 'nodejs' && executable === (await realpath(process.execPath));
    const { stdout, stderr } = isThis
      ? { stdout: process.version, stderr: '' }
      : await run(executable, [...versionArgs], { timeout: VERSION_TIMEOUT_MS, env: {} });
    return [...`${stdout}\n${stderr}`.matchAll(version)]
      .map(([, text = '']) => ({ family, executable, level: levelOf(text, family), version: text }))
      .filter(({ level }) => compareLevels(level, oldest) >= 0);
  } catch {
    // Not one that runs: as good as absent.
    return [];
  }
}
