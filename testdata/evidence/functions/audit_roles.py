import boto3

iam = boto3.client("iam")


def handler(event, context):
    for role in iam.list_roles()["Roles"]:
        iam.list_attached_role_policies(RoleName=role["RoleName"])
        iam.get_role(RoleName=role["RoleName"])
