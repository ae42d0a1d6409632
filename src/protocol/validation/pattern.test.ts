import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServiceModel } from '../../models/model.ts';
import { linearTest } from './linear.ts';
import { longRepeats, patternTest } from './pattern.ts';

const modelsDir = join(import.meta.dirname, '../../models/generated');
const patterns = new Set<string>();
for (const file of readdirSync(modelsDir).filter((name) => name.endsWith('.json'))) {
  const model = JSON.parse(readFileSync(join(modelsDir, file), 'utf8')) as ServiceModel;
  for (const shape of Object.values(model.shapes)) if (shape.pattern !== undefined) patterns.add(shape.pattern);
}
const linear = [...patterns].filter((pattern) => longRepeats(pattern) >= 2 && !pattern.startsWith('(?i)') && linearTest(pattern, false));

/** The engine needs twice as long for each further character of these: the comparison is with short texts. */
const EXPONENTIAL = new Set(['^[a-z0-9*](?:[._\\-/a-z0-9*]?[a-z0-9*]+)*$']);

/** Pieces of which texts near the patterns are made. */
const text = fc
  .array(
    fc.constantFrom(
      'a',
      'Z',
      '0',
      '123456789012',
      '-',
      '_',
      '.',
      '/',
      ':',
      '*',
      ' ',
      '\t',
      '\n',
      'arn',
      'aws',
      'arn:aws:',
      'lambda',
      'us-east-1',
      'function:',
      's3://',
      'https://',
      'role/',
      'é',
      '😀',
      '$',
      '{',
      '}',
      '[',
      '"',
    ),
    {
      maxLength: 14,
    },
  )
  .map((parts) => parts.join(''));

function engine(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    return new RegExp(`^(?:${pattern})$`);
  }
}

describe('patterns', () => {
  test('every pattern of the models compiles', () => {
    expect(patterns.size).toBeGreaterThan(300);
    for (const pattern of patterns) expect(typeof patternTest(pattern)('')).toBe('boolean');
  });

  test('the linear matcher agrees with the engine on the models’ own patterns', () => {
    expect(linear.length).toBeGreaterThan(100);
    const pairs = linear.map((pattern) => ({ pattern, regexp: engine(pattern), test: linearTest(pattern, false) }));
    fc.assert(
      fc.property(text, (value) => {
        for (const { pattern, regexp, test: matches } of pairs) {
          // Surrogate pairs are two characters to a pattern that only compiles without the u flag.
          if (!regexp.unicode && /[\ud800-\udfff]/.test(value)) continue;
          const short = EXPONENTIAL.has(pattern) ? value.slice(0, 12) : value;
          expect({ pattern, short, is: matches?.(short) }).toEqual({ pattern, short, is: regexp.test(short) });
        }
      }),
      { numRuns: process.env['CROFT_SOAK'] ? 5000 : 150 },
    );
  });

  test.each([
    ['(a|b)*c', 'ababc', true],
    ['(a|b)*c', 'abab', false],
    ['^a{2,3}$', 'aa', true],
    ['^a{2,3}$', 'aaaa', false],
    ['a{0}b', 'b', true],
    ['(?:x+x+)+y', 'xxxxy', true],
    ['[^\\x00-\\x1F]+', 'a b', true],
    ['[^\\x00-\\x1F]+', 'a\tb', false],
    ['\\p{L}+', 'é', true],
    ['$|a', '', true],
    ['a|$', 'b', false],
    ['.*', 'a\nb', false],
  ])('%s against %j: %s', (pattern, value, expected) => {
    expect(linearTest(pattern, false)?.(value)).toBe(expected);
  });

  test('a text made to keep a backtracking matcher busy is answered', () => {
    // Exponential to the engine: 100 characters would take years.
    const matches = patternTest('^[ \\t]*[\\x20-\\x7E]+([ \\t]+[\\x20-\\x7E]+)*[ \\t]*$');
    expect(matches(`${'A b '.repeat(500)}\n`)).toBe(false);
    expect(matches('A b '.repeat(500))).toBe(true);
  });
});
