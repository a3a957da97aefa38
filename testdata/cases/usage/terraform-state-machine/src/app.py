import boto3, json, os
from aws_lambda_powertools import Logger
logger = Logger()
client = boto3.client('stepfunctions')
def handler(event, context):
    return client.start_execution(stateMachineArn=os.environ['ARN'], input=json.dumps(event))
