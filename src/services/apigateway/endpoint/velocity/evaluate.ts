import { TEMPLATE_ITERATIONS_MAX } from '../../limits.ts';
import { Budget } from './budget.ts';
import { callMethod } from './methods.ts';
import { type Expression, type Node, type Operator, type Reference, type Step, TemplateLimit, UnsupportedTemplate } from './nodes.ts';
import { areEqual, getIn, isCallable, isMap, isNothing, isTrue, made, newMap, setIn, toText, type Value, type ValueMap } from './values.ts';

/** Runs a parsed template; `variables` are what it can refer to, and take what it sets. Throws {@link TemplateLimit}. */
export function evaluate(nodes: readonly Node[], variables: ValueMap, budget = new Budget()): string {
  const run = new Run(variables, budget);
  run.nodes(nodes);
  return run.output();
}

class Run {
  readonly #variables: ValueMap;
  readonly #budget: Budget;
  #parts: string[] = [];
  /** What is being left: the innermost loop, or the template. */
  #leaving: 'break' | 'stop' | undefined;

  constructor(variables: ValueMap, budget: Budget) {
    this.#variables = variables;
    this.#budget = budget;
  }

  output(): string {
    return this.#budget.text(this.#parts.join(''));
  }

  nodes(nodes: readonly Node[]): void {
    for (const node of nodes) {
      if (this.#leaving) return;
      this.#node(node);
    }
  }

  #node(node: Node): void {
    this.#budget.spend();
    switch (node.kind) {
      case 'text':
        this.#parts.push(this.#budget.text(node.text));
        return;
      case 'reference':
        this.#parts.push(toText(this.#reference(node.reference), this.#budget));
        return;
      case 'set':
        this.#set(node.target, this.#value(node.value));
        return;
      case 'if': {
        const branch = node.branches.find(({ condition }) => isTrue(this.#value(condition)));
        this.nodes(branch ? branch.body : node.otherwise);
        return;
      }
      case 'foreach':
        this.#foreach(node);
        return;
      default:
        this.#leaving = node.kind;
    }
  }

  #foreach({ variable, items, body }: Extract<Node, { kind: 'foreach' }>): void {
    const value = this.#value(items);
    const list = Array.isArray(value) ? [...value] : isMap(value) ? Object.values(value) : [];
    if (list.length > TEMPLATE_ITERATIONS_MAX) throw new TemplateLimit(`more than ${TEMPLATE_ITERATIONS_MAX} iterations`);
    const outer = [getIn(this.#variables, variable), getIn(this.#variables, 'foreach'), getIn(this.#variables, 'velocityCount')];
    for (const [index, item] of list.entries()) {
      const state = { index, count: index + 1, hasNext: index + 1 < list.length, first: index === 0, last: index + 1 === list.length, parent: outer[1] };
      setIn(this.#variables, variable, item);
      setIn(this.#variables, 'foreach', state);
      setIn(this.#variables, 'velocityCount', index + 1);
      this.nodes(body);
      if (this.#leaving) break;
    }
    if (this.#leaving === 'break') this.#leaving = undefined;
    for (const [i, name] of [variable, 'foreach', 'velocityCount'].entries()) setIn(this.#variables, name, outer[i]);
  }

  #reference({ name, steps }: Reference): Value {
    this.#budget.spend();
    return steps.reduce<Value>((value, step) => this.#step(value, step), getIn(this.#variables, name));
  }

  #step(target: Value, step: Step): Value {
    this.#budget.spend();
    if (step.kind === 'call')
      return callMethod(
        target,
        step.name,
        step.arguments.map((argument) => this.#value(argument)),
        this.#budget,
      );
    if (step.kind === 'index') return this.#member(target, this.#value(step.index));
    return this.#member(target, step.name);
  }

  #member(target: Value, key: Value): Value {
    if (isCallable(target)) return target.property(String(key));
    if (Array.isArray(target)) return typeof key === 'number' ? target.at(key) : key === 'empty' ? target.length === 0 : undefined;
    if (isMap(target)) return getIn(target, toText(key, this.#budget));
    return undefined;
  }

  #set({ name, steps }: Reference, value: Value): void {
    const last = steps.at(-1);
    if (!last) {
      setIn(this.#variables, name, value);
      return;
    }
    if (last.kind === 'call') throw new UnsupportedTemplate('#set of a method');
    const holder = steps.slice(0, -1).reduce<Value>((at, step) => this.#step(at, step), getIn(this.#variables, name));
    const key = last.kind === 'property' ? last.name : this.#value(last.index);
    if (isMap(holder)) setIn(holder, toText(key, this.#budget), value);
    else if (Array.isArray(holder) && typeof key === 'number' && key >= 0 && key < holder.length) holder[key] = value;
  }

  #value(expression: Expression): Value {
    this.#budget.spend();
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'template':
        return this.#nested(expression.nodes);
      case 'reference':
        return this.#reference(expression.reference);
      case 'list':
        return made(expression.items.map((item) => this.#value(item)));
      case 'range':
        return this.#range(Number(this.#value(expression.from)), Number(this.#value(expression.to)));
      case 'map':
        return newMap(expression.entries.map(([key, value]) => [toText(this.#value(key), this.#budget), this.#value(value)] as const));
      case 'not':
        return !isTrue(this.#value(expression.operand));
      case 'negative':
        return -Number(this.#value(expression.operand));
      case 'binary':
        return this.#binary(expression.operator, expression.left, expression.right);
    }
  }

  #nested(nodes: readonly Node[]): string {
    const outer = this.#parts;
    this.#parts = [];
    this.nodes(nodes);
    const text = this.output();
    this.#parts = outer;
    return text;
  }

  #range(from: number, to: number): Value {
    if (!Number.isInteger(from) || !Number.isInteger(to)) return undefined;
    const length = Math.abs(to - from) + 1;
    this.#budget.spend(length);
    return made(Array.from({ length }, (_, i) => (to >= from ? from + i : from - i)));
  }

  #binary(operator: Operator, leftSide: Expression, rightSide: Expression): Value {
    const left = this.#value(leftSide);
    if (operator === '||') return isTrue(left) || isTrue(this.#value(rightSide));
    if (operator === '&&') return isTrue(left) && isTrue(this.#value(rightSide));
    const right = this.#value(rightSide);
    if (operator === '==') return areEqual(left, right, this.#budget);
    if (operator === '!=') return !areEqual(left, right, this.#budget);
    if (operator === '+' && (typeof left === 'string' || typeof right === 'string'))
      return this.#budget.text(toText(left, this.#budget) + toText(right, this.#budget));
    return typeof left === 'number' && typeof right === 'number' ? arithmetic(operator, left, right) : compared(operator, left, right);
  }
}

/** Texts are not compared by size, in Velocity nor here; arithmetic on what is no number gives nothing. */
function compared(operator: Operator, left: Value, right: Value): Value {
  if (isNothing(left) || isNothing(right)) return operator.startsWith('<') || operator.startsWith('>') ? false : undefined;
  return operator.startsWith('<') || operator.startsWith('>') ? arithmetic(operator, Number(left), Number(right)) : undefined;
}

function arithmetic(operator: Operator, left: number, right: number): Value {
  const whole = Number.isInteger(left) && Number.isInteger(right);
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      // Whole numbers divide as in Java; by zero gives nothing.
      return right === 0 ? undefined : whole ? Math.trunc(left / right) : left / right;
    case '%':
      return right === 0 ? undefined : left % right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    default:
      return undefined;
  }
}
