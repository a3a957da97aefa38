import boto3, os
table = boto3.resource('dynamodb').Table(os.environ['T'])
def handler(e, c):
    table.update_item(Key=e)
    table.delete_item(Key=e)
    table.get_item(Key=e)
