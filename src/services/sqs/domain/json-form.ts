import type { WireResponse } from '../../../protocol/wire.ts';
import { parseXml, type XmlElement } from '../../../protocol/xml/parse.ts';

/** Longer documents stay XML: turning them over would hold up everyone else. */
const CONVERTED_CHARS_MAX = 1024 * 1024;
const EMPTY_RESULT = /<(\w+Result)><\/\1>/;

type Json = string | null | { [name: string]: Json | Json[] };

/** An element as JSON: its text, or its children by name, those that repeat as a list. */
function jsonOf({ children, text }: XmlElement): Json {
  if (children.length === 0) return text === '' ? null : text;
  const object: { [name: string]: Json | Json[] } = {};
  for (const child of children) {
    const value = jsonOf(child);
    const before = object[child.name];
    object[child.name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return object;
}

/**
 * The query protocol's last word: an empty result is one tag, as AWS writes it and callers look for it, and whoever accepts
 * `application/json` gets the document as JSON.
 */
export function queryForm(accept: string | undefined, response: WireResponse): WireResponse {
  const { body } = response;
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body.toString() : '';
  if (!text.startsWith('<')) return response;
  if (!accept?.includes('application/json') || text.length > CONVERTED_CHARS_MAX) return { ...response, body: text.replace(EMPTY_RESULT, '<$1/>') };
  const root = parseXml(text);
  const { 'content-type': _lower, 'Content-Type': _type, 'content-length': _length, 'Content-Length': _size, ...headers } = response.headers;
  return { ...response, headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify({ [root.name]: jsonOf(root) }) };
}
