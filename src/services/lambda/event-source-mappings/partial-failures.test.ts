import { expect, it } from 'vitest';
import { readFailures } from './partial-failures.ts';

// Recorded from AWS, for queues and streams alike.
it.each([
  ['', []],
  ['null', []],
  ['""', []],
  ['[]', []],
  ['{}', []],
  ['{"batchItemFailures": []}', []],
  ['{"batchItemFailures": null}', []],
  ['{"batchItemFailures": [{"itemIdentifier": "a"}]}', ['a']],
  ['{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}', ['a', 'b']],
  ['{"batchItemFailures": [{"itemIdentifier": "other"}]}', 'all'],
  ['{"batchItemFailures": [{"itemIdentifier": ""}]}', 'all'],
  ['{"batchItemFailures": [{"itemIdentifier": null}]}', 'all'],
  ['{"batchItemFailures": [{"foo": "a"}]}', 'all'],
  ['{"batchItemFailures": [{"foo": null}]}', 'all'],
  ['{"batchItemFailures": "a"}', 'all'],
  ['"text"', 'all'],
  ['{broken', 'all'],
])('%s', (answer, failures) => {
  expect(readFailures(Buffer.from(answer), new Set(['a', 'b']))).toEqual(failures);
});
