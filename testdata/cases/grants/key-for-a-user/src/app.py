import boto3
iam = boto3.client('iam')
key = iam.create_access_key(UserName='ann')['AccessKey']
sns = boto3.client('sns')
def handler(e, c):
    sns.publish(TopicArn=e['t'], Message='m') # expect: missing-grant
