import type { ServiceModel, ShapeModel, ShapeRef } from '../../models/model.ts';
import { asList, shapeOf } from '../compiled.ts';
import { formatTimestamp, toDate } from '../scalars.ts';
import { scalarReader } from '../textScalars.ts';
import { xmlScalarText } from '../xml/encode.ts';

/** Reads a member from the text of a header; undefined where the text is none of its type. */
export function headerReader(model: ServiceModel, ref: ShapeRef): (text: string) => unknown {
  const shape = shapeOf(model, ref);
  if (ref.jsonvalue) return (text) => Buffer.from(text, 'base64').toString('utf8');
  if (shape.type !== 'list') {
    const read = scalarReader(shape);
    return (text) => read(text.trim());
  }
  const member = shapeOf(model, shape.member as ShapeRef);
  const read = scalarReader(member);
  // An HTTP date holds a comma of its own.
  const dates = member.type === 'timestamp' && (shape.member?.timestampFormat ?? member.timestampFormat ?? 'rfc822') === 'rfc822';
  return (text) => {
    const values = (dates ? splitDates(text) : splitHeader(text)).map(read);
    return values.includes(undefined) ? undefined : values;
  };
}

/** Splits at commas outside quotes; a quoted item loses its quotes. */
export function splitHeader(text: string): string[] {
  const out: string[] = [];
  let item = '';
  let quoted = false;
  let wasQuoted = false;
  const push = () => {
    out.push(wasQuoted ? item : item.trim());
    item = '';
    wasQuoted = false;
  };
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (quoted && c === '\\' && i + 1 < text.length) item += text.charAt(++i);
    else if (c === '"' && (quoted || item.trim() === '')) {
      quoted = !quoted;
      if (quoted) item = '';
      wasQuoted = true;
    } else if (c === ',' && !quoted) push();
    else if (!wasQuoted || quoted) item += c;
  }
  if (item !== '' || wasQuoted || out.length > 0) push();
  return out;
}

function splitDates(text: string): string[] {
  const parts = text.split(',');
  const out: string[] = [];
  for (let i = 0; i < parts.length; i += 2) out.push(`${(parts[i] ?? '').trim()},${parts[i + 1] ?? ''}`);
  return out;
}

/** Writes a member as the text of a header; undefined where there is nothing to write (an empty list). */
export function headerWriter(model: ServiceModel, ref: ShapeRef): (value: unknown) => string | undefined {
  const shape = shapeOf(model, ref);
  if (ref.jsonvalue) {
    return (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value), 'utf8').toString('base64');
  }
  if (shape.type !== 'list') return scalarWriter(ref, shape);
  const memberRef = shape.member as ShapeRef;
  const member = shapeOf(model, memberRef);
  const write = scalarWriter(memberRef, member);
  const quotes = member.type === 'string';
  return (value) => {
    const items = asList(value).map((item) => (quotes ? quote(write(item)) : write(item)));
    return items.length === 0 ? undefined : items.join(', ');
  };
}

function quote(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : text;
}

function scalarWriter(ref: ShapeRef, shape: ShapeModel): (value: unknown) => string {
  if (shape.type === 'timestamp') {
    const format = ref.timestampFormat ?? shape.timestampFormat ?? 'rfc822';
    return (value) => formatTimestamp(toDate(value), format);
  }
  const text = xmlScalarText(shape);
  return (value) => cleanHeader(text(value));
}

/** A header cannot hold line breaks or other controls, nor text outside ISO 8859-1: such characters are replaced. */
function cleanHeader(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, ' ').replace(/[^\u0000-\u00ff]/g, '?');
}
