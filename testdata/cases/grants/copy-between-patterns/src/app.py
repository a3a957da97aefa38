import boto3
s3 = boto3.client('s3')
def handler(e, c):
    s3.copy_object(CopySource={'Bucket': 'inbox', 'Key': e['k']}, Bucket='archive', Key=e['k'])
