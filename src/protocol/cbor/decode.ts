import type { ServiceModel, ShapeModel, ShapeRef } from '../../models/model.ts';
import { CompileCache, perModel, setEntry, shapeOf } from '../compiled.ts';
import { unionFault } from '../json/decode.ts';
import { type JsonFaults, jsonFaults } from '../json/faults.ts';
import { dateFromEpoch, INTEGER_RANGES, type IntegerRange } from '../scalars.ts';
import { CborTag } from './reader.ts';

type Decode = (value: unknown) => unknown;

interface Compiler {
  readonly model: ServiceModel;
  readonly faults: JsonFaults;
  readonly cache: CompileCache<Decode>;
}

const compilerOf = perModel((model): Compiler => ({ model, faults: jsonFaults(model), cache: new CompileCache() }));

/** The decoder of one shape from parsed CBOR; as for JSON, unknown members are ignored and null is absent. */
export function cborDecoder(model: ServiceModel, ref: ShapeRef): Decode {
  return compileRef(compilerOf(model), ref);
}

function compileRef(compiler: Compiler, ref: ShapeRef): Decode {
  return compiler.cache.get(ref.shape, () => compileShape(compiler, ref.shape, shapeOf(compiler.model, ref)));
}

/** A value in the form that the JSON wordings know. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return {};
  if (value instanceof CborTag) return plain(value.value);
  if (Buffer.isBuffer(value)) return '';
  return typeof value === 'bigint' ? Number(value) : value;
}

function compileShape(compiler: Compiler, name: string, shape: ShapeModel): Decode {
  switch (shape.type) {
    case 'structure':
      return compileStructure(compiler, name, shape);
    case 'list': {
      const decode = compileRef(compiler, shape.member as ShapeRef);
      return (value) => {
        if (!Array.isArray(value)) throw compiler.faults.list(plain(value), 'field');
        return value.filter((inner) => inner !== null).map(decode);
      };
    }
    case 'map': {
      const ref = shape.value as ShapeRef;
      const decode = compileRef(compiler, ref);
      return (value) => {
        if (!(value instanceof Map)) throw compiler.faults.map(plain(value), 'field', ref);
        const out: Record<string, unknown> = {};
        for (const [key, inner] of value as Map<string, unknown>) if (inner !== null) setEntry(out, key, decode(inner));
        return out;
      };
    }
    default:
      return scalarDecoder(compiler.faults, shape);
  }
}

function compileStructure(compiler: Compiler, name: string, shape: ShapeModel): Decode {
  const members = new Map(Object.entries(shape.members ?? {}).map(([member, ref]) => [member, compileRef(compiler, ref)]));
  return (value) => {
    if (!(value instanceof Map)) throw compiler.faults.structure(plain(value), 'field', name);
    const out: Record<string, unknown> = {};
    let count = 0;
    for (const [key, inner] of value as Map<string, unknown>) {
      const decode = members.get(key);
      if (!decode || inner === null) continue;
      out[key] = decode(inner);
      count++;
    }
    if (shape.union && count !== 1) throw unionFault(count);
    return out;
  };
}

function scalarDecoder(faults: JsonFaults, shape: ShapeModel): Decode {
  switch (shape.type) {
    case 'boolean':
      return (value) => {
        if (typeof value !== 'boolean') throw faults.scalar(plain(value), 'Boolean');
        return value;
      };
    case 'blob':
      return (value) => {
        if (!Buffer.isBuffer(value)) throw faults.scalar(plain(value), 'Blob');
        return value;
      };
    case 'timestamp':
      return (value) => {
        const seconds = value instanceof CborTag && value.tag === 1 ? value.value : value;
        const date = typeof seconds === 'number' || typeof seconds === 'bigint' ? dateFromEpoch(Number(seconds)) : undefined;
        if (!date) throw faults.scalar(plain(value), 'Timestamp');
        return date;
      };
    case 'byte':
    case 'short':
    case 'integer':
    case 'long': {
      const range = INTEGER_RANGES[shape.type] as IntegerRange;
      return (value) => {
        if (typeof value === 'bigint') return Math.min(Math.max(Number(value), range.min), range.max);
        if (typeof value !== 'number' || !Number.isFinite(value)) throw faults.scalar(plain(value), 'Integer');
        return Math.trunc(value);
      };
    }
    case 'float':
    case 'double':
    case 'bigdecimal':
    case 'biginteger':
      return (value) => {
        if (typeof value !== 'number' && typeof value !== 'bigint') throw faults.scalar(plain(value), 'Double');
        return Number(value);
      };
    default:
      return (value) => {
        if (typeof value !== 'string') throw faults.scalar(plain(value), 'String');
        return value;
      };
  }
}
