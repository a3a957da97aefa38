import boto3, os
s3 = boto3.resource('s3')
def handler(e, c):
    text = s3.Object('acme-a', 'in.txt').get()['Body'].read()
    s3.Bucket('acme-a').put_object(Key='out.txt', Body=text)
