import json

import boto3

policy = {"Version": "2012-10-17"}  # expect: missing-statement
s3vectors = boto3.client("s3vectors")
s3vectors.put_vector_bucket_policy(vectorBucketName="documents", policy=json.dumps(policy))
