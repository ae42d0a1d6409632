import type { AttributeValueUpdate, ExpectedAttributeValue } from '@aws-sdk/client-dynamodb';
import { conditionFailed, duplicateItem, invalidParameter, validation } from '../errors.ts';
import { ITEM_BYTES_MAX, NESTING_LEVELS_MAX } from '../limits.ts';
import { applyUpdate } from './expression/apply.ts';
import { type Condition, type ResolvedCondition, resolveCondition } from './expression/condition.ts';
import { meets } from './expression/evaluate.ts';
import { Placeholders } from './expression/placeholders.ts';
import { resolveUpdate, type UpdateAction } from './expression/update.ts';
import { checkConditionalOperator, expectedCondition, updateActions } from './legacy.ts';
import { checkExpressionParameters } from './parameters.ts';
import { checkItemKeys, checkKey, checkNestedPaths, type Table } from './table.ts';
import { type AttributeValue, attributeOf, checkItem, copyItem, type Item, itemSize, nestingOf, textSize, typeOf } from './value.ts';

/** What is to be done to one item, checked as far as it can be without the table. */
export interface ItemWrite {
  readonly action: 'Put' | 'Update' | 'Delete' | 'ConditionCheck';
  /** The key of the item; of a Put, the item itself. */
  readonly key: Item;
  /** Of a Put, the item's size in bytes as AWS counts them. */
  readonly size: number;
  readonly condition: Condition | undefined;
  readonly actions: readonly UpdateAction[];
  /** Attributes that a condition or an update goes into. */
  readonly nestedHeads: ReadonlySet<string> | undefined;
  readonly legacyUpdate: boolean;
  /** `ReturnValuesOnConditionCheckFailure: ALL_OLD`. */
  readonly returnOnFailure: boolean;
  /** An INSERT: what its condition refuses is a duplicate. */
  readonly inserts?: boolean;
}

export interface ConditionInput {
  ConditionExpression?: string | undefined;
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Record<string, unknown> | undefined;
  Expected?: Record<string, ExpectedAttributeValue> | undefined;
  ConditionalOperator?: string | undefined;
  ReturnValuesOnConditionCheckFailure?: string | undefined;
}

export interface UpdateInput extends ConditionInput {
  UpdateExpression?: string | undefined;
  AttributeUpdates?: Record<string, AttributeValueUpdate> | undefined;
}

const NONE: readonly UpdateAction[] = [];
export const TOO_LARGE = 'Item size has exceeded the maximum allowed size';

export function planPut(item: Item, input: ConditionInput): ItemWrite {
  checkExpressionParameters(input, ['ConditionExpression'], ['Expected']);
  const size = checkItem(item);
  if (size > ITEM_BYTES_MAX) throw validation(TOO_LARGE);
  return { action: 'Put', key: item, size, actions: NONE, legacyUpdate: false, ...planCondition(input) };
}

export function planDelete(key: Item, input: ConditionInput, action: 'Delete' | 'ConditionCheck' = 'Delete'): ItemWrite {
  checkExpressionParameters(input, ['ConditionExpression'], ['Expected']);
  checkItem(key);
  return { action, key, size: 0, actions: NONE, legacyUpdate: false, ...planCondition(input) };
}

function planCondition(input: ConditionInput): Pick<ItemWrite, 'condition' | 'nestedHeads' | 'returnOnFailure'> {
  const returnOnFailure = input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
  const legacy = legacyCondition(input);
  if (input.ConditionExpression === undefined) {
    return { condition: legacy, nestedHeads: undefined, returnOnFailure };
  }
  const placeholders = placeholdersOf(input);
  const resolved = resolveCondition('ConditionExpression', input.ConditionExpression, placeholders);
  placeholders.checkAllUsed();
  return { condition: resolved.condition, nestedHeads: resolved.nestedHeads, returnOnFailure };
}

function legacyCondition({ Expected, ConditionalOperator }: ConditionInput): Condition | undefined {
  checkConditionalOperator(ConditionalOperator, Expected);
  return Expected && Object.keys(Expected).length > 0 ? expectedCondition(Expected, ConditionalOperator) : undefined;
}

export function placeholdersOf(input: {
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Record<string, unknown> | undefined;
}): Placeholders {
  return new Placeholders(input.ExpressionAttributeNames, input.ExpressionAttributeValues as Record<string, AttributeValue> | undefined);
}

