import { TEMPLATE_DEPTH_MAX } from '../../limits.ts';
import { type Expression, type Node, type Operator, type Reference, type Step, UnsupportedTemplate } from './nodes.ts';
import type { Scanner } from './scanner.ts';

const NAME = /[A-Za-z_][A-Za-z0-9_-]*/y;

/** Binary operators, loosest first; the words are those that JSP-minded authors write. */
const LEVELS: readonly { readonly pattern: RegExp; readonly words: Readonly<Record<string, Operator>> }[] = [
  { pattern: /\|\||or\b/y, words: { '||': '||', or: '||' } },
  { pattern: /&&|and\b/y, words: { '&&': '&&', and: '&&' } },
  { pattern: /==|!=|eq\b|ne\b/y, words: { '==': '==', '!=': '!=', eq: '==', ne: '!=' } },
  { pattern: /<=|>=|<|>|lt\b|le\b|gt\b|ge\b/y, words: { '<=': '<=', '>=': '>=', '<': '<', '>': '>', lt: '<', le: '<=', gt: '>', ge: '>=' } },
  { pattern: /[+-]/y, words: { '+': '+', '-': '-' } },
  { pattern: /[*/%]/y, words: { '*': '*', '/': '/', '%': '%' } },
];

/** References and expressions of the template language. */
export class Expressions {
  readonly #scanner: Scanner;
  readonly #template: (text: string) => readonly Node[];
  #depth = 0;

  constructor(scanner: Scanner, template: (text: string) => readonly Node[]) {
    this.#scanner = scanner;
    this.#template = template;
  }

  /** A reference in text; undefined, and nothing consumed, where the dollar begins none. */
  textReference(): Reference | undefined {
    const scanner = this.#scanner;
    const before = scanner.at;
    const open = scanner.take(/\$!?(\{?)/y);
    const name = open ? scanner.take(NAME)?.[0] : undefined;
    if (!open || name === undefined) {
      scanner.at = before;
      return undefined;
    }
    const steps = this.#steps();
    if (open[1] === '{' && !scanner.take(/\}/y)) {
      scanner.at = before;
      return undefined;
    }
    return { name, steps };
  }

  reference(): Reference {
    this.#scanner.blanks();
    const reference = this.textReference();
    if (!reference) throw new UnsupportedTemplate(`"${this.#scanner.text.slice(this.#scanner.at, this.#scanner.at + 20)}" where a reference must be`);
    return reference;
  }

  #steps(): Step[] {
    const scanner = this.#scanner;
    const steps: Step[] = [];
    for (;;) {
      const before = scanner.at;
      if (scanner.take(/\./y)) {
        const name = scanner.take(NAME)?.[0];
        if (name === undefined) {
          // The full stop of a sentence.
          scanner.at = before;
          return steps;
        }
        if (scanner.take(/\(/y)) steps.push({ kind: 'call', name, arguments: this.#list(')') });
        else steps.push({ kind: 'property', name });
      } else if (scanner.take(/\[/y)) {
        const index = this.#index();
        if (!index) {
          scanner.at = before;
          return steps;
        }
        steps.push({ kind: 'index', index });
      } else return steps;
    }
  }

  /** A bracket behind a reference that holds no expression is text. */
  #index(): Expression | undefined {
    try {
      const index = this.expression(0);
      return this.#scanner.accept(']') ? index : undefined;
    } catch (error) {
      if (error instanceof UnsupportedTemplate) return undefined;
      throw error;
    }
  }

  #list(close: string): Expression[] {
    const items: Expression[] = [];
    if (this.#scanner.accept(close)) return items;
    do items.push(this.expression(0));
    while (this.#scanner.accept(','));
    this.#scanner.expect(close);
    return items;
  }

  /** An expression of operators of `level` and tighter. */
  expression(level: number): Expression {
    const { pattern, words } = LEVELS[level] ?? {};
    if (!pattern || !words) return this.#unary();
    let left = this.expression(level + 1);
    for (;;) {
      const before = this.#scanner.at;
      this.#scanner.blanks();
      const operator = words[this.#scanner.take(pattern)?.[0] ?? ''];
      if (!operator) {
        this.#scanner.at = before;
        return left;
      }
      left = { kind: 'binary', operator, left, right: this.expression(level + 1) };
    }
  }

  #unary(): Expression {
    if (++this.#depth > TEMPLATE_DEPTH_MAX) throw new UnsupportedTemplate('expressions nested too deep');
    try {
      const scanner = this.#scanner;
      scanner.blanks();
      if (scanner.take(/!|not\b/y)) return { kind: 'not', operand: this.#unary() };
      const number = scanner.take(/-?\d+(?:\.\d+)?/y)?.[0];
      if (number !== undefined) return { kind: 'literal', value: Number(number) };
      if (scanner.take(/-/y)) return { kind: 'negative', operand: this.#unary() };
      return this.#primary();
    } finally {
      this.#depth--;
    }
  }

  #primary(): Expression {
    const scanner = this.#scanner;
    const word = scanner.take(/(?:true|false|null)\b/y)?.[0];
    if (word !== undefined) return { kind: 'literal', value: word === 'null' ? null : word === 'true' };
    switch (scanner.text[scanner.at]) {
      case '$':
        return { kind: 'reference', reference: this.reference() };
      case "'":
        return { kind: 'literal', value: this.#quoted("'") };
      case '"':
        return { kind: 'template', nodes: this.#template(this.#quoted('"')) };
      case '[':
        scanner.at++;
        return this.#bracket();
      case '{':
        scanner.at++;
        return this.#map();
      case '(': {
        scanner.at++;
        const inner = this.expression(0);
        scanner.expect(')');
        return inner;
      }
      default:
        throw new UnsupportedTemplate(`"${scanner.text.slice(scanner.at, scanner.at + 20)}" where a value must be`);
    }
  }

  /** Text up to the closing quote; a doubled quote stands for itself, and nothing else is an escape. */
  #quoted(quote: string): string {
    const scanner = this.#scanner;
    const start = scanner.at + 1;
    for (let at = start; ; at += 2) {
      at = scanner.text.indexOf(quote, at);
      if (at === -1) throw new UnsupportedTemplate('a text without its closing quote');
      if (scanner.text[at + 1] === quote) continue;
      scanner.at = at + 1;
      return scanner.text.slice(start, at).replaceAll(quote + quote, quote);
    }
  }

  #bracket(): Expression {
    const scanner = this.#scanner;
    if (scanner.accept(']')) return { kind: 'list', items: [] };
    const first = this.expression(0);
    if (scanner.accept('..')) {
      const to = this.expression(0);
      scanner.expect(']');
      return { kind: 'range', from: first, to };
    }
    const rest = scanner.accept(',') ? this.#list(']') : [];
    if (rest.length === 0) scanner.expect(']');
    return { kind: 'list', items: [first, ...rest] };
  }

  #map(): Expression {
    const scanner = this.#scanner;
    const entries: [Expression, Expression][] = [];
    if (scanner.accept('}')) return { kind: 'map', entries };
    do {
      const key = this.expression(0);
      scanner.expect(':');
      entries.push([key, this.expression(0)]);
    } while (scanner.accept(','));
    scanner.expect('}');
    return { kind: 'map', entries };
  }
}
