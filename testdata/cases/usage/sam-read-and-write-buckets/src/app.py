import boto3
from PIL import Image
s3 = boto3.client('s3')
def handler(event, context):
    s3.download_file('in', 'k', '/tmp/k')
    Image.open('/tmp/k').save('/tmp/o')
    s3.upload_file('/tmp/o', 'out', 'k')
