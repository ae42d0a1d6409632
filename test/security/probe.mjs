/** Deployed as a function: tries to leave its execution environment by what Node.js has, and returns what it got away with. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync, readlinkSync, statfsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';

const tried = (action) => {
  try {
    action();
    return true;
  } catch {
    return false;
  }
};

const reaches = (options) =>
  new Promise((resolve) => {
    const socket = connect(options);
    const done = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(300, () => done(false));
    socket.on('connect', () => done(true));
    socket.on('error', () => done(false));
  });

function* look(event) {
  const status = Object.fromEntries(
    readFileSync('/proc/self/status', 'utf8')
      .split('\n')
      .map((line) => line.split(':\t')),
  );
  if (process.getuid() === 0 || (event.root && process.getuid() < 1_000_000_000)) yield `runs as user ${process.getuid()}`;
  for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) if (BigInt(`0x${status[name]}`) !== 0n) yield `${name} is ${status[name]}`;
  if (status.NoNewPrivs !== '1' || status.Seccomp !== '2') yield 'is not confined';
  for (const path of ['/', '/etc', '/usr', '/var/task', '/var/runtime']) if (tried(() => writeFileSync(`${path}/probe`, ''))) yield `wrote into ${path}`;
  for (const path of ['/.host', '/root/.ssh', '/home', '/etc/shadow', event.hostFile]) if (tried(() => accessSync(path, constants.F_OK))) yield `sees ${path}`;
  for (const path of ['/proc/1/environ', '/proc/1/mem', '/proc/kcore', '/proc/kallsyms'])
    if (tried(() => readFileSync(path).length > 0 || fail())) yield `reads ${path}`;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  if (pids.length > 4) yield `sees ${pids.length} processes`;
  for (const [kind, host] of Object.entries(event.namespaces))
    if (readlinkSync(`/proc/self/ns/${kind}`) === host) yield `is in the machine's ${kind} namespace`;
  for (const flags of ['-U', '-n', '-m']) if (spawnSync('unshare', [flags, 'true']).status === 0) yield `unshare ${flags}`;
  if (spawnSync('mount', ['-t', 'tmpfs', 'none', '/tmp']).status === 0) yield 'mounts';
  if (os.hostname() !== 'localhost') yield "knows the machine's name";
  if (Object.keys(os.networkInterfaces()).some((name) => name !== 'lo')) yield 'has interfaces';
  const { blocks, bsize } = statfsSync('/tmp');
  if (blocks * bsize !== event.tmpMb * 1024 ** 2) yield `/tmp has ${(blocks * bsize) / 1024 ** 2} MB`;
  let sockets = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    let target = '';
    if (!tried(() => (target = readlinkSync(`/proc/self/fd/${fd}`)))) continue;
    if (target.startsWith('socket:')) sockets++;
    else if (!/^(\/dev\/null|pipe:|anon_inode:\[?(eventpoll|eventfd|timerfd|inotify))/.test(target) && !target.endsWith('/fd'))
      yield `descriptor ${fd} is ${target}`;
  }
  if (sockets !== 1) yield `has ${sockets} sockets`;
}

function fail() {
  throw new Error('nothing was read');
}

export const handler = async (event) => {
  const found = [...look(event)];
  for (const host of ['127.0.0.1', ...event.hostAddresses]) if (await reaches({ host, port: event.hostPort })) found.push(`reaches ${host}:${event.hostPort}`);
  if (await reaches({ path: `\0${event.abstractSocket}` })) found.push('reaches an abstract socket of the machine');
  return found;
};
