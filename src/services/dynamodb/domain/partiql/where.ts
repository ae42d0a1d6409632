import { validation } from '../../errors.ts';
import { EXPRESSION_IN_OPERANDS_MAX } from '../../limits.ts';
import type { Comparator, Condition, ConditionFunction, Operand } from '../expression/condition.ts';
import { typeOf } from '../value.ts';
import { malformed } from './lexer.ts';
import { Terms } from './terms.ts';

const COMPARATORS: ReadonlySet<string> = new Set(['=', '<>', '!=', '<', '<=', '>', '>=']);
/** Functions with their numbers of operands. */
const FUNCTIONS: Readonly<Record<string, number>> = {
  begins_with: 2,
  contains: 2,
  attribute_type: 2,
  attribute_exists: 1,
  attribute_not_exists: 1,
  size: 1,
};
const ATTRIBUTE_TYPES: ReadonlySet<string> = new Set(['S', 'N', 'B', 'NULL', 'SS', 'BOOL', 'L', 'BS', 'NS', 'M']);
const ORDERED: ReadonlySet<string> = new Set(['S', 'N', 'B']);
/** Types of PartiQL that IS may name, and that DynamoDB does not test. */
const TYPE_NAMES: ReadonlySet<string> = new Set(
  'BOOL BOOLEAN INT INT2 INT4 INT8 INTEGER SMALLINT BIGINT FLOAT REAL DOUBLE DECIMAL NUMERIC TIMESTAMP DATE TIME CHAR CHARACTER VARCHAR STRING SYMBOL CLOB BLOB STRUCT TUPLE LIST SEXP BAG ANY'.split(
    ' ',
  ),
);

type Node = Condition | Operand;

const isOperand = (node: Node): node is Operand => node.type === 'path' || node.type === 'value' || node.type === 'size';

/** or → and (OR and)*, and → not (AND not)*, not → NOT not | test; tests as in condition expressions, and IS. */
export class WhereParser extends Terms {
  condition(): Condition {
    return this.#asCondition(this.#or());
  }

