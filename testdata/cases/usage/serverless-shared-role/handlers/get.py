import boto3
def handler(e, c):
    return boto3.resource('dynamodb').Table('t').get_item(Key=e)
