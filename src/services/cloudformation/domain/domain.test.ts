// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Fn::Sub's variables look like JavaScript's
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../kit/errors.ts';
import { cidrSubnets } from './cidr.ts';
import { type EnvironmentOptions, environmentOf } from './environment.ts';
import { evaluateConditions, resolve } from './intrinsics.ts';
import type { Json, JsonObject } from './json.ts';
import { generatedName } from './names.ts';
import { parameterValues } from './parameters.ts';
import { parseTemplate } from './parse.ts';
import { checkRules } from './rules.ts';
import { checkTemplate } from './template.ts';
import { refuseUnbuilt } from './unbuilt.ts';

const message = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return 'no error';
};

const thing = { Type: 'AWS::Fake::Thing' };

function environment(extra: JsonObject = {}, more: Partial<EnvironmentOptions> = {}) {
  const template = checkTemplate({ Resources: { A: thing }, ...extra });
  return environmentOf({
    template,
    parameters: parameterValues(template.parameters, [], undefined),
    account: '123456789012',
    region: 'eu-west-1',
    stackId: 'arn:stack',
    stackName: 'stack',
    notificationArns: [],
    exports: new Map([['exported', 'value']]),
    resource: (id) => (id === 'A' ? { ref: 'a-1', attribute: (name) => (name === 'Arn' ? 'arn:a' : name === 'List' ? ['x', 'y'] : undefined) } : undefined),
    ...more,
  });
}

describe('intrinsic functions', () => {
  const extra = {
    Parameters: { P: { Type: 'String', Default: 'p' }, L: { Type: 'CommaDelimitedList', Default: 'a, b' } },
    Mappings: { M: { top: { second: 'mapped' } } },
    Conditions: { Yes: { 'Fn::Equals': [{ Ref: 'P' }, 'p'] }, No: { 'Fn::Not': [{ Condition: 'Yes' }] } },
  };
  it.each<[string, Json, unknown]>([
    ['Ref of a parameter', { Ref: 'P' }, 'p'],
    ['Ref of a list', { Ref: 'L' }, ['a', 'b']],
    ['Ref of a resource', { Ref: 'A' }, 'a-1'],
    ['Ref of the account', { Ref: 'AWS::AccountId' }, '123456789012'],
    ['GetAtt as a list', { 'Fn::GetAtt': ['A', 'Arn'] }, 'arn:a'],
    ['GetAtt as a text', { 'Fn::GetAtt': 'A.Arn' }, 'arn:a'],
    ['Sub', { 'Fn::Sub': '${P}-${A}-${A.Arn}-${!Literal}-${AWS::Region}' }, 'p-a-1-arn:a-${Literal}-eu-west-1'],
    ['Sub with values', { 'Fn::Sub': ['${x}${P}', { x: { 'Fn::Join': ['+', [1, true]] } }] }, '1+truep'],
    ['Join', { 'Fn::Join': [',', { Ref: 'L' }] }, 'a,b'],
    ['Select', { 'Fn::Select': ['1', { 'Fn::GetAtt': ['A', 'List'] }] }, 'y'],
    ['Split', { 'Fn::Split': ['-', 'a-b'] }, ['a', 'b']],
    ['FindInMap', { 'Fn::FindInMap': ['M', 'top', 'second'] }, 'mapped'],
    ['FindInMap with a default', { 'Fn::FindInMap': ['M', 'top', 'nothing', { DefaultValue: 'd' }] }, 'd'],
    ['If', { 'Fn::If': ['No', 'x', { 'Fn::Base64': 'y' }] }, 'eQ=='],
    ['NoValue in a map', { a: { Ref: 'AWS::NoValue' }, b: 1 }, { b: 1 }],
    ['NoValue in a list', [{ 'Fn::If': ['No', 'x', { Ref: 'AWS::NoValue' }] }, 'y'], ['y']],
    ['ImportValue', { 'Fn::ImportValue': 'exported' }, 'value'],
    ['GetAZs', { 'Fn::GetAZs': '' }, ['eu-west-1a', 'eu-west-1b', 'eu-west-1c']],
    ['Length', { 'Fn::Length': { Ref: 'L' } }, 2],
    ['ToJsonString', { 'Fn::ToJsonString': { a: [{ Ref: 'P' }] } }, '{"a":["p"]}'],
  ])('%s', (_name, value, expected) => {
    expect(resolve(value, environment(extra))).toEqual(expected);
  });

  it.each<[string, Json, string]>([
    ['an attribute there is not', { 'Fn::GetAtt': ['A', 'Nope'] }, 'Template error: resource A does not support attribute type Nope in Fn::GetAtt'],
    ['an export there is not', { 'Fn::ImportValue': 'nope' }, 'No export named nope found.'],
    ['a mapping there is not', { 'Fn::FindInMap': ['M', 'top', 'nope'] }, 'Template error: Unable to get mapping for M::top::nope'],
    ['a value there is not', { 'Fn::Select': [5, { Ref: 'L' }] }, 'Template error: Fn::Select  cannot select nonexistent value at index 5'],
    [
      'a written value there is not',
      { 'Fn::Select': [5, ['a']] },
      'Template error: Fn::Select requires a list argument with two elements: an integer index and a list',
    ],
    ['a condition there is not', { 'Fn::If': ['Nope', 1, 2] }, 'Template error: unresolved condition dependency Nope in Fn::If'],
    ['a function there is not', { 'Fn::Magic': 1 }, 'Template format error: unsupported intrinsic function Fn::Magic'],
  ])('refuse %s', (_name, value, expected) => {
    expect(message(() => resolve(value, environment(extra)))).toBe(expected);
  });

  it('leave dynamic references as they are', () => {
    expect(resolve({ 'Fn::Sub': '{{resolve:ssm:/a}}' }, environment())).toBe('{{resolve:ssm:/a}}');
  });

  it('find conditions that go in a circle', () => {
    const circle = { A: { 'Fn::Not': [{ Condition: 'B' }] }, B: { 'Fn::Not': [{ Condition: 'A' }] } };
    expect(message(() => evaluateConditions(circle, environment()))).toBe('Template format error: Circular dependencies for conditions [A, B]');
  });
});

