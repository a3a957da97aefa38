import boto3

s3 = boto3.client("s3")


def handler(event, context):
    s3.put_bucket_versioning(Bucket="reports", VersioningConfiguration={"Status": "Enabled"})
    s3.get_bucket_versioning(Bucket="reports")
    s3.put_public_access_block(
        Bucket="reports",
        PublicAccessBlockConfiguration={"BlockPublicAcls": True},
    )
    return s3.get_bucket_location(Bucket="reports")
