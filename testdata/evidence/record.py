"""Runs the functions of `functions` on moto, and writes what CloudTrail would have logged of them to `functions.jsonl`.

    pip install moto boto3 && python testdata/evidence/record.py

Each function has a role of its name. Names and parameters of events are those that AWS documents: the Amazon S3 User Guide,
"Amazon S3 CloudTrail events"; the AWS Lambda Developer Guide, "Logging AWS Lambda API calls using AWS CloudTrail"; the Amazon
CloudWatch User Guide, "Logging Amazon CloudWatch API and console operations with AWS CloudTrail".
"""

import importlib.util
import json
import os
import pathlib
import uuid

os.environ.update(
    AWS_DEFAULT_REGION="eu-west-1",
    AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
    AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
)

import boto3  # noqa: E402
import botocore.client  # noqa: E402
from moto import mock_aws  # noqa: E402

HERE = pathlib.Path(__file__).parent
ACCOUNT = "123456789012"
SOURCES = {"cloudwatch": "monitoring"}
NAMES = {
    ("s3", "ListObjectsV2"): "ListObjects",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("lambda", "ListFunctions"): "ListFunctions20150331",
    ("lambda", "ListLayers"): "ListLayers20181031",
}
DATA = {
    "s3": {"GetObject", "PutObject", "DeleteObject", "CopyObject", "ListObjects"},
    "dynamodb": {"GetItem", "PutItem", "UpdateItem", "Scan"},
    "sns": {"Publish"},
    "sqs": {"SendMessage", "ReceiveMessage", "DeleteMessage"},
    "kinesis": {"PutRecord"},
    "cloudwatch": {"PutMetricData"},
}
records = []
running = None


def parameters(service, given):
    """As CloudTrail writes them: names in camel case, of S3 those of the request."""
    if service == "s3":
        names = {"Bucket": "bucketName", "Key": "key"}
        return {names[k]: v for k, v in given.items() if k in names}
    plain = {}
    for name, value in given.items():
        name = name[0].lower() + name[1:]
        if service == "ec2" and name == "tagSpecifications":
            name, value = "tagSpecificationSet", {"items": value}
        plain[name] = value if isinstance(value, (str, int, bool)) else json.loads(json.dumps(value, default=str))
    return plain


original = botocore.client.BaseClient._make_api_call


def make_api_call(self, operation, given):
    result = original(self, operation, given)
    if running:
        service = self.meta.service_model.service_name
        source = SOURCES.get(service, self.meta.service_model.endpoint_prefix)
        name = NAMES.get((service, operation), operation)
        is_data = name in DATA.get(service, ())
        number = len(records)
        record = {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{running}/session",
                "accountId": ACCOUNT,
                "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
                "sessionContext": {
                    "sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{running}", "accountId": ACCOUNT}
                },
            },
            "eventTime": f"2026-03-01T10:{number // 60:02}:{number % 60:02}Z",
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "awsRegion": "eu-west-1",
            "sourceIPAddress": "198.51.100.7",
            "userAgent": "Boto3",
            "requestParameters": parameters(service, given),
            "responseElements": None,
            "eventID": str(uuid.UUID(int=number)),
            "readOnly": name.startswith(("Get", "List", "Describe", "Scan")),
            "eventType": "AwsApiCall",
            "managementEvent": not is_data,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Data" if is_data else "Management",
        }
        if service == "s3":
            bucket = f"arn:aws:s3:::{given['Bucket']}"
            record["resources"] = [{"type": "AWS::S3::Bucket", "ARN": bucket}]
            if "Key" in given:
                record["resources"].insert(0, {"type": "AWS::S3::Object", "ARN": f"{bucket}/{given['Key']}"})
        records.append(record)
    return result


botocore.client.BaseClient._make_api_call = make_api_call


def prepare():
    here = {"LocationConstraint": "eu-west-1"}
    s3 = boto3.client("s3")
    for bucket in ("reports", "archive"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
    s3.put_object(Bucket="reports", Key="old.csv", Body=b"x")
    boto3.client("ssm").put_parameter(Name="/app/db", Value="x", Type="SecureString")
    boto3.client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    boto3.client("sns").create_topic(Name="alerts")
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=sqs.create_queue(QueueName="jobs")["QueueUrl"], MessageBody="x")
    boto3.client("secretsmanager").create_secret(Name="db", SecretString="{}")
    kms = boto3.client("kms")
    kms.create_alias(AliasName="alias/app", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    boto3.client("iam").create_role(RoleName="target", AssumeRolePolicyDocument="{}")
    boto3.client("stepfunctions").create_state_machine(
        name="flow",
        definition='{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}',
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/target",
    )
    boto3.client("kinesis").create_stream(StreamName="clicks", ShardCount=1)


with mock_aws():
    prepare()
    for path in sorted((HERE / "functions").glob("*.py")):
        running = path.stem
        if path.stem == "drain_queue":
            running = None
            url = boto3.client("sqs").get_queue_url(QueueName="jobs")["QueueUrl"]
            boto3.client("sqs").send_message(QueueUrl=url, MessageBody="x")
            running = path.stem
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.handler({}, None)
        running = None

with open(HERE / "functions.jsonl", "w") as out:
    for record in records:
        out.write(json.dumps(record) + "\n")
print(f"{len(records)} events")
