import boto3, os
table = boto3.resource('dynamodb').Table(os.environ['T'])
def handler(e, c):
    return 1