describe('templates', () => {
  it.each<[string, JsonObject, string]>([
    ['no resources', {}, 'Template format error: At least one Resources member must be defined.'],
    ['a strange section', { Resources: { A: thing }, Foo: 1 }, 'Invalid template property or properties [Foo]'],
    [
      'a resource without type',
      { Resources: { A: { Properties: {} } } },
      'Template format error: [/Resources/A] Every Resources object must contain a Type member.',
    ],
    ['a type that is none', { Resources: { A: { Type: 'Thing' } } }, 'Template format error: Unrecognized resource types: [Thing]'],
    ['a strange member', { Resources: { A: { ...thing, Foo: 1 } } }, "Invalid template resource property 'Foo'"],
    [
      'a reference to nothing',
      { Resources: { A: { ...thing, Properties: { x: { Ref: 'Z' } } } } },
      'Template format error: Unresolved resource dependencies [Z] in the Resources block of the template',
    ],
    [
      'an attribute of nothing',
      { Resources: { A: { ...thing, Properties: { x: { 'Fn::GetAtt': ['Z', 'Arn'] } } } } },
      'Template error: instance of Fn::GetAtt references undefined resource Z',
    ],
    ['a circle', { Resources: { B: { ...thing, DependsOn: 'A' }, A: { ...thing, DependsOn: 'B' } } }, 'Circular dependency between resources: [A, B]'],
    ['a strange parameter type', { Resources: { A: thing }, Parameters: { P: { Type: 'Text' } } }, 'Template format error: Unrecognized parameter type: Text'],
    [
      'an output of nothing',
      { Resources: { A: thing }, Outputs: { O: { Value: { Ref: 'Z' } } } },
      'Template format error: Unresolved resource dependencies [Z] in the Outputs block of the template',
    ],
  ])('with %s are refused', (_name, source, expected) => {
    expect(message(() => checkTemplate(source))).toBe(expected);
  });

  it('keep what YAML 1.1 would change: dates, account ids, times', () => {
    const text = 'a: 2012-10-17\nb: 012345678901\nc: 12:30\nn: !GetAtt A.B.C\ny: yes\nd: {!Sub x: 1}';
    expect(parseTemplate(text.replace('\nd: {!Sub x: 1}', ''))).toEqual({
      a: '2012-10-17',
      b: '012345678901',
      c: '12:30',
      n: { 'Fn::GetAtt': ['A', 'B.C'] },
      y: true,
    });
  });

  it('of any text are parsed or refused as a ValidationError, never otherwise', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^[[\]{}:,&*! \na-z-]{0,60}$/)), (text) => {
        try {
          parseTemplate(text);
        } catch (error) {
          expect(error).toBeInstanceOf(AwsError);
          expect((error as AwsError).code).toBe('ValidationError');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('that expand without end are refused', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x]',
      ...'bcdefghi'.split('').map((name, at) => `${name}: &${name} [${Array(8).fill(`*${'abcdefghi'[at]}`).join(', ')}]`),
    ].join('\n');
    expect(message(() => parseTemplate(bomb))).toMatch(/^Template format error/);
    expect(message(() => parseTemplate('['.repeat(50_000)))).toMatch(/^Template format error/);
  });
});

