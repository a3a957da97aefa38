import boto3

sqs = boto3.resource("sqs")


def handler(event, context):
    queue = sqs.get_queue_by_name(QueueName="jobs")
    for message in queue.receive_messages(MaxNumberOfMessages=10):
        message.delete()
