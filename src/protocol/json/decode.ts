import type { ServiceModel, ShapeModel, ShapeRef } from '../../models/model.ts';
import { CompileCache, perModel, setEntry, shapeOf } from '../compiled.ts';
import { BODY_DEPTH_MAX } from '../limits.ts';
import { base64Fault, dateFromEpoch, INTEGER_RANGES, type IntegerRange, parseTimestamp } from '../scalars.ts';
import { serializationError } from '../wireErrors.ts';

/** Turns a parsed JSON value into the value of a shape. `place` is where it stands, which decides AWS's wording. */
type Decode = (value: unknown, depth: number, place: Place) => unknown;
type Place = 'field' | 'element';

/** `awsJson` names members as the model does; `restJson` by their `locationName`. */
export type JsonNaming = 'member' | 'locationName';

const NESTED_TYPE =
  "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of loader 'bootstrap')";
const OBJECT_FOUND = 'Start of structure or map found where not expected';

interface Compiler {
  readonly model: ServiceModel;
  readonly naming: JsonNaming;
  readonly cache: CompileCache<Decode>;
}

const compilers = {
  member: perModel((model): Compiler => ({ model, naming: 'member', cache: new CompileCache() })),
  locationName: perModel((model): Compiler => ({ model, naming: 'locationName', cache: new CompileCache() })),
};

/**
 * The decoder of one shape from parsed JSON. It throws AWS's `SerializationException` on a value of another type, ignores unknown
 * members and treats null as absent.
 */