describe('parameters', () => {
  const check = (declaration: JsonObject, value: string) =>
    message(() => parameterValues({ P: declaration }, [{ ParameterKey: 'P', ParameterValue: value }], undefined));
  it.each<[JsonObject, string, string]>([
    [{ Type: 'String', AllowedValues: ['a', 'b'] }, 'c', "Parameter 'P' must be one of AllowedValues"],
    [{ Type: 'String', AllowedPattern: '[a-z]+' }, 'A', "Parameter 'P' must match pattern [a-z]+"],
    [{ Type: 'String', AllowedPattern: '[a-z]+', ConstraintDescription: 'small letters' }, 'A', "Parameter 'P' failed to satisfy constraint: small letters"],
    [{ Type: 'String', MinLength: 3 }, 'ab', "Parameter 'P' must contain at least 3 characters"],
    [{ Type: 'String', MaxLength: 1 }, 'ab', "Parameter 'P' must contain at most 1 characters"],
    [{ Type: 'Number' }, 'ab', "Parameter 'P' must be a number."],
    [{ Type: 'Number', MinValue: 2 }, '1', "Parameter 'P' must be a number not less than 2"],
    [{ Type: 'Number', MaxValue: 2 }, '3', "Parameter 'P' must be a number not greater than 2"],
    [{ Type: 'String', AllowedPattern: '(a+)+b' }, 'a'.repeat(60), "Parameter 'P' has an AllowedPattern that is no regular expression or takes too long"],
    [{ Type: 'CommaDelimitedList', AllowedValues: ['a', 'b'] }, 'a,b', 'no error'],
  ])('%j is checked against %s', (declaration, value, expected) => {
    expect(check(declaration, value)).toBe(expected);
  });

  it('must be declared, and have a value', () => {
    expect(message(() => parameterValues({}, [{ ParameterKey: 'X', ParameterValue: '1' }], undefined))).toBe('Parameters: [X] do not exist in the template');
    expect(message(() => parameterValues({ A: { Type: 'String' }, B: { Type: 'String' } }, [], undefined))).toBe('Parameters: [A, B] must have values');
  });
});

