import { Readable } from 'node:stream';
import { AwsError } from '../../kit/errors.ts';
import type { OperationModel, ServiceModel, ShapeModel, ShapeRef } from '../../models/model.ts';
import { CompileCache, perModel, setEntry, shapeOf } from '../compiled.ts';
import { parseForm } from '../query/tree.ts';
import { scalarReader } from '../textScalars.ts';
import type { WireRequest } from '../wire.ts';
import { serializationError } from '../wireErrors.ts';
import { headerReader, headerWriter } from './headers.ts';
import { matchPath, uriTemplate } from './template.ts';

/** A member that travels in the body and not in path, query, headers or status. */
export function inBody(ref: ShapeRef): boolean {
  return ref.location === undefined;
}

/** The same for an output, where a member bound to path or query string has nowhere else to go. */
export function inOutputBody(ref: ShapeRef): boolean {
  return ref.location === undefined || ref.location === 'uri' || ref.location === 'querystring';
}

type ReadInput = (request: WireRequest, into: Record<string, unknown>) => void;

const readersOf = perModel(() => new CompileCache<ReadInput>());

/** Reads the members of an operation's input that travel in path, query string and headers. */
export function readBindings(model: ServiceModel, operation: OperationModel, request: WireRequest, into: Record<string, unknown>): void {
  readersOf(model).get(operation.name, () => compileReaders(model, operation))(request, into);
}

function compileReaders(model: ServiceModel, operation: OperationModel): ReadInput {
  const input = operation.input && shapeOf(model, operation.input);
  const members = Object.entries(input?.members ?? {});
  const at = (location: ShapeRef['location']) => members.filter(([, ref]) => ref.location === location);
  const readLabels = labelReader(model, operation, at('uri'));
  const readQuery = queryReader(model, operation, at('querystring'));
  const readers = [...at('header').map(([name, ref]) => oneHeader(model, name, ref)), ...at('headers').map(([name, ref]) => prefixedHeaders(name, ref))];
  return (request, into) => {
    readLabels(request, into);
    readQuery(request, into);
    for (const read of readers) read(request, into);
  };
}

/** A label, parameter or header whose text is not of its member's type. */
function badText(name: string, text: string): AwsError {
  return serializationError(`Value '${text.slice(0, 256)}' of '${name}' is not of the expected type`);
}

function labelReader(model: ServiceModel, operation: OperationModel, members: [string, ShapeRef][]): ReadInput {
  if (members.length === 0) return () => {};
  const template = uriTemplate(operation);
  const readers = members.map(([name, ref]) => ({ name, label: ref.locationName ?? name, read: scalarReader(shapeOf(model, ref)) }));
  return (request, into) => {
    const labels = matchPath(template, request.path);
    for (const { name, label, read } of readers) {
      const raw = labels?.get(label);
      if (raw === undefined) continue;
      const text = decodeLabel(raw);
      const value = read(text);
      if (value === undefined) throw badText(name, text);
      into[name] = value;
    }
  };
}

function decodeLabel(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI.");
  }
}

function queryReader(model: ServiceModel, operation: OperationModel, members: [string, ShapeRef][]): ReadInput {
  if (members.length === 0) return () => {};
  const maps = members.filter(([, ref]) => shapeOf(model, ref).type === 'map');
  const named = members
    .filter(([, ref]) => shapeOf(model, ref).type !== 'map')
    .map(([name, ref]) => ({ name, label: ref.locationName ?? name, read: parameterReader(model, name, ref) }));
  const taken = new Set([...named.map(({ label }) => label), ...uriTemplate(operation).query.keys()]);
  return (request, into) => {
    if (request.query === '') return;
    const values = new Map<string, string[]>();
    for (const [name, value] of parseForm(request.query)) {
      const known = values.get(name);
      if (known) known.push(value);
      else values.set(name, [value]);
    }
    for (const { name, label, read } of named) {
      const given = values.get(label);
      const value = given && read(given);
      if (value !== undefined) into[name] = value;
    }
    for (const [name, ref] of maps) into[name] = restOfQuery(model, ref, values, taken);
  };
}

