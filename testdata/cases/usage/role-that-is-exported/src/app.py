import boto3
def handler(e, c):
    boto3.client('sqs').list_queues()
