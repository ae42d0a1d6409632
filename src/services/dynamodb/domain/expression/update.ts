import { type AttributeValue, typeOf } from '../value.ts';
import { type Path, PathSet, type Placeholders, Problems, resolvePath } from './placeholders.ts';
import { ExpressionError, Parser, type RawPath, remembered, type Token, wording } from './syntax.ts';

/** One action of an update, placeholders resolved. */
export type UpdateAction =
  | { readonly type: 'set'; readonly path: Path; readonly value: UpdateOperand }
  | { readonly type: 'remove'; readonly path: Path }
  | { readonly type: 'add'; readonly path: Path; readonly value: AttributeValue }
  | { readonly type: 'delete'; readonly path: Path; readonly value: AttributeValue };

export type UpdateOperand =
  | { readonly type: 'path'; readonly path: Path }
  | { readonly type: 'value'; readonly value: AttributeValue }
  | { readonly type: '+' | '-' | 'list_append'; readonly left: UpdateOperand; readonly right: UpdateOperand }
  | { readonly type: 'if_not_exists'; readonly path: Path; readonly otherwise: UpdateOperand };

export interface ResolvedUpdate {
  readonly actions: readonly UpdateAction[];
  /** First steps of every path in it, read or written, that has more than one step. */
  readonly nestedHeads: ReadonlySet<string>;
}

type Section = 'SET' | 'REMOVE' | 'ADD' | 'DELETE';

type RawOperand =
  | { readonly type: 'path'; readonly path: RawPath }
  | { readonly type: 'value'; readonly name: string }
  | { readonly type: '+' | '-'; readonly args: readonly RawOperand[] }
  | { readonly type: 'call'; readonly name: string; readonly args: readonly RawOperand[] };

interface RawAction {
  readonly section: Section;
  readonly path: RawPath;
  readonly operand?: RawOperand;
}

interface RawUpdate {
  readonly sections: readonly Section[];
  readonly actions: readonly RawAction[];
}

const SECTIONS: readonly Section[] = ['SET', 'REMOVE', 'ADD', 'DELETE'];
const isKeyword = (token: Token): boolean => SECTIONS.includes(token.text.toUpperCase() as Section);

