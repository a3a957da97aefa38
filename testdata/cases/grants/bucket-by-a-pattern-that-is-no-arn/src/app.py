import boto3, os
s3 = boto3.client('s3')
def handler(e, c):
    pages = s3.get_paginator('list_objects_v2')
    for page in pages.paginate(Bucket=os.environ['B'], Prefix='in/'):
        for o in page['Contents']:
            s3.get_object(Bucket=os.environ['B'], Key=o['Key'])
