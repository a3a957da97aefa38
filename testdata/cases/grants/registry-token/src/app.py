import boto3
def handler(e, c):
    return boto3.client('ecr').get_authorization_token()
