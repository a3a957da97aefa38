import boto3

table = boto3.resource("dynamodb").Table("orders")


def handler(event, context):
    table.put_item(Item={"id": "1", "state": "new"})
    table.update_item(
        Key={"id": "1"},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":s": "paid"},
    )
    return table.get_item(Key={"id": "1"})
