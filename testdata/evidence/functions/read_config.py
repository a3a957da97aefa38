import boto3

ssm = boto3.client("ssm")


def handler(event, context):
    one = ssm.get_parameter(Name="/app/db", WithDecryption=True)
    page = ssm.get_parameters_by_path(Path="/app")
    return one, page
