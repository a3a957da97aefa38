import boto3
def handler(e, c):
    boto3.resource('dynamodb').Table('t').put_item(Item=e)
