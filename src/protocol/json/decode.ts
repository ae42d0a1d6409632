import type { ServiceModel, ShapeModel, ShapeRef } from '../../models/model.ts';
import { CompileCache, perModel, setEntry, shapeOf } from '../compiled.ts';
import { BODY_DEPTH_MAX } from '../limits.ts';
import { base64Fault, dateFromEpoch, INTEGER_RANGES, type IntegerRange, parseTimestamp } from '../scalars.ts';
import { serializationError } from '../wireErrors.ts';
import { type JavaScalar, type JsonFaults, jsonFaults, type Place } from './faults.ts';

/** Turns a parsed JSON value into the value of a shape. `place` is where it stands, which decides AWS's wording. */
type Decode = (value: unknown, depth: number, place: Place) => unknown;

/** `awsJson` names members as the model does; `restJson` by their `locationName`. */
export type JsonNaming = 'member' | 'locationName';

interface Compiler {
  readonly model: ServiceModel;
  readonly naming: JsonNaming;
  readonly faults: JsonFaults;
  readonly cache: CompileCache<Decode>;
}

const compilers = {
  member: perModel((model): Compiler => ({ model, naming: 'member', faults: jsonFaults(model), cache: new CompileCache() })),
  locationName: perModel((model): Compiler => ({ model, naming: 'locationName', faults: jsonFaults(model), cache: new CompileCache() })),
};

/**
 * The decoder of one shape from parsed JSON. It throws AWS's `SerializationException` on a value of another type, ignores unknown
 * members and treats null as absent.
 */
export function jsonDecoder(model: ServiceModel, ref: ShapeRef, naming: JsonNaming): (value: unknown) => unknown {
  const decode = compileRef(compilers[naming](model), ref);
  return (value) => decode(value, 0, 'field');
}

/** The decoder of those members of a structure that `include` keeps: a member bound to the path is no member of the body. */
export function jsonMembersDecoder(
  model: ServiceModel,
  ref: ShapeRef,
  naming: JsonNaming,
  include: (ref: ShapeRef) => boolean,
): (value: unknown) => Record<string, unknown> {
  const compiler = compilers[naming](model);
  const decode = compiler.cache.get(`${ref.shape} ${include.name}`, () => compileStructure(compiler, ref.shape, shapeOf(model, ref), include));
  return (value) => decode(value, 0, 'field') as Record<string, unknown>;
}

/** Parses a JSON body. AWS sends no message when it is none. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw serializationError('');
    throw cause;
  }
}

/** A body must be an object; AWS has no words for any other but a list. */
export function parseJsonObject(body: Buffer): object {
  const value = parseJson(body);
  if (Array.isArray(value)) throw serializationError('Start of list found where not expected');
  if (typeof value !== 'object' || value === null) throw serializationError('');
  return value;
}

function compileRef(compiler: Compiler, ref: ShapeRef): Decode {
  return compiler.cache.get(ref.shape, () => compileShape(compiler, ref.shape, shapeOf(compiler.model, ref)));
}

function compileShape(compiler: Compiler, name: string, shape: ShapeModel): Decode {
  const { faults } = compiler;
  switch (shape.type) {
    case 'structure':
      return shape.document ? decodeDocument : compileStructure(compiler, name, shape);
    case 'list':
      return compileList(compiler, shape);
    case 'map':
      return compileMap(compiler, shape);
    case 'string':
    case 'character':
      return (value) => {
        if (typeof value !== 'string') throw faults.scalar(value, 'String');
        return value;
      };
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? value : booleanFromText(faults, value));
    case 'blob':
      return compileBlob(faults);
    case 'timestamp':
      return compileTimestamp(faults);
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      return compileInteger(faults, INTEGER_RANGES[shape.type] as IntegerRange);
    case 'float':
      return compileFloat(faults, 'Float');
    case 'double':
      return compileFloat(faults, 'Double');
    case 'bigdecimal':
      return compileFloat(faults, 'BigDecimal');
    case 'biginteger':
      return compileFloat(faults, 'BigInteger');
  }
}

