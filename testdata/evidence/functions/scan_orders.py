import boto3

dynamodb = boto3.client("dynamodb")


def handler(event, context):
    dynamodb.describe_table(TableName="orders")
    return dynamodb.scan(TableName="orders")
