import boto3, os
table = boto3.resource('dynamodb').Table(os.environ['T'])
def handler(e, c):
    table.put_item(Item=e)