function compileStructure(compiler: Compiler, name: string, shape: ShapeModel, include: (ref: ShapeRef) => boolean = () => true): Decode {
  const members = new Map<string, { readonly name: string; readonly decode: Decode }>();
  for (const [member, ref] of Object.entries(shape.members ?? {})) {
    if (!include(ref)) continue;
    const key = compiler.naming === 'locationName' ? (ref.locationName ?? member) : member;
    members.set(key, { name: member, decode: compileRef(compiler, ref) });
  }
  const { faults } = compiler;
  return (value, depth, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw faults.structure(value, place, name);
    checkDepth(depth);
    const out: Record<string, unknown> = {};
    let count = 0;
    for (const key in value) {
      const member = members.get(key);
      if (member === undefined) continue;
      const inner = (value as Record<string, unknown>)[key];
      if (inner === null) continue;
      out[member.name] = member.decode(inner, depth + 1, 'field');
      count++;
    }
    if (shape.union && count !== 1) throw unionFault(count);
    return out;
  };
}

/** A union holds exactly one member. */
export function unionFault(count: number): Error {
  return serializationError(`Union must have exactly one member set, found ${count === 0 ? 'none' : count}`);
}

/** Nulls in lists and maps are left out: no collection of our services may hold them, and no room has to expect them. */
function compileList(compiler: Compiler, shape: ShapeModel): Decode {
  const decode = compileRef(compiler, shape.member as ShapeRef);
  const { faults } = compiler;
  return (value, depth, place) => {
    if (!Array.isArray(value)) throw faults.list(value, place);
    checkDepth(depth);
    const out: unknown[] = [];
    for (const inner of value) if (inner !== null) out.push(decode(inner, depth + 1, 'element'));
    return out;
  };
}

function compileMap(compiler: Compiler, shape: ShapeModel): Decode {
  const valueRef = shape.value as ShapeRef;
  const decode = compileRef(compiler, valueRef);
  const { faults } = compiler;
  return (value, depth, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw faults.map(value, place, valueRef);
    checkDepth(depth);
    const out: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const inner = (value as Record<string, unknown>)[key];
      if (inner !== null) setEntry(out, key, decode(inner, depth + 1, 'element'));
    }
    return out;
  };
}

function checkDepth(depth: number): void {
  if (depth > BODY_DEPTH_MAX) throw serializationError('Nesting Levels have exceeded supported limits');
}

const TRUE_WORDS = new Set(['TRUE', '1', 'YES', 'Y', 'T']);
const FALSE_WORDS = new Set(['FALSE', '0', 'NO', 'N', 'F']);

/** AWS takes some words for truth values. */
function booleanFromText(faults: JsonFaults, value: unknown): boolean {
  const word = typeof value === 'string' && value.length <= 5 ? value.toUpperCase() : '';
  if (TRUE_WORDS.has(word)) return true;
  if (FALSE_WORDS.has(word)) return false;
  throw faults.scalar(value, 'Boolean');
}

/** A fraction is cut off; a number beyond the type's range is kept for the constraint check, as AWS does. */
function compileInteger(faults: JsonFaults, range: IntegerRange): Decode {
  return (value) => {
    if (typeof value !== 'number') throw faults.scalar(value, range.java as JavaScalar);
    const whole = Math.trunc(value);
    return Math.abs(whole) <= Number.MAX_SAFE_INTEGER ? whole : Math.min(Math.max(whole, range.min), range.max);
  };
}

function compileFloat(faults: JsonFaults, java: JavaScalar): Decode {
  return (value) => {
    if (typeof value === 'number') return value;
    if (value === 'NaN') return Number.NaN;
    if (value === 'Infinity') return Number.POSITIVE_INFINITY;
    if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
    throw faults.scalar(value, java);
  };
}

function compileBlob(faults: JsonFaults): Decode {
  return (value) => {
    if (typeof value !== 'string') throw faults.scalar(value, 'Blob');
    const fault = base64Fault(value);
    if (fault !== undefined) throw faults.base64(value, fault);
    return Buffer.from(value, 'base64');
  };
}

function compileTimestamp(faults: JsonFaults): Decode {
  return (value) => {
    const date = typeof value === 'number' ? dateFromEpoch(value) : typeof value === 'string' ? parseTimestamp(value) : undefined;
    if (!date) throw faults.scalar(value, 'Timestamp');
    return date;
  };
}

/** A document is any JSON; only its depth is bounded. */
const decodeDocument: Decode = (value, depth) => {
  checkDocument(value, depth);
  return value;
};

function checkDocument(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  checkDepth(depth);
  for (const inner of Object.values(value)) checkDocument(inner, depth + 1);
}
