import { isIPv4, isIPv6 } from 'node:net';

/** Addresses from `low` to `high`, of one family. */
export interface Range {
  readonly bits: 32 | 128;
  readonly low: bigint;
  readonly high: bigint;
}

/** The number that an address is; undefined where the text is none. */
export function parseAddress(text: string): { readonly bits: 32 | 128; readonly value: bigint } | undefined {
  if (isIPv4(text)) return { bits: 32, value: text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const wide = (part: string): string[] =>
    groups(part).flatMap((group) => {
      if (!group.includes('.')) return [group];
      const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
      return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
    });
  const [before, after] = [wide(head), wide(tail ?? '')];
  const all = tail === undefined ? before : [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return { bits: 128, value: all.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n) };
}

/** The addresses of `10.0.0.0/24`; a text that says what is wrong with it, in the rule compiler's words. */
export function parseCidr(text: string): Range | string {
  const parts = text.split('/');
  if (parts.length !== 2) return "Malformed CIDR, one '/' required";
  const [address = '', mask = ''] = parts;
  if (!/^\d{1,3}$/.test(mask)) return 'Malformed CIDR, mask bits must be an integer';
  const parsed = parseAddress(address);
  if (!parsed) return `Nonstandard IP address: ${address}`;
  const { bits, value } = parsed;
  if (Number(mask) > bits) return bits === 32 ? 'IPv4 mask bits must be < 32' : 'IPv6 mask bits must be < 128';
  const hosts = (1n << BigInt(bits - Number(mask))) - 1n;
  return { bits, low: value & ~hosts, high: value | hosts };
}
