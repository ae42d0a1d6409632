import type { Trace } from '../../../kit/trace.ts';
import type { Tx } from '../../../store/store.ts';
import type { Platform } from '../../service.ts';
import type { PackedText } from '../domain/event.ts';
import type { BusAddress, Scope } from '../domain/names.ts';
import type { Target } from '../types.ts';

/** An event on its way to a bus: matched with its rules, then fanned out. Other rooms enqueue it too, with a {@link Notice}; see README.md. */
export const PUBLISH = 'events:publish';
/** An event on its way to one target. */
export const DELIVER = 'events:deliver';
/** The next time of a rule's schedule. */
export const SCHEDULE = 'events:schedule';
/** Carries on a replay. */
export const REPLAY = 'events:replay';
/** Removes archived events past their retention, and what a deleted archive left; comes back. */
export const SWEEP = 'events:sweep';
/** Asks a connection's authorization endpoint for a first token, or ends what was begun with a connection. */
export const AUTHORIZE = 'events:authorize';

/** What a service tells of itself; the account and region are the delivery's. */
export interface Notice {
  /** `aws.s3` */
  readonly source: string;
  /** `Object Created` */
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** ARNs. */
  readonly resources?: readonly string[];
  /** Virtual time; default: when it was enqueued. */
  readonly timeMs?: number;
}

export interface PublishPayload {
  /** Default: the default bus. */
  readonly bus?: string;
  readonly notice?: Notice;
  /** Or the event as targets get it. */
  readonly event?: PackedText;
  readonly ingestedMs?: number;
  /** The event's own time, to the millisecond; default: when it came in. Replays go by it. */
  readonly timeMs?: number;
  /** What an archive counts the event as. */
  readonly archiveBytes?: number;
  /** The X-Ray header that came with the event. */
  readonly traceHeader?: string;
  /** Buses that it has passed through. */
  readonly hops?: number;
  readonly replay?: { readonly name: string; readonly filterArns?: readonly string[] };
  /** The last rule that the fan-out has dealt with. */
  readonly afterRule?: string;
}

export interface DeliverPayload {
  readonly ruleArn: string;
  readonly ruleName: string;
  readonly target: Target;
  readonly event: PackedText;
  readonly ingestedMs: number;
  readonly traceHeader?: string;
  readonly hops?: number;
}

export interface SchedulePayload {
  readonly rule: string;
  readonly token: string;
  readonly scheduledMs: number;
}

export interface ReplayPayload {
  readonly name: string;
  readonly startedMs: number;
  /** The archived event that was replayed last, by its key. */
  readonly afterKey?: string;
  /** All of it has been replayed. */
  readonly finished?: boolean;
  /** Or it was cancelled. */
  readonly cancelled?: boolean;
}

export interface SweepPayload {
  readonly archive: string;
  readonly archiveId: string;
  /** The archive is gone: all of it goes. */
  readonly deleted?: boolean;
}

export interface AuthorizePayload {
  readonly connection: string;
  readonly id: string;
  readonly modifiedMs: number;
}

type Cause = Scope & { readonly trace: Trace };

/** Sends an event to a bus, in the commit `tx`. */
export function enqueuePublish(platform: Platform, tx: Tx, bus: BusAddress, trace: Trace, payload: PublishPayload): void {
  platform.bus.enqueue(tx, { target: PUBLISH, account: bus.account, region: bus.region, trace, payload: { ...payload, bus: bus.name } });
}

/** Sends an event to one target of a rule, in the commit `tx`. */
export function enqueueDeliver(platform: Platform, tx: Tx, { account, region, trace }: Cause, payload: DeliverPayload): void {
  platform.bus.enqueue(tx, { target: DELIVER, account, region, trace, payload });
}
