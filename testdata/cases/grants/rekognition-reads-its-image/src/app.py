import boto3
eyes = boto3.client('rekognition')
def handler(e, c):
    return eyes.detect_labels(Image={'S3Object': {'Bucket': e['b'], 'Name': e['k']}})
