import boto3

s3 = boto3.client("s3")


def handler(event, context):
    for item in s3.list_objects_v2(Bucket="reports").get("Contents", []):
        s3.copy_object(
            Bucket="archive",
            Key=item["Key"],
            CopySource={"Bucket": "reports", "Key": item["Key"]},
        )
        s3.delete_object(Bucket="reports", Key=item["Key"])
