import boto3
ses = boto3.client('sesv2')
def handler(e, c):
    ses.send_email(Content={'Raw': {'Data': e}})
if __name__ == '__main__':
    print(boto3.client('s3').list_buckets())
