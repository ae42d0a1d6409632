import { templateError } from '../errors.ts';
import { CIDR_SUBNETS_MAX } from '../limits.ts';

const MALFORMED = 'Fn::Cidr expression is malformed: it needs an address block, a count and the bits of each subnet';

function parseAddress(text: string): { value: bigint; bits: 32n | 128n } {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const parts = text.split('.').map(Number);
    if (parts.some((part) => part > 255)) throw templateError(MALFORMED);
    return { value: parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n), bits: 32n };
  }
  const halves = text.split('::');
  const groups = (half: string | undefined) => (half ? half.split(':') : []);
  const [head, tail] = [groups(halves[0]), groups(halves[1])];
  const missing = 8 - head.length - tail.length;
  const all = halves.length === 2 && missing >= 0 ? [...head, ...Array<string>(missing).fill('0'), ...tail] : head;
  if (halves.length > 2 || all.length !== 8 || all.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) throw templateError(MALFORMED);
  return { value: all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n), bits: 128n };
}

function formatAddress(value: bigint, bits: 32n | 128n): string {
  if (bits === 32n) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const run = longestZeros(groups);
  if (run.length < 2) return groups.join(':');
  return `${groups.slice(0, run.at).join(':')}::${groups.slice(run.at + run.length).join(':')}`;
}

/** Where the longest run of zero groups is: it is what `::` stands for. */
function longestZeros(groups: readonly string[]): { at: number; length: number } {
  let best = { at: 0, length: 0 };
  for (let at = 0, length = 0; at < groups.length; at++) {
    length = groups[at] === '0' ? length + 1 : 0;
    if (length > best.length) best = { at: at - length + 1, length };
  }
  return best;
}

/** `Fn::Cidr`: the first `count` subnets with `hostBits` host bits each. "Fn::Cidr" in the intrinsic function reference. */
export function cidrSubnets(block: string, count: number, hostBits: number | undefined): string[] {
  const [address = '', length = ''] = block.split('/');
  const { value, bits } = parseAddress(address);
  const prefix = Number(length);
  const host = BigInt(hostBits ?? (bits === 32n ? 8 : 64));
  if (!/^\d+$/.test(length) || BigInt(prefix) > bits || !(count >= 1 && count <= CIDR_SUBNETS_MAX) || host < 1n || host > bits) throw templateError(MALFORMED);
  const base = (value >> (bits - BigInt(prefix))) << (bits - BigInt(prefix));
  if (bits - BigInt(prefix) < host || BigInt(count) << host > 1n << (bits - BigInt(prefix))) {
    throw templateError(`Fn::Cidr expression is malformed: the block ${block} has no room for ${count} subnets`);
  }
  return Array.from({ length: count }, (_, index) => `${formatAddress(base + (BigInt(index) << host), bits)}/${bits - host}`);
}
