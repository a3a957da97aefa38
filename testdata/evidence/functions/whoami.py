import boto3


def handler(event, context):
    sts = boto3.client("sts")
    sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/target", RoleSessionName="session")
    return sts.get_caller_identity()
