import boto3
sfn = boto3.client('stepfunctions')
def handler(e, c):
    if e['ok']:
        sfn.send_task_success(taskToken=e['t'], output='{}')
    else:
        sfn.send_task_failure(taskToken=e['t'])
