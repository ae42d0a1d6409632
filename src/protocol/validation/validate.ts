import type { OperationModel, ServiceModel, ShapeModel, ShapeRef } from '../../models/model.ts';
import { CompileCache, perModel, shapeNamed, shapeOf } from '../compiled.ts';
import { FAILURES_MAX } from '../limits.ts';
import { patternTest } from './pattern.ts';
import { enumOrder, javaDouble, lowerFirst, printValue } from './print.ts';

/**
 * The checks below one shape. `valid` is the fast answer; `report` runs only where something failed, and says what.
 * `scalar` holds the constraints of a value without members of its own: AWS reports them at the list or map that holds it.
 */
interface Check {
  readonly valid: (value: unknown) => boolean;
  readonly report: (value: unknown, path: string, out: string[]) => void;
  /** The constraints on the value itself, in the order in which AWS lists those of a list's items. */
  readonly own: readonly Constraint[];
}

interface Constraint {
  readonly holds: (value: unknown) => boolean;
  readonly text: string;
}

interface Compiler {
  readonly model: ServiceModel;
  readonly cache: Map<string, Check>;
}

const NOT_NULL = 'Member must not be null';
const compilerOf = perModel((model): Compiler => ({ model, cache: new Map() }));
const inputsOf = perModel(() => new CompileCache<(input: Record<string, unknown>) => readonly string[]>());
const NONE: readonly string[] = [];

/**
 * The constraint failures of a decoded input, at most ten, each as AWS words it
 * (`Value '…' at '…' failed to satisfy constraint: …`); empty where the input satisfies the model.
 */
export function validate(model: ServiceModel, operation: OperationModel, input: Record<string, unknown>): readonly string[] {
  const { input: ref } = operation;
  if (!ref) return NONE;
  return inputsOf(model).get(operation.name, () => compileInput(compilerOf(model), operation, ref))(input);
}

/** `1 validation error detected: …`, as AWS joins them. */
export function validationMessage(failures: readonly string[]): string {
  return `${failures.length} validation error${failures.length === 1 ? '' : 's'} detected: ${failures.join('; ')}`;
}

/** API Gateway's body members stand in an input of their own: `createRestApiInput.name`. */
function compileInput(compiler: Compiler, operation: OperationModel, ref: ShapeRef): (input: Record<string, unknown>) => readonly string[] {
  const shape = shapeOf(compiler.model, ref);
  const bodyPrefix = compiler.model.metadata.bodyPathPrefix ? `${lowerFirst(operation.name)}Input.` : '';
  const check = structureCheck(compiler, shape, (name, member) => (member.location ? lowerFirst(name) : bodyPrefix + lowerFirst(name)), bodyPrefix !== '');
  return (input) => {
    if (check.valid(input)) return NONE;
    const failures: string[] = [];
    check.report(input, '', failures);
    return failures.slice(0, FAILURES_MAX);
  };
}

function checkOf(compiler: Compiler, name: string): Check {
  const known = compiler.cache.get(name);
  if (known) return known;
  const shape = shapeNamed(compiler.model, name);
  if (shape.type !== 'structure' && shape.type !== 'list' && shape.type !== 'map') {
    const check = scalarCheck(compiler.model, name, shape);
    compiler.cache.set(name, check);
    return check;
  }
  // A shape may contain itself: its entry is there before its members are compiled.
  let inner: Check | undefined;
  const late: Check = {
    valid: (value) => inner === undefined || inner.valid(value),
    report: (value, path, out) => inner?.report(value, path, out),
    own: ownConstraints(shape),
  };
  compiler.cache.set(name, late);
  inner = compileContainer(compiler, name, shape);
  compiler.cache.set(name, inner);
  return inner;
}

function compileContainer(compiler: Compiler, name: string, shape: ShapeModel): Check {
  if (!reachesConstraint(compiler.model, name)) return FREE;
  if (shape.type === 'list') return listCheck(compiler, name, shape);
  if (shape.type === 'map') return mapCheck(compiler, name, shape);
  return structureCheck(compiler, shape, (member) => lowerFirst(member), false);
}

const FREE: Check = { valid: () => true, report: () => {}, own: [] };

const reachable = perModel(() => new Map<string, boolean>());

