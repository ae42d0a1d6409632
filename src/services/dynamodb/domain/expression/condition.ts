import { EXPRESSION_IN_OPERANDS_MAX } from '../../limits.ts';
import { type AttributeValue, compareValues, typeOf } from '../value.ts';
import { type Path, type Placeholders, Problems, pathText, resolvePath } from './placeholders.ts';
import { ExpressionError, type ExpressionKind, Parser, type RawPath, remembered, type Token, wording } from './syntax.ts';

/** A condition, filter or key condition with its placeholders resolved. */
export type Condition =
  | { readonly type: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly type: 'not'; readonly part: Condition }
  | { readonly type: 'compare'; readonly operator: Comparator; readonly left: Operand; readonly right: Operand }
  | { readonly type: 'between'; readonly operand: Operand; readonly lower: Operand; readonly upper: Operand }
  | { readonly type: 'in'; readonly operand: Operand; readonly list: readonly Operand[] }
  | { readonly type: 'function'; readonly name: ConditionFunction; readonly args: readonly Operand[] };

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type ConditionFunction = 'attribute_exists' | 'attribute_not_exists' | 'attribute_type' | 'begins_with' | 'contains';

export type Operand =
  | { readonly type: 'path'; readonly path: Path }
  | { readonly type: 'value'; readonly value: AttributeValue }
  | { readonly type: 'size'; readonly operand: Operand };

export interface ResolvedCondition {
  readonly condition: Condition;
  /** First steps of all paths, and of those with more than one step. */
  readonly heads: ReadonlySet<string>;
  readonly nestedHeads: ReadonlySet<string>;
}

type RawOperand =
  | { readonly type: 'path'; readonly path: RawPath }
  | { readonly type: 'value'; readonly name: string }
  | { readonly type: 'call'; readonly name: string; readonly args: readonly RawOperand[] };

type RawCondition =
  | { readonly type: 'and' | 'or'; readonly parts: readonly RawCondition[] }
  | { readonly type: 'not'; readonly part: RawCondition }
  | { readonly type: 'compare'; readonly operator: Comparator; readonly left: RawOperand; readonly right: RawOperand }
  | { readonly type: 'between'; readonly operand: RawOperand; readonly lower: RawOperand; readonly upper: RawOperand }
  | { readonly type: 'in'; readonly operand: RawOperand; readonly list: readonly RawOperand[] }
  | { readonly type: 'call'; readonly name: string; readonly args: readonly RawOperand[] };

interface RawRoot {
  readonly root: RawCondition;
  readonly redundantParentheses: boolean;
}

const COMPARATORS: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);
const KEYWORDS: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT', 'BETWEEN', 'IN']);
const isKeyword = (token: Token): boolean => KEYWORDS.has(token.text.toUpperCase());

/**
 * or → and (OR and)*, and → not (AND not)*, not → NOT not | test, where a test is a comparison, BETWEEN, IN or a function.
 * Parentheses may hold a whole condition or an operand; which of them it was shows when they close.
 */
class ConditionParser extends Parser {
  redundantParentheses = false;

