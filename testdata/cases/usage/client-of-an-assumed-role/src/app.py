import boto3
def handler(e, c):
    k = boto3.client('sts').assume_role(RoleArn=e['r'], RoleSessionName='s')['Credentials']
    s3 = boto3.client('s3', aws_access_key_id=k['AccessKeyId'], aws_secret_access_key=k['SecretAccessKey'], aws_session_token=k['SessionToken'])
    s3.put_object(Bucket='b', Key='k')
