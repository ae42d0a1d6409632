import type { ServiceModel, ShapeModel, ShapeRef } from '../../models/model.ts';
import { CompileCache, perModel, setEntry, shapeOf } from '../compiled.ts';
import { scalarReader } from '../textScalars.ts';
import { malformedXml } from '../wireErrors.ts';
import { elementName } from './encode.ts';
import type { XmlElement } from './parse.ts';

/** Reads a shape from the elements that carry it: one, or several where a list or map is flattened. */
type Decode = (elements: readonly XmlElement[]) => unknown;

interface Compiler {
  readonly model: ServiceModel;
  readonly cache: CompileCache<Decode>;
}

const compilerOf = perModel((model): Compiler => ({ model, cache: new CompileCache() }));

/** The decoder of one shape from a parsed element (restXml). Throws `MalformedXML` where a value is not of the shape's form. */
export function xmlDecoder(model: ServiceModel, ref: ShapeRef): (element: XmlElement) => unknown {
  const decode = compileRef(compilerOf(model), ref);
  return (element) => decode([element]);
}

/** The decoder of those members of a structure that travel in the body. */
export function xmlMembersDecoder(model: ServiceModel, ref: ShapeRef, include: (ref: ShapeRef) => boolean): (element: XmlElement) => Record<string, unknown> {
  const compiler = compilerOf(model);
  const decode = compiler.cache.get(`${ref.shape} ${include.name}`, () => {
    const members = compileMembers(compiler, shapeOf(model, ref), include);
    return ([element]) => members(element as XmlElement);
  });
  return (element) => decode([element]) as Record<string, unknown>;
}

function compileRef(compiler: Compiler, ref: ShapeRef): Decode {
  const shape = shapeOf(compiler.model, ref);
  const flattened = (ref.flattened ?? shape.flattened) === true;
  const key = shape.type === 'timestamp' ? `${ref.shape}|${ref.timestampFormat ?? ''}` : `${ref.shape}|${flattened}`;
  return compiler.cache.get(key, () => compileShape(compiler, shape, flattened));
}

function compileShape(compiler: Compiler, shape: ShapeModel, flattened: boolean): Decode {
  switch (shape.type) {
    case 'structure': {
      const members = compileMembers(compiler, shape, () => true);
      return (elements) => members(only(elements));
    }
    case 'list':
      return compileList(compiler, shape, flattened);
    case 'map':
      return compileMap(compiler, shape, flattened);
    default: {
      const read = scalarReader(shape);
      return (elements) => {
        const element = only(elements);
        if (element.children.length > 0) throw malformedXml();
        const value = read(shape.type === 'string' ? element.text : element.text.trim());
        if (value === undefined) throw malformedXml();
        return value;
      };
    }
  }
}

function only(elements: readonly XmlElement[]): XmlElement {
  const [element] = elements;
  if (!element || elements.length > 1) throw malformedXml();
  return element;
}

function compileMembers(compiler: Compiler, shape: ShapeModel, include: (ref: ShapeRef) => boolean): (element: XmlElement) => Record<string, unknown> {
  const elements = new Map<string, { readonly name: string; readonly decode: Decode }>();
  const attributes: { readonly name: string; readonly label: string }[] = [];
  for (const [name, ref] of Object.entries(shape.members ?? {})) {
    if (!include(ref)) continue;
    if (ref.xmlAttribute) attributes.push({ name, label: ref.locationName ?? name });
    else elements.set(elementName(compiler.model, name, ref), { name, decode: compileRef(compiler, ref) });
  }
  return (element) => {
    const out: Record<string, unknown> = {};
    for (const { name, label } of attributes) {
      const value = element.attributes.get(label);
      if (value !== undefined) out[name] = value;
    }
    const groups = new Map<string, XmlElement[]>();
    for (const child of element.children) {
      const group = groups.get(child.name);
      if (group) group.push(child);
      else if (elements.has(child.name)) groups.set(child.name, [child]);
    }
    for (const [label, group] of groups) {
      const member = elements.get(label);
      if (member) out[member.name] = member.decode(group);
    }
    if (shape.union && Object.keys(out).length !== 1) throw malformedXml();
    return out;
  };
}

function compileList(compiler: Compiler, shape: ShapeModel, flattened: boolean): Decode {
  const member = shape.member as ShapeRef;
  const decode = compileRef(compiler, member);
  const itemName = member.locationName ?? 'member';
  if (flattened) return (elements) => elements.map((element) => decode([element]));
  return (elements) => {
    const { children } = only(elements);
    return children.filter((child) => child.name === itemName).map((child) => decode([child]));
  };
}

function compileMap(compiler: Compiler, shape: ShapeModel, flattened: boolean): Decode {
  const valueRef = shape.value as ShapeRef;
  const decode = compileRef(compiler, valueRef);
  const keyName = shape.key?.locationName ?? 'key';
  const valueName = valueRef.locationName ?? 'value';
  return (elements) => {
    const entries = flattened ? elements : only(elements).children.filter((child) => child.name === 'entry');
    const out: Record<string, unknown> = {};
    for (const entry of entries) {
      const key = entry.children.find((child) => child.name === keyName);
      const values = entry.children.filter((child) => child.name === valueName);
      if (!key) throw malformedXml();
      if (values.length > 0) setEntry(out, key.text, decode(values));
    }
    return out;
  };
}