  or(): RawCondition | RawOperand {
    const first = this.#and();
    if (!this.isKeyword('OR')) return first;
    const parts = [this.#asCondition(first)];
    while (this.takeKeyword('OR')) parts.push(this.#asCondition(this.#and()));
    return { type: 'or', parts };
  }

  #and(): RawCondition | RawOperand {
    const first = this.#not();
    if (!this.isKeyword('AND')) return first;
    const parts = [this.#asCondition(first)];
    while (this.takeKeyword('AND')) parts.push(this.#asCondition(this.#not()));
    return { type: 'and', parts };
  }

  #not(): RawCondition | RawOperand {
    if (!this.isKeyword('NOT')) return this.#test();
    this.advance();
    return this.nested(() => ({ type: 'not', part: this.#asCondition(this.#not()) }));
  }

  #test(): RawCondition | RawOperand {
    const left = this.#primary();
    const { kind, text } = this.token;
    if (kind === 'symbol' && COMPARATORS.has(text)) {
      const operand = this.#asOperand(left);
      this.countOperator();
      this.advance();
      return { type: 'compare', operator: text as Comparator, left: operand, right: this.operand() };
    }
    if (this.isKeyword('BETWEEN')) {
      const operand = this.#asOperand(left);
      this.countOperator();
      this.advance();
      const lower = this.operand();
      this.expectKeyword('AND');
      return { type: 'between', operand, lower, upper: this.operand() };
    }
    if (this.isKeyword('IN')) {
      const operand = this.#asOperand(left);
      this.countOperator();
      this.advance();
      return { type: 'in', operand, list: this.#list() };
    }
    return left;
  }

  #primary(): RawCondition | RawOperand {
    if (!this.isSymbol('(')) return this.#bareOperand();
    this.advance();
    const doubled = this.isSymbol('(');
    const inner = this.nested(() => this.or());
    // `((x))` is redundant, `((a) = b)` is not: what the inner parentheses held must be all that the outer ones hold.
    if (doubled && this.#closed === inner) this.redundantParentheses = true;
    this.expectSymbol(')');
    this.#closed = inner;
    // `(a.b)[0]` is a path too.
    return inner.type === 'path' && (this.isSymbol('.') || this.isSymbol('[')) ? { type: 'path', path: this.pathFrom(inner.path, isKeyword) } : inner;
  }

  /** What the last closed parentheses held. */
  #closed: RawCondition | RawOperand | undefined;

  operand(): RawOperand {
    return this.#asOperand(this.#primary());
  }

  #bareOperand(): RawOperand {
    const { kind, text } = this.token;
    if (kind === 'value') {
      this.advance();
      return { type: 'value', name: text };
    }
    if (kind === 'identifier' && !isKeyword(this.token) && this.next.kind === 'symbol' && this.next.text === '(') {
      this.countOperator();
      this.advance();
      return { type: 'call', name: text, args: this.#list() };
    }
    return { type: 'path', path: this.path(isKeyword) };
  }

  #list(): RawOperand[] {
    this.expectSymbol('(');
    const list = this.nested(() => {
      const operands = [this.operand()];
      while (this.takeSymbol(',')) operands.push(this.operand());
      return operands;
    });
    this.expectSymbol(')');
    return list;
  }

  #asOperand(node: RawCondition | RawOperand): RawOperand {
    if (node.type === 'path' || node.type === 'value' || node.type === 'call') return node;
    throw this.syntaxError();
  }

  #asCondition(node: RawCondition | RawOperand): RawCondition {
    if (node.type === 'path' || node.type === 'value') throw this.syntaxError();
    return node;
  }

  whole(): RawRoot {
    const root = this.#asConditionAtEnd(this.or());
    this.checkOperators();
    return { root, redundantParentheses: this.redundantParentheses };
  }

  #asConditionAtEnd(node: RawCondition | RawOperand): RawCondition {
    this.expectEnd();
    return this.#asCondition(node);
  }
}

const parseCondition = remembered((text: string): RawRoot => new ConditionParser(text).whole());

/**
 * Parses and resolves a condition. Throws ValidationException; of several problems AWS tells redundant parentheses first, then
 * functions, reserved words, and last what is wrong with the first faulty test.
 */
export function resolveCondition(kind: ExpressionKind, text: string, placeholders: Placeholders): ResolvedCondition {
  return wording(kind, () => {
    const { root, redundantParentheses } = parseCondition(text);
    const resolver = new Resolver(placeholders);
    if (redundantParentheses) resolver.problems.add('parentheses', 'The expression has redundant parentheses;');
    const condition = resolver.condition(root);
    const problem = resolver.problems.first(['parentheses', 'unknownFunction', 'misusedFunction', 'reserved', 'test']);
    if (problem !== undefined) throw new ExpressionError(problem);
    return { condition, heads: resolver.heads, nestedHeads: resolver.nestedHeads };
  });
}

const FUNCTION_OPERANDS: Readonly<Record<string, number>> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
  size: 1,
};
const ATTRIBUTE_TYPES: ReadonlySet<string> = new Set(['S', 'N', 'B', 'NULL', 'SS', 'BOOL', 'L', 'BS', 'NS', 'M']);
const NO_VALUE: AttributeValue = { NULL: true };

