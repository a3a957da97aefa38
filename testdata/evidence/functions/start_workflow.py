import boto3

states = boto3.client("stepfunctions")

ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:flow"


def handler(event, context):
    states.describe_state_machine(stateMachineArn=ARN)
    return states.start_execution(stateMachineArn=ARN, input="{}")
