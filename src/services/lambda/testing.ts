import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { TestCroft } from '../../../test/harness.ts';

export { zipFiles } from '../../compute/testing.ts';

export const ROLE = 'arn:aws:iam::000000000000:role/functions';

/** The JSON objects that a function printed, each on a line of its own: by their `at` where they have one, for environments log side by side, else as logged. */
export type Printed<T> = (functionName: string) => Promise<T[]>;

/** Reads functions' logs: what works wherever they run. */
export function createPrinted<T>(croft: TestCroft): Printed<T> {
  const logs = new CloudWatchLogsClient(croft.sdk);
  return async (functionName) => {
    const lines: string[] = [];
    let nextToken: string | undefined;
    do {
      const input = { logGroupName: `/aws/lambda/${functionName}`, filterPattern: '"{"', ...(nextToken === undefined ? {} : { nextToken }) };
      const page = await logs.send(new FilterLogEventsCommand(input)).catch((error: Error) => {
        if (error.name !== 'ResourceNotFoundException') throw error;
      });
      for (const { message = '' } of page?.events ?? []) if (message.startsWith('{')) lines.push(message);
      nextToken = page?.nextToken;
    } while (nextToken !== undefined);
    const at = (one: T) => Number((one as { readonly at?: number }).at ?? 0);
    const printed = lines.map((line) => JSON.parse(line) as T & { at?: number }).sort((a, b) => at(a) - at(b));
    for (const one of printed) delete one.at;
    return printed;
  };
}
