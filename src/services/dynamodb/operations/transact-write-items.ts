import { hash } from 'node:crypto';
import type { ConsumedCapacity, ItemCollectionMetrics, TransactWriteItem, TransactWriteItemsInput, TransactWriteItemsOutput } from '@aws-sdk/client-dynamodb';
import { AwsError } from '../../../kit/errors.ts';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import { type Key, keyOf, uint64 } from '../../../kit/key.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { enqueuePurge } from '../background.ts';
import { consumedCapacity, readUnits, Units, type WriteUnits } from '../domain/capacity.ts';
import { Constraints, nameInArn, RETURN_CONSUMED_CAPACITY, RETURN_ITEM_COLLECTION_METRICS, RETURN_VALUES_ON_FAILURE } from '../domain/constraints.ts';
import { type Place, placeOf, type Table } from '../domain/table.ts';
import { base64, type Item } from '../domain/value.ts';
import { checkWrite, type ItemWrite, planDelete, planPut, planUpdate } from '../domain/write.ts';
import { type CancellationReason, idempotentParameterMismatch, transactionCancelled, validation } from '../errors.ts';
import { encodedPuts, itemCollectionMetrics, meterWrite, openTable, runWrite, type Written } from '../items.ts';
import { TRANSACT_BYTES_MAX, TRANSACT_ITEMS_MAX, TRANSACT_TOKEN_MS } from '../limits.ts';
import type { Tables, Writing } from '../store.ts';
import { hoisted } from './transact-get-items.ts';

const ACTIONS = ['ConditionCheck', 'Put', 'Delete', 'Update'] as const;

/** An action of a transaction: what it does may need the table's keys to be known. */
export interface PlannedAction {
  readonly tableName: string;
  readonly plan: (table: Table) => ItemWrite;
}

interface Action {
  readonly tableName: string;
  readonly write: ItemWrite;
}

/** What a transaction of writes is asked with beside its actions. */
export interface TransactionOptions {
  readonly ClientRequestToken?: string | undefined;
  readonly ReturnConsumedCapacity?: string | undefined;
  readonly ReturnItemCollectionMetrics?: string | undefined;
}

interface Done {
  readonly table: Table;
  readonly units: WriteUnits;
  readonly size: number;
}

/** What a client request token is remembered with. */
interface TokenRecord {
  readonly request: string;
  readonly untilMs: number;
}

/**
 * "TransactWriteItems": up to 100 writes and checks in one commit, or none of them and a reason for each.
 * A repeated request with the same token within ten minutes answers without writing again.
 */
export function transactWriteItems(tables: Tables): Operation<TransactWriteItemsInput, TransactWriteItemsOutput> {
  const run = writeTransaction(tables);
  return async (ctx, input) => {
    checkInput(input);
    const actions = (input.TransactItems ?? []).map(planAction).map(({ tableName, write }) => ({ tableName, plan: () => write }));
    return run(ctx, actions, input, input.TransactItems);
  };
}

/** Runs the actions of a transaction; `request` is what a repeated token must come with. */
export function writeTransaction(tables: Tables) {
  let purgedEpoch = -1;
  return async (ctx: Ctx, planned: readonly PlannedAction[], options: TransactionOptions, request: unknown): Promise<TransactWriteItemsOutput> => {
    const token = tokenOf(ctx, options.ClientRequestToken, request);
    const { actions, done, repeated } = await tables.write(async () => {
      const found = new Map<string, Table>();
      for (const { tableName } of planned) if (!found.has(tableName)) found.set(tableName, await openTable(tables, ctx, tableName));
      const each = planned.map(({ tableName }) => found.get(tableName) as Table);
      const actions = planned.map(({ tableName, plan }, at) => ({ tableName, write: plan(each[at] as Table) }));
      const places = checkActions(actions, each);
      const keys = places.map((place) => place.key);
      const rows = await encodedPuts(
        actions.map(({ write }) => write),
        places,
      );
      return {
        tables: [...found.values()],
        keys: token ? [...keys, token.key, token.earlierKey] : keys,
        run: (writing) => {
          const { tx } = writing;
          const repeated = token !== undefined && isRepeated(tx, token);
          if (token && !repeated) tx.put(token.key, encodeJson(token.record));
          if (token && token.epoch > purgedEpoch) forgetTokens(ctx, tx, token.epoch);
          const done = repeated ? repeatedUnits(tx, actions, each, places) : runAll(writing, actions, each, places, rows);
          if (!repeated) for (const { units } of done) meterWrite(ctx, units, 2);
          return { actions, repeated, done };
        },
      };
    });
    if (token) purgedEpoch = token.epoch;
    return answer(ctx, options, actions, done, repeated);
  };
}

