import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryBytes, packText, readDetail, unpackText } from './event.ts';
import { inputOf, unknownVariables } from './input.ts';
import { minify, parseExact } from './json.ts';
import { parsePath, valueAt } from './json-path.ts';
import { busOf, ruleArn, taggable } from './names.ts';

const at = (value: unknown, path: string) => valueAt(value, parsePath(path) ?? []);

describe('JSON', () => {
  it('keeps its meaning, and its numbers their text, without white space', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 1, 3), (text, indent) => {
        const spread = JSON.stringify(JSON.parse(text), undefined, indent);
        expect(minify(spread).text).toBe(JSON.stringify(JSON.parse(text)));
        expect(JSON.stringify(parseExact(spread))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
    for (const number of ['9223372036854775807', '1.0', '1e3', '-0.10', '12345678901234567890'])
      expect(JSON.stringify(parseExact(`{"a":[${number}]}`))).toBe(`{"a":[${number}]}`);
  });

  it('is measured in depth, in time linear in its length', () => {
    expect(minify('[[{"a":"}]"}]]').depth).toBe(3);
    expect(readDetail(`{"a":${'['.repeat(999)}${']'.repeat(999)}}`)).toBeDefined();
    expect(readDetail(`{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`)).toBeUndefined();
    for (const bad of ['[]', '"x"', '1', 'null', '{', '']) expect(readDetail(bad)).toBeUndefined();
  });

  it('fits a row, whatever its quotes', () => {
    const text = `{"a":"${'\\"'.repeat(500_000)}"}`;
    expect(JSON.stringify(packText(text)).length).toBeLessThan(1_500_000);
    expect(unpackText(packText(text))).toBe(text);
    expect(packText('{}')).toBe('{}');
  });
});

describe('paths', () => {
  const event = { a: { 'b-c': [1, { d: 'x' }, { d: 'y' }] }, 'e.f': 2, n: null };
  it.each([
    ['$', event],
    ['$.a.b-c[0]', 1],
    ["$['a']['b-c'][1].d", 'x'],
    ['$.a.b-c[*].d', ['x', 'y']],
    ['$.a.b-c[-1].d', 'y'],
    ['$["e.f"]', 2],
    ['$.n', null],
    ['$.a.none', undefined],
    ['$.a.b-c[9]', undefined],
    ['$.a.b-c.length', undefined],
  ])('%s', (path, expected) => expect(at(event, path)).toEqual(expected));

  it.each(['', 'a', '$..a', '$.', '$.a[', '$.a[?(@.b)]', `$${'.a'.repeat(65)}`])('%s is none', (path) => expect(parsePath(path)).toBeUndefined());
});

describe('templates', () => {
  const facts = { ruleArn: 'arn:r', ruleName: 'r', ingestedMs: Date.UTC(2026, 0, 1) };
  const event =
    '{"version":"0","id":"1","detail-type":"d","source":"s","account":"1","time":"t","region":"r","resources":[],"detail":{"q":"say \\"hi\\"","e":""}}';
  const shape = (InputTemplate: string) =>
    inputOf({ Id: 'i', Arn: 'a', InputTransformer: { InputPathsMap: { q: '$.detail.q', e: '$.detail.e' }, InputTemplate } }, event, facts);
  it.each([
    ['{"a": "<q>", "b": <q>}', '{"a": "say \\"hi\\"", "b": "say \\"hi\\""}'],
    ['{"e": <e>, "f": "<e>"}', '{"e": "", "f": ""}'],
    [
      '{"id": <aws.events.event>}',
      '{"id": {"id":"1","account":"1","detailType":"d","time":"2026-01-01T00:00:00.000Z","source":"s","region":"r","resources":[],"version":"0"}}',
    ],
    ['<aws.events.event.json>', event],
    ['"<aws.events.rule-arn> <aws.events.event.ingestion-time>"', '"arn:r 2026-01-01T00:00:00.000Z"'],
  ])('%s', (template, expected) => expect(shape(template)).toBe(expected));

  it('name only what is known', () => expect(unknownVariables('<a> <b> <aws.events.event> < c> <a', { a: '$' })).toEqual(['b']));
});

describe('names', () => {
  const scope = { account: '000000000000', region: 'us-east-1' };
  it('of buses and rules go to ARNs and back', () => {
    expect(busOf(scope, 'arn:aws:events:eu-west-1:111111111111:event-bus/b')).toEqual({ account: '111111111111', region: 'eu-west-1', name: 'b' });
    expect(busOf(scope, undefined)).toEqual({ ...scope, name: 'default' });
    for (const bus of ['default', 'b']) expect(taggable(ruleArn(scope, bus, 'r'))).toEqual({ kind: 'rule', bus: { ...scope, name: bus }, rule: 'r' });
    expect(taggable('arn:aws:sqs:us-east-1:1:q')).toBeUndefined();
  });
});

it('counts an entry as AWS does', () => {
  expect(entryBytes({ Time: new Date(0), Source: 'ä', DetailType: 'd', Detail: '{}', Resources: ['abc'] })).toBe(14 + 2 + 1 + 2 + 3);
});
