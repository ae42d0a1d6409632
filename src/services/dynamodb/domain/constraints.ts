import { parseArn } from '../../../kit/arn.ts';
import { validation } from '../errors.ts';
import { TABLE_NAME_CHARS_MAX, TABLE_NAME_CHARS_MIN } from '../limits.ts';

/**
 * The first round of validation, in which AWS gathers everything it finds: `2 validation errors detected: …; …`.
 * DynamoDB's own constraints differ from its model's (a table's name may be an ARN of 1,024 characters by the model, and is
 * refused by the table name's rules), so the room checks them itself.
 */
export class Constraints {
  readonly #failures: string[] = [];

  /** Adds a failure; `value` is shown as Java prints it, `null` without quotes. */
  fail(path: string, value: unknown, constraint: string): void {
    if (this.#failures.length >= FAILURES_MAX) return;
    const shown = value === undefined || value === null ? 'null' : `'${shownAs(value)}'`;
    this.#failures.push(`Value ${shown} at '${path}' failed to satisfy constraint: ${constraint}`);
  }

  required(path: string, value: unknown): boolean {
    if (value !== undefined && value !== null) return true;
    this.fail(path, value, 'Member must not be null');
    return false;
  }

  oneOf(path: string, value: string | undefined, allowed: readonly string[]): void {
    if (value === undefined || allowed.includes(value)) return;
    this.fail(path, value, `Member must satisfy enum value set: [${allowed.join(', ')}]`);
  }

  atLeast(path: string, value: number | undefined, min: number): void {
    if (value !== undefined && value < min) this.fail(path, value, `Member must have value greater than or equal to ${min}`);
  }

  atMost(path: string, value: number | undefined, max: number): void {
    if (value !== undefined && value > max) this.fail(path, value, `Member must have value less than or equal to ${max}`);
  }

  length(path: string, value: string | readonly unknown[] | undefined, min: number, max = Number.POSITIVE_INFINITY): void {
    if (value === undefined) return;
    if (value.length < min) this.fail(path, value, `Member must have length greater than or equal to ${min}`);
    if (value.length > max) this.fail(path, value, `Member must have length less than or equal to ${max}`);
  }

  /** A table's or index's name. */
  name(path: string, value: string | undefined, min: number): void {
    if (value === undefined) return;
    const before = this.#failures.length;
    this.length(path, value, min, TABLE_NAME_CHARS_MAX);
    if (this.#failures.length === before && !NAME_SHAPE.test(value)) {
      this.fail(path, value, 'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+');
    }
  }

  /** Throws what was gathered. */
  check(): void {
    const count = this.#failures.length;
    if (count > 0) throw validation(`${count} validation error${count > 1 ? 's' : ''} detected: ${this.#failures.join('; ')}`);
  }
}

const NAME_SHAPE = /^[a-zA-Z0-9_.-]+$/;

/** AWS tells ten failures at most. */
const FAILURES_MAX = 10;

/** Long values are cut, their closing brackets kept: a message is no place for 16 MB. */
const SHOWN_CHARS_MAX = 4096;
const CLOSING_CHARS_MAX = 8;

function shownAs(value: unknown): string {
  const text = javaText(value, 0);
  if (text.length <= SHOWN_CHARS_MAX) return text;
  const closing = /[\]}]*$/.exec(text.slice(-CLOSING_CHARS_MAX))?.[0] ?? '';
  return `${text.slice(0, SHOWN_CHARS_MAX)}...${closing}`;
}

/** How Java prints lists and maps; bounded in depth and in what it looks at. */
function javaText(value: unknown, depth: number): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value !== 'object') return String(value);
  if (depth > 8) return '...';
  if (value instanceof Uint8Array) return `java.nio.HeapByteBuffer[pos=0 lim=${value.length} cap=${value.length}]`;
  if (Array.isArray(value)) return `[${value.map((element) => javaText(element, depth + 1)).join(', ')}]`;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${entries.map(([name, member]) => `${name}=${javaText(member, depth + 1)}`).join(', ')}}`;
}

export const RETURN_CONSUMED_CAPACITY = ['INDEXES', 'TOTAL', 'NONE'] as const;
export const RETURN_VALUES = ['ALL_NEW', 'UPDATED_OLD', 'ALL_OLD', 'NONE', 'UPDATED_NEW'] as const;
export const RETURN_ITEM_COLLECTION_METRICS = ['SIZE', 'NONE'] as const;
export const RETURN_VALUES_ON_FAILURE = ['ALL_OLD', 'NONE'] as const;
export const CONDITIONAL_OPERATORS = ['OR', 'AND'] as const;
export const SELECTS = ['SPECIFIC_ATTRIBUTES', 'COUNT', 'ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES'] as const;
export const COMPARISON_OPERATORS = [
  'IN',
  'NULL',
  'BETWEEN',
  'LT',
  'NOT_CONTAINS',
  'EQ',
  'GT',
  'NOT_NULL',
  'NE',
  'LE',
  'BEGINS_WITH',
  'GE',
  'CONTAINS',
] as const;
export const ATTRIBUTE_ACTIONS = ['ADD', 'PUT', 'DELETE'] as const;
export const ATTRIBUTES_TO_GET_MAX = 255;

/**
 * The table a request names, perhaps by its ARN. A bad name is told alone and at once; a missing one is told with what else
 * `constraints` gathers.
 */
export function requiredTableName(value: string | undefined, constraints: Constraints): string {
  if (value === undefined || value === null) {
    constraints.required('tableName', value);
    return '';
  }
  const name = nameInArn(value);
  const alone = new Constraints();
  alone.name('tableName', name, 1);
  alone.check();
  return name;
}

/** For operations on tables, which miss the name in other words and take none under three characters. */
export function requiredOwnTableName(value: string | undefined): string {
  if (value === undefined || value === null) throw validation("The parameter 'TableName' is required but was not present in the request");
  const name = nameInArn(value);
  const constraints = new Constraints();
  constraints.name('tableName', name, TABLE_NAME_CHARS_MIN);
  constraints.check();
  return name;
}

/** The table's name in `arn:aws:dynamodb:…:table/name`, or the text itself. */
export function nameInArn(value: string): string {
  if (!value.startsWith('arn:')) return value;
  const resource = parseArn(value)?.resource;
  return resource?.startsWith('table/') ? (resource.split('/')[1] ?? value) : value;
}
