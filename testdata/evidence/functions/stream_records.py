import boto3

kinesis = boto3.client("kinesis")


def handler(event, context):
    kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="1")
    return kinesis.describe_stream_summary(StreamName="clicks")
