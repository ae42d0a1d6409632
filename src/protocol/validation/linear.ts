/**
 * A matcher of regular expressions in time linear in the text: a nondeterministic automaton, made deterministic as it runs.
 * Some of AWS's patterns take a backtracking matcher exponential time on a text that a caller chooses.
 */

type Node =
  | { readonly kind: 'char'; readonly test: (codePoint: number) => boolean; next: number }
  | { readonly kind: 'split'; a: number; b: number }
  | { readonly kind: 'start' | 'end'; next: number }
  | { readonly kind: 'match' };

/** A pattern whose repetitions unfold to more nodes than this is left to the engine's own matcher. */
const NODES_MAX = 6000;
/** Deterministic states kept; beyond, they are forgotten and made again. */
const STATES_MAX = 1000;
/** Transitions kept in one state. */
const TRANSITIONS_MAX = 512;

/** What {@link linearTest} cannot do: look-around, back references, word boundaries, or too many nodes. */
class Unsupported extends Error {}

/**
 * A test whether a whole text is of `pattern` (`.` matches all but line breaks). Undefined where the pattern needs more than a
 * finite automaton.
 */
export function linearTest(pattern: string, insensitive: boolean): ((text: string) => boolean) | undefined {
  try {
    const program = new Compiler(pattern, insensitive).compile();
    const machine = new Machine(program.nodes, program.start);
    return (text) => machine.matches(text);
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

/** A piece of the expression, which can be compiled more than once: a repetition unfolds into copies. */
type Tree =
  | { readonly kind: 'empty' | 'start' | 'end' }
  | { readonly kind: 'char'; readonly source: string }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Tree[] }
  | { readonly kind: 'repeat'; readonly part: Tree; readonly min: number; readonly max: number };

class Compiler {
  private at = 0;
  private readonly nodes: Node[] = [];
  private readonly tests = new Map<string, (codePoint: number) => boolean>();
  private readonly pattern: string;
  private readonly flags: string;

  constructor(pattern: string, insensitive: boolean) {
    this.pattern = pattern;
    this.flags = insensitive ? 'ui' : 'u';
  }

  compile(): { nodes: readonly Node[]; start: number } {
    const tree = this.choice();
    if (this.at !== this.pattern.length) throw new Unsupported();
    const match = this.add({ kind: 'match' });
    return { nodes: this.nodes, start: this.emit(tree, match) };
  }

  private choice(): Tree {
    const parts = [this.sequence()];
    while (this.pattern[this.at] === '|') {
      this.at++;
      parts.push(this.sequence());
    }
    return parts.length === 1 ? (parts[0] as Tree) : { kind: 'choice', parts };
  }

  private sequence(): Tree {
    const parts: Tree[] = [];
    while (this.at < this.pattern.length && this.pattern[this.at] !== '|' && this.pattern[this.at] !== ')') parts.push(this.repeated(this.atom()));
    return parts.length === 1 ? (parts[0] as Tree) : { kind: 'sequence', parts };
  }

  private repeated(part: Tree): Tree {
    let out = part;
    for (;;) {
      const m = /^(?:([*+?])|\{(\d+)(,(\d*))?\})\??/.exec(this.pattern.slice(this.at, this.at + 24));
      if (!m) return out;
      const [whole, sign, low, comma, high] = m;
      this.at += whole.length;
      const min = sign === '+' ? 1 : sign ? 0 : Number(low);
      const max = sign === '?' ? 1 : sign || (comma && high === '') ? Number.POSITIVE_INFINITY : comma ? Number(high) : min;
      out = { kind: 'repeat', part: out, min, max };
    }
  }

  private atom(): Tree {
    const c = this.pattern.charAt(this.at);
    switch (c) {
      case '(':
        return this.group();
      case '^':
        this.at++;
        return { kind: 'start' };
      case '$':
        this.at++;
        return { kind: 'end' };
      case '[':
        return { kind: 'char', source: this.characterClass() };
      case '\\':
        return { kind: 'char', source: this.escape() };
      case '*':
      case '+':
      case '?':
        throw new Unsupported();
      default: {
        const char = String.fromCodePoint(this.pattern.codePointAt(this.at) ?? 0);
        this.at += char.length;
        return { kind: 'char', source: /[{}\]/^$|()[*+?\\]/.test(char) ? `\\${char}` : char };
      }
    }
  }

  private group(): Tree {
    this.at++;
    if (this.pattern.startsWith('?:', this.at)) this.at += 2;
    else if (this.pattern[this.at] === '?') throw new Unsupported();
    const inner = this.choice();
    if (this.pattern[this.at] !== ')') throw new Unsupported();
    this.at++;
    return inner;
  }

  private characterClass(): string {
    const start = this.at++;
    if (this.pattern[this.at] === '^') this.at++;
    if (this.pattern[this.at] === ']') this.at++;
    while (this.pattern[this.at] !== ']') {
      if (this.at >= this.pattern.length) throw new Unsupported();
      this.at += this.pattern[this.at] === '\\' ? 2 : 1;
    }
    return this.pattern.slice(start, ++this.at);
  }

  private escape(): string {
    const m = /^\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[pP]\{[^}]{1,40}\}|[dDwWsStnrfv]|[^A-Za-z0-9])/u.exec(this.pattern.slice(this.at, this.at + 48));
    if (!m) throw new Unsupported();
    this.at += m[0].length;
    return m[0];
  }

  private add(node: Node): number {
    if (this.nodes.length >= NODES_MAX) throw new Unsupported();
    return this.nodes.push(node) - 1;
  }

  /** Builds `tree` so that it continues at `next`; returns where it begins. */
  private emit(tree: Tree, next: number): number {
    switch (tree.kind) {
      case 'empty':
        return next;
      case 'start':
      case 'end':
        return this.add({ kind: tree.kind, next });
      case 'char':
        return this.add({ kind: 'char', test: this.charTest(tree.source), next });
      case 'sequence':
        return tree.parts.reduceRight((following, part) => this.emit(part, following), next);
      case 'choice': {
        const starts = tree.parts.map((part) => this.emit(part, next));
        return starts.reduceRight((b, a) => this.add({ kind: 'split', a, b }));
      }
      case 'repeat':
        return this.emitRepeat(tree.part, tree.min, tree.max, next);
    }
  }

  private emitRepeat(part: Tree, min: number, max: number, next: number): number {
    let following = next;
    if (max === Number.POSITIVE_INFINITY) {
      const loop: Extract<Node, { kind: 'split' }> = { kind: 'split', a: next, b: next };
      following = this.add(loop);
      loop.a = this.emit(part, following);
    } else {
      for (let i = min; i < max; i++) following = this.add({ kind: 'split', a: this.emit(part, following), b: next });
    }
    for (let i = 0; i < min; i++) following = this.emit(part, following);
    return following;
  }

  /** The engine itself says which characters a class holds; its answers are kept. */
  private charTest(source: string): (codePoint: number) => boolean {
    let test = this.tests.get(source);
    if (!test) {
      const regexp = this.single(source);
      const known = new Map<number, boolean>();
      test = (codePoint) => {
        let answer = known.get(codePoint);
        if (answer === undefined) {
          answer = regexp.test(String.fromCodePoint(codePoint));
          if (known.size < TRANSITIONS_MAX) known.set(codePoint, answer);
        }
        return answer;
      };
      this.tests.set(source, test);
    }
    return test;
  }

  private single(source: string): RegExp {
    try {
      return new RegExp(`^${source}$`, this.flags);
    } catch {
      // Escapes that only the older syntax allows, e.g. `\-` outside a class.
      try {
        return new RegExp(`^(?:${source})$`, this.flags.replace('u', ''));
      } catch {
        throw new Unsupported();
      }
    }
  }
}

