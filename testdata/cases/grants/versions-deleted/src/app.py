import boto3
def handler(e, c):
    boto3.resource('s3').Bucket(e['b']).object_versions.all().delete()
