import boto3
class Store:
    def __init__(self):
        self.s3 = boto3.client('s3')
    def load(self, key):
        return self.s3.get_object(Bucket='b', Key=key)
    def save(self, key):
        self.s3.put_object(Bucket='b', Key=key) # expect: missing-grant
