import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { bits, boolean, integer, octets, oid, pem, sequence, set, tagged, time, utf8String } from '../kit/der.ts';

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const DAY_MS = 86_400_000;

export interface CertificateRequest {
  readonly commonName: string;
  /** DNS names and IP addresses; none for a CA. */
  readonly names: readonly string[];
  readonly subjectKey: KeyObject;
  readonly issuer: { readonly commonName: string; readonly key: KeyObject };
  readonly isCa: boolean;
  /** 16 random bytes. */
  readonly serial: Uint8Array;
  readonly fromMs: number;
  readonly days: number;
}

/** An X.509 certificate (RFC 5280) in PEM, signed with ECDSA P-256. `subjectKey` and `issuer.key` are private keys. */
export function certificate(request: CertificateRequest): string {
  const spki = createPublicKey(request.subjectKey).export({ type: 'spki', format: 'der' });
  const issuerSpki = createPublicKey(request.issuer.key).export({ type: 'spki', format: 'der' });
  // A serial number is positive and at most 20 bytes.
  const serial = Buffer.concat([Buffer.of(0x01), request.serial.subarray(0, 16)]);
  const body = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(serial),
    ECDSA_SHA256,
    name(request.issuer.commonName),
    sequence(time(request.fromMs), time(request.fromMs + request.days * DAY_MS)),
    name(request.commonName),
    spki,
    tagged(3, sequence(...extensions(request, spki, issuerSpki))),
  );
  const signature = sign('sha256', body, request.issuer.key);
  return pem('CERTIFICATE', sequence(body, ECDSA_SHA256, bits(signature)));
}

function extensions({ isCa, names }: CertificateRequest, spki: Buffer, issuerSpki: Buffer): Buffer[] {
  const shared = [
    extension('2.5.29.19', true, isCa ? sequence(boolean(true), integer(Buffer.of(0))) : sequence()),
    // A CA signs certificates and lists of revoked ones; a server signs handshakes.
    extension('2.5.29.15', true, isCa ? bits(Buffer.of(0x06), 1) : bits(Buffer.of(0x80), 7)),
    extension('2.5.29.14', false, octets(keyId(spki))),
    extension('2.5.29.35', false, sequence(tagged(0, keyId(issuerSpki), false))),
  ];
  if (isCa) return shared;
  return [...shared, extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))), extension('2.5.29.17', false, sequence(...names.map(generalName)))];
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
}

function keyId(spki: Buffer): Buffer {
  return createHash('sha1').update(spki).digest();
}

function name(commonName: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.10'), utf8String('Croft'))), set(sequence(oid('2.5.4.3'), utf8String(commonName))));
}

function generalName(text: string): Buffer {
  return isIP(text) === 0 ? tagged(2, Buffer.from(text, 'latin1'), false) : tagged(7, addressBytes(text), false);
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const before = groups(head);
  const after = groups(tail ?? '');
  const all = tail === undefined ? before : [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return Buffer.concat(all.map((group) => Buffer.from(group.padStart(4, '0'), 'hex')));
}
