import boto3

client = boto3.client("lambda")


def handler(event, context):
    client.list_functions()
    return client.list_layers()
