// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Fn::Sub's variables look like JavaScript's
import { afterEach, describe, expect, it } from 'vitest';
import { createIamRoom } from '../iam/index.ts';
import { createCloudFormationRoom } from './index.ts';
import { type Bench, type FakeType, fakeType, newStore, openBench } from './testkit.ts';

let bench: Bench;
let fake: FakeType;

async function open(hooks: Parameters<typeof fakeType>[1] = {}, store = newStore()): Promise<void> {
  fake = fakeType('AWS::Fake::Thing', hooks);
  const types = new Map([[fake.type, fake]]);
  const iam = createIamRoom();
  for (const type of iam.resources ?? []) types.set(type.type, type as FakeType);
  bench = await openBench([iam, createCloudFormationRoom({ resourceTypes: () => types })], store);
}

afterEach(() => bench.stop());

const cfn = (operation: string, input: Record<string, unknown> = {}) => bench.call('cloudformation', operation, input);
const thing = (properties: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({ Type: 'AWS::Fake::Thing', Properties: properties, ...more });
const body = (resources: Record<string, unknown>, more: Record<string, unknown> = {}) => JSON.stringify({ Resources: resources, ...more });

async function status(name = 's'): Promise<string> {
  const { Stacks } = (await cfn('DescribeStacks', { StackName: name })) as { Stacks: { StackStatus: string }[] };
  return Stacks[0]?.StackStatus ?? '';
}

/** Events, oldest first: `LogicalId STATUS reason`. */
async function events(name = 's'): Promise<string[]> {
  const { StackEvents } = (await cfn('DescribeStackEvents', { StackName: name })) as {
    StackEvents: { LogicalResourceId: string; ResourceStatus: string; ResourceStatusReason?: string }[];
  };
  return StackEvents.reverse().map((event) => [event.LogicalResourceId, event.ResourceStatus, event.ResourceStatusReason].filter(Boolean).join(' '));
}

async function create(resources: Record<string, unknown>, more: Record<string, unknown> = {}, input: Record<string, unknown> = {}): Promise<string> {
  const { StackId } = await cfn('CreateStack', { StackName: 's', TemplateBody: body(resources, more), ...input });
  await bench.quiet();
  return String(StackId);
}

async function update(resources: Record<string, unknown>, more: Record<string, unknown> = {}, input: Record<string, unknown> = {}): Promise<void> {
  await cfn('UpdateStack', { StackName: 's', TemplateBody: body(resources, more), ...input });
  await bench.quiet();
}

const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe('creating a stack', () => {
  it('makes resources in the order of their dependencies, with the events of AWS', async () => {
    await open();
    const id = await create(
      { B: thing({ Name: 'b', Value: { 'Fn::GetAtt': ['A', 'Arn'] } }), A: thing({ Name: 'a', Kept: 1 }) },
      { Outputs: { Out: { Value: { 'Fn::Sub': '${B.Value}/${AWS::StackName}' }, Export: { Name: 'x' } } } },
    );
    expect(id).toMatch(/^arn:aws:cloudformation:us-east-1:000000000000:stack\/s\/[0-9a-f-]{36}$/);
    expect(await events()).toEqual([
      's CREATE_IN_PROGRESS User Initiated',
      'A CREATE_IN_PROGRESS',
      'A CREATE_IN_PROGRESS Resource creation Initiated',
      'A CREATE_COMPLETE Kept without effect by Croft: Kept',
      'B CREATE_IN_PROGRESS',
      'B CREATE_IN_PROGRESS Resource creation Initiated',
      'B CREATE_COMPLETE',
      's CREATE_COMPLETE',
    ]);
    const { Stacks } = (await cfn('DescribeStacks', { StackName: 's' })) as { Stacks: { Outputs: unknown }[] };
    expect(Stacks[0]?.Outputs).toEqual([{ OutputKey: 'Out', OutputValue: 'arn:fake:a/s', ExportName: 'x' }]);
    expect((await cfn('ListExports'))['Exports']).toEqual([{ ExportingStackId: id, Name: 'x', Value: 'arn:fake:a/s' }]);
  });

  it('rolls a failure back, dependents first, and keeps what is retained', async () => {
    await open();
    await create({
      Kept: thing({ Name: 'k' }, { DeletionPolicy: 'Retain' }),
      A: thing({ Name: 'a' }, { DependsOn: 'Kept' }),
      B: thing({ Name: 'b', Fail: 'no room' }, { DependsOn: 'A' }),
      C: thing({ Name: 'c' }, { DependsOn: 'B' }),
    });
    expect((await events()).slice(-8)).toEqual([
      'B CREATE_IN_PROGRESS',
      'B CREATE_FAILED no room',
      's ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [B]. Rollback requested by user.',
      'B DELETE_COMPLETE',
      'A DELETE_IN_PROGRESS',
      'A DELETE_COMPLETE',
      'Kept DELETE_SKIPPED',
      's ROLLBACK_COMPLETE',
    ]);
    expect([...fake.standing.keys()]).toEqual(['k']);
  });

  it('stays failed with OnFailure DO_NOTHING, and disappears with DELETE', async () => {
    await open();
    await create({ A: thing({ Fail: 'no' }) }, {}, { OnFailure: 'DO_NOTHING' });
    expect(await status()).toBe('CREATE_FAILED');
    await cfn('DeleteStack', { StackName: 's' });
    await bench.quiet();
    const id = await create({ A: thing({ Name: 'a' }), B: thing({ Fail: 'no' }, { DependsOn: 'A' }) }, {}, { OnFailure: 'DELETE' });
    expect(await status(id)).toBe('DELETE_COMPLETE');
    expect(await failure(cfn('DescribeStacks', { StackName: 's' }))).toBe('ValidationError: Stack with id s does not exist');
    expect(fake.standing.size).toBe(0);
  });

  it('fails on types and properties that it does not support', async () => {
    await open();
    await create({ Q: { Type: 'AWS::Quantum::Computer' } });
    expect(await events()).toContain('Q CREATE_FAILED Resource type AWS::Quantum::Computer is not supported by Croft');
    await cfn('DeleteStack', { StackName: 's' });
    await bench.quiet();
    await create({ A: thing({ Colour: 'red' }) });
    expect(await events()).toContain('A CREATE_FAILED Encountered unsupported property Colour (AWS::Fake::Thing in Croft)');
    expect(await status()).toBe('ROLLBACK_COMPLETE');
  });

  it('answers a second creation of the name as AWS does, the same request with its own answer', async () => {
    await open();
    const id = await create({ A: thing() }, {}, { ClientRequestToken: 't' });
    expect((await cfn('CreateStack', { StackName: 's', TemplateBody: body({ A: thing() }), ClientRequestToken: 't' }))['StackId']).toBe(id);
    expect(await failure(cfn('CreateStack', { StackName: 's', TemplateBody: body({ A: thing() }) }))).toBe('AlreadyExistsException: Stack [s] already exists');
  });
});

describe('updating a stack', () => {
  it('updates in place, replaces, adds and removes, and cleans up last', async () => {
    await open();
    await create({
      A: thing({ Name: 'a', Value: '1' }),
      B: thing({ Name: 'b', Value: { Ref: 'A' } }),
      Old: thing({ Name: 'old' }),
      Same: thing({ Name: 'same' }),
    });
    const before = (await events()).length;
    await update({
      A: thing({ Name: 'a2', Value: '1' }),
      B: thing({ Name: 'b', Value: { Ref: 'A' } }),
      New: thing({ Name: 'new' }, { DependsOn: 'B' }),
      Same: thing({ Name: 'same' }),
    });
    expect((await events()).slice(before)).toEqual([
      's UPDATE_IN_PROGRESS User Initiated',
      'A UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.',
      'A UPDATE_IN_PROGRESS Resource creation Initiated',
      'A UPDATE_COMPLETE',
      'B UPDATE_IN_PROGRESS',
      'B UPDATE_COMPLETE',
      'New CREATE_IN_PROGRESS',
      'New CREATE_IN_PROGRESS Resource creation Initiated',
      'New CREATE_COMPLETE',
      's UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
      'Old DELETE_IN_PROGRESS',
      'Old DELETE_COMPLETE',
      'A DELETE_IN_PROGRESS',
      'A DELETE_COMPLETE',
      's UPDATE_COMPLETE',
    ]);
    expect([...fake.standing.keys()].sort()).toEqual(['a2', 'b', 'new', 'same']);
    expect(fake.standing.get('b')).toEqual({ Name: 'b', Value: 'a2' });
    const { StackResourceSummaries } = (await cfn('ListStackResources', { StackName: 's' })) as { StackResourceSummaries: { LogicalResourceId: string }[] };
    expect(StackResourceSummaries.map((each) => each.LogicalResourceId)).toEqual(['A', 'B', 'New', 'Same']);
  });

  it('takes a failed update back to what was', async () => {
    await open();
    await create({ A: thing({ Name: 'a', Value: '1' }), B: thing({ Name: 'b', Value: '1' }) });
    const before = (await events()).length;
    await update({
      A: thing({ Name: 'a2', Value: '2' }),
      B: thing({ Name: 'b', Value: '2' }, { DependsOn: 'A' }),
      C: thing({ Name: 'c', Fail: 'no' }, { DependsOn: 'B' }),
    });
    expect((await events()).slice(before + 5)).toEqual([
      'B UPDATE_COMPLETE',
      'C CREATE_IN_PROGRESS',
      'C CREATE_FAILED no',
      's UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [C]. ',
      'B UPDATE_IN_PROGRESS',
      'B UPDATE_COMPLETE',
      'A UPDATE_COMPLETE',
      's UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
      'C DELETE_COMPLETE',
      'A DELETE_IN_PROGRESS',
      'A DELETE_COMPLETE',
      's UPDATE_ROLLBACK_COMPLETE',
    ]);
    expect(fake.standing.get('a')).toEqual({ Name: 'a', Value: '1' });
    expect(fake.standing.get('b')).toEqual({ Name: 'b', Value: '1' });
    expect([...fake.standing.keys()].sort()).toEqual(['a', 'b']);
  });

  it('refuses an update without changes', async () => {
    await open();
    await create({ A: thing({ Value: '1' }) });
    expect(await failure(cfn('UpdateStack', { StackName: 's', TemplateBody: body({ A: thing({ Value: 1 }) }) }))).toBe(
      'ValidationError: No updates are to be performed.',
    );
  });

  it('keeps the previous parameters where asked', async () => {
    await open();
    const parameters = { Parameters: { P: { Type: 'String', Default: 'd' } } };
    await create({ A: thing({ Value: { Ref: 'P' } }) }, parameters, { Parameters: [{ ParameterKey: 'P', ParameterValue: 'mine' }] });
    await update({ A: thing({ Value: { 'Fn::Sub': '${P}!' } }) }, parameters, { Parameters: [{ ParameterKey: 'P', UsePreviousValue: true }] });
    expect([...fake.standing.values()]).toEqual([{ Value: 'mine!' }]);
  });
});

describe('deleting a stack', () => {
  it('deletes dependents first and is found by its id afterwards', async () => {
    await open();
    const id = await create({ A: thing({ Name: 'a' }), B: thing({ Name: 'b', Value: { Ref: 'A' } }) });
    await cfn('DeleteStack', { StackName: 's' });
    await bench.quiet();
    expect(fake.calls.slice(-2)).toEqual(['delete B', 'delete A']);
    expect(await status(id)).toBe('DELETE_COMPLETE');
    expect((await events(id)).at(-1)).toBe('s DELETE_COMPLETE');
    await create({ A: thing({ Name: 'a' }) });
    expect(await status()).toBe('CREATE_COMPLETE');
  });

  it('says what would not go, and retains it when asked', async () => {
    await open();
    const id = await create({ A: thing({ Name: 'a', FailDelete: 'not empty' }), B: thing({ Name: 'b' }) });
    await cfn('DeleteStack', { StackName: 's' });
    await bench.quiet();
    expect((await events()).at(-1)).toBe('s DELETE_FAILED The following resource(s) failed to delete: [A]. ');
    await cfn('DeleteStack', { StackName: 's', RetainResources: ['A'] });
    await bench.quiet();
    expect(await status(id)).toBe('DELETE_COMPLETE');
  });

  it('calls a deletion off while another stack reads an export', async () => {
    await open();
    await create({ A: thing({ Name: 'a' }) }, { Outputs: { O: { Value: 'v', Export: { Name: 'x' } } } });
    await cfn('CreateStack', { StackName: 'reader', TemplateBody: body({ R: thing({ Value: { 'Fn::ImportValue': 'x' } }) }) });
    await bench.quiet();
    expect((await cfn('ListImports', { ExportName: 'x' }))['Imports']).toEqual(['reader']);
    await cfn('DeleteStack', { StackName: 's' });
    await bench.quiet();
    expect((await events()).at(-1)).toBe('s CREATE_COMPLETE Delete canceled. Cannot delete export x as it is in use by reader.');
    await update({ A: thing({ Name: 'a', Value: 'n' }) });
    expect((await events()).filter((event) => event.includes('Export'))).toEqual([
      's UPDATE_ROLLBACK_IN_PROGRESS Export x cannot be deleted as it is in use by reader',
    ]);
  });
});

describe('change sets', () => {
  it('create a stack by review and execution', async () => {
    await open();
    await cfn('CreateChangeSet', { StackName: 's', ChangeSetName: 'one', ChangeSetType: 'CREATE', TemplateBody: body({ A: thing({ Name: 'a' }) }) });
    expect(await status()).toBe('REVIEW_IN_PROGRESS');
    const described = await cfn('DescribeChangeSet', { StackName: 's', ChangeSetName: 'one' });
    expect(described).toMatchObject({
      Status: 'CREATE_COMPLETE',
      ExecutionStatus: 'AVAILABLE',
      Changes: [{ ResourceChange: { Action: 'Add', LogicalResourceId: 'A' } }],
    });
    await cfn('ExecuteChangeSet', { StackName: 's', ChangeSetName: 'one' });
    await bench.quiet();
    expect(await status()).toBe('CREATE_COMPLETE');
    expect((await events()).slice(0, 2)).toEqual(['s REVIEW_IN_PROGRESS User Initiated', 's CREATE_IN_PROGRESS User Initiated']);
  });

  it('tell what would change, and fail where nothing would', async () => {
    await open();
    await create({ A: thing({ Name: 'a', Value: '1' }), B: thing({ Value: { Ref: 'A' } }) });
    const same = { StackName: 's', ChangeSetName: 'same', TemplateBody: body({ A: thing({ Name: 'a', Value: '1' }), B: thing({ Value: { Ref: 'A' } }) }) };
    await cfn('CreateChangeSet', same);
    expect(await cfn('DescribeChangeSet', { StackName: 's', ChangeSetName: 'same' })).toMatchObject({
      Status: 'FAILED',
      ExecutionStatus: 'UNAVAILABLE',
      StatusReason: "The submitted information didn't contain changes. Submit different information to create a change set.",
    });
    await cfn('CreateChangeSet', {
      ...same,
      ChangeSetName: 'other',
      TemplateBody: body({ A: thing({ Name: 'a2', Value: '1' }), B: thing({ Value: { Ref: 'A' } }) }),
    });
    const { Changes } = (await cfn('DescribeChangeSet', { StackName: 's', ChangeSetName: 'other' })) as {
      Changes: { ResourceChange: Record<string, unknown> }[];
    };
    expect(Changes.map(({ ResourceChange: change }) => [change['LogicalResourceId'], change['Action'], change['Replacement']])).toEqual([
      ['A', 'Modify', 'True'],
      ['B', 'Modify', 'False'],
    ]);
  });
});

describe('stacks that are interrupted', () => {
  /** Holds the named call until it is let go. */
  function gate(wanted: string) {
    let reached: () => void = () => undefined;
    let release: () => void = () => undefined;
    const atGate = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const before = (call: string) => {
      if (call !== wanted) return undefined;
      reached();
      return held;
    };
    return { atGate, release: () => release(), hooks: { before } };
  }

  it('by a deletion: what was being made is deleted too', async () => {
    const { atGate, release, hooks } = gate('create B');
    await open(hooks);
    const three = { A: thing({ Name: 'a' }), B: thing({ Name: 'b', Value: { Ref: 'A' } }), C: thing({ Name: 'c', Value: { Ref: 'B' } }) };
    const { StackId } = await cfn('CreateStack', { StackName: 's', TemplateBody: body(three) });
    await atGate;
    await cfn('DeleteStack', { StackName: 's' });
    release();
    await bench.quiet();
    expect(await status(String(StackId))).toBe('DELETE_COMPLETE');
    expect(fake.calls).toEqual(['create A', 'create B', 'delete B', 'delete A']);
    expect(fake.standing.size).toBe(0);
  });

  it('by a cancelled update: what was done is taken back', async () => {
    const { atGate, release, hooks } = gate('update A');
    await open(hooks);
    const two = (Value: string) => ({ A: thing({ Name: 'a', Value }), B: thing({ Name: 'b', Value }, { DependsOn: 'A' }) });
    await create(two('1'));
    await cfn('UpdateStack', { StackName: 's', TemplateBody: body(two('2')) });
    await atGate;
    expect(await failure(cfn('UpdateStack', { StackName: 's', TemplateBody: body({ A: thing() }) }))).toMatch(
      /^ValidationError: Stack:arn:.* is in UPDATE_IN_PROGRESS state and can not be updated\.$/,
    );
    expect(await failure(cfn('DeleteStack', { StackName: 's' }))).toBe('ValidationError: Stack [s] cannot be deleted while in status UPDATE_IN_PROGRESS');
    await cfn('CancelUpdateStack', { StackName: 's' });
    release();
    await bench.quiet();
    expect(await status()).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect([...fake.standing]).toEqual([
      ['a', { Name: 'a', Value: '1' }],
      ['b', { Name: 'b', Value: '1' }],
    ]);
    expect(fake.calls).not.toContain('update B');
  });

  it('by a failure without rollback: the next update goes on from there', async () => {
    await open();
    await create({ A: thing({ Name: 'a' }), B: thing({ Name: 'b', Fail: 'no' }, { DependsOn: 'A' }) }, {}, { DisableRollback: true });
    expect(await status()).toBe('CREATE_FAILED');
    await update({ A: thing({ Name: 'a' }), B: thing({ Name: 'b' }, { DependsOn: 'A' }) });
    expect(await status()).toBe('UPDATE_COMPLETE');
    expect(fake.calls).toEqual(['create A', 'create B', 'create B']);
  });

  it('by a rollback that fails: it can be continued', async () => {
    let broken = true;
    await open({
      before: (call) => {
        if (broken && call === 'update A' && fake.calls.filter((each) => each === call).length === 2) throw new Error('still busy');
      },
    });
    await create({ A: thing({ Name: 'a', Value: '1' }) });
    await update({ A: thing({ Name: 'a', Value: '2' }), B: thing({ Fail: 'no' }, { DependsOn: 'A' }) });
    expect((await events()).at(-1)).toBe('s UPDATE_ROLLBACK_FAILED The following resource(s) failed to update: [A]. ');
    broken = false;
    await cfn('ContinueUpdateRollback', { StackName: 's' });
    await bench.quiet();
    expect(await status()).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(fake.standing.get('a')).toEqual({ Name: 'a', Value: '1' });
  });
});

describe('roles in a stack', () => {
  it('are deleted with the stack that could not finish them', async () => {
    await open();
    const AssumeRolePolicyDocument = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    };
    const Role = { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument, ManagedPolicyArns: ['arn:aws:iam::aws:policy/Nothing'] } };
    expect(await failure(cfn('CreateStack', { StackName: 's', TemplateBody: body({ Role }) }))).toBe(
      'InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]',
    );
    await create({ Role }, {}, { Capabilities: ['CAPABILITY_NAMED_IAM'] });
    expect(await status()).toBe('ROLLBACK_COMPLETE');
    expect((await events()).find((event) => event.startsWith('Role CREATE_FAILED'))).toContain(
      '"Policy arn:aws:iam::aws:policy/Nothing does not exist or is not attachable."',
    );
    expect((await bench.call('iam', 'ListRoles'))['Roles']).toEqual([]);
  });
});

