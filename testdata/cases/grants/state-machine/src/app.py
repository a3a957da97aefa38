import boto3, os
sfn = boto3.client('stepfunctions')
def handler(e, c):
    sfn.start_execution(stateMachineArn=os.environ['MACHINE'], input='{}')
