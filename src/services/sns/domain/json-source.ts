/** JSON text read token by token, as the parser does that SNS's error messages quote: where a token ends is part of what they say. */

export type TokenKind = '{' | '}' | '[' | ']' | 'name' | 'string' | 'number' | 'true' | 'false' | 'null' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As the message quotes it: decoded for strings and names. */
  readonly text: string;
  /** Column (from 1) at which the parser stands having met this token, and having read it. Strings are met before they are read. */
  readonly met: number;
  readonly read: number;
}

const PUNCTUATION = new Set(['{', '}', '[', ']']);

/** The tokens of `compact`, which is JSON without white space (as JSON.stringify writes it). Linear. */
export function tokensOf(compact: string): Token[] {
  const tokens: Token[] = [];
  const closers: string[] = [];
  let at = 0;
  while (at < compact.length) {
    const char = compact.charAt(at);
    if (char === ',' || char === ':') {
      at++;
      continue;
    }
    if (PUNCTUATION.has(char)) {
      if (char === '{' || char === '[') closers.push(char);
      else closers.pop();
      at++;
      tokens.push({ kind: char as TokenKind, text: char, met: at + 1, read: at + 1 });
      continue;
    }
    if (char === '"') {
      const end = stringEnd(compact, at);
      const text = JSON.parse(compact.slice(at, end)) as string;
      const isName = closers.at(-1) === '{' && compact.charAt(end) === ':';
      tokens.push(isName ? { kind: 'name', text, met: 0, read: 0 } : { kind: 'string', text, met: at + 2, read: end + 1 });
      at = end;
      continue;
    }
    const end = literalEnd(compact, at);
    const text = compact.slice(at, end);
    const kind = text === 'true' || text === 'false' || text === 'null' ? text : 'number';
    tokens.push({ kind, text, met: end + 1, read: end + 1 });
    at = end;
  }
  // A name is met together with the beginning of its value.
  return tokens.map((token, i) => (token.kind === 'name' ? { ...token, met: tokens[i + 1]?.met ?? 1, read: tokens[i + 1]?.met ?? 1 } : token));
}

function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') at++;
    else if (char === '"') return at + 1;
  }
  return text.length;
}

function literalEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && !',:]}'.includes(text.charAt(at))) at++;
  return at;
}

const SOURCE = ' at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: ';

/** JSON that must parse; `undefined` with the parser's complaint in the words of AWS where it does not. */
export function parseJson(text: string): { readonly value: unknown } | { readonly failure: string } {
  if (isTooDeep(text))
    return {
      failure: `Document nesting depth (${DEPTH_MAX + 1}) exceeds the maximum allowed (${DEPTH_MAX}, from \`StreamReadConstraints.getMaxNestingDepth()\`)`,
    };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { failure: complaint(text) };
  }
}

const DEPTH_MAX = 1_000;

function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"') at = stringEnd(text, at) - 1;
    else if (char === '{' || char === '[') {
      if (++depth > DEPTH_MAX) return true;
    } else if (char === '}' || char === ']') depth--;
  }
  return false;
}

const EXPECTED = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/** Why `text` is no JSON: the common cases exactly, all else as the parser words what it does not expect. */
function complaint(text: string): string {
  const located = (message: string, at: number) => {
    const before = text.slice(0, at);
    const line = before.split('\n').length;
    return `${message}\n${SOURCE}${line}, column: ${at - before.lastIndexOf('\n')}]`;
  };
  const first = text.search(/\S/);
  if (first < 0) return located('No content to map due to end-of-input', 0);
  const word = /^[\p{L}\p{N}_$]+/u.exec(text.slice(first))?.[0];
  if (word !== undefined && !/^[-\d]/.test(word)) return located(`Unrecognized token '${word}': ${EXPECTED}`, first + word.length);
  const char = text.charAt(first);
  if (char === '{') {
    const next = text.slice(first + 1).search(/\S/);
    const at = first + 1 + next;
    const unexpected = text.charAt(at);
    if (next >= 0 && unexpected !== '"' && unexpected !== '}')
      return located(`Unexpected character ('${unexpected}' (code ${unexpected.charCodeAt(0)})): was expecting double-quote to start field name`, at);
  }
  return located('Unexpected end-of-input', text.length);
}
