import boto3
kinesis = boto3.client('kinesis')
def handler(e, c):
    kinesis.put_records(StreamName='s', Records=[]) # expect: missing-grant
