import boto3
sns = boto3.client('sns')
def handler(e, c):
    sns.publish(TopicArn=e['t'], Message='m') # expect: missing-grant