describe('a long template', () => {
  const long = (resources: Record<string, unknown>) => `${'#'.repeat(5_000)}\n${body(resources)}`;

  it('is read by a thread of its own, with the same outcome', async () => {
    await open();
    await cfn('CreateStack', { StackName: 's', TemplateBody: long({ A: thing({ Name: 'a' }) }) });
    await bench.quiet();
    expect(await status()).toBe('CREATE_COMPLETE');
    expect(await failure(cfn('ValidateTemplate', { TemplateBody: `${'#'.repeat(5_000)}\n{` }))).toMatch(
      /^ValidationError: Template format error: YAML not well-formed/,
    );
  });
});

describe('a process that dies', () => {
  it('goes on where it stood, without making anything twice', async () => {
    const store = newStore();
    const gate: { open?: () => void } = {};
    let reached: () => void = () => undefined;
    const stuck = new Promise<void>((resolve) => {
      reached = resolve;
    });
    // The first process makes A, begins B, and never hears of it again.
    await open(
      {
        before: (call) => {
          if (call !== 'create B') return undefined;
          reached();
          return new Promise<void>((resolve) => {
            gate.open = resolve;
          });
        },
      },
      store,
    );
    const template = body({ A: thing({ Name: 'a' }), B: thing({ Value: { Ref: 'A' } }), C: thing({ Name: 'c', Value: { Ref: 'B' } }) });
    await cfn('CreateStack', { StackName: 's', TemplateBody: template });
    await stuck;
    const first = fake;
    await open({}, store);
    await bench.quiet();
    expect(await status()).toBe('CREATE_COMPLETE');
    expect(first.calls).toEqual(['create A', 'create B']);
    expect(fake.calls).toEqual(['create B', 'create C']);
    expect((await events()).filter((event) => event.startsWith('B'))).toEqual([
      'B CREATE_IN_PROGRESS',
      'B CREATE_IN_PROGRESS Resource creation Initiated',
      'B CREATE_COMPLETE',
    ]);
    gate.open?.();
  });
});

