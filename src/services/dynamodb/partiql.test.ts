import {
  type AttributeValue,
  BatchExecuteStatementCommand,
  CreateTableCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  type ExecuteStatementCommandInput,
  ExecuteTransactionCommand,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

const MALFORMED = "Statement wasn't well formed, can't be processed: ";
const LEFTOVER = `${MALFORMED}Unexpected token after expression`;
const NO_KEY = 'Where clause does not contain a mandatory equality on all key attributes';

let croft: TestCroft;
let client: DynamoDBClient;

beforeAll(async () => {
  croft = await startCroft();
  client = new DynamoDBClient(croft.sdk);
  const text = (name: string) => ({ AttributeName: name, AttributeType: 'S' as const });
  await client.send(
    new CreateTableCommand({
      TableName: 'hash',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [text('pk')],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  await client.send(
    new CreateTableCommand({
      TableName: 'pair',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [text('pk'), { AttributeName: 'sk', AttributeType: 'N' }, text('kind')],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-kind',
          KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['shown'] },
        },
      ],
    }),
  );
  for (const [pk, sk] of [
    ['a', 1],
    ['a', 2],
    ['a', 3],
    ['b', 1],
  ] as const) {
    await run(`INSERT INTO "pair" VALUE {'pk': '${pk}', 'sk': ${sk}, 'kind': 'k${sk % 2}', 'shown': 's${sk}', 'hidden': {'deep': [10, 20]}}`);
  }
});

afterAll(() => croft.stop());

const run = (Statement: string, extra: Partial<ExecuteStatementCommandInput> = {}) => client.send(new ExecuteStatementCommand({ Statement, ...extra }));
const items = async (statement: string, ...Parameters: AttributeValue[]) => (await run(statement, Parameters.length > 0 ? { Parameters } : {})).Items ?? [];
const keys = async (statement: string) => (await items(statement)).map(({ pk, sk }) => `${pk?.S}${sk?.N ?? ''}`);
const stored = async (pk: string) => (await client.send(new GetItemCommand({ TableName: 'hash', Key: { pk: { S: pk } } }))).Item;

async function refusal(statement: string, extra: Partial<ExecuteStatementCommandInput> = {}): Promise<string> {
  try {
    await run(statement, extra);
  } catch (error) {
    expect((error as Error).name).toBe('ValidationException');
    return (error as Error).message;
  }
  throw new Error(`not refused: ${statement}`);
}

describe('SELECT', () => {
  it.each([
    ["SELECT pk, sk FROM pair WHERE pk = 'a'", ['a1', 'a2', 'a3']],
    ["SELECT pk, sk FROM pair WHERE 'a' = pk AND 2 <= sk", ['a2', 'a3']],
    ["SELECT pk, sk FROM pair WHERE pk = 'a' AND sk BETWEEN 2 AND 3 AND shown <> 's3'", ['a2']],
    ["SELECT pk, sk FROM pair WHERE pk = 'a' ORDER BY sk DESC", ['a3', 'a2', 'a1']],
    ["SELECT pk, sk FROM pair WHERE pk IN ['b', 'a', 'none'] AND sk = 1", ['b1', 'a1']],
    ["SELECT pk, sk FROM pair WHERE pk IN ('b', 'a') ORDER BY pk DESC, sk DESC", ['b1', 'a3', 'a2', 'a1']],
    ["select pk, sk from pair where pk = 'a' and not (sk = 1 or shown in ['s2'])", ['a3']],
    [`SELECT pk, sk FROM "pair"."by-kind" WHERE kind = 'k0'`, ['a2']],
    ["SELECT pk, sk FROM pair WHERE hidden.deep[1] = 20 AND size(hidden.deep) = 2 AND pk = 'b'", ['b1']],
    ["SELECT pk, sk FROM pair WHERE pk = 'a' AND contains(shown, '2') -- a note", ['a2']],
    ["SELECT pk, sk FROM pair /* a note */ WHERE pk = 'a' AND attribute_type(hidden, 'M') AND begins_with(shown, 's') AND sk = .2e1;", ['a2']],
    ["SELECT pk, sk FROM pair WHERE pk = 'a' AND gone IS NOT MISSING", []],
    ["SELECT pk, sk FROM pair WHERE pk = 'b' AND gone IS MISSING AND shown IS NOT NULL AND sk NOT BETWEEN 5 AND 6", ['b1']],
  ])('%s', async (statement, expected) => {
    expect(await keys(statement)).toEqual(expected);
  });

  it('scans where no partition is named', async () => {
    expect((await keys('SELECT * FROM pair WHERE sk = 1')).sort()).toEqual(['a1', 'b1']);
  });

  it('answers nested paths under their last names', async () => {
    expect(await items("SELECT hidden.deep[1], hidden['deep'], pk FROM pair WHERE pk = 'b'")).toEqual([
      { 'deep[1]': { N: '20' }, deep: { L: [{ N: '10' }, { N: '20' }] }, pk: { S: 'b' } },
    ]);
  });

  it('pages over partitions with a token of its own request', async () => {
    const seen: string[] = [];
    let NextToken: string | undefined;
    const statement = "SELECT pk, sk FROM pair WHERE pk IN ['a', 'b']";
    do {
      const page = await run(statement, { Limit: 1, ...(NextToken ? { NextToken } : {}) });
      seen.push(...(page.Items ?? []).map(({ pk, sk }) => `${pk?.S}${sk?.N}`));
      NextToken = page.NextToken;
    } while (NextToken);
    expect(seen).toEqual(['a1', 'a2', 'a3', 'b1']);
    const { NextToken: token = '' } = await run(statement, { Limit: 1 });
    expect(await refusal("SELECT pk FROM pair WHERE pk IN ['a']", { NextToken: token })).toBe('NextToken does not match request');
    expect(await refusal(statement, { NextToken: 'bm8' })).toBe('Invalid NextToken');
  });

  it('compares with parameters of every type', async () => {
    const value: AttributeValue = { M: { x: { SS: ['b', 'a'] }, y: { B: Uint8Array.from([1]) } } };
    await items("INSERT INTO hash VALUE {'pk': 'typed', 'v': ?}", value);
    expect(
      await items('SELECT pk FROM hash WHERE pk = ? AND v = ?', { S: 'typed' }, { M: { y: { B: Uint8Array.from([1]) }, x: { SS: ['a', 'b'] } } }),
    ).toHaveLength(1);
    expect(await refusal('SELECT pk FROM hash WHERE pk = ?')).toBe("Number of parameters in request and statement don't match.");
  });

  it('tells what it cost', async () => {
    const { ConsumedCapacity } = await run(`SELECT pk FROM "pair"."by-kind" WHERE kind = 'k0'`, { ReturnConsumedCapacity: 'INDEXES' });
    expect(ConsumedCapacity).toMatchObject({ CapacityUnits: 0.5, Table: { CapacityUnits: 0 }, GlobalSecondaryIndexes: { 'by-kind': { CapacityUnits: 0.5 } } });
  });
});

describe('writes', () => {
  it('insert, update, delete, with what RETURNING asks for', async () => {
    await run("INSERT INTO hash VALUE {'pk': 'it''s', 'n': 1, 'l': [1], 's': <<'a', 'b'>>, 'm': {'x': null, 'y': true}}");
    expect(
      await items("UPDATE hash SET n = n + 2, l = list_append(l, [2]) SET s = set_add(s, <<'c'>>) REMOVE m.x WHERE pk = 'it''s' RETURNING MODIFIED NEW *"),
    ).toEqual([{ n: { N: '3' }, l: { L: [{ N: '1' }, { N: '2' }] }, s: { SS: ['a', 'b', 'c'] } }]);
    expect(await items("UPDATE hash SET s = set_delete(s, <<'a', 'b', 'c'>>) WHERE pk = 'it''s' RETURNING MODIFIED NEW *")).toEqual([]);
    expect(await items("FROM hash WHERE pk = 'it''s' SET n = 9 RETURNING MODIFIED OLD *")).toEqual([{ n: { N: '3' } }]);
    expect(await items("DELETE FROM hash WHERE pk = 'it''s' RETURNING ALL OLD *")).toEqual([
      { pk: { S: "it's" }, n: { N: '9' }, l: { L: [{ N: '1' }, { N: '2' }] }, m: { M: { y: { BOOL: true } } } },
    ]);
  });

  it('insert no duplicate, update no item that is not there, delete none without complaint', async () => {
    await run("INSERT INTO hash VALUE {'pk': 'once'}");
    await expect(run("INSERT INTO hash VALUE {'pk': 'once'}")).rejects.toMatchObject({ name: 'DuplicateItemException' });
    await expect(run("UPDATE hash SET a = 1 WHERE pk = 'ghost'")).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    await expect(run("DELETE FROM hash WHERE pk = 'once' AND a = 1", { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { pk: { S: 'once' } },
    });
    expect(await items("DELETE FROM hash WHERE pk = 'ghost' AND a = 1")).toEqual([]);
    expect(await stored('ghost')).toBeUndefined();
  });
});

describe('refusals', () => {
  it.each([
    ['SLECT * FROM hash', `${MALFORMED}Expected data manipulation`],
    ["SELECT * FROM hash WHERE pk = 'x' foo", LEFTOVER],
    ["SELECT * FROM hash WHERE pk = 'x')", LEFTOVER],
    ["INSERT INTO hash VALUE {'pk': 'x'} foo", LEFTOVER],
    ["DELETE FROM hash WHERE pk = 'x' ORDER BY pk", LEFTOVER],
    ["INSERT INTO hash t VALUE {'pk': 'x'}", LEFTOVER],
    ['SELECT * FROM hash WHERE', `${MALFORMED}Unexpected term`],
    ['SELECT * FROM hash WHERE NOT', `${MALFORMED}Unexpected term`],
    ["SELECT * FROM hash WHERE pk = 'x' AND", `${MALFORMED}Missing right-hand side expression of infix operator`],
    ['SELECT * FROM hash WHERE ORDER BY pk', `${MALFORMED}Unexpected keyword`],
    ['SELECT * FROM hash WHERE IS NULL', `${MALFORMED}Unexpected operator`],
    ["SELECT * FROM hash WHERE pk = 'a' AND x IS FOO", `${MALFORMED}Expected type name`],
    ['x IS DOUBLE PRECISION', 'Unsupported operation: IsType'],
    ['DELETE FROM;', `${MALFORMED}Expected identifier for simple path`],
    ['SELECT * FROM hash WHERE pk = 1e2147483648', MALFORMED],
    ['SELECT * FROM hash WHERE pk = 1.5e-2147483647', MALFORMED],
    ['SELECT * FROM hash WHERE pk = 1 # note', MALFORMED],
    ['SELECT * FROM hash WHERE pk = 1 /* note', MALFORMED],
    ["SELECT * FROM hash t WHERE pk = 'x'", 'Aliasing is not supported'],
    ["UPDATE hash AS t SET a = 3 WHERE pk = 'x'", 'Aliasing is not supported'],
    [
      "INSERT INTO hash VALUE {'pk': 'x', 'l': [1, 1e126]}",
      'Number overflow. Attempting to store a number with magnitude larger than supported range under root[1]',
    ],
    ['SELECT * FROM hash WHERE pk = 1e-131', 'Number underflow. Attempting to store a number with magnitude smaller than supported range under root'],
    ['FROM hash SET c = 1', NO_KEY],
    ["DELETE FROM pair WHERE pk = 'a'", NO_KEY],
    [
      "DELETE FROM hash WHERE pk = 'x' RETURNING ALL NEW *",
      'Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in DELETE statements.',
    ],
    [`INSERT INTO "pair"."by-kind" VALUE {'pk': 'x'}`, 'FROM clause may only contain a single table name'],
    [`DELETE FROM "pair"."by-kind" WHERE pk = 'x'`, 'This operation is not supported on an index'],
    [`SELECT * FROM "pair"."none" WHERE pk = 'x'`, 'The table does not have the specified index'],
    [`SELECT * FROM "pair"."a"."b"`, 'A path may contain at most 2 components in the FROM clause'],
    [`SELECT * FROM ""`, 'Path component cannot be an empty string'],
    [`SELECT hidden FROM "pair"."by-kind"`, 'One or more parameter values were invalid: Global secondary index by-kind does not project [hidden]'],
    [
      `SELECT pk FROM "pair"."by-kind" WHERE kind = 'k0' AND NOT hidden = 1`,
      'One or more parameter values were invalid: Secondary index by-kind does not project one or more filter attributes: [hidden]',
    ],
    ['SELECT a, b.a FROM hash', 'Duplicate identifiers in select clause: a'],
    ['SELECT * FROM hash ORDER BY pk', 'Must have WHERE clause in the statement when using ORDER BY clause.'],
    [
      "SELECT * FROM pair WHERE pk IN ['a', 'b'] ORDER BY sk",
      'Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.',
    ],
    ["EXISTS(SELECT * FROM hash WHERE pk = 'x' AND a = 1)", 'EXISTS can only be used in ExecuteTransaction write requests.'],
    ["SELECT * FROM hash WHERE pk = 'x' LIMIT 1", 'Unsupported clause: LIMIT'],
  ])('%s', async (statement, message) => {
    expect(await refusal(statement)).toBe(message);
  });

  it('of an order of values that have none', async () => {
    expect(await refusal("SELECT pk FROM hash WHERE pk = 'x' AND v < ?", { Parameters: [{ BOOL: true }] })).toBe(
      'Incorrect operand type for operator or function; operator or function: <, operand type: BOOL',
    );
  });

  it('of a statement nested beyond all measure, and of a table that is not there', async () => {
    expect(await refusal(`SELECT * FROM hash WHERE ${'('.repeat(4000)}`)).toContain(MALFORMED);
    await expect(run('SELECT * FROM nowhere')).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: 'Requested resource not found' });
  });
});

