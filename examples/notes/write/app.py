"""Creates and deletes notes. boto3 needs no configuration: it finds the cloud that the function runs in."""
import json
import os
import uuid

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def handler(event, context):
    if event["httpMethod"] == "DELETE":
        table.delete_item(Key={"id": event["pathParameters"]["id"]})
        return answer(204)
    try:
        text = json.loads(event["body"] or "")["text"]
    except (ValueError, KeyError, TypeError):
        return answer(400, {"error": 'send {"text": "..."}'})
    note = {"id": str(uuid.uuid4()), "text": text}
    table.put_item(Item=note)
    print("created", note["id"])
    return answer(201, note)


def answer(status, body=None):
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": "" if body is None else json.dumps(body),
    }
