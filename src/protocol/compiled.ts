import type { ServiceModel, ShapeModel, ShapeRef } from '../models/model.ts';

/** The shape that `ref` names; a model whose references do not resolve is a bug in its generation. */
export function shapeOf(model: ServiceModel, ref: ShapeRef): ShapeModel {
  return shapeNamed(model, ref.shape);
}

export function shapeNamed(model: ServiceModel, name: string): ShapeModel {
  const shape = Object.hasOwn(model.shapes, name) ? model.shapes[name] : undefined;
  if (!shape) throw new Error(`${model.metadata.serviceId} has no shape ${name}`);
  return shape;
}

/**
 * A table of functions compiled once per key, lazily, per model. Recursion is safe: `compile` of a shape that contains
 * itself gets a function that looks itself up when first called.
 */
export class CompileCache<F extends (...args: never[]) => unknown> {
  private readonly done = new Map<string, F>();
  private readonly running = new Set<string>();

  get(key: string, compile: () => F): F {
    const known = this.done.get(key);
    if (known) return known;
    if (this.running.has(key)) {
      const late = (...args: never[]) => {
        const fn = this.done.get(key);
        if (!fn) throw new Error(`${key} was called while it was being compiled`);
        return fn(...args);
      };
      return late as F;
    }
    this.running.add(key);
    try {
      const fn = compile();
      this.done.set(key, fn);
      return fn;
    } finally {
      this.running.delete(key);
    }
  }
}

/** One cache per model and purpose; models are shared objects, so that a WeakMap holds them. */
export function perModel<T>(make: (model: ServiceModel) => T): (model: ServiceModel) => T {
  const made = new WeakMap<ServiceModel, T>();
  return (model) => {
    let value = made.get(model);
    if (value === undefined) {
      value = make(model);
      made.set(model, value);
    }
    return value;
  };
}

/** Sets a map's entry; `__proto__` is a name like any other there. */
export function setEntry(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/** A map or structure in an output: what a room gave must be a plain object. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`an output holds ${typeof value} where a structure or map belongs`);
  return value as Record<string, unknown>;
}

/** A list in an output: an array, a Set or another iterable. */
export function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Set) return [...value];
  throw new TypeError(`an output holds ${typeof value} where a list belongs`);
}