class Resolver {
  readonly problems = new Problems<'parentheses' | 'unknownFunction' | 'misusedFunction' | 'reserved' | 'test'>();
  readonly heads = new Set<string>();
  readonly nestedHeads = new Set<string>();
  readonly #placeholders: Placeholders;
  /** Problems of the test at hand. */
  #test = new Problems<'undefined' | 'count' | 'distinct' | 'operand'>();

  constructor(placeholders: Placeholders) {
    this.#placeholders = placeholders;
  }

  condition(raw: RawCondition): Condition {
    switch (raw.type) {
      case 'and':
      case 'or':
        return { type: raw.type, parts: raw.parts.map((part) => this.condition(part)) };
      case 'not':
        return { type: 'not', part: this.condition(raw.part) };
      default: {
        this.#test = new Problems();
        const test = this.#leaf(raw);
        const problem = this.#test.first(['undefined', 'count', 'distinct', 'operand']);
        if (problem !== undefined) this.problems.add('test', problem);
        return test;
      }
    }
  }

  #leaf(raw: Exclude<RawCondition, { type: 'and' | 'or' | 'not' }>): Condition {
    switch (raw.type) {
      case 'compare': {
        const left = this.#operand(raw.left);
        const right = this.#operand(raw.right);
        this.#checkDistinct(raw.operator, left, right);
        if (raw.operator !== '=' && raw.operator !== '<>') for (const operand of [left, right]) this.#checkOrdered(raw.operator, operand);
        return { type: 'compare', operator: raw.operator, left, right };
      }
      case 'between': {
        const operand = this.#operand(raw.operand);
        const lower = this.#operand(raw.lower);
        const upper = this.#operand(raw.upper);
        this.#checkBounds(lower, upper);
        return { type: 'between', operand, lower, upper };
      }
      case 'in': {
        if (raw.list.length > EXPRESSION_IN_OPERANDS_MAX) {
          this.#test.add(
            'count',
            `Incorrect number of operands for operator or function; operator or function: IN, number of operands: ${raw.list.length + 1}`,
          );
        }
        return { type: 'in', operand: this.#operand(raw.operand), list: raw.list.map((operand) => this.#operand(operand)) };
      }
      case 'call': {
        const args = this.#call(raw.name, raw.args);
        if (raw.name === 'size') this.#misused(raw.name);
        return { type: 'function', name: raw.name as ConditionFunction, args };
      }
    }
  }

  #operand(raw: RawOperand): Operand {
    switch (raw.type) {
      case 'path':
        return { type: 'path', path: this.#path(raw.path) };
      case 'value': {
        const value = this.#placeholders.value(raw.name);
        if (value === undefined) {
          this.#test.add('undefined', `An expression attribute value used in expression is not defined; attribute value: ${raw.name}`);
        }
        return { type: 'value', value: value ?? NO_VALUE };
      }
      case 'call': {
        const args = this.#call(raw.name, raw.args);
        if (raw.name !== 'size') this.#misused(raw.name);
        return { type: 'size', operand: args[0] ?? { type: 'value', value: NO_VALUE } };
      }
    }
  }

  #path(raw: RawPath): Path {
    const path = resolvePath(raw, this.#placeholders, {
      reserved: (message) => this.problems.add('reserved', message),
      undefinedName: (message) => this.#test.add('undefined', message),
    });
    const head = path[0] as string;
    this.heads.add(head);
    if (path.length > 1) this.nestedHeads.add(head);
    return path;
  }

  #misused(name: string): void {
    if (name in FUNCTION_OPERANDS) {
      this.problems.add('misusedFunction', `The function is not allowed to be used this way in an expression; function: ${name}`);
    }
  }

  #call(name: string, raw: readonly RawOperand[]): Operand[] {
    const args = raw.map((operand) => this.#operand(operand));
    const count = Object.hasOwn(FUNCTION_OPERANDS, name) ? FUNCTION_OPERANDS[name] : undefined;
    if (count === undefined) this.problems.add('unknownFunction', `Invalid function name; function: ${name}`);
    else if (count !== args.length) {
      this.#test.add('count', `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${args.length}`);
    } else this.#checkArguments(name, args);
    return args;
  }

  #checkArguments(name: string, args: readonly Operand[]): void {
    const [first, second] = args;
    if (first && second) this.#checkDistinct(name, first, second);
    switch (name) {
      case 'attribute_exists':
      case 'attribute_not_exists':
        if (first?.type !== 'path') this.#test.add('operand', `Operator or function requires a document path; operator or function: ${name}`);
        return;
      case 'begins_with':
        for (const operand of args) {
          const type = knownType(operand);
          if (type !== undefined && type !== 'S' && type !== 'B') this.#wrongType(name, type);
        }
        return;
      case 'attribute_type': {
        const type = second && knownType(second);
        if (type !== 'S') this.#wrongType(name, type ?? '{NS,SS,L,BS,N,M,B,BOOL,NULL,S}');
        else if (second?.type === 'value' && !ATTRIBUTE_TYPES.has(second.value.S ?? '')) {
          this.#test.add('operand', `Invalid attribute type name found; type: ${second.value.S}, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`);
        }
        return;
      }
      case 'size': {
        const type = first && knownType(first);
        if (type === 'N' || type === 'BOOL' || type === 'NULL') this.#wrongType(name, type);
      }
    }
  }

  #wrongType(name: string, type: string): void {
    this.#test.add('operand', `Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${type}`);
  }

  #checkOrdered(operator: string, operand: Operand): void {
    const type = knownType(operand);
    if (type !== undefined && type !== 'S' && type !== 'N' && type !== 'B') {
      this.#test.add('operand', `Incorrect operand type for operator or function; operator: ${operator}, operand type: ${type}`);
    }
  }

  #checkDistinct(name: string, first: Operand, second: Operand): void {
    if (first.type !== 'path' || second.type !== 'path' || first.path.length !== second.path.length) return;
    if (!first.path.every((step, at) => step === second.path[at])) return;
    this.#test.add(
      'distinct',
      `The first operand must be distinct from the remaining operands for this operator or function; operator: ${name}, first operand: ${pathText(first.path)}`,
    );
  }

  #checkBounds(lower: Operand, upper: Operand): void {
    if (lower.type !== 'value' || upper.type !== 'value') return;
    if (lower.value === NO_VALUE || upper.value === NO_VALUE) return;
    const bounds = `lower bound operand: AttributeValue: ${valueText(lower.value)}, upper bound operand: AttributeValue: ${valueText(upper.value)}`;
    if (typeOf(lower.value) !== typeOf(upper.value)) {
      this.#test.add('operand', `The BETWEEN operator requires same data type for lower and upper bounds; ${bounds}`);
    } else if ((compareValues(lower.value, upper.value) ?? 0) > 0) {
      this.#test.add('operand', `The BETWEEN operator requires upper bound to be greater than or equal to lower bound; ${bounds}`);
    }
  }
}

/** The type an operand has whatever the item is. */
function knownType(operand: Operand): string | undefined {
  if (operand.type === 'size') return 'N';
  return operand.type === 'value' && operand.value !== NO_VALUE ? typeOf(operand.value) : undefined;
}

function valueText(value: AttributeValue): string {
  const type = typeOf(value);
  const content = value.B ? Buffer.from(value.B).toString('base64') : value[type];
  return `{${type}:${String(content)}}`;
}
