import { functionArn } from '../domain/names.ts';
import type { Editor } from './editor.ts';

/** The event bus's door for other rooms: see the events room's README. */
const PUBLISH = 'events:publish';

/** What the event bus is told; the members are its own. */
export interface Notice {
  readonly notice: {
    readonly source: string;
    readonly detailType: string;
    readonly detail: Readonly<Record<string, unknown>>;
    readonly resources: readonly string[];
    readonly timeMs: number;
  };
}

/** "Durable execution status change events": told to the default event bus, in the commit of the change. */
export function announce(editor: Editor): void {
  const { row, place } = editor;
  const detail = {
    durableExecutionArn: row.arn,
    durableExecutionName: row.name,
    functionArn: functionArn(place, row.functionName, row.version),
    status: row.status,
    startTimestamp: new Date(row.startedMs).toISOString(),
    ...(row.endedMs === undefined ? {} : { endTimestamp: new Date(row.endedMs).toISOString() }),
  };
  editor.send(PUBLISH, { notice: { source: 'aws.lambda', detailType: 'Durable Execution Status Change', detail, resources: [], timeMs: editor.nowMs } });
}
