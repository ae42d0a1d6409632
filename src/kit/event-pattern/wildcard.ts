import { WILDCARD_COMPLEXITY_MAX } from './limits.ts';

export const TOO_COMPLEX = 'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character';

/** A wildcard pattern's literal pieces: the stars stand between them. An error's text where the pattern is none. */
export function wildcardPieces(pattern: string): readonly string[] | { readonly error: string } {
  const pieces: string[] = [];
  let piece = '';
  // AWS counts bytes of UTF-8, the opening quote included.
  const at = (i: number) => Buffer.byteLength(pattern.slice(0, i)) + 1;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    if (char === '*') {
      if (pattern[i + 1] === '*') return { error: `Consecutive wildcard characters at pos ${at(i)}` };
      pieces.push(piece);
      piece = '';
    } else if (char === '\\') {
      const next = pattern[i + 1];
      if (next !== '*' && next !== '\\') return { error: `Invalid escape character at pos ${at(i)}` };
      piece += next;
      i++;
    } else piece += char;
  }
  pieces.push(piece);
  return pieces;
}

/** How many places of the pattern an input may be at once, at worst: each star, and the overlaps of what follows it with itself. */
export function wildcardTooComplex(pieces: readonly string[]): boolean {
  let places = 0;
  for (const piece of pieces.slice(1)) places += 1 + longestBorderChain(piece);
  return places >= WILDCARD_COMPLEXITY_MAX;
}

/** The most prefixes of `text` that end at one place of it. */
function longestBorderChain(text: string): number {
  const border = new Int32Array(text.length);
  const chain = new Int32Array(text.length);
  let most = text === '' ? 0 : 1;
  chain[0] = 1;
  for (let i = 1, k = 0; i < text.length; i++) {
    while (k > 0 && text[i] !== text[k]) k = border[k - 1] ?? 0;
    if (text[i] === text[k]) k++;
    border[i] = k;
    chain[i] = 1 + (k > 0 ? (chain[k - 1] ?? 0) : 0);
    most = Math.max(most, chain[i] ?? 0);
  }
  return most;
}

/** Matches greedily from the left, the last piece at the end: linear, no backtracking. */
export function wildcardMatches(pieces: readonly string[], text: string): boolean {
  const [first = '', ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  const end = text.length - last.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, from);
    if (found < 0 || found + piece.length > end) return false;
    from = found + piece.length;
  }
  return true;
}
