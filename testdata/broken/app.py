"""Makes the roles of the upload service."""
import json

import boto3

iam = boto3.client("iam")
s3 = boto3.client("s3", region_name="eu-west-1")

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::999988887777:role/Deploy"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "b1946ac9"}},
        }
    ],
}

READ = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["s3:GetObject", "s3:ListBucket"],
      "Resource": ["arn:aws:s3:::uploads", "arn:aws:s3:::uploads/*"]
    }
  ]
}"""


def bucket_policy(name: str) -> dict:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{name}/*",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcd123456"}},
            }
        ],
    }


def make(name):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), PermissionsBoundary="arn:aws:iam::123456789012:policy/boundary")
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=READ)
    iam.put_role_policy(
        RoleName=name,
        PolicyName="work",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
                    {"Effect": "Deny", "Action": ["dynamodb:DeleteTable"], "Resource": "*"},
                ],
            }
        ),
    )
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(bucket_policy(name)))
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")


if __name__ == "__main__":
    make("uploads")
