import boto3

secrets = boto3.client("secretsmanager")


def handler(event, context):
    secrets.get_secret_value(SecretId="db")
    secrets.put_secret_value(SecretId="db", SecretString="{}")
    secrets.describe_secret(SecretId="db")
