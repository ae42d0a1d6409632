import { hash } from 'node:crypto';
import { prefixEnd } from '../../kit/key.ts';
import type { Ctx } from '../service.ts';
import { Units } from './domain/capacity.ts';
import { itemOfText, itemText } from './domain/encoding.ts';
import { Projection } from './domain/expression/path.ts';
import { parseStatement } from './domain/partiql/parser.ts';
import { planSelect, planWrite, projectionOf, type SelectPlan } from './domain/partiql/plan.ts';
import type { Returning, Select, Statement, WriteStatement } from './domain/partiql/statement.ts';
import { nestedHeadsOf } from './domain/projected.ts';
import { checkNestedPaths, type Index, type Table } from './domain/table.ts';
import { type AttributeValue, base64, checkValue, type Item } from './domain/value.ts';
import { validation } from './errors.ts';
import { commitPlanned, openTable, type Written } from './items.ts';
import { PAGE_BYTES_MAX } from './limits.ts';
import { checkProjected, type PageRequest, readRange, rowOfStartKey } from './pages.ts';
import type { Tables } from './store.ts';

/** A statement of a request with its parameters, read. Throws ValidationException. */
export function readStatement(text: string | undefined, parameters: readonly unknown[] | undefined): Statement {
  const values = (parameters ?? []) as AttributeValue[];
  for (const value of values) checkValue(value);
  return parseStatement(text ?? '', values);
}

export interface SelectOptions {
  readonly consistent: boolean | undefined;
  readonly limit?: number | undefined;
  readonly nextToken?: string | undefined;
  /** What a token must have been given for: the statement and its parameters. */
  readonly request?: unknown;
}

export interface SelectResult {
  readonly table: Table;
  readonly items: Item[];
  readonly units: Units;
  readonly last?: Item;
  readonly nextToken?: string;
}

/** Reads one page of a SELECT: the partitions its WHERE names, one after the other, or the table or index whole. */
export async function runSelect(tables: Tables, ctx: Ctx, select: Select, options: SelectOptions): Promise<SelectResult> {
  const table = await openTable(tables, ctx, select.from.table);
  const index = indexOf(table, select, options.consistent);
  const plan = planSelect(table, index, select);
  const projected = projectionOf(select);
  checkProjected(index, undefined, projected);
  checkNestedPaths(table, nestedHeadsOf(projected));
  const requests = pageRequests(table, index, plan, { projected, consistent: options.consistent });
  const fingerprint = hash('sha256', JSON.stringify(options.request ?? null, printable), 'base64url');
  const start = options.nextToken === undefined ? { at: 0, key: undefined } : readToken(options.nextToken, fingerprint);
  const after = start.key && startRow(table, index, start.key);
  const items: Item[] = [];
  const units = new Units();
  let scanned = 0;
  let pageBytes = 0;
  for (let at = start.at; at < requests.length; at++) {
    const limit = options.limit === undefined ? undefined : options.limit - scanned;
    const found = await readRange(tables, { ...(requests[at] as PageRequest), limit, after: at === start.at ? after : undefined });
    for (const item of found.items) items.push(item);
    units.add(found.units);
    scanned += found.scanned;
    pageBytes += found.pageBytes;
    const { last } = found;
    if (last) return { table, items, units, last, nextToken: token({ f: fingerprint, r: at, k: itemText(last) }) };
    const full = pageBytes >= PAGE_BYTES_MAX || scanned === options.limit;
    if (full && at + 1 < requests.length) return { table, items, units, nextToken: token({ f: fingerprint, r: at + 1 }) };
  }
  return { table, items, units };
}

const printable = (_name: string, value: unknown): unknown => (value instanceof Uint8Array ? base64(value) : value);

/** PartiQL words the faults of an index unlike Query. */
function indexOf(table: Table, { from }: Select, consistent: boolean | undefined): Index | undefined {
  if (from.index === undefined) return undefined;
  const index = table.indexes.find(({ name }) => name === from.index);
  if (!index) throw validation('The table does not have the specified index');
  if (index.global && consistent) throw validation('Strongly consistent read is not supported on Global Secondary Indexes');
  if (index.record.status !== 'ACTIVE') throw validation(`Cannot read from backfilling global secondary index: ${index.name}`);
  return index;
}

function pageRequests(table: Table, index: Index | undefined, plan: SelectPlan, rest: Pick<PageRequest, 'projected' | 'consistent'>): PageRequest[] {
  const base = {
    ...rest,
    table,
    index,
    reverse: plan.reverse,
    filter: plan.filter,
    after: undefined,
    limit: undefined,
    select: undefined,
    returnCapacity: undefined,
  };
  if (plan.ranges) return plan.ranges.map(({ range, partitionKey }) => ({ ...base, range, partitionKey }));
  const from = index?.prefix ?? table.itemPrefix;
  return [{ ...base, range: { from, to: prefixEnd(from) }, partitionKey: undefined }];
}

/** Where a page ended: fingerprint of the request, number of the range, last key. */
interface Token {
  readonly f: string;
  readonly r: number;
  readonly k?: string;
}

function token(content: Token): string {
  return Buffer.from(JSON.stringify(content), 'utf8').toString('base64url');
}

function readToken(text: string, fingerprint: string): { at: number; key: Item | undefined } {
  const content = validToken(() => JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Partial<Token> | null);
  if (typeof content?.f !== 'string' || !Number.isSafeInteger(content.r) || (content.r ?? -1) < 0) throw validation('Invalid NextToken');
  if (content.f !== fingerprint) throw validation('NextToken does not match request');
  const { k } = content;
  return { at: content.r ?? 0, key: k === undefined ? undefined : validToken(() => itemOfText(k)) };
}

function startRow(table: Table, index: Index | undefined, key: Item): string {
  return validToken(() => rowOfStartKey(table, index, key));
}

/** A token comes from the client: whatever is wrong with it is the client's fault. */
function validToken<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw Object.assign(validation('Invalid NextToken'), { cause: error });
  }
}

/** Runs an INSERT, UPDATE or DELETE by itself. */
export async function runWriteStatement(
  tables: Tables,
  ctx: Ctx,
  statement: WriteStatement,
  returnOnFailure: boolean,
): Promise<{ table: Table; items: Item[]; units: Units }> {
  if (statement.kind === 'exists') throw validation('EXISTS can only be used in ExecuteTransaction write requests.');
  const written = await commitPlanned(tables, ctx, statement.from.table, (table) => planWrite(table, statement, returnOnFailure));
  const units = new Units();
  units.addWrite(written.units);
  return { table: written.table, items: returnedItems(statement, written), units };
}

/** What RETURNING asks for; nothing where it would be empty. */
function returnedItems(statement: WriteStatement, written: Written): Item[] {
  const returning: Returning | undefined = statement.kind === 'update' || statement.kind === 'delete' ? statement.returning : undefined;
  const item = returning && (returning.image === 'OLD' ? written.old : written.next)?.item;
  if (item === undefined) return [];
  if (returning?.scope === 'ALL' || statement.kind !== 'update') return [item];
  const part = new Projection(statement.actions.map(({ path }) => path)).apply(item);
  return Object.keys(part).length > 0 ? [part] : [];
}
