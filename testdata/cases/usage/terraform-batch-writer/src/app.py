import boto3, os
table = boto3.resource('dynamodb').Table(os.environ['T'])
def handler(e, c):
    with table.batch_writer() as batch:
        batch.put_item(Item=e)
