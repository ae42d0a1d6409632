import type { DocumentationPart, DocumentationPartLocation } from '@aws-sdk/client-api-gateway';
import { badRequest } from '../errors.ts';
import { DOCUMENTATION_PARTS_MAX } from '../limits.ts';
import { parseDocument } from './openapi.ts';
import { compact } from './patch.ts';

/** "Documenting REST APIs". A part as it is stored: listed in the order in which parts were made. */
export type DocumentationPartRow = DocumentationPart & {
  readonly id: string;
  readonly location: DocumentationPartLocation;
  readonly properties: string;
  readonly order: number;
};

export interface DocumentationVersionRow {
  readonly version: string;
  readonly description?: string;
  readonly createdMs: number;
}

export type NewPart = Pick<DocumentationPartRow, 'location' | 'properties'>;

export function describePart({ order: _order, ...part }: DocumentationPartRow): DocumentationPart {
  return part;
}

/** What a part is about; two parts of an API cannot be about the same. */
export const locationKey = ({ type, path, method, statusCode, name }: DocumentationPartLocation): string =>
  JSON.stringify([type, path, method, statusCode, name]);

/** What a location may name, by type; a path that is left out is the root. */
const MEMBERS: Readonly<Record<string, readonly ('path' | 'method' | 'statusCode' | 'name')[]>> = {
  API: [],
  AUTHORIZER: ['name'],
  MODEL: ['name'],
  RESOURCE: ['path'],
  METHOD: ['path', 'method'],
  PATH_PARAMETER: ['path', 'method', 'name'],
  QUERY_PARAMETER: ['path', 'method', 'name'],
  REQUEST_HEADER: ['path', 'method', 'name'],
  REQUEST_BODY: ['path', 'method'],
  RESPONSE: ['path', 'method', 'statusCode'],
  RESPONSE_HEADER: ['path', 'method', 'statusCode', 'name'],
  RESPONSE_BODY: ['path', 'method', 'statusCode'],
};

export function locationOf(given: DocumentationPartLocation): DocumentationPartLocation {
  const members = MEMBERS[given.type ?? ''] ?? [];
  const takes = (name: (typeof members)[number]) => (members.includes(name) ? given[name] || undefined : undefined);
  return compact({
    type: given.type,
    path: members.includes('path') ? (given.path ?? '/') : undefined,
    method: takes('method'),
    statusCode: takes('statusCode'),
    name: takes('name'),
  }) as DocumentationPartLocation;
}

/** `x-amazon-apigateway-documentation` of an OpenAPI document. */
export function partsOf(document: Readonly<Record<string, unknown>>): NewPart[] {
  const section = document['x-amazon-apigateway-documentation'];
  const parts = typeof section === 'object' && section !== null ? (section as Record<string, unknown>)['documentationParts'] : undefined;
  if (!Array.isArray(parts)) return [];
  if (parts.length > DOCUMENTATION_PARTS_MAX) throw badRequest(`The number of documentation parts exceeds the limit of ${DOCUMENTATION_PARTS_MAX}.`);
  return parts.flatMap((raw: unknown) => {
    if (typeof raw !== 'object' || raw === null) return [];
    const { location, properties } = raw as Record<string, unknown>;
    const type = typeof location === 'object' && location !== null ? (location as Record<string, unknown>)['type'] : undefined;
    if (typeof type !== 'string' || !Object.hasOwn(MEMBERS, type)) throw badRequest(`Invalid documentation part location type specified: ${String(type)}`);
    const texts = Object.fromEntries(Object.entries(location as object).map(([name, value]) => [name, String(value)])) as unknown as DocumentationPartLocation;
    return [{ location: locationOf(texts), properties: JSON.stringify(properties ?? {}) }];
  });
}

/** Parts out of a document of which nothing else is asked. */
export function readParts(body: Uint8Array): NewPart[] {
  let document: Readonly<Record<string, unknown>>;
  try {
    document = parseDocument(body);
  } catch {
    // AWS's own words for a document of which it cannot make anything.
    throw badRequest('Unable to build importer with provided input.');
  }
  return partsOf(document);
}
