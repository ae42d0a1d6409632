import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { bits, integer, oid, pem, sequence, set, tagged, time, utf8String } from '../../kit/der.ts';
import { decodeJson, encodeJson } from '../../kit/json.ts';
import type { Platform } from '../service.ts';
import { type Signature, type Signed, stringToSign } from './domain/envelope.ts';
import { CERTIFICATE_DAYS } from './limits.ts';
import { keys } from './store.ts';

const DAY_MS = 86_400_000;
/** sha256WithRSAEncryption. */
const RSA_SHA256 = sequence(oid('1.2.840.113549.1.1.11'), Buffer.of(0x05, 0x00));

interface SigningRow {
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
}

/** Signs messages as Amazon SNS does, with a key and a certificate of this installation's own, made when first needed. */
export interface Signer {
  sign(signed: Signed, version: string): Promise<Signature>;
  /** The certificate in PEM where `file` names it. */
  certificate(file: string): Promise<string | undefined>;
}

interface Opened {
  readonly key: KeyObject;
  readonly certificate: string;
  readonly file: string;
}

export function createSigner(platform: Platform): Signer {
  let opened: Promise<Opened> | undefined;
  const open = (): Promise<Opened> => {
    opened ??= load(platform).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return {
    async sign(signed, version) {
      const { key, file } = await open();
      const value = await signText(version === '2' ? 'RSA-SHA256' : 'RSA-SHA1', stringToSign(signed), key);
      return { version, value: value.toString('base64'), certUrl: `${endpointOf(platform)}/_aws/sns/${file}` };
    },
    async certificate(file) {
      const own = await open();
      return own.file === file ? own.certificate : undefined;
    },
  };
}

/** Where this process is reached: `http://localhost:4566`. */
export function endpointOf({ address }: Pick<Platform, 'address'>): string {
  const { scheme, host, port } = address();
  return `${scheme}://${host}:${port}`;
}

/** On a thread of its own: a signature takes about a millisecond. */
function signText(algorithm: string, text: string, key: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign(algorithm, Buffer.from(text, 'utf8'), key, (error, value) => (error ? reject(error) : resolve(value)));
  });
}

async function load(platform: Platform): Promise<Opened> {
  const { store } = platform;
  const had = await store.get(keys.signing);
  const row = had ? decodeJson<SigningRow>(had) : await make(platform);
  const hash = createHash('md5').update(row.certificate).digest('hex');
  return { key: createPrivateKey(row.key), certificate: row.certificate, file: `SimpleNotificationService-${hash}.pem` };
}

/** The first to write wins: two processes on one store sign alike. */
async function make({ store, ids, clock }: Platform): Promise<SigningRow> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const made: SigningRow = {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    certificate: selfSigned(privateKey, ids.bytes(16), clock.real()),
  };
  return store.transact({ keys: [keys.signing] }, (tx) => {
    const had = tx.get(keys.signing);
    if (had) return decodeJson<SigningRow>(had);
    tx.put(keys.signing, encodeJson(made));
    return made;
  });
}

/** An X.509 certificate (RFC 5280) in PEM: what validators read the public key from. */
function selfSigned(key: KeyObject, serial: Uint8Array, nowMs: number): string {
  const name = sequence(set(sequence(oid('2.5.4.10'), utf8String('Croft'))), set(sequence(oid('2.5.4.3'), utf8String('sns.amazonaws.com'))));
  const body = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), serial])),
    RSA_SHA256,
    name,
    sequence(time(nowMs - DAY_MS), time(nowMs + CERTIFICATE_DAYS * DAY_MS)),
    name,
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
  );
  return pem('CERTIFICATE', sequence(body, RSA_SHA256, bits(sign('sha256', body, key))));
}
