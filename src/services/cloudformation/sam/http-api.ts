import { EventProblem } from './errors.ts';
import type { Session } from './session.ts';
import type { EventInput } from './target.ts';
import type { Made } from './values.ts';

/** An `HttpApi` event. */
export function httpApiEvent(_session: Session, event: EventInput): Made[] {
  throw new EventProblem(event.eventId, "Croft does not support the event type 'HttpApi'");
}
