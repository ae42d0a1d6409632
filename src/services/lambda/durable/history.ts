import type { Event } from '@aws-sdk/client-lambda';
import type { Store } from '../../../store/store.ts';
import type { Place } from '../domain/names.ts';
import { type EventRow, type EventValue, readError, readText } from './store.ts';

/** An event as GetDurableExecutionHistory shows it; without `include`, texts are left out and said to be. */
export async function eventOf(store: Store, place: Place, id: string, row: EventRow, include: boolean): Promise<Event> {
  const details: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row.details)) details[name] = await shownOf(store, place, id, value, include);
  return {
    EventType: row.type as NonNullable<Event['EventType']>,
    ...(row.subType === undefined ? {} : { SubType: row.subType }),
    EventId: row.eventId,
    ...(row.operationId === undefined ? {} : { Id: row.operationId }),
    ...(row.name === undefined ? {} : { Name: row.name }),
    EventTimestamp: new Date(row.atMs),
    ...(row.parentId === undefined ? {} : { ParentId: row.parentId }),
    [`${row.type}Details`]: details,
  };
}

async function shownOf(store: Store, place: Place, id: string, value: EventValue, include: boolean): Promise<unknown> {
  if (typeof value !== 'object') return value;
  if ('time' in value) return new Date(value.time);
  if ('plain' in value) return value.plain;
  if ('reason' in value) return include ? { Payload: value.reason, Truncated: false } : { Truncated: true };
  const isError = 'error' in value;
  const text = 'input' in value ? value.input : isError ? value.error : value.result;
  if (!text) return {};
  if (!include) return { Truncated: true };
  return { Payload: isError ? await readError(store, place, id, text) : await readText(store, place, id, text), Truncated: false };
}