  #or(): Node {
    const first = this.#and();
    if (!this.isWord('OR')) return first;
    const parts = [this.#asCondition(first)];
    while (this.takeWord('OR')) parts.push(this.#rightHand(() => this.#asCondition(this.#and())));
    return { type: 'or', parts };
  }

  #and(): Node {
    const first = this.#not();
    if (!this.isWord('AND')) return first;
    const parts = [this.#asCondition(first)];
    while (this.takeWord('AND')) parts.push(this.#rightHand(() => this.#asCondition(this.#not())));
    return { type: 'and', parts };
  }

  #not(): Node {
    if (!this.takeWord('NOT')) return this.#test();
    return this.nested(() => ({ type: 'not', part: this.#asCondition(this.#not()) }));
  }

  #rightHand<T>(parse: () => T): T {
    if (this.token.kind === 'end' || this.isSymbol(';')) throw malformed('Missing right-hand side expression of infix operator');
    return parse();
  }

  #test(): Node {
    const left = this.#primary();
    const { kind, text } = this.token;
    if (kind === 'symbol' && COMPARATORS.has(text)) {
      this.advance();
      const right = this.#rightHand(() => this.#operand());
      return compared((text === '!=' ? '<>' : text) as Comparator, this.#asOperand(left), right);
    }
    const negated = this.isWord('NOT') && ['IN', 'BETWEEN', 'LIKE'].includes(this.next.text.toUpperCase());
    if (negated) this.advance();
    const found = this.#worded(left);
    if (found === undefined) return left;
    return negated ? { type: 'not', part: found } : found;
  }

  /** The tests that begin with a word. */
  #worded(left: Node): Condition | undefined {
    if (this.takeWord('BETWEEN')) {
      const lower = this.#rightHand(() => this.#operand());
      this.expectWord('AND');
      const upper = this.#rightHand(() => this.#operand());
      for (const bound of [lower, upper]) checkOrdered('BETWEEN', bound);
      return { type: 'between', operand: this.#asOperand(left), lower, upper };
    }
    if (this.takeWord('IN')) {
      const list = this.#rightHand(() => this.list());
      if (list.length > EXPRESSION_IN_OPERANDS_MAX) {
        throw validation(`Incorrect number of operands for operator or function; operator or function: IN, number of operands: ${list.length + 1}`);
      }
      return { type: 'in', operand: this.#asOperand(left), list: list.map((value) => ({ type: 'value', value })) };
    }
    if (this.takeWord('IS')) return this.#is(this.#asOperand(left));
    if (this.isWord('LIKE')) throw validation('Unsupported operation: LIKE');
    return undefined;
  }

  #is(operand: Operand): Condition {
    const negated = this.takeWord('NOT');
    const { kind, text } = this.advance();
    const word = kind === 'word' ? text.toUpperCase() : '';
    if (TYPE_NAMES.has(word)) throw validation('Unsupported operation: IsType');
    if (word !== 'MISSING' && word !== 'NULL') throw malformed('Expected type name');
    const test: Condition =
      word === 'MISSING'
        ? { type: 'function', name: 'attribute_not_exists', args: [operand] }
        : { type: 'function', name: 'attribute_type', args: [operand, { type: 'value', value: { S: 'NULL' } }] };
    return negated ? { type: 'not', part: test } : test;
  }

  #operand(): Operand {
    return this.#asOperand(this.#primary());
  }

  #primary(): Node {
    if (this.takeSymbol('(')) {
      const inner = this.nested(() => this.#or());
      this.expectSymbol(')');
      return inner;
    }
    if (this.isValue()) return { type: 'value', value: this.value() };
    const { kind, text } = this.token;
    if (kind === 'word' && this.next.kind === 'symbol' && this.next.text === '(' && this.isName()) return this.#call(text.toLowerCase());
    return { type: 'path', path: this.path() };
  }

  #call(name: string): Node {
    const count = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (count === undefined) throw validation(`Unsupported function: ${name}`);
    this.advance();
    this.expectSymbol('(');
    const args = this.nested(() => {
      const operands = [this.#operand()];
      while (this.takeSymbol(',')) operands.push(this.#operand());
      return operands;
    });
    this.expectSymbol(')');
    if (args.length !== count) {
      throw validation(`Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${args.length}`);
    }
    checkArguments(name, args);
    if (name === 'size') return { type: 'size', operand: args[0] as Operand };
    return { type: 'function', name: name as ConditionFunction, args };
  }

  #asOperand(node: Node): Operand {
    if (isOperand(node)) return node;
    throw malformed('Unexpected term');
  }

  #asCondition(node: Node): Condition {
    if (!isOperand(node)) return node;
    throw malformed('Unexpected term');
  }
}

function compared(operator: Comparator, left: Operand, right: Operand): Condition {
  if (operator !== '=' && operator !== '<>') for (const operand of [left, right]) checkOrdered(operator, operand);
  return { type: 'compare', operator, left, right };
}

function wrongType(name: string, type: string): Error {
  return validation(`Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${type}`);
}

function checkOrdered(operator: string, operand: Operand): void {
  const type = operand.type === 'value' ? typeOf(operand.value) : 'S';
  if (!ORDERED.has(type)) throw wrongType(operator, type);
}

function checkArguments(name: string, args: readonly Operand[]): void {
  const second = args[1];
  const type = second?.type === 'value' ? typeOf(second.value) : undefined;
  if (name === 'begins_with' && type !== undefined && type !== 'S' && type !== 'B') throw wrongType(name, type);
  if (name !== 'attribute_type') return;
  if (type !== 'S') throw wrongType(name, type ?? '{NS,SS,L,BS,N,M,B,BOOL,NULL,S}');
  const named = second?.type === 'value' ? (second.value.S ?? '') : '';
  if (!ATTRIBUTE_TYPES.has(named)) throw validation(`Invalid attribute type name found; type: ${named}, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`);
}
