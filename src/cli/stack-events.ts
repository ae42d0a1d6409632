import { type CloudFormationClient, DescribeStackEventsCommand, DescribeStacksCommand, type StackEvent } from '@aws-sdk/client-cloudformation';
import { type Output, paint } from './output.ts';

const POLL_MS = 250;

/** The newest event's id, so that {@link followStack} prints only what comes after; undefined for a stack without events. */
export async function newestEvent(client: CloudFormationClient, stack: string): Promise<string | undefined> {
  const page = await client.send(new DescribeStackEventsCommand({ StackName: stack }));
  return page.StackEvents?.[0]?.EventId;
}

/** Prints a stack's events as they come until its operation has ended; resolves with the final status. */
export async function followStack(client: CloudFormationClient, stackId: string, output: Output, after?: string): Promise<string> {
  const seen = new Set<string>(after ? [after] : []);
  for (;;) {
    const status = (await client.send(new DescribeStacksCommand({ StackName: stackId }))).Stacks?.[0]?.StackStatus ?? 'UNKNOWN';
    for (const event of await newEvents(client, stackId, seen)) output.progress(lineOf(event));
    if (!status.endsWith('_IN_PROGRESS')) return status;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Newest first on the wire; back to the first that is known. */
async function newEvents(client: CloudFormationClient, stackId: string, seen: Set<string>): Promise<StackEvent[]> {
  const found: StackEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(new DescribeStackEventsCommand({ StackName: stackId, ...(nextToken ? { NextToken: nextToken } : {}) }));
    for (const event of page.StackEvents ?? []) {
      if (!event.EventId || seen.has(event.EventId)) return remember(found, seen);
      found.push(event);
    }
    nextToken = page.NextToken;
  } while (nextToken);
  return remember(found, seen);
}

function remember(events: StackEvent[], seen: Set<string>): StackEvent[] {
  for (const event of events) if (event.EventId) seen.add(event.EventId);
  return events.reverse();
}

function lineOf(event: StackEvent): string {
  const status = event.ResourceStatus ?? '';
  const color = status.includes('FAILED') || status.includes('ROLLBACK') ? paint.red : status.endsWith('_COMPLETE') ? paint.green : paint.dim;
  const reason = event.ResourceStatusReason ? `  ${event.ResourceStatusReason}` : '';
  return `  ${color(status.padEnd(20))}  ${event.LogicalResourceId ?? ''}  ${paint.dim(event.ResourceType ?? '')}${reason}`;
}
