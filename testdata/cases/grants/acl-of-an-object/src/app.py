import boto3
def handler(e, c):
    boto3.client('s3').put_object(Bucket='b', Key='k', ACL='private') # expect: missing-grant