describe('addresses and names', () => {
  it('Fn::Cidr divides blocks', () => {
    expect(cidrSubnets('10.0.0.0/24', 3, 5)).toEqual(['10.0.0.0/27', '10.0.0.32/27', '10.0.0.64/27']);
    expect(cidrSubnets('2001:db8::/56', 2, 64)).toEqual(['2001:db8::/64', '2001:db8:0:1::/64']);
    expect(message(() => cidrSubnets('10.0.0.0/24', 9, 5))).toContain('no room');
  });

  it('generated names are stable, unlike, and short enough', () => {
    expect(generatedName('stack', 'Role', 't')).toBe(generatedName('stack', 'Role', 't'));
    expect(generatedName('stack', 'Role', 't')).not.toBe(generatedName('stack', 'Role', 'u'));
    expect(generatedName('stack', 'Role', 't')).toMatch(/^stack-Role-[A-Z0-9]{12}$/);
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 64 }),
        fc.string({ minLength: 1, maxLength: 128 }),
        fc.string({ minLength: 1, maxLength: 200 }),
        (max, stack, logical) => {
          expect(generatedName(stack, logical, 't', max).length).toBeLessThanOrEqual(max);
        },
      ),
    );
  });
});

describe('rules', () => {
  const Parameters = {
    Stage: { Type: 'String', Default: 'prod' },
    Zones: { Type: 'CommaDelimitedList', Default: 'a,b' },
    Version: { Type: 'String', Default: '7' },
  };
  const check = (rules: JsonObject) => message(() => checkRules(rules, Parameters, environment({ Parameters })));
  const asserted = (Assert: Json): JsonObject => ({ R: { Assertions: [{ Assert, AssertDescription: 'no good' }] } });
  const failure = 'Template error: Unable to satisfy 1 rule assertion(s): no good';
  it.each<[Json, string]>([
    [{ 'Fn::Not': [{ 'Fn::Contains': [['1', '2'], { Ref: 'Version' }] }] }, 'no error'],
    [{ 'Fn::Not': [{ 'Fn::Contains': [['1', '7'], { Ref: 'Version' }] }] }, failure],
    [{ 'Fn::EachMemberIn': [{ Ref: 'Zones' }, ['a', 'b', 'c']] }, 'no error'],
    [{ 'Fn::EachMemberIn': [{ Ref: 'Zones' }, ['a']] }, failure],
    [{ 'Fn::EachMemberEquals': [{ 'Fn::RefAll': 'String' }, 'prod'] }, failure],
    [{ 'Fn::And': [{ 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] }, { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] }] }, 'no error'],
    [{ 'Fn::Or': [{ 'Fn::Equals': [{ Ref: 'Stage' }, 'x'] }, { 'Fn::Equals': [{ Ref: 'Stage' }, 'y'] }] }, failure],
    [{ 'Fn::Join': ['', []] }, 'Template format error: Rules can only use rule-specific intrinsic functions, not Fn::Join'],
  ])('%j', (assert, expected) => {
    expect(check(asserted(assert))).toBe(expected);
  });

  it('apply only where their condition holds', () => {
    const rule = { Assertions: [{ Assert: { 'Fn::Equals': ['a', 'b'] } }] };
    expect(check({ R: { RuleCondition: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] }, ...rule } })).toBe('no error');
    expect(check({ R: { RuleCondition: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] }, ...rule } })).toBe(
      'Template error: Unable to satisfy 1 rule assertion(s): Rule R does not hold',
    );
  });
});

it.each<[JsonObject, string]>([
  [{ Hooks: { H: { Type: 'AWS::CodeDeploy::BlueGreen' } } }, 'The template section Hooks is not implemented by Croft'],
  [{ Resources: { A: { ...thing, CreationPolicy: { ResourceSignal: { Count: 1 } } } } }, 'The CreationPolicy of resource A is not implemented by Croft'],
  [{ Resources: { A: { ...thing, UpdatePolicy: { UseOnlineResharding: true } } } }, 'The UpdatePolicy of resource A is not implemented by Croft'],
  [{ Resources: { A: { ...thing, DeletionPolicy: 'Snapshot' } } }, 'The DeletionPolicy Snapshot of resource A is not implemented by Croft'],
  [{ Resources: { A: { ...thing, CreationPolicy: {} } } }, 'no error'],
])('refuses what it would have to drop: %j', (template, expected) => {
  expect(message(() => refuseUnbuilt(template))).toBe(expected);
});
