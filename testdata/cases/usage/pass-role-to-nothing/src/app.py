import boto3
sqs = boto3.client('sqs')
def handler(event, context):
    sqs.send_message_batch(QueueUrl='u', Entries=[])
