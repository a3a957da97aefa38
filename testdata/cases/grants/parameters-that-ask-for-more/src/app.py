import boto3, os
from boto3.s3.transfer import S3Transfer
def handler(e, c):
    S3Transfer(boto3.client('s3')).upload_file('/tmp/x', 'b', 'k', extra_args={'ACL': 'bucket-owner-full-control'}) # expect: missing-grant
    boto3.client('textract').start_document_analysis(DocumentLocation=e, FeatureTypes=[], NotificationChannel={'RoleArn': os.environ['R'], 'SNSTopicArn': 't'}) # expect: missing-grant
