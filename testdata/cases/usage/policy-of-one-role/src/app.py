import boto3
def handler(e, c):
    boto3.client('sqs').send_message(QueueUrl='q', MessageBody='m')
