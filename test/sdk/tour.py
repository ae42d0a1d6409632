"""boto3 through every room, with nothing but AWS_ENDPOINT_URL, a region and dummy credentials in the environment."""
import io
import json
import zipfile
from decimal import Decimal

import boto3
from botocore.exceptions import ClientError


def code(expected, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == expected, error.response
        return error.response
    raise AssertionError(f"{expected} expected, but it succeeded")


def dynamodb():
    resource = boto3.resource("dynamodb")
    table = resource.create_table(
        TableName="tour",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.wait_until_exists()
    with table.batch_writer() as batch:
        for n in range(60):
            batch.put_item(Item={"pk": "a", "sk": n, "even": n % 2 == 0, "tags": {"x", str(n)}, "deep": {"list": [1, None, b"bytes"]}})
    items = table.query(KeyConditionExpression=boto3.dynamodb.conditions.Key("pk").eq("a") & boto3.dynamodb.conditions.Key("sk").between(10, 19))["Items"]
    assert [int(i["sk"]) for i in items] == list(range(10, 20)), items
    assert items[0]["tags"] == {"x", "10"} and items[0]["deep"]["list"][1] is None
    assert table.scan(FilterExpression=boto3.dynamodb.conditions.Attr("even").eq(True), Select="COUNT")["Count"] == 30
    updated = table.update_item(
        Key={"pk": "a", "sk": 1}, UpdateExpression="SET #c = if_not_exists(#c, :z) + :one REMOVE deep.#l[0] ADD tags :t",
        ExpressionAttributeNames={"#c": "counter", "#l": "list"}, ExpressionAttributeValues={":z": 0, ":one": Decimal("1.5"), ":t": {"new"}}, ReturnValues="ALL_NEW",
    )["Attributes"]
    assert updated["counter"] == Decimal("1.5") and updated["tags"] == {"x", "1", "new"} and len(updated["deep"]["list"]) == 2
    response = code("ConditionalCheckFailedException", table.put_item, Item={"pk": "a", "sk": 1}, ConditionExpression="attribute_not_exists(pk)")
    assert response["Error"]["Message"] == "The conditional request failed"
    code("ResourceNotFoundException", resource.Table("nothing").get_item, Key={"pk": "a"})
    code("ValidationException", table.get_item, Key={"pk": "a"})
    pages = list(boto3.client("dynamodb").get_paginator("scan").paginate(TableName="tour", PaginationConfig={"PageSize": 7}))
    assert sum(p["Count"] for p in pages) == 60


def s3():
    client = boto3.client("s3")
    client.create_bucket(Bucket="tour")
    client.upload_fileobj(io.BytesIO(b"x" * (20 * 1024 * 1024)), "tour", "big file+ü.bin")
    assert client.head_object(Bucket="tour", Key="big file+ü.bin")["ContentLength"] == 20 * 1024 * 1024
    assert client.get_object(Bucket="tour", Key="big file+ü.bin", Range="bytes=5-9")["Body"].read() == b"xxxxx"
    client.put_object(Bucket="tour", Key="a/b", Body=b"hello", Metadata={"k": "v"}, ContentType="text/plain")
    answer = client.get_object(Bucket="tour", Key="a/b")
    assert (answer["Body"].read(), answer["Metadata"], answer["ContentType"]) == (b"hello", {"k": "v"}, "text/plain")
    listed = client.list_objects_v2(Bucket="tour", Delimiter="/")
    assert [p["Prefix"] for p in listed["CommonPrefixes"]] == ["a/"] and listed["KeyCount"] == 2
    code("NoSuchKey", client.get_object, Bucket="tour", Key="nothing")
    code("NoSuchBucket", client.list_objects_v2, Bucket="no-such-bucket")
    code("BucketNotEmpty", client.delete_bucket, Bucket="tour")


def functions():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("app.py", "import boto3\ndef handler(event, context):\n    return boto3.client('sts').get_caller_identity()['Arn']\n")
        z.writestr("bad.py", "def handler(event, context):\n    raise ValueError('no')\n")
    iam = boto3.client("iam")
    role = iam.create_role(RoleName="tour", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    client = boto3.client("lambda")
    for handler in ("app", "bad"):
        client.create_function(FunctionName=handler, Role=role, Runtime="python3.12", Handler=f"{handler}.handler", Timeout=20, Code={"ZipFile": archive.getvalue()})
        client.get_waiter("function_active_v2").wait(FunctionName=handler, WaiterConfig={"Delay": 1})
    answer = client.invoke(FunctionName="app")
    assert json.load(answer["Payload"]).startswith("arn:aws:sts::000000000000:assumed-role/tour/"), answer
    failed = client.invoke(FunctionName="bad", LogType="Tail")
    body = json.load(failed["Payload"])
    assert failed["FunctionError"] == "Unhandled" and body["errorType"] == "ValueError" and body["errorMessage"] == "no", body
    assert client.invoke(FunctionName="app", InvocationType="DryRun")["StatusCode"] == 204
    assert client.invoke(FunctionName="app", InvocationType="Event")["StatusCode"] == 202
    code("ResourceNotFoundException", client.invoke, FunctionName="nothing")
    code("ResourceConflictException", client.create_function, FunctionName="app", Role=role, Runtime="python3.12", Handler="app.handler", Code={"ZipFile": archive.getvalue()})
    code("InvalidParameterValueException", client.create_function, FunctionName="x", Role=role, Runtime="python3.12", Handler="app.handler", Timeout=20, Code={"ZipFile": b"not a zip"})


def stacks():
    client = boto3.client("cloudformation")
    template = {"Resources": {"T": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}}}, "Outputs": {"Name": {"Value": {"Ref": "T"}}}}
    client.create_stack(StackName="tour", TemplateBody=json.dumps(template))
    client.get_waiter("stack_create_complete").wait(StackName="tour", WaiterConfig={"Delay": 1})
    name = client.describe_stacks(StackName="tour")["Stacks"][0]["Outputs"][0]["OutputValue"]
    assert name.startswith("tour-T-"), name
    assert boto3.client("dynamodb").describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"
    code("ValidationError", client.update_stack, StackName="tour", TemplateBody=json.dumps(template))
    client.delete_stack(StackName="tour")
    client.get_waiter("stack_delete_complete").wait(StackName="tour", WaiterConfig={"Delay": 1})
    code("ResourceNotFoundException", boto3.client("dynamodb").describe_table, TableName=name)


def refusals():
    response = code("NotImplemented", boto3.client("dynamodb").export_table_to_point_in_time, TableArn="arn:aws:dynamodb:us-east-1:000000000000:table/tour", S3Bucket="b")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "ExportTableToPointInTime" in response["Error"]["Message"]


for part in (dynamodb, s3, functions, stacks, refusals):
    part()
    print("ok", part.__name__, flush=True)
