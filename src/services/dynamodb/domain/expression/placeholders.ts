import { validation } from '../../errors.ts';
import { isReservedWord } from '../reserved-words.ts';
import { type AttributeValue, attributeOf, checkValue } from '../value.ts';
import type { RawPath } from './syntax.ts';

/** A document path with its placeholders resolved. */
export type Path = readonly (string | number)[];

const NAME_SHAPE = /^#[0-9a-zA-Z_]+$/;
const VALUE_SHAPE = /^:[0-9a-zA-Z_]+$/;

/** The substitution variables of one request; each must be used somewhere in it. "Expression attribute names and values". */
export class Placeholders {
  readonly #names: Record<string, string> | undefined;
  readonly #values: Record<string, AttributeValue> | undefined;
  readonly #unusedNames = new Set<string>();
  readonly #unusedValues = new Set<string>();

  /** Checks them in AWS's order: names, value names, values. */
  constructor(names: Record<string, string> | undefined, values: Record<string, AttributeValue> | undefined) {
    this.#names = names;
    this.#values = values;
    if (names) {
      const keys = Object.keys(names);
      if (keys.length === 0) throw validation('ExpressionAttributeNames must not be empty');
      for (const key of keys) {
        if (!NAME_SHAPE.test(key)) throw validation(`ExpressionAttributeNames contains invalid key: Syntax error; key: "${key}"`);
        this.#unusedNames.add(key);
      }
    }
    if (values) this.#checkValues(values);
  }

  #checkValues(values: Record<string, AttributeValue>): void {
    const keys = Object.keys(values);
    if (keys.length === 0) throw validation('ExpressionAttributeValues must not be empty');
    for (const key of keys) {
      if (!VALUE_SHAPE.test(key)) throw validation(`ExpressionAttributeValues contains invalid key: Syntax error; key: "${key}"`);
      this.#unusedValues.add(key);
    }
    for (const key of keys) {
      try {
        checkValue(values[key] as AttributeValue);
      } catch (error) {
        throw validation(`ExpressionAttributeValues contains invalid value: ${(error as Error).message} for key ${key}`);
      }
    }
  }

  /** The attribute's name, or undefined where none is defined. */
  name(placeholder: string): string | undefined {
    this.#unusedNames.delete(placeholder);
    return this.#names && Object.hasOwn(this.#names, placeholder) ? this.#names[placeholder] : undefined;
  }

  value(placeholder: string): AttributeValue | undefined {
    this.#unusedValues.delete(placeholder);
    return this.#values && attributeOf(this.#values, placeholder);
  }

  /** Called once every expression of the request is resolved. */
  checkAllUsed(): void {
    if (this.#unusedNames.size > 0) {
      throw validation(`Value provided in ExpressionAttributeNames unused in expressions: keys: {${[...this.#unusedNames].join(', ')}}`);
    }
    if (this.#unusedValues.size > 0) {
      throw validation(`Value provided in ExpressionAttributeValues unused in expressions: keys: {${[...this.#unusedValues].join(', ')}}`);
    }
  }
}

/**
 * An expression can be wrong in several ways at once, and AWS tells the first by kind, not by position:
 * this keeps the first message of each kind.
 */
export class Problems<Kind extends string> {
  readonly #first = new Map<Kind, string>();

  add(kind: Kind, message: string): void {
    if (!this.#first.has(kind)) this.#first.set(kind, message);
  }

  has(kind: Kind): boolean {
    return this.#first.has(kind);
  }

  first(order: readonly Kind[]): string | undefined {
    for (const kind of order) {
      const message = this.#first.get(kind);
      if (message !== undefined) return message;
    }
    return undefined;
  }
}

export interface PathProblems {
  reserved(message: string): void;
  undefinedName(message: string): void;
}

/** Replaces name placeholders; an undefined one stays as it is written, and is told to `problems`. */
export function resolvePath(raw: RawPath, placeholders: Placeholders, problems: PathProblems): Path {
  return raw.map((step) => {
    if (typeof step === 'number') return step;
    if (!step.placeholder) {
      if (isReservedWord(step.name)) problems.reserved(`Attribute name is a reserved keyword; reserved keyword: ${step.name}`);
      return step.name;
    }
    const name = placeholders.name(step.name);
    if (name === undefined) {
      problems.undefinedName(`An expression attribute name used in the document path is not defined; attribute name: ${step.name}`);
      return step.name;
    }
    return name;
  });
}

/** `[a, [0], b]`, as messages write a path. */
export function pathText(path: Path): string {
  return `[${path.map((step) => (typeof step === 'number' ? `[${step}]` : step)).join(', ')}]`;
}

/**
 * Tells paths of which one holds the other (overlap), or which take the same place for a list and for a map (conflict).
 * A tree of the paths so far keeps this linear.
 */
export class PathSet {
  readonly #root: PathNode = { path: [], children: new Map() };

  add(path: Path, tell: { overlap(message: string): void; conflict(message: string): void }): void {
    let node = this.#root;
    const remedy = 'must remove or rewrite one of these paths;';
    for (const step of path) {
      if (node.end) {
        tell.overlap(`Two document paths overlap with each other; ${remedy} path one: ${pathText(node.path)}, path two: ${pathText(path)}`);
        return;
      }
      const sibling = node.children.values().next().value;
      if (sibling && typeof sibling.path.at(-1) !== typeof step) {
        tell.conflict(`Two document paths conflict with each other; ${remedy} path one: ${pathText(firstEnd(sibling).path)}, path two: ${pathText(path)}`);
        return;
      }
      let child = node.children.get(step);
      if (!child) {
        child = { path: [...node.path, step], children: new Map() };
        node.children.set(step, child);
      }
      node = child;
    }
    if (node.end || node.children.size > 0) {
      tell.overlap(`Two document paths overlap with each other; ${remedy} path one: ${pathText(firstEnd(node).path)}, path two: ${pathText(path)}`);
    }
    node.end = true;
  }
}

interface PathNode {
  readonly path: Path;
  readonly children: Map<string | number, PathNode>;
  end?: boolean;
}

function firstEnd(node: PathNode): PathNode {
  let at = node;
  while (!at.end) {
    const child = at.children.values().next().value;
    if (!child) return at;
    at = child;
  }
  return at;
}
