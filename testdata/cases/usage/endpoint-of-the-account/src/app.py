import boto3
def handler(e, c):
    g = boto3.client('apigatewaymanagementapi', endpoint_url=e['url'])
    g.post_to_connection(ConnectionId='c', Data=b'') # expect: missing-grant
    boto3.client('s3').put_object(Bucket='b', Key='k') # expect: missing-grant
