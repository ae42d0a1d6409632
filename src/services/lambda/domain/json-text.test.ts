import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkJson, scanJson } from './json-text.ts';

const accepts = (text: string | Uint8Array): boolean => {
  try {
    scanJson(typeof text === 'string' ? Buffer.from(text) : text);
    return true;
  } catch {
    return false;
  }
};

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('the scanner', () => {
  it('accepts all that JSON.stringify writes', () => {
    fc.assert(fc.property(fc.json(), fc.nat(4), (text, indent) => accepts(text) && accepts(JSON.stringify(JSON.parse(text), null, indent))));
  });

  it('agrees with JSON.parse on damaged texts', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom('', '{', '}', '[', ']', ',', ':', '"', '\\', '0', '-', '.', 'e', 't', ' ', '\n'), (text, at, insert) => {
        const position = at % (text.length + 1);
        const damaged = text.slice(0, position) + insert + text.slice(position + 1);
        expect([damaged, accepts(damaged)]).toEqual([damaged, parses(damaged)]);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['', ' ', '{', '[1,', '[1,]', '{"a"}', '{"a":1,}', '01', '1.', '-', '+1', 'nul', 'nulll', '"\\x"', '"\\u12"', '"', '1 2', '\u00e9'])(
    'refuses %j',
    (text) => {
      expect(accepts(text)).toBe(false);
    },
  );

  it('refuses nesting without end', () => {
    expect(accepts('['.repeat(999) + ']'.repeat(999))).toBe(true);
    expect(accepts('['.repeat(1_000_000))).toBe(false);
  });
});

describe('the words', () => {
  const SOURCE = '[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: ';
  it.each([
    [
      Buffer.from([0x99, 0xeb]),
      `Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at ${SOURCE}1, column: 1]`,
    ],
    [Buffer.from([0x22, 0x6e, 0x87, 0x72]), `Invalid UTF-8 start byte 0x87\n at ${SOURCE}1, column: 3]`],
    [
      Buffer.from('hello'),
      `Unrecognized token 'hello': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at ${SOURCE}1, column: 6]`,
    ],
    [Buffer.from('{\n "a" 1}'), `Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value\n at ${SOURCE}2, column: 6]`],
  ])('%s', async (bytes, detail) => {
    await expect(checkJson(bytes)).rejects.toMatchObject({
      code: 'InvalidRequestContentException',
      status: 400,
      message: `Could not parse request body into json: Could not parse payload into json: ${detail}`,
    });
  });

  it('reads long texts in slices', async () => {
    await checkJson(Buffer.from(JSON.stringify({ a: 'x'.repeat(3_000_000) })));
    await expect(checkJson(Buffer.from(`{"a":"${'x'.repeat(3_000_000)}`))).rejects.toMatchObject({ code: 'InvalidRequestContentException' });
  });
});