function parameterReader(model: ServiceModel, name: string, ref: ShapeRef): (given: readonly string[]) => unknown {
  const shape = shapeOf(model, ref);
  const read = scalarReader(shape.type === 'list' ? shapeOf(model, shape.member as ShapeRef) : shape);
  const isS3 = model.metadata.serviceId === 'S3';
  const one = (text: string) => {
    const value = read(text);
    if (value !== undefined) return value;
    if (!isS3) throw badText(name, text);
    // S3 takes an empty number for none.
    if (text === '') return undefined;
    const label = ref.locationName ?? name;
    throw new AwsError('InvalidArgument', `Provided ${label} not an integer or within integer range`, {
      members: { ArgumentName: label, ArgumentValue: text },
    });
  };
  return shape.type === 'list' ? (given) => given.map(one) : (given) => one(given[0] ?? '');
}

/** A map bound to the query string takes every parameter that nothing else names. */
function restOfQuery(model: ServiceModel, ref: ShapeRef, values: ReadonlyMap<string, string[]>, taken: ReadonlySet<string>): Record<string, unknown> {
  const lists = shapeOf(model, shapeOf(model, ref).value as ShapeRef).type === 'list';
  const out: Record<string, unknown> = {};
  for (const [name, given] of values) if (!taken.has(name)) setEntry(out, name, lists ? given : given[0]);
  return out;
}

function oneHeader(model: ServiceModel, name: string, ref: ShapeRef): ReadInput {
  const header = (ref.locationName ?? name).toLowerCase();
  const read = headerReader(model, ref);
  return (request, into) => {
    const text = request.headers[header];
    if (text === undefined) return;
    const value = read(text);
    if (value === undefined) throw badText(name, text);
    into[name] = value;
  };
}

function prefixedHeaders(name: string, ref: ShapeRef): ReadInput {
  const prefix = (ref.locationName ?? '').toLowerCase();
  return (request, into) => {
    const out: Record<string, unknown> = {};
    let found = false;
    for (const [header, text] of Object.entries(request.headers)) {
      if (!header.startsWith(prefix)) continue;
      setEntry(out, header.slice(prefix.length), text);
      found = true;
    }
    if (found) into[name] = out;
  };
}

/** What an output says outside its body. */
export interface BoundOutput {
  readonly headers: Record<string, string>;
  readonly status: number | undefined;
}

type WriteOutput = (output: Readonly<Record<string, unknown>>, into: { headers: Record<string, string>; status: number | undefined }) => void;

const writersOf = perModel(() => new CompileCache<WriteOutput>());

/** Writes the members of an output or error that travel in headers or as the status. `key` names the shape. */
export function writeBindings(model: ServiceModel, ref: ShapeRef, output: Readonly<Record<string, unknown>>): BoundOutput {
  const into: { headers: Record<string, string>; status: number | undefined } = { headers: {}, status: undefined };
  writersOf(model).get(ref.shape, () => compileWriters(model, shapeOf(model, ref)))(output, into);
  return into;
}

function compileWriters(model: ServiceModel, shape: ShapeModel): WriteOutput {
  const writers: WriteOutput[] = [];
  for (const [name, ref] of Object.entries(shape.members ?? {})) {
    if (ref.location === 'header') {
      const header = ref.locationName ?? name;
      const write = headerWriter(model, ref);
      writers.push((output, into) => {
        const value = output[name];
        const text = value === undefined || value === null ? undefined : write(value);
        if (text !== undefined) into.headers[header] = text;
      });
    } else if (ref.location === 'headers') {
      const prefix = ref.locationName ?? '';
      const write = headerWriter(model, shape.members?.[name] ? (shapeOf(model, ref).value as ShapeRef) : ref);
      writers.push((output, into) => {
        for (const [key, value] of Object.entries((output[name] ?? {}) as Record<string, unknown>)) {
          const text = value === undefined || value === null ? undefined : write(value);
          if (text !== undefined) into.headers[prefix + key] = text;
        }
      });
    } else if (ref.location === 'statusCode') {
      writers.push((output, into) => {
        if (typeof output[name] === 'number') into.status = output[name];
      });
    }
  }
  return (output, into) => {
    for (const write of writers) write(output, into);
  };
}

/** The payload member of a structure, if it names one. */
export function payloadOf(model: ServiceModel, ref: ShapeRef): { readonly name: string; readonly ref: ShapeRef; readonly shape: ShapeModel } | undefined {
  const shape = shapeOf(model, ref);
  const member = shape.payload === undefined ? undefined : shape.members?.[shape.payload];
  return shape.payload === undefined || !member ? undefined : { name: shape.payload, ref: member, shape: shapeOf(model, member) };
}

/** A request's body as a stream, whether it was read or not. */
export function streamOf(body: Buffer | Readable): Readable {
  return Buffer.isBuffer(body) ? Readable.from(body.length === 0 ? [] : [body], { objectMode: false }) : body;
}