/** Whether anything at or below the shape can fail: DynamoDB's attribute values, for one, need no walk where nothing can. */
function reachesConstraint(model: ServiceModel, name: string): boolean {
  const known = reachable(model).get(name);
  if (known !== undefined) return known;
  const seen = new Set<string>();
  const stack = [name];
  let found = false;
  while (!found) {
    const next = stack.pop();
    if (next === undefined) break;
    if (seen.has(next)) continue;
    seen.add(next);
    const shape = shapeNamed(model, next);
    found = (shape.required?.length ?? 0) > 0 || ownConstraints(shape).length > 0 || shape.memberRequired === true;
    for (const ref of [shape.member, shape.key, shape.value, ...Object.values(shape.members ?? {})]) if (ref) stack.push(ref.shape);
  }
  reachable(model).set(name, found);
  return found;
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array) return value.length;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}

/** Enum, greatest and least, then pattern: the order of the recorded messages about items of lists. */
function ownConstraints(shape: ShapeModel): Constraint[] {
  const out: Constraint[] = [];
  const { enum: values, min, max, pattern } = shape;
  switch (shape.type) {
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
    case 'float':
    case 'double':
    case 'bigdecimal':
    case 'biginteger': {
      const print = shape.type === 'float' || shape.type === 'double' ? javaDouble : String;
      if (max !== undefined) out.push({ holds: (value) => !((value as number) > max), text: `Member must have value less than or equal to ${print(max)}` });
      if (min !== undefined) out.push({ holds: (value) => !((value as number) < min), text: `Member must have value greater than or equal to ${print(min)}` });
      return out;
    }
    case 'string':
      if (values) {
        const known = new Set(values);
        out.push({ holds: (value) => known.has(value as string), text: `Member must satisfy enum value set: [${enumOrder(values).join(', ')}]` });
      }
      break;
    case 'list':
    case 'map':
    case 'blob':
      break;
    default:
      return out;
  }
  if (max !== undefined) out.push({ holds: (value) => sizeOf(value) <= max, text: `Member must have length less than or equal to ${max}` });
  // A least length of 0 can only be broken by absence.
  if (min !== undefined) out.push({ holds: (value) => sizeOf(value) >= min, text: `Member must have length greater than or equal to ${min}` });
  if (pattern !== undefined && shape.type === 'string') {
    const matches = patternTest(pattern);
    out.push({ holds: (value) => matches(value as string), text: `Member must satisfy regular expression pattern: ${pattern}` });
  }
  return out;
}

/** A value on its own reports each failing constraint; the pattern comes before the lengths. */
function scalarCheck(model: ServiceModel, name: string, shape: ShapeModel): Check {
  const own = ownConstraints(shape);
  const isPattern = (constraint: Constraint) => constraint.text.startsWith('Member must satisfy regular');
  const order = [...own.filter(isPattern), ...own.filter((constraint) => !isPattern(constraint)).reverse()];
  return {
    own,
    valid: allHold(own),
    report: (value, path, out) => {
      for (const { holds, text } of order) if (!holds(value)) out.push(failure(model, { shape: name }, value, path, text));
    },
  };
}

function allHold(constraints: readonly Constraint[]): (value: unknown) => boolean {
  const [first, second] = constraints;
  if (!first) return () => true;
  if (!second) return first.holds;
  return (value) => {
    for (const { holds } of constraints) if (!holds(value)) return false;
    return true;
  };
}

function failure(model: ServiceModel, ref: ShapeRef, value: unknown, path: string, text: string): string {
  if (shapeOf(model, ref).sensitive) return `Value at '${path}' failed to satisfy constraint: ${text}`;
  return `Value '${printValue(model, ref, value)}' at '${path}' failed to satisfy constraint: ${text}`;
}

