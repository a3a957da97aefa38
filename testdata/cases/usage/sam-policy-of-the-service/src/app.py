import boto3, json
client = boto3.client('comprehend')
def handler(event, context):
    return client.detect_sentiment(Text=event['body'], LanguageCode='en')