describe('what the request itself says', () => {
  it('refuses what can be known to fail', async () => {
    await open();
    const TemplateBody = body({ A: thing({ Name: { 'Fn::FindInMap': ['M', 'a', 'b'] } }) }, { Mappings: { M: { a: { c: 1 } } } });
    expect(await failure(cfn('CreateStack', { StackName: 's', TemplateBody }))).toBe('ValidationError: Template error: Unable to get mapping for M::a::b');
    expect(await failure(cfn('DeleteChangeSet', { ChangeSetName: 'c' }))).toBe(
      'ValidationError: StackName must be specified if ChangeSetName is not specified as an ARN.',
    );
    expect(await failure(cfn('GetTemplate', { ChangeSetName: 'c' }))).toBe('ValidationError: StackName is a required parameter.');
  });

  it('makes a failed change set of a failed transform', async () => {
    await open();
    const TemplateBody = JSON.stringify({ Transform: 'AWS::Serverless-2016-10-31', Resources: { F: { Type: 'AWS::Serverless::Function', Properties: {} } } });
    const { Id } = await cfn('CreateChangeSet', { StackName: 's', ChangeSetName: 'c', ChangeSetType: 'CREATE', TemplateBody });
    expect(await cfn('DescribeChangeSet', { ChangeSetName: Id })).toMatchObject({
      Status: 'FAILED',
      ExecutionStatus: 'UNAVAILABLE',
      StatusReason: expect.stringMatching(/^Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document/),
    });
  });
});
