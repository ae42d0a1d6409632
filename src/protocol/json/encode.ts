import type { ServiceModel, ShapeModel, ShapeRef } from '../../models/model.ts';
import { asList, asRecord, CompileCache, perModel, shapeOf } from '../compiled.ts';
import { epochSeconds, floatText, formatTimestamp, integerText, type TimestampFormat, toBase64, toBytes, toDate } from '../scalars.ts';
import type { JsonNaming } from './decode.ts';

/** Writes a value of a shape as JSON text. */
type Encode = (value: unknown) => string;

interface Compiler {
  readonly model: ServiceModel;
  readonly naming: JsonNaming;
  readonly cache: CompileCache<Encode>;
}

const compilers = {
  member: perModel((model): Compiler => ({ model, naming: 'member', cache: new CompileCache() })),
  locationName: perModel((model): Compiler => ({ model, naming: 'locationName', cache: new CompileCache() })),
};

/**
 * The encoder of one shape to JSON text. Members that are undefined or null are left out, as are keys that the model does not know.
 * A value of the wrong type throws a TypeError: a bug in the room, never the caller's.
 */
export function jsonEncoder(model: ServiceModel, ref: ShapeRef, naming: JsonNaming): Encode {
  return compileRef(compilers[naming](model), ref);
}

/** The encoder of those members of a structure that `include` keeps (restJson leaves out what travels in headers). */
export function jsonMembersEncoder(model: ServiceModel, shape: ShapeModel, naming: JsonNaming, include: (member: string, ref: ShapeRef) => boolean): Encode {
  return compileStructure(compilers[naming](model), shape, include);
}

function compileRef(compiler: Compiler, ref: ShapeRef): Encode {
  const shape = shapeOf(compiler.model, ref);
  if (ref.jsonvalue) return (value) => JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value));
  if (shape.type === 'timestamp') return timestampEncoder(ref.timestampFormat ?? shape.timestampFormat ?? 'unixTimestamp');
  return compiler.cache.get(ref.shape, () => compileShape(compiler, shape));
}

function compileShape(compiler: Compiler, shape: ShapeModel): Encode {
  switch (shape.type) {
    case 'structure':
      return shape.document ? (value) => JSON.stringify(value) : compileStructure(compiler, shape, () => true);
    case 'list': {
      const encode = compileRef(compiler, shape.member as ShapeRef);
      return (value) => {
        let out = '';
        for (const inner of asList(value)) out += `${out === '' ? '' : ','}${inner === null || inner === undefined ? 'null' : encode(inner)}`;
        return `[${out}]`;
      };
    }
    case 'map': {
      const encode = compileRef(compiler, shape.value as ShapeRef);
      return (value) => {
        const record = asRecord(value);
        let out = '';
        for (const key of Object.keys(record)) {
          const inner = record[key];
          if (inner !== undefined) out += `${out === '' ? '' : ','}${JSON.stringify(key)}:${inner === null ? 'null' : encode(inner)}`;
        }
        return `{${out}}`;
      };
    }
    case 'timestamp':
      return timestampEncoder(shape.timestampFormat ?? 'unixTimestamp');
    default:
      return scalarEncoder(shape);
  }
}

function scalarEncoder(shape: ShapeModel): Encode {
  switch (shape.type) {
    case 'boolean':
      return (value) => (value ? 'true' : 'false');
    case 'blob':
      return (value) => `"${toBase64(toBytes(value))}"`;
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
    case 'biginteger':
      return integerText;
    case 'float':
    case 'double':
    case 'bigdecimal':
      return (value) => {
        const text = floatText(value);
        return /^[-+.\d]/.test(text) && !text.endsWith('y') ? text : `"${text}"`;
      };
    default:
      return (value) => JSON.stringify(typeof value === 'string' ? value : String(value));
  }
}

function timestampEncoder(format: TimestampFormat): Encode {
  if (format === 'unixTimestamp') return (value) => String(epochSeconds(toDate(value)));
  return (value) => `"${formatTimestamp(toDate(value), format)}"`;
}

function compileStructure(compiler: Compiler, shape: ShapeModel, include: (member: string, ref: ShapeRef) => boolean): Encode {
  const members = new Map<string, { readonly label: string; readonly encode: Encode }>();
  for (const [member, ref] of Object.entries(shape.members ?? {})) {
    if (!include(member, ref)) continue;
    const key = compiler.naming === 'locationName' ? (ref.locationName ?? member) : member;
    members.set(member, { label: `${JSON.stringify(key)}:`, encode: compileRef(compiler, ref) });
  }
  return (value) => {
    const record = asRecord(value);
    let out = '';
    for (const key in record) {
      const inner = record[key];
      if (inner === undefined || inner === null) continue;
      const member = members.get(key);
      if (member) out += `${out === '' ? '' : ','}${member.label}${member.encode(inner)}`;
    }
    return `{${out}}`;
  };
}