class UpdateParser extends Parser {
  whole(): RawUpdate {
    const sections: Section[] = [];
    const actions: RawAction[] = [];
    do {
      const section = SECTIONS.find((word) => this.takeKeyword(word));
      if (!section) throw this.syntaxError();
      sections.push(section);
      do {
        actions.push(this.#action(section));
      } while (this.takeSymbol(','));
    } while (this.token.kind !== 'end');
    this.checkOperators();
    return { sections, actions };
  }

  #action(section: Section): RawAction {
    const path = this.path(isKeyword);
    this.countOperator();
    if (section === 'REMOVE') return { section, path };
    if (section === 'SET') {
      this.expectSymbol('=');
      return { section, path, operand: this.#sum() };
    }
    if (this.token.kind !== 'value') throw this.syntaxError();
    return { section, path, operand: { type: 'value', name: this.advance().text } };
  }

  #sum(): RawOperand {
    const left = this.#operand();
    for (const operator of ['+', '-'] as const) {
      if (this.takeSymbol(operator)) {
        this.countOperator();
        return { type: operator, args: [left, this.#operand()] };
      }
    }
    return left;
  }

  #operand(): RawOperand {
    if (this.takeSymbol('(')) {
      const inner = this.nested(() => this.#sum());
      this.expectSymbol(')');
      return inner;
    }
    const { kind, text } = this.token;
    if (kind === 'value') {
      this.advance();
      return { type: 'value', name: text };
    }
    if (kind === 'identifier' && !isKeyword(this.token) && this.next.kind === 'symbol' && this.next.text === '(') {
      this.countOperator();
      this.advance();
      this.expectSymbol('(');
      const args = this.nested(() => {
        const operands = [this.#operand()];
        while (this.takeSymbol(',')) operands.push(this.#operand());
        return operands;
      });
      this.expectSymbol(')');
      return { type: 'call', name: text, args };
    }
    return { type: 'path', path: this.path(isKeyword) };
  }
}

const parseUpdate = remembered((text: string): RawUpdate => new UpdateParser(text).whole());

/** Parses and resolves an update expression. Throws ValidationException; of several problems the first by AWS's order of kinds. */
export function resolveUpdate(text: string, placeholders: Placeholders): ResolvedUpdate {
  return wording('UpdateExpression', () => {
    const raw = parseUpdate(text);
    const resolver = new Resolver(placeholders);
    resolver.checkSections(raw.sections);
    const actions = raw.actions.map((action) => resolver.action(action));
    const problem = resolver.problems.first(['reserved', 'unknownFunction', 'section', 'name', 'value', 'overlap', 'conflict', 'operand', 'function']);
    if (problem !== undefined) throw new ExpressionError(problem);
    return { actions, nestedHeads: resolver.nestedHeads };
  });
}

const FUNCTION_OPERANDS = 2;
const NO_VALUE: AttributeValue = { NULL: true };
/** ADD and DELETE name types in words; sets have none, being right. */
const TYPE_WORDS: Readonly<Record<string, string>> = { S: 'STRING', N: 'NUMBER', B: 'BINARY', NULL: 'NULL', BOOL: 'BOOLEAN', L: 'LIST', M: 'MAP' };

class Resolver {
  readonly problems = new Problems<'reserved' | 'unknownFunction' | 'section' | 'name' | 'value' | 'overlap' | 'conflict' | 'operand' | 'function'>();
  readonly nestedHeads = new Set<string>();
  readonly #placeholders: Placeholders;
  readonly #written = new PathSet();

  constructor(placeholders: Placeholders) {
    this.#placeholders = placeholders;
  }

  checkSections(sections: readonly Section[]): void {
    const seen = new Set<Section>();
    for (const section of sections) {
      if (seen.has(section)) this.problems.add('section', `The "${section}" section can only be used once in an update expression;`);
      seen.add(section);
    }
  }

  action(raw: RawAction): UpdateAction {
    const path = this.#path(raw.path);
    const operand = raw.operand && this.#operand(raw.operand);
    this.#written.add(path, {
      overlap: (message) => this.problems.add('overlap', message),
      conflict: (message) => this.problems.add('conflict', message),
    });
    if (operand === undefined) return { type: 'remove', path };
    if (raw.section === 'SET') return { type: 'set', path, value: operand };
    const value = operand.type === 'value' ? operand.value : NO_VALUE;
    const word = value === NO_VALUE ? undefined : TYPE_WORDS[typeOf(value)];
    if (word !== undefined && !(raw.section === 'ADD' && word === 'NUMBER')) {
      this.problems.add('operand', `Incorrect operand type for operator or function; operator: ${raw.section}, operand type: ${word}`);
    }
    return { type: raw.section === 'ADD' ? 'add' : 'delete', path, value };
  }

  #path(raw: RawPath): Path {
    const path = resolvePath(raw, this.#placeholders, {
      reserved: (message) => this.problems.add('reserved', message),
      undefinedName: (message) => this.problems.add('name', message),
    });
    if (path.length > 1) this.nestedHeads.add(path[0] as string);
    return path;
  }

  #operand(raw: RawOperand): UpdateOperand {
    switch (raw.type) {
      case 'path':
        return { type: 'path', path: this.#path(raw.path) };
      case 'value': {
        const value = this.#placeholders.value(raw.name);
        if (value === undefined) {
          this.problems.add('value', `An expression attribute value used in expression is not defined; attribute value: ${raw.name}`);
        }
        return { type: 'value', value: value ?? NO_VALUE };
      }
      case '+':
      case '-':
        return this.#binary(raw.type, raw.args, 'N');
      case 'call':
        return this.#call(raw.name, raw.args);
    }
  }

  #call(name: string, args: readonly RawOperand[]): UpdateOperand {
    if (name === 'list_append' && args.length === FUNCTION_OPERANDS) return this.#binary(name, args, 'L');
    const operands = args.map((arg) => this.#operand(arg));
    const [first, second] = operands;
    if (name !== 'if_not_exists' && name !== 'list_append') {
      this.problems.add('unknownFunction', `Invalid function name; function: ${name}`);
    } else if (operands.length !== FUNCTION_OPERANDS) {
      this.problems.add(
        'function',
        `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${operands.length}`,
      );
    } else if (first?.type === 'path' && second) return { type: 'if_not_exists', path: first.path, otherwise: second };
    else this.problems.add('function', `Operator or function requires a document path; operator or function: ${name}`);
    return { type: 'value', value: NO_VALUE };
  }

  #binary(type: '+' | '-' | 'list_append', args: readonly RawOperand[], wanted: 'N' | 'L'): UpdateOperand {
    const [left, right] = args.map((arg) => this.#operand(arg)) as [UpdateOperand, UpdateOperand];
    for (const operand of [left, right]) {
      const found = operand.type === 'value' && operand.value !== NO_VALUE ? typeOf(operand.value) : wanted;
      if (found !== wanted) {
        this.problems.add('function', `Incorrect operand type for operator or function; operator or function: ${type}, operand type: ${found}`);
      }
    }
    return { type, left, right };
  }
}
