import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { projectRoot } from '../../kit/root.ts';
import type { Launch, ResolvedRuntime } from '../types.ts';
import type { FrameWriter } from './wire.ts';

/** What the helper does to the file system of an environment, in order. */
export interface Mount {
  /** 1: bind, read-only; 2: the same where it is there; 3: a symbolic link; 4: a file; 5: a directory. */
  readonly kind: 1 | 2 | 3 | 4 | 5;
  /** Path on the machine; of a link its target, of a file its content. */
  readonly source: string;
  /** Path in the environment. */
  readonly target: string;
}

/** AWS's places. */
export const CODE = '/var/task';
export const OPT = '/opt';
export const RUNTIMES = '/var/runtime';
/** Where an interpreter is shown whose own place is taken. */
const LANGUAGE = '/var/lang';

/** Links to below /usr on a current system, directories on an older one. */
const SYSTEM = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** Of /etc only what programs need to start, to find a host's name, and to trust a certificate. */
const ETC = [
  'ssl',
  'pki',
  'ca-certificates',
  'ca-certificates.conf',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'alternatives',
  'localtime',
  'timezone',
  'mime.types',
  'protocols',
  'services',
  'os-release',
  'debian_version',
  'fonts',
  'gai.conf',
  'java',
  'java-8-openjdk',
  'java-11-openjdk',
  'java-17-openjdk',
  'java-21-openjdk',
  'java-25-openjdk',
];

const file = (target: string, source: string): Mount => ({ kind: 4, source, target });

/** The file system that every environment begins with: the machine's programs, nothing of its data. {@link userFiles} come with it. */
export async function rootMounts(show: readonly string[] = [], network: 'private' | 'host' = 'private'): Promise<readonly Mount[]> {
  const [links, shown] = await Promise.all([Promise.all(SYSTEM.map(systemMount)), Promise.all(show.map((path) => realpath(path)))]);
  return [
    { kind: 1, source: '/usr', target: '/usr' },
    ...links.filter((one) => one !== undefined),
    ...ETC.map((name): Mount => ({ kind: 2, source: `/etc/${name}`, target: `/etc/${name}` })),
    ...(network === 'host'
      ? await namesOfMachine()
      : [
          file('/etc/hosts', '127.0.0.1 localhost\n::1 localhost\n'),
          file('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
          file('/etc/resolv.conf', ''),
        ]),
    file('/etc/hostname', 'localhost\n'),
    { kind: 5, source: '', target: CODE },
    { kind: 5, source: '', target: OPT },
    { kind: 1, source: join(projectRoot(), 'runtimes'), target: RUNTIMES },
    // Where NixOS keeps everything that its programs are linked to.
    ...[...shown, '/nix/store'].map((path): Mount => ({ kind: 2, source: path, target: path })),
  ];
}

/** How the machine finds other machines. */
async function namesOfMachine(): Promise<readonly Mount[]> {
  const files = ['/etc/hosts', '/etc/nsswitch.conf', '/etc/resolv.conf'];
  return Promise.all(files.map(async (path): Promise<Mount> => ({ kind: 2, source: await realpath(path).catch(() => path), target: path })));
}

/** What the helper makes itself, of an image. */
const MADE = new Set(['dev', 'proc', 'tmp']);

/** The file system of a container image, as it is; only what the platform makes itself is not the image's. */
export async function imageMounts(root: string): Promise<readonly Mount[]> {
  const entries = (await readdir(root, { withFileTypes: true })).filter(({ name }) => !MADE.has(name));
  const mounts = await Promise.all(
    entries.map(async (entry): Promise<Mount | undefined> => {
      const path = join(root, entry.name);
      if (entry.isSymbolicLink()) return { kind: 3, source: await readlink(path), target: `/${entry.name}` };
      return entry.isDirectory() || entry.isFile() ? { kind: 1, source: path, target: `/${entry.name}` } : undefined;
    }),
  );
  return mounts.filter((one) => one !== undefined);
}

/** The one user of an environment, under AWS's name. */
export function userFiles(id: number): readonly Mount[] {
  return [
    file('/etc/passwd', `root:x:0:0:root:/root:/sbin/nologin\nsbx_user1051:x:${id}:${id}::/home/sbx_user1051:/sbin/nologin\n`),
    file('/etc/group', `root:x:0:\nsbx_user1051:x:${id}:\n`),
  ];
}

async function systemMount(path: string): Promise<Mount | undefined> {
  try {
    if ((await lstat(path)).isSymbolicLink()) return { kind: 3, source: await readlink(path), target: path };
    return { kind: 1, source: path, target: path };
  } catch {
    // A system without it.
    return undefined;
  }
}

/** An interpreter as an environment sees it: what has to be mounted, and where its program is then. */
export interface PlacedRuntime {
  readonly mounts: readonly Mount[];
  readonly executable: string;
}

/** Interpreters outside of the system's folders are shown where they are, with all that belongs to their installation. */
export async function placeRuntime({ executable }: Pick<ResolvedRuntime, 'executable'>): Promise<PlacedRuntime> {
  if (executable === '') return { mounts: [], executable };
  const real = await realpath(executable);
  if ([...SYSTEM, '/usr'].some((folder) => real.startsWith(`${folder}/`))) return { mounts: [], executable: real };
  const prefix = installationOf(real);
  // Layers are mounted over /opt as a whole.
  const target = prefix.startsWith(`${OPT}/`) ? LANGUAGE : prefix;
  return { mounts: [{ kind: 1, source: prefix, target }], executable: target + real.slice(prefix.length) };
}

/** `/root/.pyenv/versions/3.11.7` of its `bin/python3.11`; never a folder that holds other things, such as a home directory. */
function installationOf(executable: string): string {
  const folder = dirname(executable);
  const prefix = basename(folder) === 'bin' ? dirname(folder) : folder;
  const shared = ['/', '/opt', '/home', '/root', '/srv', '/var', '/tmp', homedir()];
  return shared.includes(prefix) || shared.includes(dirname(prefix) === '/' ? prefix : '') || /^\/home\/[^/]+(\/\.local)?$/.test(prefix) ? executable : prefix;
}

/** Code and layers. */
export async function launchMounts(launch: Launch): Promise<readonly Mount[]> {
  // It is all there already.
  if (launch.image) return [];
  const code: Mount = { kind: 1, source: await realpath(launch.codeDirectory), target: CODE };
  if (launch.optDirectory === undefined) return [code];
  return [code, { kind: 1, source: await realpath(launch.optDirectory), target: OPT }];
}

export function writeMounts(body: FrameWriter, mounts: readonly Mount[]): FrameWriter {
  body.number(mounts.length);
  for (const { kind, source, target } of mounts) body.number(kind).text(source).text(target);
  return body;
}
