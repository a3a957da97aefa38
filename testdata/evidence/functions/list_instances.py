import boto3

ec2 = boto3.client("ec2")


def handler(event, context):
    groups = ec2.describe_security_groups()
    return ec2.describe_instances(), groups
