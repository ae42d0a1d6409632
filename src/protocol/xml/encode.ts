import type { ServiceModel, ShapeModel, ShapeRef } from '../../models/model.ts';
import { asList, asRecord, CompileCache, perModel, shapeOf } from '../compiled.ts';
import { floatText, formatTimestamp, integerText, type TimestampFormat, toBase64, toBytes, toDate } from '../scalars.ts';

/** Writes a value of a shape as one element (or, flattened, several) named `name`. */
type Encode = (value: unknown, name: string) => string;

export interface XmlNaming {
  /** How member names and lists differ between the protocols that answer in XML. */
  readonly protocol: 'restXml' | 'query' | 'ec2';
}

interface Compiler {
  readonly model: ServiceModel;
  readonly protocol: XmlNaming['protocol'];
  readonly cache: CompileCache<Encode>;
}

const compilers = {
  restXml: perModel((model): Compiler => ({ model, protocol: 'restXml', cache: new CompileCache() })),
  query: perModel((model): Compiler => ({ model, protocol: 'query', cache: new CompileCache() })),
  ec2: perModel((model): Compiler => ({ model, protocol: 'ec2', cache: new CompileCache() })),
};

export const XML_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#xD;',
  '\n': '&#xA;',
  '\u0085': '&#x85;',
  '\u2028': '&#x2028;',
};
// Characters that XML 1.0 cannot carry at all are left out: an SDK could not parse the answer.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Text as an element's content. */
export function escapeText(text: string): string {
  const clean = FORBIDDEN.test(text) ? text.replace(FORBIDDEN, '') : text;
  return clean.replace(/[&<>\r\u0085\u2028]/g, (c) => ESCAPES[c] ?? c);
}