function structureCheck(compiler: Compiler, shape: ShapeModel, pathOf: (name: string, ref: ShapeRef) => string, bodyFirst: boolean): Check {
  const required = new Set(shape.required);
  const members = Object.entries(shape.members ?? {}).map(([name, ref]) => ({ name, ref, check: checkOf(compiler, ref.shape), required: required.has(name) }));
  const checks = new Map(members.map((member) => [member.name, member.check]));
  const needed = members.filter((member) => member.required).map((member) => member.name);
  const reported = bodyFirst ? [...members.filter(({ ref }) => !ref.location), ...members.filter(({ ref }) => ref.location)] : members;
  return {
    own: [],
    valid: (value) => {
      const record = value as Record<string, unknown>;
      for (const name of needed) if (record[name] === undefined) return false;
      for (const name in record) {
        const inner = record[name];
        if (inner !== undefined && inner !== null && checks.get(name)?.valid(inner) === false) return false;
      }
      return true;
    },
    report: (value, path, out) => {
      const record = value as Record<string, unknown>;
      for (const member of reported) {
        const inner = record[member.name];
        const at = path === '' ? pathOf(member.name, member.ref) : `${path}.${pathOf(member.name, member.ref)}`;
        if (inner !== undefined && inner !== null) member.check.report(inner, at, out);
        else if (member.required) out.push(`Value null at '${at}' failed to satisfy constraint: ${NOT_NULL}`);
      }
    },
  };
}

/** The constraints of a list's or map's items as one bracketed text; a list in a map counts too. */
function combined(own: readonly Constraint[], memberRequired: boolean | undefined): string {
  return `[${[...own.map((constraint) => constraint.text), ...(memberRequired ? [NOT_NULL] : [])].join(', ')}]`;
}

function listCheck(compiler: Compiler, name: string, shape: ShapeModel): Check {
  const item = checkOf(compiler, (shape.member as ShapeRef).shape);
  const own = ownConstraints(shape);
  const holds = allHold(own);
  const itemHolds = allHold(item.own);
  const text = `Member must satisfy constraint: ${combined(item.own, shape.memberRequired)}`;
  return {
    own,
    valid: (value) => {
      if (!holds(value)) return false;
      for (const inner of value as unknown[]) if (!item.valid(inner)) return false;
      return true;
    },
    report: (value, path, out) => {
      const items = value as unknown[];
      // The list's own length is reported here unless a map reports it for all its values.
      reportOwn(compiler.model, name, own, value, path, out);
      if (!items.every(itemHolds)) out.push(failure(compiler.model, { shape: name }, value, path, text));
      for (let i = 0; i < items.length && out.length < FAILURES_MAX; i++) reportInner(item, items[i], `${path}.${i + 1}.member`, out);
    },
  };
}

function mapCheck(compiler: Compiler, name: string, shape: ShapeModel): Check {
  const key = checkOf(compiler, (shape.key as ShapeRef).shape);
  const item = checkOf(compiler, (shape.value as ShapeRef).shape);
  const own = ownConstraints(shape);
  const holds = allHold(own);
  const itemHolds = allHold(item.own);
  const keyText = `Map keys must satisfy constraint: ${combined(key.own, false)}`;
  const valueText = `Map value must satisfy constraint: ${combined(item.own, shape.memberRequired)}`;
  return {
    own,
    valid: (value) => {
      if (!holds(value)) return false;
      const record = value as Record<string, unknown>;
      for (const entry in record) if (!key.valid(entry) || !item.valid(record[entry])) return false;
      return true;
    },
    report: (value, path, out) => {
      const record = value as Record<string, unknown>;
      const keys = Object.keys(record);
      reportOwn(compiler.model, name, own, value, path, out);
      if (!keys.every(key.valid)) out.push(failure(compiler.model, { shape: name }, value, path, keyText));
      if (!Object.values(record).every(itemHolds)) out.push(failure(compiler.model, { shape: name }, value, path, valueText));
      for (const entry of keys) if (out.length < FAILURES_MAX) reportInner(item, record[entry], `${path}.${entry}.member`, out);
    },
  };
}

function reportOwn(model: ServiceModel, name: string, own: readonly Constraint[], value: unknown, path: string, out: string[]): void {
  for (const { holds, text } of [...own].reverse()) if (!holds(value)) out.push(failure(model, { shape: name }, value, path, text));
}

/** What is wrong *inside* an item: its own constraints have been reported at the list or map that holds it. */
function reportInner(item: Check, value: unknown, path: string, out: string[]): void {
  if (item === FREE || item.valid(value)) return;
  const found: string[] = [];
  item.report(value, path, found);
  const own = new Set(item.own.map((constraint) => constraint.text));
  const at = `at '${path}' failed to satisfy constraint: `;
  for (const text of found) {
    const start = text.indexOf(at);
    if (start < 0 || !own.has(text.slice(start + at.length))) out.push(text);
  }
}