describe('BatchExecuteStatement', () => {
  it('answers each statement in its place', async () => {
    await run("INSERT INTO hash VALUE {'pk': 'batch', 'v': 1}");
    const { Responses } = await client.send(
      new BatchExecuteStatementCommand({
        Statements: [
          { Statement: "UPDATE hash SET v = 2 WHERE pk = 'batch' RETURNING ALL NEW *" },
          { Statement: "UPDATE hash SET v = 3 WHERE pk = 'batch' AND v = 1" },
          { Statement: "INSERT INTO hash VALUE {'pk': 'batch'}" },
          { Statement: 'SLECT' },
          { Statement: "DELETE FROM nowhere WHERE pk = 'x'" },
        ],
      }),
    );
    expect(Responses).toEqual([
      { TableName: 'hash', Item: { pk: { S: 'batch' }, v: { N: '2' } } },
      { TableName: 'hash', Error: { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' } },
      { TableName: 'hash', Error: { Code: 'DuplicateItem', Message: 'Duplicate primary key exists in table' } },
      { Error: { Code: 'ValidationError', Message: `${MALFORMED}Expected data manipulation` } },
      { Error: { Code: 'ResourceNotFound', Message: 'Requested resource not found' } },
    ]);
  });

  it('reads single items only, each as consistently as it asks', async () => {
    const { Responses, ConsumedCapacity } = await client.send(
      new BatchExecuteStatementCommand({
        Statements: [
          { Statement: "SELECT pk FROM pair WHERE pk = 'a' AND sk = 1", ConsistentRead: true },
          { Statement: "SELECT pk FROM pair WHERE pk = 'a' AND sk = 2" },
          { Statement: "SELECT pk FROM pair WHERE pk = 'a'" },
        ],
        ReturnConsumedCapacity: 'TOTAL',
      }),
    );
    expect(Responses?.map(({ Item, Error: error }) => Item?.['pk']?.S ?? error?.Message)).toEqual([
      'a',
      'a',
      'Select statements within BatchExecuteStatement must specify the primary key in the where clause.',
    ]);
    expect(ConsumedCapacity).toEqual([{ TableName: 'pair', CapacityUnits: 1.5 }]);
  });
});

describe('ExecuteTransaction', () => {
  const transact = (...statements: string[]) =>
    client.send(new ExecuteTransactionCommand({ TransactStatements: statements.map((Statement) => ({ Statement })) }));

  it('writes all or nothing', async () => {
    expect((await transact("INSERT INTO hash VALUE {'pk': 't1'}", "INSERT INTO hash VALUE {'pk': 't2'}")).Responses).toEqual([]);
    await expect(transact("INSERT INTO hash VALUE {'pk': 't1'}", "INSERT INTO hash VALUE {'pk': 't3'}")).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'DuplicateItem', Message: 'Duplicate primary key exists in table' }, { Code: 'None' }],
    });
    expect(await stored('t3')).toBeUndefined();
    await expect(transact("EXISTS(SELECT * FROM hash WHERE pk = 't1' AND v IS NOT MISSING)", "DELETE FROM hash WHERE pk = 't2'")).rejects.toMatchObject({
      CancellationReasons: [{ Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' }, { Code: 'None' }],
    });
    await transact("EXISTS(SELECT * FROM hash WHERE pk = 't1' AND v IS MISSING)", "DELETE FROM hash WHERE pk = 't2'");
    expect(await stored('t2')).toBeUndefined();
  });

  it('reads items by their keys, in one snapshot', async () => {
    expect((await transact("SELECT pk FROM pair WHERE pk = 'a' AND sk = 1", "SELECT * FROM pair WHERE pk = 'a' AND sk = 77")).Responses).toEqual([
      { Item: { pk: { S: 'a' } } },
      {},
    ]);
  });

  it('runs once under one token', async () => {
    await run("INSERT INTO hash VALUE {'pk': 'counter', 'n': 0}");
    const command = () =>
      new ExecuteTransactionCommand({
        ClientRequestToken: 'token-1',
        ReturnConsumedCapacity: 'TOTAL',
        TransactStatements: [{ Statement: "UPDATE hash SET n = n + 1 WHERE pk = 'counter'" }],
      });
    expect((await client.send(command())).ConsumedCapacity?.[0]).toMatchObject({ WriteCapacityUnits: 2 });
    expect((await client.send(command())).ConsumedCapacity?.[0]).toMatchObject({ ReadCapacityUnits: 2 });
    expect((await stored('counter'))?.['n']?.N).toBe('1');
  });

  it.each([
    [
      ["UPDATE hash SET v = 1 WHERE pk = 'x' RETURNING ALL NEW *"],
      'Validation failed in TransactStatements[0]: RETURNING clause is not supported in ExecuteTransaction.',
    ],
    [
      [`SELECT * FROM "pair"."by-kind" WHERE kind = 'x'`],
      'Validation failed in TransactStatements[0]: Reads on indices are not supported within transactions.',
    ],
    [['SELECT * FROM hash WHERE'], `Validation failed in TransactStatements[0]: ${MALFORMED}Unexpected term`],
    [
      ["EXISTS(SELECT * FROM hash WHERE pk = 'x')"],
      'Validation failed in TransactStatements[0]: EXISTS() must contain a single item read with additional condition',
    ],
    [
      ["SELECT * FROM hash WHERE pk = 'x'", "DELETE FROM hash WHERE pk = 'y'"],
      'ExecuteTransaction API does not support both read and write operations in the same request.',
    ],
  ])('%j', async (statements, message) => {
    await expect(transact(...statements)).rejects.toMatchObject({ name: 'ValidationException', message });
  });
});
