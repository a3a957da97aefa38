import boto3
ecr = boto3.client('ecr')
def handler(e, c):
    for repository in ecr.describe_repositories()['repositories']:
        old = ecr.list_images(repositoryName=repository['repositoryName'])['imageIds']
        ecr.batch_delete_image(repositoryName=repository['repositoryName'], imageIds=old)
