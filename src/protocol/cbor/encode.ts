import type { ServiceModel, ShapeModel, ShapeRef } from '../../models/model.ts';
import { asList, asRecord, CompileCache, perModel, shapeOf } from '../compiled.ts';
import { epochSeconds, integerText, toBytes, toDate } from '../scalars.ts';
import { CborWriter } from './writer.ts';

type Encode = (value: unknown, writer: CborWriter) => void;

interface Compiler {
  readonly model: ServiceModel;
  readonly cache: CompileCache<Encode>;
}

const compilerOf = perModel((model): Compiler => ({ model, cache: new CompileCache() }));

/** The encoder of one shape to CBOR ("Smithy RPC v2 CBOR protocol"): timestamps as tag 1, blobs as byte strings, floats at full width. */
export function cborEncoder(model: ServiceModel, ref: ShapeRef, extra: Readonly<Record<string, string>> = {}): (value: unknown) => Buffer {
  const encode = compileRef(compilerOf(model), ref);
  return (value) => {
    const writer = new CborWriter();
    const record = Object.keys(extra).length === 0 ? value : asRecord(value);
    if (record === value && Object.keys(extra).length === 0) encode(value, writer);
    else encodeWithExtra(encode, record, extra, writer);
    return writer.bytes();
  };
}

/** `__type` of an error stands beside its members. */
function encodeWithExtra(encode: Encode, value: unknown, extra: Readonly<Record<string, string>>, writer: CborWriter): void {
  writer.startMap();
  for (const [key, text] of Object.entries(extra)) {
    writer.text(key);
    writer.text(text);
  }
  writer.membersOnly(() => encode(value, writer));
  writer.end();
}

function compileRef(compiler: Compiler, ref: ShapeRef): Encode {
  return compiler.cache.get(ref.shape, () => compileShape(compiler, shapeOf(compiler.model, ref)));
}

function compileShape(compiler: Compiler, shape: ShapeModel): Encode {
  switch (shape.type) {
    case 'structure':
      return compileStructure(compiler, shape);
    case 'list': {
      const encode = compileRef(compiler, shape.member as ShapeRef);
      return (value, writer) => {
        const items = asList(value);
        writer.startList(items.length);
        for (const item of items) {
          if (item === null || item === undefined) writer.nil();
          else encode(item, writer);
        }
      };
    }
    case 'map': {
      const encode = compileRef(compiler, shape.value as ShapeRef);
      return (value, writer) => {
        const record = asRecord(value);
        writer.startMap();
        for (const [key, inner] of Object.entries(record)) {
          if (inner === undefined) continue;
          writer.text(key);
          if (inner === null) writer.nil();
          else encode(inner, writer);
        }
        writer.end();
      };
    }
    default:
      return scalarEncoder(shape.type);
  }
}

function scalarEncoder(type: ShapeModel['type']): Encode {
  switch (type) {
    case 'boolean':
      return (value, writer) => writer.boolean(Boolean(value));
    case 'blob':
      return (value, writer) => writer.blob(toBytes(value));
    case 'timestamp':
      return (value, writer) => writer.timestamp(epochSeconds(toDate(value)));
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
    case 'biginteger':
      return (value, writer) => writer.integer(integerText(value));
    case 'float':
      return (value, writer) => writer.float(Number(value));
    case 'double':
    case 'bigdecimal':
      return (value, writer) => writer.double(Number(value));
    default:
      return (value, writer) => writer.text(typeof value === 'string' ? value : String(value));
  }
}

function compileStructure(compiler: Compiler, shape: ShapeModel): Encode {
  const members = new Map(Object.entries(shape.members ?? {}).map(([name, ref]) => [name, compileRef(compiler, ref)]));
  return (value, writer) => {
    const record = asRecord(value);
    writer.startMap();
    for (const key in record) {
      const inner = record[key];
      const encode = members.get(key);
      if (!encode || inner === undefined || inner === null) continue;
      writer.text(key);
      encode(inner, writer);
    }
    writer.end();
  };
}
