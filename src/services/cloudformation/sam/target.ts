import type { JsonObject } from '../domain/json.ts';
import type { RoleDraft } from './role.ts';
import type { Made, SamContext } from './values.ts';

/** What an event calls: a function, or its alias. */
export interface EventTarget {
  readonly functionId: string;
  /** `Ref` for names, `Fn::GetAtt` for ARNs; an alias's `Ref` is both. */
  readonly name: JsonObject;
  readonly arn: JsonObject;
  /** The text of `${…}` that stands for the ARN in `Fn::Sub`. */
  readonly shorthand: string;
  readonly isAlias: boolean;
  /** Attributes that what is made for it shares. */
  readonly attributes: JsonObject;
  readonly condition: string | undefined;
}

/** One event of a function, with all it may need. */
export interface EventInput {
  readonly context: SamContext;
  readonly target: EventTarget;
  /** The function's id and the event's name. */
  readonly id: string;
  readonly eventId: string;
  readonly properties: JsonObject;
  readonly role: RoleDraft | undefined;
  /** Resources of the template, globals merged: buckets are changed in place. */
  readonly resources: JsonObject;
}

export type EventSource = (event: EventInput) => Made[];
