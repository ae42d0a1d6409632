import { TEMPLATE_BYTES_MAX, TEMPLATE_DEPTH_MAX } from '../../limits.ts';
import { Expressions } from './expressions.ts';
import { type Branch, type Node, UnsupportedTemplate } from './nodes.ts';
import { Scanner } from './scanner.ts';

const DIRECTIVE = /#(?:\{(\w+)\}|(set|if|elseif|else|end|foreach|break|stop|define|macro|parse|include|evaluate|literal)(?![A-Za-z0-9_]))/y;
/** What a directive swallows behind it: blanks up to and with the end of the line. */
const LINE_END = /[ \t]*(?:\r\n|\n|\r)/y;
const DOLLAR_OR_HASH = /[$#\\]/g;

/** A mapping template as a tree; throws {@link UnsupportedTemplate}. "Apache Velocity Engine VTL Reference", version 1.7. */
export function parseTemplate(text: string): readonly Node[] {
  if (text.length > TEMPLATE_BYTES_MAX) throw new UnsupportedTemplate('more than 300 KB');
  const { nodes, end } = new TemplateParser(text).block(0);
  if (end !== undefined) throw new UnsupportedTemplate(`#${end} without its beginning`);
  return nodes;
}

interface Block {
  readonly nodes: Node[];
  /** The directive that ended it; undefined at the end of the text. */
  readonly end: 'end' | 'else' | 'elseif' | undefined;
}

class TemplateParser {
  readonly #scanner: Scanner;
  readonly #expressions: Expressions;

  constructor(text: string) {
    this.#scanner = new Scanner(text);
    // A text in double quotes is a template of its own.
    this.#expressions = new Expressions(this.#scanner, (inner) => parseTemplate(inner));
  }

  block(depth: number): Block {
    if (depth > TEMPLATE_DEPTH_MAX) throw new UnsupportedTemplate('blocks nested too deep');
    const nodes: Node[] = [];
    const scanner = this.#scanner;
    for (;;) {
      const start = scanner.at;
      DOLLAR_OR_HASH.lastIndex = start;
      const next = DOLLAR_OR_HASH.exec(scanner.text);
      addText(nodes, scanner.text.slice(start, next?.index ?? scanner.text.length));
      if (!next) {
        scanner.at = scanner.text.length;
        return { nodes, end: undefined };
      }
      scanner.at = next.index;
      const end = next[0] === '\\' ? this.#escape(nodes) : next[0] === '$' ? this.#reference(nodes) : this.#hash(nodes, depth);
      if (end) return { nodes, end };
    }
  }

  /** `\$` and `\#` stand for the characters themselves. */
  #escape(nodes: Node[]): undefined {
    const scanner = this.#scanner;
    const escaped = /\\([$#])(?=[!{A-Za-z])/y;
    const mark = scanner.take(escaped)?.[1];
    addText(nodes, mark ?? '\\');
    if (mark === undefined) scanner.at++;
    return undefined;
  }

  #reference(nodes: Node[]): undefined {
    const reference = this.#expressions.textReference();
    if (reference) nodes.push({ kind: 'reference', reference });
    else {
      // A dollar that begins no reference is text.
      addText(nodes, '$');
      this.#scanner.at++;
    }
    return undefined;
  }

  #hash(nodes: Node[], depth: number): Block['end'] {
    const scanner = this.#scanner;
    if (scanner.take(/##[^\n]*\n?/y)) return undefined;
    if (scanner.startsWith('#*')) {
      const close = scanner.text.indexOf('*#', scanner.at + 2);
      scanner.at = close === -1 ? scanner.text.length : close + 2;
      return undefined;
    }
    if (scanner.startsWith('#[[')) {
      const close = scanner.text.indexOf(']]#', scanner.at);
      if (close === -1) throw new UnsupportedTemplate('#[[ without ]]#');
      addText(nodes, scanner.text.slice(scanner.at + 3, close));
      scanner.at = close + 3;
      return undefined;
    }
    const directive = scanner.take(DIRECTIVE);
    if (!directive) {
      addText(nodes, '#');
      scanner.at++;
      return undefined;
    }
    return this.#directive(directive[1] ?? directive[2] ?? '', nodes, depth);
  }

  #directive(name: string, nodes: Node[], depth: number): Block['end'] {
    switch (name) {
      case 'set':
        trimBlanks(nodes);
        nodes.push(this.#set());
        break;
      case 'if':
        nodes.push(this.#if(depth));
        break;
      case 'foreach':
        nodes.push(this.#foreach(depth));
        break;
      case 'break':
      case 'stop':
        nodes.push({ kind: name });
        break;
      case 'end':
      case 'else':
        this.#lineEnd();
        return name;
      case 'elseif':
        return name;
      default:
        throw new UnsupportedTemplate(`the directive #${name}`);
    }
    return undefined;
  }

  #lineEnd(): void {
    this.#scanner.take(LINE_END);
  }

  #set(): Node {
    const scanner = this.#scanner;
    scanner.expect('(');
    const target = this.#expressions.reference();
    scanner.expect('=');
    const value = this.#expressions.expression(0);
    scanner.expect(')');
    this.#lineEnd();
    return { kind: 'set', target, value };
  }

  #condition(): Branch['condition'] {
    this.#scanner.expect('(');
    const condition = this.#expressions.expression(0);
    this.#scanner.expect(')');
    this.#lineEnd();
    return condition;
  }

  #if(depth: number): Node {
    const branches: Branch[] = [];
    for (;;) {
      const condition = this.#condition();
      const { nodes: body, end } = this.block(depth + 1);
      branches.push({ condition, body });
      if (end === 'elseif') continue;
      if (end === 'end') return { kind: 'if', branches, otherwise: [] };
      if (end === undefined) throw new UnsupportedTemplate('#if without #end');
      const otherwise = this.block(depth + 1);
      if (otherwise.end !== 'end') throw new UnsupportedTemplate('#else without #end');
      return { kind: 'if', branches, otherwise: otherwise.nodes };
    }
  }

  #foreach(depth: number): Node {
    const scanner = this.#scanner;
    scanner.expect('(');
    const { name: variable, steps } = this.#expressions.reference();
    if (steps.length > 0) throw new UnsupportedTemplate('a #foreach over something that is no variable');
    scanner.blanks();
    if (!scanner.take(/in\b/y)) throw new UnsupportedTemplate('a #foreach without in');
    const items = this.#expressions.expression(0);
    scanner.expect(')');
    this.#lineEnd();
    const { nodes: body, end } = this.block(depth + 1);
    if (end !== 'end') throw new UnsupportedTemplate('#foreach without #end');
    return { kind: 'foreach', variable, items, body };
  }
}

function addText(nodes: Node[], text: string): void {
  if (text !== '') nodes.push({ kind: 'text', text });
}

/** #set swallows the blanks before it on its line. */
function trimBlanks(nodes: Node[]): void {
  const last = nodes.at(-1);
  if (last?.kind !== 'text') return;
  nodes[nodes.length - 1] = { kind: 'text', text: last.text.replace(/(^|[\n\r])[ \t]{1,1000}$/, '$1') };
}