function checkInput(input: TransactWriteItemsInput): void {
  const constraints = new Constraints();
  constraints.oneOf('returnConsumedCapacity', input.ReturnConsumedCapacity, RETURN_CONSUMED_CAPACITY);
  constraints.oneOf('returnItemCollectionMetrics', input.ReturnItemCollectionMetrics, RETURN_ITEM_COLLECTION_METRICS);
  constraints.length('clientRequestToken', input.ClientRequestToken, 1, 36);
  if (constraints.required('transactItems', input.TransactItems)) constraints.length('transactItems', input.TransactItems, 1, TRANSACT_ITEMS_MAX);
  (input.TransactItems ?? []).forEach((item, at) => {
    for (const kind of ACTIONS) constrainAction(constraints, `transactItems.${at + 1}.member.${kind[0]?.toLowerCase()}${kind.slice(1)}`, kind, item);
  });
  constraints.check();
}

function constrainAction(constraints: Constraints, path: string, kind: (typeof ACTIONS)[number], item: TransactWriteItem): void {
  const action = item[kind];
  if (action === undefined) return;
  if (constraints.required(`${path}.tableName`, action.TableName)) constraints.name(`${path}.tableName`, nameInArn(action.TableName ?? ''), 1);
  if ('Item' in action || kind === 'Put') constraints.required(`${path}.item`, item.Put?.Item);
  else constraints.required(`${path}.key`, (action as { Key?: unknown }).Key);
  if (kind === 'Update') constraints.required(`${path}.updateExpression`, item.Update?.UpdateExpression);
  if (kind === 'ConditionCheck') constraints.required(`${path}.conditionExpression`, item.ConditionCheck?.ConditionExpression);
  constraints.oneOf(`${path}.returnValuesOnConditionCheckFailure`, action.ReturnValuesOnConditionCheckFailure, RETURN_VALUES_ON_FAILURE);
}

function planAction(item: TransactWriteItem): Action {
  const given = ACTIONS.filter((kind) => item[kind] !== undefined);
  if (given.length === 0) throw validation('Invalid Request: TransactWriteRequest should contain Delete or Put or Update request');
  if (given.length > 1) {
    throw validation('TransactItems can only contain one of Check, Put, Update or Delete');
  }
  const { Put, Update, Delete, ConditionCheck } = item;
  if (Put) return { tableName: nameInArn(Put.TableName ?? ''), write: planPut(Put.Item as Item, Put) };
  if (Update) return { tableName: nameInArn(Update.TableName ?? ''), write: planUpdate(Update.Key as Item, Update) };
  if (Delete) return { tableName: nameInArn(Delete.TableName ?? ''), write: planDelete(Delete.Key as Item, Delete) };
  return { tableName: nameInArn(ConditionCheck?.TableName ?? ''), write: planDelete(ConditionCheck?.Key as Item, ConditionCheck ?? {}, 'ConditionCheck') };
}

/** The rows of all actions; what one of them has wrong by its table cancels all. */
function checkActions(actions: readonly Action[], tables: readonly Table[]): Place[] {
  const reasons = actions.map(({ write }, at): CancellationReason => {
    try {
      checkWrite(tables[at] as Table, write);
      return { Code: 'None' };
    } catch (error) {
      if (error instanceof AwsError && !hoisted(error)) return { Code: 'ValidationError', Message: error.message };
      throw error;
    }
  });
  if (reasons.some((reason) => reason.Code !== 'None')) throw transactionCancelled(reasons);
  const places = actions.map(({ write }, at) => placeOf(tables[at] as Table, write.key));
  if (new Set(places.map((place) => place.key)).size !== places.length) {
    throw validation('Transaction request cannot include multiple operations on one item');
  }
  return places;
}

