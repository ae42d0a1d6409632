import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { familyOf, howToInstall, RUNTIME_NAMES, wantedLevel } from '../../compute/runtime-catalog.ts';
import { discoverRuntimes, forgetRuntimes, installedFolder, javaFolder, type RuntimeStatus } from '../../compute/runtimes.ts';
import { CliError, type Output, paint, table } from '../output.ts';

/** AWS's runtime interface client, with what it needs itself. */
const JAVA_CLIENT = { group: 'com.amazonaws', artifact: 'aws-lambda-java-runtime-interface-client', version: '2.9.0' };

/** `croft runtimes list`: AWS's names, and what of this machine runs each. */
export async function list(output: Output): Promise<void> {
  const found = await discoverRuntimes();
  output.result(found, () => table(found.map((one) => [mark(one), one.name, detail(one)])));
}

const mark = ({ status }: RuntimeStatus): string => ({ exact: paint.green('exact  '), nearest: paint.yellow('nearest'), absent: paint.red('absent ') })[status];

function detail({ status, executable, version, install }: RuntimeStatus): string {
  if (status === 'exact') return executable ? `${version} (${executable})` : 'the function brings its own program';
  return status === 'nearest' ? `${version} (${executable}) stands in; install ${install}` : `install ${install}`;
}

/** `croft runtimes install <name>`: what a package registry has is installed beside Croft; of the rest, it says how. */
export async function install(name: string, output: Output): Promise<void> {
  const family = familyOf(name);
  if (!family || !RUNTIME_NAMES.includes(name)) throw new CliError(`${name} is no runtime that Croft knows; \`croft runtimes list\` shows them`, 2);
  if (await isThere(name)) {
    output.result({ name, installed: false }, () => `${name} is on this machine already`);
    return;
  }
  if (family === 'nodejs') await installNode(name, wantedLevel(name, family).join('.'), output);
  else if (family === 'java') await installJavaClient(output);
  forgetRuntimes();
  if (!(await isThere(name))) throw new CliError(`${name} cannot be installed from here. Install ${howToInstall(name)}`);
  output.result({ name, installed: true }, () => `${name} is installed; restart a running Croft for it to be found`);
}

async function isThere(name: string): Promise<boolean> {
  return (await discoverRuntimes()).find((one) => one.name === name)?.status === 'exact';
}

/** The npm packages that are Node.js itself. */
async function installNode(name: string, major: string, output: Output): Promise<void> {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const folder = join(installedFolder(), name);
  output.progress(`installing node-${platform}-${process.arch}@${major} into ${folder}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const options = ['--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  await run('npm', ['install', ...options, `node-${platform}-${process.arch}@${major}`]);
}

/** By Maven, which Java projects have anyway. */
async function installJavaClient(output: Output): Promise<void> {
  const folder = javaFolder();
  if ((await readdir(folder).catch(() => [])).length > 0) return;
  const { group, artifact, version } = JAVA_CLIENT;
  output.progress(`installing ${artifact} ${version} into ${folder}`);
  const scratch = await mkdtemp(join(tmpdir(), 'croft-java-'));
  const project = `<groupId>croft</groupId><artifactId>java-runtime</artifactId><version>1</version>`;
  const dependency = `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>${project}<dependencies>${dependency}</dependencies></project>`;
  try {
    await writeFile(join(scratch, 'pom.xml'), pom);
    // Beside its place first, so that half an installation is none.
    const unfinished = `${folder}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await run('mvn', ['-q', '-B', '-f', scratch, 'dependency:copy-dependencies', `-DoutputDirectory=${unfinished}`, '-DincludeScope=runtime']);
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const keep = (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => reject(new CliError(`${command} cannot be run (${error.message}): install it, then try again`)));
    child.on('close', (code) => (code === 0 ? resolve() : reject(new CliError(`${command} failed:\n${text.trim()}`))));
  });
}
