import boto3
s3 = boto3.client('s3', endpoint_url='https://storage.example.com')
def handler(e, c):
    s3.put_object(Bucket='b', Key='k')