/** Text as an attribute's value. */
export function escapeAttribute(text: string): string {
  return text.replace(FORBIDDEN, '').replace(/[&<>"'\r\n\u0085\u2028]/g, (c) => ESCAPES[c] ?? c);
}

export function element(name: string, text: string): string {
  return `<${name}>${escapeText(text)}</${name}>`;
}

/** The encoder of a whole document: `value` as an element named `rootName`, with the namespaces of the shape and the service. */
export function xmlDocumentEncoder(model: ServiceModel, ref: ShapeRef, rootName: string): (value: unknown) => string {
  const encode = compileRef(compilers.restXml(model), ref);
  const namespace = ref.xmlNamespace ?? shapeOf(model, ref).xmlNamespace ?? model.metadata.xmlNamespace;
  return (value) => withNamespace(encode(value, rootName), rootName, namespaceAttributes(namespace));
}

/** The inner elements of a structure, without its own tag; `include` keeps those that travel in the body. */
export function xmlMembersEncoder(
  model: ServiceModel,
  ref: ShapeRef,
  protocol: XmlNaming['protocol'],
  include: (ref: ShapeRef) => boolean = everyMember,
): (value: unknown) => string {
  const members = membersOf(compilers[protocol](model), shapeOf(model, ref), include);
  return (value) => members(asRecord(value)).content;
}

/** A structure as the element `root` with the given namespace attributes; `include` keeps the members that travel in the body. */
export function xmlRootEncoder(
  model: ServiceModel,
  ref: ShapeRef,
  root: string,
  namespace: string,
  include: (ref: ShapeRef) => boolean,
): (value: unknown) => string {
  const members = membersOf(compilers.restXml(model), shapeOf(model, ref), include);
  return (value) => {
    const { attributes, content } = members(asRecord(value));
    return `<${root}${namespace}${attributes}>${content}</${root}>`;
  };
}

type Members = (record: Readonly<Record<string, unknown>>) => { attributes: string; content: string };

/** Compiled once per shape and choice of members; the choices are module functions. */
function membersOf(compiler: Compiler, shape: ShapeModel, include: (ref: ShapeRef) => boolean): Members {
  let byChoice = compiledMembers.get(shape);
  if (!byChoice) {
    byChoice = new Map();
    compiledMembers.set(shape, byChoice);
  }
  const key = `${compiler.protocol} ${include.name}`;
  let members = byChoice.get(key);
  if (!members) {
    members = structureMembers(compiler, shape, include);
    byChoice.set(key, members);
  }
  return members;
}

function everyMember(): boolean {
  return true;
}

const compiledMembers = new WeakMap<ShapeModel, Map<string, Members>>();

/** The encoder of one member as it stands inside a parent: under its own element name. */
export function xmlMemberEncoder(model: ServiceModel, name: string, ref: ShapeRef, protocol: XmlNaming['protocol']): (value: unknown) => string {
  const compiler = compilers[protocol](model);
  const encode = compileMember(compiler, name, ref);
  return (value) => encode(value);
}

export function namespaceAttributes(namespace: ShapeRef['xmlNamespace']): string {
  if (namespace === undefined) return '';
  if (typeof namespace === 'string') return ` xmlns="${escapeAttribute(namespace)}"`;
  return ` xmlns${namespace.prefix ? `:${namespace.prefix}` : ''}="${escapeAttribute(namespace.uri)}"`;
}

/** Adds attributes to the first tag of `xml` unless it declares a namespace already. */
export function withNamespace(xml: string, name: string, attributes: string): string {
  if (attributes === '' || !xml.startsWith(`<${name}`) || xml.startsWith(`<${name}${attributes}`)) return xml;
  return `<${name}${attributes}${xml.slice(name.length + 1)}`;
}

function compileRef(compiler: Compiler, ref: ShapeRef): Encode {
  const shape = shapeOf(compiler.model, ref);
  // S3 writes milliseconds always.
  const iso = compiler.model.metadata.serviceId === 'S3' ? 'iso8601Millis' : 'iso8601';
  if (shape.type === 'timestamp') return timestampEncoder(ref.timestampFormat ?? shape.timestampFormat ?? iso);
  const flattened = (ref.flattened ?? shape.flattened) === true;
  const namespace = namespaceAttributes(ref.xmlNamespace ?? shape.xmlNamespace);
  return compiler.cache.get(`${ref.shape}|${flattened}|${namespace}`, () => compileShape(compiler, shape, flattened, namespace));
}

function compileShape(compiler: Compiler, shape: ShapeModel, flattened: boolean, namespace: string): Encode {
  switch (shape.type) {
    case 'structure':
      return compileStructure(compiler, shape, namespace);
    case 'list':
      return compileList(compiler, shape, flattened, namespace);
    case 'map':
      return compileMap(compiler, shape, flattened, namespace);
    default: {
      const text = xmlScalarText(shape);
      return (value, name) => `<${name}${namespace}>${escapeText(text(value))}</${name}>`;
    }
  }
}

function timestampEncoder(format: TimestampFormat): Encode {
  return (value, name) => `<${name}>${formatTimestamp(toDate(value), format)}</${name}>`;
}

/** A scalar's text as XML and query parameters carry it. */
export function xmlScalarText(shape: ShapeModel): (value: unknown) => string {
  switch (shape.type) {
    case 'blob':
      return (value) => toBase64(toBytes(value));
    case 'boolean':
      return (value) => (value ? 'true' : 'false');
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
    case 'biginteger':
      return integerText;
    case 'float':
    case 'double':
    case 'bigdecimal':
      return floatText;
    case 'timestamp': {
      const format = shape.timestampFormat ?? 'iso8601';
      return (value) => formatTimestamp(toDate(value), format);
    }
    default:
      return (value) => (typeof value === 'string' ? value : String(value));
  }
}

function structureMembers(compiler: Compiler, shape: ShapeModel, include: (ref: ShapeRef) => boolean): Members {
  const elements: { readonly name: string; readonly encode: (value: unknown) => string }[] = [];
  const attributes: { readonly name: string; readonly label: string }[] = [];
  for (const [name, ref] of Object.entries(shape.members ?? {})) {
    if (!include(ref)) continue;
    if (ref.xmlAttribute) attributes.push({ name, label: ref.locationName ?? name });
    else elements.push({ name, encode: compileMember(compiler, name, ref) });
  }
  return (record) => {
    let head = '';
    for (const { name, label } of attributes) {
      const value = record[name];
      if (value !== undefined && value !== null) head += ` ${label}="${escapeAttribute(String(value))}"`;
    }
    let content = '';
    for (const { name, encode } of elements) {
      const value = record[name];
      if (value !== undefined && value !== null) content += encode(value);
    }
    return { attributes: head, content };
  };
}

function compileStructure(compiler: Compiler, shape: ShapeModel, namespace: string): Encode {
  const members = structureMembers(compiler, shape, everyMember);
  return (value, name) => {
    const { attributes, content } = members(asRecord(value));
    return `<${name}${namespace}${attributes}>${content}</${name}>`;
  };
}

function compileMember(compiler: Compiler, name: string, ref: ShapeRef): (value: unknown) => string {
  const label = elementName(compiler.model, name, ref, compiler.protocol === 'query');
  const encode = compileRef(compiler, ref);
  return (value) => encode(value, label);
}

/** The element (or, for the query protocols, the parameter) under which a member stands. */
export function elementName(model: ServiceModel, name: string, ref: ShapeRef, query = false): string {
  const own = (query ? ref.queryName : undefined) ?? ref.locationName;
  if (own !== undefined) return own;
  // A list that is flattened at its shape, as older models have them, is named by its items; one flattened at the member is not.
  const shape = shapeOf(model, ref);
  return (shape.flattened && shape.type === 'list' ? shape.member?.locationName : undefined) ?? name;
}

function compileList(compiler: Compiler, shape: ShapeModel, flattened: boolean, namespace: string): Encode {
  const member = shape.member as ShapeRef;
  const encode = compileRef(compiler, member);
  const itemName = member.locationName ?? 'member';
  return (value, name) => {
    let out = '';
    for (const item of asList(value)) {
      const label = flattened ? name : itemName;
      out += item === null || item === undefined ? `<${label}/>` : encode(item, label);
    }
    return flattened ? out : `<${name}${namespace}>${out}</${name}>`;
  };
}

function compileMap(compiler: Compiler, shape: ShapeModel, flattened: boolean, namespace: string): Encode {
  const valueRef = shape.value as ShapeRef;
  const encode = compileRef(compiler, valueRef);
  const keyName = shape.key?.locationName ?? 'key';
  const valueName = valueRef.locationName ?? 'value';
  const keyNamespace = namespaceAttributes(shape.key?.xmlNamespace);
  return (value, name) => {
    const entryName = flattened ? name : 'entry';
    const head = flattened ? namespace : '';
    let out = '';
    for (const [key, inner] of Object.entries(asRecord(value))) {
      if (inner === undefined) continue;
      const encoded = inner === null ? `<${valueName}/>` : encode(inner, valueName);
      out += `<${entryName}${head}><${keyName}${keyNamespace}>${escapeText(key)}</${keyName}>${encoded}</${entryName}>`;
    }
    return flattened ? out : `<${name}${namespace}>${out}</${name}>`;
  };
}
