import type { Condition } from '../expression/condition.ts';
import type { Path } from '../expression/placeholders.ts';
import type { UpdateAction } from '../expression/update.ts';
import type { Item } from '../value.ts';

/** What FROM names: a table, perhaps one of its indexes. */
export interface Source {
  readonly table: string;
  readonly index?: string;
}

export interface OrderTerm {
  readonly attribute: string;
  readonly descending: boolean;
}

export interface Select {
  readonly kind: 'select';
  readonly from: Source;
  /** Undefined for `*`. */
  readonly paths: readonly Path[] | undefined;
  readonly where: Condition | undefined;
  readonly orderBy: readonly OrderTerm[];
}

export interface Insert {
  readonly kind: 'insert';
  readonly from: Source;
  readonly item: Item;
}

export interface Returning {
  readonly scope: 'ALL' | 'MODIFIED';
  readonly image: 'OLD' | 'NEW';
}

export interface Update {
  readonly kind: 'update';
  readonly from: Source;
  readonly actions: readonly UpdateAction[];
  readonly where: Condition | undefined;
  readonly returning: Returning | undefined;
}

export interface Delete {
  readonly kind: 'delete';
  readonly from: Source;
  readonly where: Condition | undefined;
  readonly returning: Returning | undefined;
}

/** `EXISTS(SELECT …)`: a condition of a transaction. */
export interface Exists {
  readonly kind: 'exists';
  readonly from: Source;
  readonly where: Condition | undefined;
}

/** A statement in terms of DynamoDB's own conditions and actions, so that one evaluator serves both languages. */
export type Statement = Select | Insert | Update | Delete | Exists;
export type WriteStatement = Exclude<Statement, Select>;
