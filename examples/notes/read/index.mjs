// Lists notes, or returns one. The AWS SDK needs no configuration either.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';

const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const TableName = process.env.TABLE_NAME;

export const handler = async (event) => {
  const id = event.pathParameters?.id;
  if (id === undefined) {
    const { Items } = await client.send(new ScanCommand({ TableName }));
    return answer(200, Items);
  }
  const { Item } = await client.send(new GetCommand({ TableName, Key: { id } }));
  return Item ? answer(200, Item) : answer(404, { error: 'no such note' });
};

function answer(statusCode, body) {
  return { statusCode, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}
