import boto3, os
def handler(event, context):
    mc = boto3.client('mediaconvert')
    url = mc.describe_endpoints()['Endpoints'][0]['Url']
    mc.create_job(Role=os.environ['R'], Settings={})
