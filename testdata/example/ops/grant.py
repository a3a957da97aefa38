"""Lets the partner read the reports."""

import json

import boto3

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::acme-reports", "arn:aws:s3:::acme-reports/*"],
        }
    ],
}


def main():
    # The key pair of AWS's own documentation.
    s3 = boto3.client(
        "s3",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    )
    s3.put_bucket_policy(Bucket="acme-reports", Policy=json.dumps(POLICY))


if __name__ == "__main__":
    main()
