import { systemClock } from '../../kit/clock.ts';
import { clientConfig, endpointOf } from '../endpoint.ts';
import { CliError, type Output } from '../output.ts';
import type { CommonOptions } from '../program.ts';

interface LogsOptions extends CommonOptions {
  readonly tail?: boolean;
  readonly since: string;
  readonly filter?: string;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const POLL_MS = 500;
/** Lines may arrive this much later than others of their time. */
const LATE_MS = 60_000;

/** `croft logs`: a function's log group (or any group) in order of time; `-t` goes on until it is interrupted. */
export async function logs(name: string, options: LogsOptions, output: Output): Promise<void> {
  const age = /^(\d{1,6})([smhd])$/.exec(options.since);
  if (!age) throw new CliError(`--since must be a number with s, m, h or d, e.g. 10m, not ${JSON.stringify(options.since)}`, 2);
  const { CloudWatchLogsClient, FilterLogEventsCommand } = await import('@aws-sdk/client-cloudwatch-logs');
  const client = new CloudWatchLogsClient(clientConfig(endpointOf(options.endpoint), options.region));
  const group = name.includes('/') ? name : `/aws/lambda/${name}`;
  let startTime = systemClock().real() - Number(age[1]) * (UNIT_MS[age[2] ?? 's'] ?? 0);
  const seen = new Set<string>();
  const events: { timestamp: number; message: string; stream: string }[] = [];
  for (;;) {
    let nextToken: string | undefined;
    do {
      const page = await client.send(
        new FilterLogEventsCommand({
          logGroupName: group,
          startTime,
          ...(options.filter ? { filterPattern: options.filter } : {}),
          ...(nextToken ? { nextToken } : {}),
        }),
      );
      for (const event of page.events ?? []) {
        if (!event.eventId || seen.has(event.eventId)) continue;
        seen.add(event.eventId);
        const row = { timestamp: event.timestamp ?? 0, message: (event.message ?? '').replace(/\n$/, ''), stream: event.logStreamName ?? '' };
        if (options.tail) printEvent(row, output);
        else events.push(row);
        // Late lines of the same moment are still found: the set of ids keeps them from being printed twice.
        startTime = Math.max(startTime, row.timestamp - LATE_MS);
      }
      nextToken = page.nextToken;
    } while (nextToken);
    if (!options.tail) break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  output.result(events, () => events.map(lineOf).join('\n'));
}

const lineOf = (event: { timestamp: number; message: string }) => `${new Date(event.timestamp).toISOString()} ${event.message}`;

function printEvent(event: { timestamp: number; message: string; stream: string }, output: Output): void {
  process.stdout.write(`${output.form === 'json' ? JSON.stringify(event) : lineOf(event)}\n`);
}
