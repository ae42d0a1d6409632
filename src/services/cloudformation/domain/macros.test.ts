// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Fn::ForEach's variables look like JavaScript's
import { expect, it } from 'vitest';
import { type Expanded, expand } from './expand.ts';
import type { JsonObject } from './json.ts';

const run = (template: JsonObject, includes: readonly (readonly [string, string])[] = []): Expanded =>
  expand({ text: JSON.stringify(template), values: { given: [] }, account: '000000000000', region: 'us-east-1', managedPolicies: [], nowSeconds: 0, includes });
const extended = (template: JsonObject) => run({ Transform: 'AWS::LanguageExtensions', ...template }).processed;

it('unrolls loops, in loops too', () => {
  const template = {
    Parameters: { Names: { Type: 'CommaDelimitedList', Default: 'a-b,c' } },
    Resources: {
      Fixed: { Type: 'X' },
      'Fn::ForEach::Outer': [
        'Name',
        { Ref: 'Names' },
        {
          'Fn::ForEach::Inner': [
            'N',
            ['1', 2],
            { 'Thing&{Name}${N}': { Type: 'X', Properties: { A: { Ref: 'Name' }, B: { 'Fn::Sub': '${Name}/${N}/${AWS::Region}' } } } },
          ],
        },
      ],
    },
  };
  expect(extended(template)['Resources']).toEqual({
    Fixed: { Type: 'X' },
    Thingab1: { Type: 'X', Properties: { A: 'a-b', B: { 'Fn::Sub': 'a-b/1/${AWS::Region}' } } },
    Thingab2: { Type: 'X', Properties: { A: 'a-b', B: { 'Fn::Sub': 'a-b/2/${AWS::Region}' } } },
    Thingc1: { Type: 'X', Properties: { A: 'c', B: { 'Fn::Sub': 'c/1/${AWS::Region}' } } },
    Thingc2: { Type: 'X', Properties: { A: 'c', B: { 'Fn::Sub': 'c/2/${AWS::Region}' } } },
  });
});

it('resolves deletion policies by parameters and conditions', () => {
  const template = {
    Parameters: { Keep: { Type: 'String', Default: 'yes' } },
    Conditions: { Kept: { 'Fn::Equals': [{ Ref: 'Keep' }, 'yes'] } },
    Resources: { A: { Type: 'X', DeletionPolicy: { 'Fn::If': ['Kept', 'Retain', 'Delete'] } } },
  };
  expect(extended(template)['Resources']).toEqual({ A: { Type: 'X', DeletionPolicy: 'Retain' } });
});

it.each<[string, JsonObject]>([
  ['Fn::ForEach::L layout is incorrect', { Resources: { 'Fn::ForEach::L': ['x', ['a']] } }],
  ['Duplicate key A produced by Fn::ForEach', { Resources: { 'Fn::ForEach::L': ['x', ['a', 'b'], { A: 1 }] } }],
])('refuses a loop: %s', (message, template) => {
  expect(() => extended(template)).toThrow(`Transform AWS::LanguageExtensions failed with: ${message}`);
});

it('bounds what loops make', () => {
  const many = Array.from({ length: 1000 }, (_, index) => String(index));
  const inner = { 'Fn::ForEach::B': ['b', many, { 'X${a}y${b}': { Type: 'X' } }] };
  expect(() => extended({ Resources: { 'Fn::ForEach::A': ['a', many, inner] } })).toThrow('Fn::ForEach makes too many elements');
});

it('names the snippets it needs, and puts them in', () => {
  const include = (Location: unknown) => ({ Name: 'AWS::Include', Parameters: { Location } }) as JsonObject;
  const template = {
    Parameters: { Key: { Type: 'String', Default: 'k' } },
    Transform: include('s3://b/global'),
    Resources: { A: { Type: 'X', Properties: { Own: 1, 'Fn::Transform': include({ 'Fn::Sub': 's3://b/${Key}' }) } } },
  };
  expect(run(template).missing).toEqual(['s3://b/k']);
  const properties = ['s3://b/k', 'Own: 2\nMore: !Ref Key\n'] as const;
  expect(run(template, [properties]).missing).toEqual(['s3://b/global']);
  const done = run(template, [properties, ['s3://b/global', '{"Resources": {"G": {"Type": "X"}}, "Outputs": {}}']]);
  expect(done.missing).toEqual([]);
  expect(done.processed['Resources']).toEqual({ A: { Type: 'X', Properties: { Own: 1, More: { Ref: 'Key' } } }, G: { Type: 'X' } });
  expect(done.processed).not.toHaveProperty('Transform');
});
