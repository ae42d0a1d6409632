import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../kit/clock.ts';
import type { Ids } from '../kit/ids.ts';
import { isLoopback } from './browser.ts';
import { certificate } from './certificate.ts';

const CA_DAYS = 3650;
/** Clients refuse server certificates that are valid for longer than 398 days. */
const LEAF_DAYS = 397;
/** A certificate with fewer days left is made anew. */
const ROTATE_DAYS = 30;
const DAY_MS = 86_400_000;
/** Certificates by host name that are kept. */
const CONTEXTS_MAX = 500;

const ALWAYS = ['localhost', '*.localhost', 'localhost.localstack.cloud', '*.localhost.localstack.cloud', '127.0.0.1', '::1'];
const CA_NAME = 'Croft local CA';

/** What `GatewayOptions.tls` takes. */
export interface Tls {
  /** The certificate to trust, in PEM; also in `<folder>/ca.pem`. */
  readonly ca: string;
  /** For clients that ask for no name; the same object until it is rotated. */
  standard(): KeyPair;
  /** For a host name; rotated before it expires. */
  context(serverName: string): SecureContext;
}

/** PEM texts. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

export interface TlsSetup {
  /** Where the CA is kept: `<data dir>/tls`. */
  readonly folder: string;
  readonly clock: Pick<Clock, 'real'>;
  readonly ids: Pick<Ids, 'bytes'>;
  /** Names and addresses to serve beside localhost's. */
  readonly extraHosts?: readonly string[];
}

/**
 * TLS with a certificate authority of this machine's own, made once and kept in `folder` (`ca.pem`, and `ca-key.pem` that only its
 * owner can read). Server certificates live in memory only: they are made when first asked for, one a host name, because clients do not let
 * a wildcard stand for several labels, nor for all of `.localhost`.
 */
export async function openTls({ folder, clock, ids, extraHosts = [] }: TlsSetup): Promise<Tls> {
  const authority = await openAuthority(folder, clock, ids);
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const keyPem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
  const pairs = new Map<string, { pair: KeyPair; context: SecureContext; untilMs: number }>();
  const make = (names: readonly string[]): KeyPair => {
    const cert = certificate({
      commonName: names[0] ?? 'localhost',
      names: [...new Set(names)],
      subjectKey: key,
      issuer: { commonName: CA_NAME, key: authority.key },
      isCa: false,
      serial: ids.bytes(16),
      fromMs: clock.real() - DAY_MS,
      days: LEAF_DAYS,
    });
    return { key: keyPem, cert: cert + authority.pem };
  };
  /** `''` is the standard one. */
  const of = (name: string) => {
    const known = pairs.get(name);
    if (known && known.untilMs > clock.real()) return known;
    const pair = make([...(name === '' ? [] : [name]), ...ALWAYS, ...extraHosts]);
    const made = { pair, context: createSecureContext({ ...pair, minVersion: 'TLSv1.2' }), untilMs: clock.real() + (LEAF_DAYS - 1 - ROTATE_DAYS) * DAY_MS };
    if (pairs.size >= CONTEXTS_MAX) pairs.clear();
    pairs.set(name, made);
    return made;
  };
  return {
    ca: authority.pem,
    standard: () => of('').pair,
    context: (serverName) => of(isServed(serverName.toLowerCase(), extraHosts) ? serverName.toLowerCase() : '').context,
  };
}

function isServed(name: string, extraHosts: readonly string[]): boolean {
  if (!/^[a-z0-9._-]{1,253}$/.test(name)) return false;
  return isLoopback(name) || name.endsWith('.localhost') || name.endsWith('localhost.localstack.cloud') || extraHosts.includes(name);
}

async function openAuthority(folder: string, clock: Pick<Clock, 'real'>, ids: Pick<Ids, 'bytes'>): Promise<{ pem: string; key: KeyObject }> {
  const certFile = join(folder, 'ca.pem');
  const keyFile = join(folder, 'ca-key.pem');
  const [pem, keyPem] = await Promise.all([readIfThere(certFile), readIfThere(keyFile)]);
  if (pem !== undefined && keyPem !== undefined) return { pem, key: createPrivateKey(keyPem) };
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const made = certificate({
    commonName: CA_NAME,
    names: [],
    subjectKey: key,
    issuer: { commonName: CA_NAME, key },
    isCa: true,
    serial: ids.bytes(16),
    fromMs: clock.real() - DAY_MS,
    days: CA_DAYS,
  });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The key first: a certificate whose key was lost would be trusted and useless.
  await writeWhole(keyFile, key.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600);
  await writeWhole(certFile, made, 0o644);
  return { pem: made, key };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all, and on disk. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const partial = `${file}.partial`;
  const handle = await open(partial, 'w', mode);
  try {
    await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
}
