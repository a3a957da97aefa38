import boto3
def handler(event, context):
    return boto3.client('secretsmanager').get_secret_value(SecretId='s')
