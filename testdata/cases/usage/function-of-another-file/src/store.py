import boto3
s3 = boto3.client('s3')
def load(key):
    return s3.get_object(Bucket='b', Key=key)
def save(key):
    s3.put_object(Bucket='b', Key=key)
