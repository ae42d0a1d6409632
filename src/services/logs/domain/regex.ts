import { invalidParameter } from '../errors.ts';

/**
 * The regular expressions of filter patterns (`%…%`): characters, classes, `. ^ $ | * + ? {n,m}` and escapes, no groups. Run as a set of
 * states, so that time is text × pattern whatever the pattern; "Supported regular expressions (regex) syntax" in the CloudWatch Logs guide.
 */
export type TextTest = (text: string) => boolean;

type CharTest = (code: number) => boolean;

interface Atom {
  readonly test: CharTest;
  readonly min: number;
  readonly max: number;
}

interface Branch {
  readonly atoms: readonly Atom[];
  readonly anchoredStart: boolean;
  readonly anchoredEnd: boolean;
}

/** Atoms after `{n,m}` is written out. */
const STATES_MAX = 2_000;

const isDigit: CharTest = (c) => c >= 48 && c <= 57;
const isWord: CharTest = (c) => isDigit(c) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95;
const isSpace: CharTest = (c) => c === 32 || (c >= 9 && c <= 13);
const not =
  (test: CharTest): CharTest =>
  (c) =>
    !test(c);
const CLASSES: Readonly<Record<string, CharTest>> = { d: isDigit, D: not(isDigit), w: isWord, W: not(isWord), s: isSpace, S: not(isSpace) };

const invalid = () => invalidParameter('Invalid regular expression in filter pattern');

/** Compiles the text between the percent signs; throws InvalidParameterException. */
export function compileRegex(source: string): TextTest {
  const branches: Branch[] = [];
  let atoms: Atom[] = [];
  let anchoredStart = false;
  let anchoredEnd = false;
  let states = 0;
  let at = 0;

  const escaped = (): CharTest => {
    const char = source[at++];
    if (char === undefined) throw invalid();
    if (char === 'x') {
      const hex = source.slice(at, at + 2);
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) throw invalid();
      at += 2;
      const code = Number.parseInt(hex, 16);
      return (c) => c === code;
    }
    const known = CLASSES[char];
    if (known) return known;
    if (/[A-Za-z0-9]/.test(char)) throw invalid();
    const code = char.charCodeAt(0);
    return (c) => c === code;
  };
  const bracket = (): CharTest => {
    const negated = source[at] === '^';
    if (negated) at++;
    const tests: CharTest[] = [];
    while (at < source.length && source[at] !== ']') {
      const char = source[at++] ?? '';
      if (char === '\\') tests.push(escaped());
      else if (source[at] === '-' && source[at + 1] !== undefined && source[at + 1] !== ']') {
        const [low, high] = [char.charCodeAt(0), source.charCodeAt(at + 1)];
        if (low > high) throw invalid();
        at += 2;
        tests.push((c) => c >= low && c <= high);
      } else {
        const code = char.charCodeAt(0);
        tests.push((c) => c === code);
      }
    }
    if (source[at++] !== ']' || tests.length === 0) throw invalid();
    const any: CharTest = (c) => tests.some((test) => test(c));
    return negated ? not(any) : any;
  };
  const quantifier = (): readonly [number, number] => {
    const char = source[at];
    if (char === '*' || char === '+' || char === '?') {
      at++;
      return char === '*' ? [0, Number.POSITIVE_INFINITY] : char === '+' ? [1, Number.POSITIVE_INFINITY] : [0, 1];
    }
    if (char !== '{') return [1, 1];
    const match = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(source.slice(at, at + 10));
    if (!match) throw invalid();
    at += match[0].length;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (max < min) throw invalid();
    return [min, max];
  };
  const endBranch = () => {
    branches.push({ atoms, anchoredStart, anchoredEnd });
    atoms = [];
    anchoredStart = anchoredEnd = false;
  };
  const push = (test: CharTest) => {
    if (anchoredEnd) throw invalid();
    const [min, max] = quantifier();
    // {n,m} is written out as n mandatory and m - n optional copies.
    for (let i = 0; i < min; i++) atoms.push({ test, min: 1, max: 1 });
    if (max === Number.POSITIVE_INFINITY) atoms.push({ test, min: 0, max });
    else for (let i = min; i < max; i++) atoms.push({ test, min: 0, max: 1 });
    states += Math.max(1, Number.isFinite(max) ? max : min + 1);
    if (states > STATES_MAX) throw invalid();
  };

  while (at < source.length) {
    const char = source[at++] ?? '';
    if (char === '|') endBranch();
    else if (char === '^' && atoms.length === 0) anchoredStart = true;
    else if (char === '$') anchoredEnd = true;
    else if (char === '\\') push(escaped());
    else if (char === '[') push(bracket());
    else if (char === '.') push((c) => c !== 10);
    else if (/[A-Za-z0-9:_#=@/;,\- ]/.test(char)) {
      const code = char.charCodeAt(0);
      push((c) => c === code);
    } else throw invalid();
  }
  endBranch();
  return (text) => branches.some((branch) => runBranch(branch, text));
}

/** Simulates all states at once: `active[i]` means that the first i atoms are matched. */
function runBranch(branch: Branch, text: string): boolean {
  const { atoms } = branch;
  const last = atoms.length;
  let active = new Uint8Array(last + 1);
  let next = new Uint8Array(last + 1);
  const follow = (set: Uint8Array) => {
    for (let i = 0; i < last; i++) if (set[i] && atoms[i]?.min === 0) set[i + 1] = 1;
  };
  active[0] = 1;
  follow(active);
  for (let at = 0; ; at++) {
    if (active[last] && (!branch.anchoredEnd || at === text.length)) return true;
    if (at === text.length) return false;
    const code = text.charCodeAt(at);
    next.fill(0);
    if (!branch.anchoredStart) next[0] = 1;
    for (let i = 0; i < last; i++) {
      const atom = atoms[i];
      if (!active[i] || !atom?.test(code)) continue;
      next[atom.max === Number.POSITIVE_INFINITY ? i : i + 1] = 1;
    }
    follow(next);
    [active, next] = [next, active];
  }
}

/** `*` stands for any text; everything else for itself. Linear: each literal is sought once, from where the one before ended. */
export function compileWildcard(source: string): TextTest {
  const literals = source.split('*');
  if (literals.length === 1) return (text) => text === source;
  const first = literals[0] ?? '';
  const last = literals.at(-1) ?? '';
  const middle = literals.slice(1, -1);
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    const end = text.length - last.length;
    for (const literal of middle) {
      const found = text.indexOf(literal, at);
      if (found === -1 || found + literal.length > end) return false;
      at = found + literal.length;
    }
    return at <= end;
  };
}
