import boto3

kms = boto3.client("kms")


def handler(event, context):
    secret = kms.encrypt(KeyId="alias/app", Plaintext=b"text")
    key = kms.generate_data_key(KeyId="alias/app", KeySpec="AES_256")
    return kms.decrypt(CiphertextBlob=secret["CiphertextBlob"]), key