export function jsonDecoder(model: ServiceModel, ref: ShapeRef, naming: JsonNaming): (value: unknown) => unknown {
  const decode = compileRef(compilers[naming](model), ref);
  return (value) => decode(value, 0, 'field');
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

function compileRef(compiler: Compiler, ref: ShapeRef): Decode {
  return compiler.cache.get(ref.jsonvalue ? `jsonvalue ${ref.shape}` : ref.shape, () => {
    const shape = shapeOf(compiler.model, ref);
    return ref.jsonvalue ? decodeJsonValue : compileShape(compiler, ref.shape, shape);
  });
}

function compileShape(compiler: Compiler, name: string, shape: ShapeModel): Decode {
  switch (shape.type) {
    case 'structure':
      return shape.document ? decodeDocument : compileStructure(compiler, name, shape);
    case 'list':
      return compileList(compiler, shape);
    case 'map':
      return compileMap(compiler, shape);
    case 'string':
    case 'character':
      return decodeString;
    case 'boolean':
      return decodeBoolean;
    case 'blob':
      return decodeBlob;
    case 'timestamp':
      return decodeTimestamp;
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      return compileInteger(INTEGER_RANGES[shape.type] as IntegerRange);
    case 'float':
    case 'double':
      return compileFloat(shape.type === 'float' ? 'Float' : 'Double');
    case 'bigdecimal':
    case 'biginteger':
      return compileFloat(shape.type === 'bigdecimal' ? 'BigDecimal' : 'BigInteger');
  }
}

function compileStructure(compiler: Compiler, name: string, shape: ShapeModel): Decode {
  const members = new Map<string, { readonly name: string; readonly decode: Decode }>();
  for (const [member, ref] of Object.entries(shape.members ?? {})) {
    const key = compiler.naming === 'locationName' ? (ref.locationName ?? member) : member;
    members.set(key, { name: member, decode: compileRef(compiler, ref) });
  }
  const arrayFault = `Unrecognized collection type class ${javaClass(compiler.model, name)}`;
  return (value, depth, place) => {
    if (typeof value !== 'object' || value === null) throw wrongScalar(place);
    if (Array.isArray(value)) throw serializationError(arrayFault);
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

function unionFault(count: number): Error {
  return serializationError(count === 0 ? 'Union must have exactly one member set, found none' : `Union must have exactly one member set, found ${count}`);
}

/** Nulls in lists and maps are left out: no collection of our services may hold them, and no room has to expect them. */
function compileList(compiler: Compiler, shape: ShapeModel): Decode {
  const decode = compileRef(compiler, shape.member as ShapeRef);
  return (value, depth, place) => {
    if (!Array.isArray(value)) {
      if (typeof value === 'object') throw serializationError(OBJECT_FOUND);
      throw serializationError(place === 'element' ? NESTED_TYPE : 'Unexpected field type');
    }
    checkDepth(depth);
    const out: unknown[] = [];
    for (const inner of value) if (inner !== null) out.push(decode(inner, depth + 1, 'element'));
    return out;
  };
}

function compileMap(compiler: Compiler, shape: ShapeModel): Decode {
  const valueRef = shape.value as ShapeRef;
  const decode = compileRef(compiler, valueRef);
  const arrayFault = `Unrecognized collection type java.util.Map<java.lang.String, ${javaType(compiler.model, valueRef)}>`;
  return (value, depth, place) => {
    if (typeof value !== 'object' || value === null) throw serializationError(place === 'element' ? NESTED_TYPE : 'Unexpected field type');
    if (Array.isArray(value)) throw serializationError(arrayFault);
    checkDepth(depth);
    const out: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const inner = (value as Record<string, unknown>)[key];
      if (inner !== null) setEntry(out, key, decode(inner, depth + 1, 'element'));
    }
    return out;
  };
}

function wrongScalar(place: Place): Error {
  return serializationError(place === 'element' ? 'Unexpected value type in payload' : 'Unexpected field type');
}

function checkDepth(depth: number): void {
  if (depth > BODY_DEPTH_MAX) throw serializationError('Nesting Levels have exceeded supported limits');
}

/** Java's name of a structure, as Coral prints it. */
function javaClass(model: ServiceModel, name: string): string {
  return `${coralNamespace(model)}.${name}`;
}

/** The namespace that prefixes a service's shapes: `com.amazonaws.dynamodb.v20120810`. */
export function coralNamespace(model: ServiceModel): string {
  const { endpointPrefix, apiVersion, namespace } = model.metadata;
  return namespace ?? `com.amazonaws.${endpointPrefix}.v${apiVersion.replaceAll('-', '')}`;
}

function javaType(model: ServiceModel, ref: ShapeRef): string {
  const shape = shapeOf(model, ref);
  switch (shape.type) {
    case 'structure':
      return javaClass(model, ref.shape);
    case 'list':
      return `java.util.List<${javaType(model, shape.member as ShapeRef)}>`;
    case 'map':
      return `java.util.Map<java.lang.String, ${javaType(model, shape.value as ShapeRef)}>`;
    case 'blob':
      return 'java.nio.ByteBuffer';
    case 'timestamp':
      return 'java.util.Date';
    default:
      return `java.lang.${INTEGER_RANGES[shape.type]?.java ?? shape.type.charAt(0).toUpperCase() + shape.type.slice(1)}`;
  }
}

/** Coral's name of a JSON token. */
function tokenOf(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE';
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  return 'STRING_VALUE';
}

function notConvertible(value: unknown, java: string, javaName = `java.lang.${java}`): Error {
  if (Array.isArray(value)) return serializationError(`Unrecognized collection type class ${javaName}`);
  if (typeof value === 'object') return serializationError(OBJECT_FOUND);
  return serializationError(`${tokenOf(value)} cannot be converted to ${java}`);
}

const decodeString: Decode = (value) => {
  if (typeof value !== 'string') throw notConvertible(value, 'String');
  return value;
};

const TRUE_WORDS = new Set(['TRUE', '1', 'YES']);
const FALSE_WORDS = new Set(['FALSE', '0', 'NO']);

const decodeBoolean: Decode = (value) => {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') throw notConvertible(value, 'Boolean');
  const word = value.length <= 5 ? value.toUpperCase() : '';
  if (TRUE_WORDS.has(word)) return true;
  if (FALSE_WORDS.has(word)) return false;
  throw serializationError('Unexpected token received from parser');
};

function compileInteger(range: IntegerRange): Decode {
  return (value) => {
    if (typeof value !== 'number') throw notConvertible(value, range.java);
    const whole = Math.trunc(value);
    if (whole < range.min || whole > range.max) throw serializationError(`Numeric value (${value}) out of range of ${range.java.toLowerCase()}`);
    return whole;
  };
}

function compileFloat(java: string): Decode {
  return (value) => {
    if (typeof value === 'number') return value;
    if (value === 'NaN') return Number.NaN;
    if (value === 'Infinity') return Number.POSITIVE_INFINITY;
    if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
    throw notConvertible(value, java);
  };
}

const decodeBlob: Decode = (value) => {
  if (typeof value !== 'string') {
    if (typeof value === 'object') throw notConvertible(value, 'ByteBuffer', 'java.nio.ByteBuffer');
    throw serializationError('only base-64-encoded strings are convertible to bytes');
  }
  const fault = base64Fault(value);
  if (fault !== undefined) throw serializationError(fault);
  return Buffer.from(value, 'base64');
};

const decodeTimestamp: Decode = (value) => {
  const date = typeof value === 'number' ? dateFromEpoch(value) : typeof value === 'string' ? parseTimestamp(value) : undefined;
  if (date) return date;
  if (typeof value === 'object') throw notConvertible(value, 'Date', 'java.util.Date');
  throw serializationError(`${tokenOf(value)} cannot be converted to milliseconds since epoch`);
};

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

/** A `jsonvalue` string holds JSON, which the SDK shows as the text itself. */
const decodeJsonValue: Decode = (value) => {
  if (typeof value === 'string') return value;
  throw notConvertible(value, 'String');
};
