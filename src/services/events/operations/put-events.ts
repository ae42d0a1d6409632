import type { PutEventsRequest, PutEventsRequestEntry, PutEventsResponse, PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { notImplemented } from '../../../kit/errors.ts';
import type { Operation } from '../../service.ts';
import { enqueuePublish, type PublishPayload } from '../delivery/payloads.ts';
import { type EventParts, entryBytes, eventText, packText, readDetail } from '../domain/event.ts';
import { type BusAddress, busOf } from '../domain/names.ts';
import { validation } from '../errors.ts';
import { ENTRIES_BYTES_MAX } from '../limits.ts';
import { eventsOf } from '../usage.ts';

interface Accepted {
  readonly bus: BusAddress;
  readonly id: string;
  readonly payload: PublishPayload;
}

const failed = (ErrorCode: string, ErrorMessage: string): PutEventsResultEntry => ({ ErrorCode, ErrorMessage });
const missing = (name: string) => failed('InvalidArgument', `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);

/** "PutEvents": what is wrong with an entry fails that entry; all others are on their way once this has answered. An event to a bus that is not there is lost, as on AWS. */
export const putEvents: Operation<PutEventsRequest, PutEventsResponse> = async (ctx, input) => {
  if (input.EndpointId !== undefined) throw notImplemented('PutEvents to a global endpoint (EndpointId)');
  const entries = input.Entries ?? [];
  const sizes = entries.map(entryBytes);
  if (sizes.reduce((sum, size) => sum + size, 0) > ENTRIES_BYTES_MAX) throw validation('Total size of the entries in the request is over the limit.');
  const { store, clock, ids } = ctx.platform;
  const nowMs = clock.virtual();
  const results = entries.map((entry) =>
    accept(entry, { account: ctx.account, region: ctx.region, id: ids.uuid(), timeMs: entry.Time?.getTime() ?? nowMs }, nowMs),
  );
  const accepted = results.filter((one) => 'payload' in one);
  if (accepted.length > 0)
    await store.transact({}, (tx) => {
      for (const { bus, payload } of accepted) enqueuePublish(ctx.platform, tx, bus, ctx.trace, payload);
    });
  sizes.forEach((size) => {
    ctx.meter('CustomEvents', eventsOf(size));
  });
  return { FailedEntryCount: entries.length - accepted.length, Entries: results.map((one) => ('payload' in one ? { EventId: one.id } : one)) };
};

function accept(
  entry: PutEventsRequestEntry,
  head: Pick<EventParts, 'account' | 'region' | 'id' | 'timeMs'>,
  ingestedMs: number,
): Accepted | PutEventsResultEntry {
  const { Source, DetailType, Detail, Resources = [], TraceHeader } = entry;
  if (!Source) return missing('Source');
  if (!DetailType) return missing('DetailType');
  if (!Detail) return missing('Detail');
  if (/^aws\./.test(Source)) return failed('NotAuthorizedForSourceException', 'Not authorized for the source.');
  const detail = readDetail(Detail);
  if (detail === undefined) return failed('MalformedDetail', 'Detail is malformed.');
  const event = eventText({ ...head, source: Source, detailType: DetailType, resources: Resources, detail });
  const payload: PublishPayload = {
    event: packText(event),
    ingestedMs,
    timeMs: head.timeMs,
    // With its time written out: as archives count on AWS.
    archiveBytes: entryBytes({ Source, DetailType, Detail, Resources }) + 20,
    ...(TraceHeader === undefined ? {} : { traceHeader: TraceHeader }),
  };
  return { bus: busOf(head, entry.EventBusName), id: head.id, payload };
}
