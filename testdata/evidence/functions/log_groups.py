import boto3

logs = boto3.client("logs")


def handler(event, context):
    logs.create_log_group(logGroupName="/app/audit")
    logs.put_retention_policy(logGroupName="/app/audit", retentionInDays=30)
    return logs.describe_log_groups()