/** Runs every action, so that each has its reason, and throws if any failed: then nothing is written. */
function runAll(
  writing: Writing,
  actions: readonly Action[],
  tables: readonly Table[],
  places: readonly Place[],
  rows: readonly (Uint8Array | undefined)[],
): Done[] {
  const done: Done[] = [];
  let failed = false;
  let bytes = 0;
  const reasons = actions.map(({ write }, at): CancellationReason => {
    try {
      const table = tables[at] as Table;
      const written: Written = runWrite(writing, table, places[at] as Place, write, rows[at]);
      const size = Math.max(written.next?.size ?? 0, written.old?.size ?? 0);
      bytes += write.action === 'Put' || write.action === 'Update' ? (written.next?.size ?? 0) : 0;
      done.push({ table, units: written.units, size });
      return { Code: 'None' };
    } catch (error) {
      if (!(error instanceof AwsError) || hoisted(error)) throw error;
      failed = true;
      return reasonOf(error);
    }
  });
  if (failed) throw transactionCancelled(reasons);
  if (bytes > TRANSACT_BYTES_MAX) throw validation('Collection size of items in transaction cannot exceed 4MB');
  return done;
}

function reasonOf(error: AwsError): CancellationReason {
  if (error.code === 'DuplicateItemException') return { Code: 'DuplicateItem', Message: error.message };
  if (error.code !== 'ConditionalCheckFailedException') return { Code: 'ValidationError', Message: error.message };
  const item = error.members['Item'] as Item | undefined;
  return { Code: 'ConditionalCheckFailed', Message: error.message, ...(item ? { Item: item } : {}) };
}

/** Tokens lie in epochs of ten minutes: one that still counts is in this epoch or in the one before, and older epochs go as a whole. */
interface Token {
  readonly key: Key;
  readonly earlierKey: Key;
  readonly epoch: number;
  readonly record: TokenRecord;
  readonly nowMs: number;
}

const TOKENS = keyOf('ddb', 'token');

function tokenOf(ctx: Ctx, given: string | undefined, request: unknown): Token | undefined {
  if (given === undefined) return undefined;
  const nowMs = ctx.platform.clock.virtual();
  const epoch = Math.floor(nowMs / TRANSACT_TOKEN_MS);
  const name = keyOf(ctx.account, ctx.region, given);
  const text = JSON.stringify(request, (_name, value) => (value instanceof Uint8Array ? base64(value) : value));
  return {
    key: TOKENS + uint64(epoch) + name,
    earlierKey: TOKENS + uint64(epoch - 1) + name,
    epoch,
    record: { request: hash('sha256', text, 'hex'), untilMs: nowMs + TRANSACT_TOKEN_MS },
    nowMs,
  };
}

function forgetTokens(ctx: Ctx, tx: Tx, epoch: number): void {
  enqueuePurge(ctx, tx, { from: TOKENS, to: TOKENS + uint64(epoch - 1) });
}

function isRepeated(tx: Tx, token: Token): boolean {
  const value = tx.get(token.key) ?? tx.get(token.earlierKey);
  if (value === undefined) return false;
  const known = decodeJson<TokenRecord>(value);
  if (known.untilMs <= token.nowMs) return false;
  if (known.request !== token.record.request) throw idempotentParameterMismatch();
  return true;
}

/** A repeated request is answered with what reading its items costs. */
function repeatedUnits(tx: Tx, actions: readonly Action[], tables: readonly Table[], places: readonly Place[]): Done[] {
  return actions.map((_action, at) => {
    const size = tx.get((places[at] as Place).key)?.length ?? 0;
    return { table: tables[at] as Table, size, units: { table: readUnits(size, true), indexes: new Map() } };
  });
}

function answer(ctx: Ctx, input: TransactionOptions, actions: readonly Action[], done: readonly Done[], repeated: boolean): TransactWriteItemsOutput {
  const units = new Map<Table, Units>();
  const collections: Record<string, ItemCollectionMetrics[]> = {};
  done.forEach(({ table, units: written }, at) => {
    const used = units.get(table) ?? new Units();
    used.addWrite(written, 2);
    units.set(table, used);
    const action = actions[at] as Action;
    const metrics = action.write.action === 'ConditionCheck' ? undefined : itemCollectionMetrics(input.ReturnItemCollectionMetrics, table, action.write);
    if (metrics) collections[table.name] = [...(collections[table.name] ?? []), metrics];
  });
  const capacities: ConsumedCapacity[] = [];
  for (const [table, used] of units) {
    if (repeated) ctx.meter('ReadRequestUnits', used.total);
    const capacity = consumedCapacity(input.ReturnConsumedCapacity, table, used, repeated ? 'ReadCapacityUnits' : 'WriteCapacityUnits');
    if (capacity) capacities.push(capacity);
  }
  return {
    ...(capacities.length > 0 ? { ConsumedCapacity: capacities } : {}),
    ...(Object.keys(collections).length > 0 ? { ItemCollectionMetrics: collections } : {}),
  };
}
