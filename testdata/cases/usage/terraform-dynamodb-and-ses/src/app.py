import boto3, os
dynamodb = boto3.resource('dynamodb')
ses = boto3.client('ses')
table = dynamodb.Table(os.environ['T'])
def handler(e, c):
    for r in carts():
        tell(r)
def carts():
    params = {'IndexName': 'i'}
    return table.query(**params)['Items']
def tell(r):
    ses.send_email(Source='s', Destination={}, Message={})
    table.update_item(Key=r)