interface State {
  readonly nodes: readonly number[];
  readonly accepts: boolean;
  readonly next: Map<number, State>;
}

class Machine {
  private readonly nodes: readonly Node[];
  private readonly start: number;
  private states = new Map<string, State>();

  constructor(nodes: readonly Node[], start: number) {
    this.nodes = nodes;
    this.start = start;
  }

  matches(text: string): boolean {
    let state = this.stateOf(this.closure([this.start], true, text === ''));
    for (let i = 0; i < text.length; i++) {
      const codePoint = text.codePointAt(i) ?? 0;
      if (codePoint > 0xffff) i++;
      state = state.next.get(codePoint) ?? this.step(state, codePoint);
      if (state.nodes.length === 0) return false;
    }
    return state.accepts;
  }

  private step(state: State, codePoint: number): State {
    const targets: number[] = [];
    for (const id of state.nodes) {
      const node = this.nodes[id];
      if (node?.kind === 'char' && node.test(codePoint)) targets.push(node.next);
    }
    const next = this.stateOf(this.closure(targets, false, false));
    if (state.next.size < TRANSITIONS_MAX) state.next.set(codePoint, next);
    return next;
  }

  private stateOf(nodes: readonly number[]): State {
    const key = nodes.join();
    let state = this.states.get(key);
    if (!state) {
      if (this.states.size >= STATES_MAX) this.states = new Map();
      const ended = this.closure(nodes, false, true);
      state = { nodes, accepts: ended.some((id) => this.nodes[id]?.kind === 'match'), next: new Map() };
      this.states.set(key, state);
    }
    return state;
  }

  /** Everything reachable without reading a character, in order of id. */
  private closure(from: readonly number[], atStart: boolean, atEnd: boolean): number[] {
    const seen = new Set<number>();
    const stack = [...from];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      const node = this.nodes[id];
      if (node?.kind === 'split') stack.push(node.a, node.b);
      else if (node?.kind === 'start' && atStart) stack.push(node.next);
      else if (node?.kind === 'end' && atEnd) stack.push(node.next);
    }
    return [...seen].sort((a, b) => a - b);
  }
}
