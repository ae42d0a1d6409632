import { invalidFilterKey, invalidFilterOption, invalidFilterValue, validation } from '../errors.ts';
import type { ParameterRow } from '../store.ts';
import { checkPath } from './names.ts';

/** A filter as it is given. */
export interface Filter {
  readonly Key?: string | undefined;
  readonly Option?: string | undefined;
  readonly Values?: readonly string[] | undefined;
}

export type Test = (row: ParameterRow) => boolean;

const TYPES = ['SecureString', 'StringList', 'String'];
const TIERS = ['Standard', 'Advanced', 'Intelligent-Tiering'];
const quoted = (values: readonly string[]) => `[${values.join(', ')}]`;

/** "Working with parameters: filters". What DescribeParameters can filter by, and GetParametersByPath. Throws InvalidFilter…. */
export function compileFilters(filters: readonly Filter[] | undefined, keys: readonly string[]): Test {
  const seen = new Set<string>();
  const tests = (filters ?? []).map((filter) => {
    const { Key: key = '' } = filter;
    if (!keys.includes(key) && !(key.startsWith('tag:') && keys.includes('tag:')))
      throw invalidFilterKey(`The following filter key is not valid: ${key}. Valid filter keys include: ${quoted(keys.filter((one) => one !== 'tag:'))}.`);
    if (seen.has(key))
      throw invalidFilterKey(`The following filter is duplicated in the request: ${key}. A request can contain only one occurrence of a specific filter.`);
    seen.add(key);
    return compile(key, filter);
  });
  return (row) => tests.every((test) => test(row));
}

function compile(key: string, { Option: option, Values: values = [] }: Filter): Test {
  const oneOf = (options: readonly string[]): string => {
    if (option !== undefined && !options.includes(option))
      throw invalidFilterOption(`The following filter option is not valid: ${option}. Valid options include: ${quoted(options)}.`);
    return option ?? options[0] ?? '';
  };
  if (key.startsWith('tag:')) {
    oneOf(['Equals']);
    const name = key.slice(4);
    return (row) => name in row.tags && (values.length === 0 || values.includes(row.tags[name] ?? ''));
  }
  if (values.length === 0) throw invalidFilterValue(`The following filter values are missing : null for filter key ${key}.`);
  if (key === 'Path') {
    const recursive = oneOf(['OneLevel', 'Recursive']) === 'Recursive';
    const paths = values.map(checkPath);
    return ({ name }) => paths.some((path) => isUnder(path, name, recursive));
  }
  if (key === 'Name') {
    const how = oneOf(['Equals', 'BeginsWith', 'Contains']);
    return ({ name }) => values.some((value) => nameMatches(name, value, how));
  }
  if (key === 'Type' || key === 'Tier') checkValues(values, key === 'Type' ? TYPES : TIERS);
  if (key === 'Label') {
    oneOf(['Equals']);
    return ({ labels }) => values.some((value) => labels.includes(value));
  }
  const begins = key === 'KeyId' && oneOf(['Equals', 'BeginsWith']) === 'BeginsWith';
  if (key !== 'KeyId') oneOf(['Equals', 'BeginsWith']);
  return (row) => {
    const actual = { Type: row.type, KeyId: row.keyId, Tier: row.tier, DataType: row.dataType }[key] ?? '';
    return values.some((value) => (begins ? actual.startsWith(value) : actual === value));
  };
}

function checkValues(values: readonly string[], known: readonly string[]): void {
  for (const value of values)
    if (!known.includes(value)) throw invalidFilterValue(`The following filter value is not valid: ${value}. Valid values include: ${quoted(known)}.`);
}

function nameMatches(name: string, value: string, how: string): boolean {
  if (how === 'Contains') return name.includes(value);
  const [own, wanted] = [name.replace(/^\//, ''), value.replace(/^\//, '')];
  return how === 'BeginsWith' ? own.startsWith(wanted) : own === wanted;
}

/** Whether a parameter is below `path` (without a slash at its end), directly or at all. */
export function isUnder(path: string, name: string, recursive: boolean): boolean {
  const full = name.startsWith('/') ? name : `/${name}`;
  if (!full.startsWith(`${path}/`)) return false;
  return recursive || !full.slice(path.length + 1).includes('/');
}

/** The older form of filters: values of one key are alternatives; names are prefixes. */
export function olderFilters(filters: readonly Filter[]): Filter[] {
  return filters.map(({ Key, Values }) => {
    if (Key === undefined || !['Name', 'Type', 'KeyId'].includes(Key)) throw validation(`Filter key ${Key ?? 'null'} is not valid`);
    return { Key, Values, ...(Key === 'Name' ? { Option: 'BeginsWith' } : {}) };
  });
}
