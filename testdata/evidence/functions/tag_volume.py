import boto3

ec2 = boto3.client("ec2")


def handler(event, context):
    volume = ec2.create_volume(
        AvailabilityZone="eu-west-1a",
        Size=1,
        TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "team", "Value": "a"}]}],
    )
    ec2.delete_volume(VolumeId=volume["VolumeId"])
