import boto3, os
ecs = boto3.client('ecs')
def handler(e, c):
    return ecs.run_task(cluster=os.environ['C'], taskDefinition=os.environ['T'], launchType='FARGATE')
