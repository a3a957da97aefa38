import boto3
from botocore import UNSIGNED
from botocore.config import Config
s3 = boto3.client('s3', config=Config(signature_version=UNSIGNED))
def handler(e, c):
    s3.get_object(Bucket='b', Key='k')
