import boto3, os
table = boto3.resource('dynamodb').Table(os.environ['T'])
def handler(e, c):
    return table.query(IndexName='by-customer', KeyConditionExpression='c')
