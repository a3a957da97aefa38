import json
import boto3

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": "*"},
    ],
}
boto3.client("iam").create_policy(PolicyName="p", PolicyDocument=json.dumps(POLICY))
