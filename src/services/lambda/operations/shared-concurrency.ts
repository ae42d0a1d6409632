import { decodeJson } from '../../../kit/json.ts';
import type { Store, Tx } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import { takenBy, withoutProvisioned } from '../domain/concurrency.ts';
import type { Place } from '../domain/names.ts';
import { type ConcurrencyRow, type FunctionRow, keys, listRows, read, write } from '../store.ts';

type Amounts = ConcurrencyRow['amounts'];

/** What functions take of the concurrency of an account and region. */
export async function amountsOf(store: Store, place: Place): Promise<Amounts> {
  const value = await store.get(keys.concurrency(place));
  if (value) return decodeJson<ConcurrencyRow>(value).amounts;
  // Written with the first change; before, the functions of an earlier release may reserve something.
  const { rows } = await listRows<FunctionRow>(store, keys.functions(place), Number.MAX_SAFE_INTEGER);
  return Object.fromEntries(rows.map((fn) => [fn.name, takenBy(fn).amount] as const).filter(([, amount]) => amount > 0));
}

export const sumOf = (amounts: Amounts): number => Object.values(amounts).reduce((sum, amount) => sum + amount, 0);

/**
 * Changes what a function takes of its account's concurrency, in one transaction with the account's sum. `to` gets what others
 * take; it refuses by throwing.
 */
export async function changeConcurrency(ctx: Ctx, name: string, to: (tx: Tx, others: number) => FunctionRow): Promise<void> {
  const before = await amountsOf(ctx.platform.store, ctx);
  await ctx.platform.store.transact({ keys: [keys.fn(ctx, name), ...concurrencyKeys(ctx, name)] }, (tx) => {
    const amounts = read<ConcurrencyRow>(tx, keys.concurrency(ctx))?.amounts ?? before;
    const others = without(amounts, name);
    writeTaken(tx, ctx, to(tx, sumOf(others)), others);
  });
}

/** In a transaction that deletes a version. Its keys are {@link concurrencyKeys}. */
export function dropProvisioned(tx: Tx, place: Place, fn: FunctionRow, qualifier: string): void {
  const amounts = read<ConcurrencyRow>(tx, keys.concurrency(place))?.amounts ?? {};
  writeTaken(tx, place, withoutProvisioned(fn, qualifier), without(amounts, fn.name));
}

function writeTaken(tx: Tx, place: Place, fn: FunctionRow, others: Amounts): void {
  const { amount, provisioned } = takenBy(fn);
  write(tx, keys.fn(place, fn.name), fn);
  write(tx, keys.concurrency(place), { amounts: amount > 0 ? { ...others, [fn.name]: amount } : others });
  const mark = keys.provisionedMark(place, fn.name);
  if (provisioned > 0) tx.put(mark, NOTHING);
  else tx.delete(mark);
}

/** In the transaction that deletes a function. Its keys are {@link concurrencyKeys}. */
export function releaseConcurrency(tx: Tx, place: Place, name: string): void {
  const key = keys.concurrency(place);
  const row = read<ConcurrencyRow>(tx, key);
  if (row?.amounts[name] !== undefined) write(tx, key, { amounts: without(row.amounts, name) });
  tx.delete(keys.provisionedMark(place, name));
}

export const concurrencyKeys = (place: Place, name: string) => [keys.concurrency(place), keys.provisionedMark(place, name)];

const NOTHING = new Uint8Array();

function without(amounts: Amounts, name: string): Amounts {
  const { [name]: _, ...others } = amounts;
  return others;
}
