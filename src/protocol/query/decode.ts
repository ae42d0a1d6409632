import type { ServiceModel, ShapeModel, ShapeRef } from '../../models/model.ts';
import { CompileCache, perModel, setEntry, shapeOf } from '../compiled.ts';
import { scalarReader } from '../textScalars.ts';
import { elementName } from '../xml/encode.ts';
import { malformedInput, type QueryNode } from './tree.ts';

type Decode = (node: QueryNode) => unknown;
export type QueryFlavour = 'awsQuery' | 'ec2Query';

interface Compiler {
  readonly model: ServiceModel;
  readonly flavour: QueryFlavour;
  readonly cache: CompileCache<Decode>;
}

const compilers = {
  awsQuery: perModel((model): Compiler => ({ model, flavour: 'awsQuery', cache: new CompileCache() })),
  ec2Query: perModel((model): Compiler => ({ model, flavour: 'ec2Query', cache: new CompileCache() })),
};

/** The decoder of one shape from a parameter tree. Throws `MalformedInput` where a value is not of its type's form. */
export function queryDecoder(model: ServiceModel, ref: ShapeRef, flavour: QueryFlavour): Decode {
  return compileRef(compilers[flavour](model), ref);
}

function compileRef(compiler: Compiler, ref: ShapeRef): Decode {
  const shape = shapeOf(compiler.model, ref);
  const flattened = compiler.flavour === 'ec2Query' || (ref.flattened ?? shape.flattened) === true;
  return compiler.cache.get(`${ref.shape}|${flattened}`, () => compileShape(compiler, shape, flattened));
}

function compileShape(compiler: Compiler, shape: ShapeModel, flattened: boolean): Decode {
  switch (shape.type) {
    case 'structure':
      return compileStructure(compiler, shape);
    case 'list':
      return compileList(compiler, shape, flattened);
    case 'map':
      return compileMap(compiler, shape, flattened);
    default:
      return compileScalar(shape);
  }
}

function compileScalar(shape: ShapeModel): Decode {
  const read = scalarReader(shape);
  return ({ value }) => {
    if (value === undefined) throw malformedInput('Start of structure or map found where not expected.');
    const read1 = read(value);
    if (read1 !== undefined) return read1;
    if (shape.type === 'timestamp') throw malformedInput('timestamp must follow ISO8601');
    throw malformedInput(shape.type === 'blob' ? 'Invalid base64 value' : `Invalid ${shape.type} value`);
  };
}

/** The parameter's name: EC2's begin with a capital, awsQuery's are the model's. */
function parameterName(compiler: Compiler, name: string, ref: ShapeRef): string {
  if (ref.queryName !== undefined) return ref.queryName;
  if (compiler.flavour === 'ec2Query') {
    const own = ref.locationName ?? name;
    return own.charAt(0).toUpperCase() + own.slice(1);
  }
  return elementName(compiler.model, name, ref, true);
}

function compileStructure(compiler: Compiler, shape: ShapeModel): Decode {
  const members = Object.entries(shape.members ?? {}).map(([name, ref]) => ({
    name,
    label: parameterName(compiler, name, ref),
    decode: compileRef(compiler, ref),
  }));
  return ({ children }) => {
    const out: Record<string, unknown> = {};
    for (const { name, label, decode } of members) {
      const child = children.get(label);
      if (child) out[name] = decode(child);
    }
    return out;
  };
}

/** Items are numbered from 1; gaps are skipped. `Name=` alone is an empty list. */
function compileList(compiler: Compiler, shape: ShapeModel, flattened: boolean): Decode {
  const member = shape.member as ShapeRef;
  const decode = compileRef(compiler, member);
  const itemName = member.locationName ?? 'member';
  return (node) => {
    // Old SDKs number a flattened list's items under `member` too.
    const inner = node.children.get(itemName) ?? node.children.get('member');
    const holder = flattened && !(inner && !hasNumbers(node)) ? node : (inner ?? node);
    return numbered(holder).map(decode);
  };
}

function hasNumbers(node: QueryNode): boolean {
  for (const key of node.children.keys()) if (/^\d{1,9}$/.test(key)) return true;
  return false;
}

function numbered(node: QueryNode): QueryNode[] {
  const items: [number, QueryNode][] = [];
  for (const [key, child] of node.children) {
    if (!/^\d{1,9}$/.test(key)) throw malformedInput(`Key '${key.slice(0, 100)}' is no index of a list`);
    items.push([Number(key), child]);
  }
  return items.sort(([a], [b]) => a - b).map(([, child]) => child);
}

function compileMap(compiler: Compiler, shape: ShapeModel, flattened: boolean): Decode {
  const valueRef = shape.value as ShapeRef;
  const decode = compileRef(compiler, valueRef);
  const keyName = shape.key?.locationName ?? 'key';
  const valueName = valueRef.locationName ?? 'value';
  return (node) => {
    const holder = flattened && hasNumbers(node) ? node : (node.children.get('entry') ?? node);
    const out: Record<string, unknown> = {};
    for (const entry of numbered(holder)) {
      const key = entry.children.get(keyName)?.value;
      const value = entry.children.get(valueName);
      if (key === undefined) throw malformedInput('A map entry has no key');
      if (value) setEntry(out, key, decode(value));
    }
    return out;
  };
}
