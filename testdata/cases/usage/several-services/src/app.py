import boto3
clients = {n: boto3.client(n) for n in ('events', 'translate', 'polly', 's3')}
events = boto3.client('events')
translate = boto3.client('translate')
polly = boto3.client('polly')
s3 = boto3.client('s3')
def handler(event, context):
    t = translate.translate_text(Text='a', SourceLanguageCode='en', TargetLanguageCode='de')
    a = polly.synthesize_speech(Text=t['TranslatedText'], OutputFormat='mp3', VoiceId='V')
    s3.put_object(Bucket='b', Key='k', Body=a['AudioStream'].read())
    events.put_events(Entries=[])