export function planUpdate(key: Item, input: UpdateInput): ItemWrite {
  checkExpressionParameters(input, ['UpdateExpression', 'ConditionExpression'], ['AttributeUpdates', 'Expected']);
  checkItem(key);
  const legacyUpdates = input.AttributeUpdates && updateActions(input.AttributeUpdates);
  const legacy = legacyCondition(input);
  const returnOnFailure = input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
  const base = { action: 'Update', key, size: 0, legacyUpdate: legacyUpdates !== undefined, returnOnFailure } as const;
  if (input.UpdateExpression === undefined && input.ConditionExpression === undefined) {
    return { ...base, condition: legacy, actions: legacyUpdates ?? NONE, nestedHeads: undefined };
  }
  const placeholders = placeholdersOf(input);
  const update = input.UpdateExpression === undefined ? undefined : resolveUpdate(input.UpdateExpression, placeholders);
  let condition: ResolvedCondition | undefined;
  if (input.ConditionExpression !== undefined) condition = resolveCondition('ConditionExpression', input.ConditionExpression, placeholders);
  placeholders.checkAllUsed();
  const nestedHeads = new Set([...(update?.nestedHeads ?? []), ...(condition?.nestedHeads ?? [])]);
  return { ...base, condition: condition?.condition, actions: update?.actions ?? NONE, nestedHeads };
}

/** Checks a write against the table it goes to. Throws ValidationException. */
export function checkWrite(table: Table, write: ItemWrite): void {
  if (write.action === 'Put') checkItemKeys(table, write.key);
  else checkKey(table, write.key);
  if (write.action === 'Update') checkUpdate(table, write.actions);
  checkNestedPaths(table, write.nestedHeads);
}

function checkUpdate(table: Table, actions: readonly UpdateAction[]): void {
  for (const name of table.keyNames) {
    if (actions.some((action) => action.path[0] === name)) throw invalidParameter(`Cannot update attribute ${name}. This attribute is part of the key`);
  }
  for (const index of table.indexes) {
    for (const attribute of index.range ? [index.hash, index.range] : [index.hash]) {
      for (const action of actions) {
        if (action.path.length !== 1 || action.path[0] !== attribute.name) continue;
        const type = writtenType(action);
        if (type !== undefined && type !== attribute.type) {
          throw invalidParameter(`Type mismatch for Index Key ${attribute.name} Expected: ${attribute.type} Actual: ${type} IndexName: ${index.name}`);
        }
      }
    }
  }
}

/** The type an action writes whatever the item is. */
function writtenType(action: UpdateAction): string | undefined {
  if (action.type === 'add') return typeOf(action.value);
  if (action.type !== 'set') return undefined;
  switch (action.value.type) {
    case 'value':
      return typeOf(action.value.value);
    case '+':
    case '-':
      return 'N';
    case 'list_append':
      return 'L';
    default:
      return undefined;
  }
}

/**
 * The item after the write, undefined for none. Pure: it runs inside the transaction.
 * Throws ConditionalCheckFailedException, or ValidationException where the update does not fit the item.
 */
export function applyWrite(table: Table, write: ItemWrite, old: { readonly item: Item } | undefined): { item: Item; size: number } | undefined {
  if (write.condition && !meets(old?.item ?? {}, write.condition)) {
    throw write.inserts ? duplicateItem() : conditionFailed(write.returnOnFailure ? old?.item : undefined);
  }
  switch (write.action) {
    case 'Put':
      return { item: write.key, size: write.size };
    case 'Update':
      return updatedItem(table, write, old?.item);
    default:
      return undefined;
  }
}

function updatedItem(table: Table, write: ItemWrite, old: Item | undefined): { item: Item; size: number } | undefined {
  if (old === undefined && write.legacyUpdate && write.actions.length > 0 && write.actions.every(({ type }) => type === 'remove' || type === 'delete')) {
    return undefined;
  }
  const item = legacyMismatch(write, () => (write.actions.length === 0 ? copyItem(old ?? write.key) : applyUpdate(old ?? write.key, write.actions)));
  for (const action of write.actions) {
    const value = attributeOf(item, action.path[0] as string);
    if (value && nestingOf(value) > NESTING_LEVELS_MAX) {
      throw validation('Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit');
    }
  }
  const size = itemSize(item);
  if (size > ITEM_BYTES_MAX) throw validation('Item size to update has exceeded the maximum allowed size');
  checkUpdatedIndexKeys(table, item);
  return { item, size };
}

/** The legacy parameter words a wrong type differently. */
function legacyMismatch<T>(write: ItemWrite, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (write.legacyUpdate && (error as Error).message.startsWith('An operand in the update expression'))
      throw validation('Type mismatch for attribute to update');
    throw error;
  }
}

function checkUpdatedIndexKeys(table: Table, item: Item): void {
  for (const index of table.indexes) {
    for (const attribute of index.range ? [index.hash, index.range] : [index.hash]) {
      const value = attributeOf(item, attribute.name);
      if (value === undefined) continue;
      if (value[attribute.type] === undefined) throw validation('The update expression attempted to update the secondary index key to unsupported type');
      const size = value.S !== undefined ? textSize(value.S) : (value.B?.length ?? 1);
      if (size === 0) {
        throw validation(
          `One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty ${attribute.type === 'B' ? 'binary' : 'string'} value.`,
        );
      }
    }
  }
}
