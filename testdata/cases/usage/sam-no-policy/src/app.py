import boto3
ses = boto3.client('ses')
def handler(event, context):
    ses.send_email(Source='a', Destination={}, Message={}) # expect: missing-grant
