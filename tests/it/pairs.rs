//! Functions and their roles as public samples have them, rewritten small: what is granted too much, and what is missing.

use crate::usage::{in_sam, in_terraform};

/// The statements of a function in SAM that allow these actions.
fn statement(actions: &str) -> String {
    format!("Policies:\n  - Statement:\n      - Effect: Allow\n        Action: {actions}\n        Resource: '*'")
}

/// Reads need their own actions and nothing else; so do most operations that start, stop and delete.
#[test]
fn operations_that_need_no_more_than_their_own_actions() {
    in_terraform(
        "  statement {\n    actions   = [\"ec2:Start*\", \"ec2:Stop*\"]\n    resources = [\"*\"]\n  }",
        "import boto3\nec2 = boto3.client('ec2')\ndef handler(e, c):\n    ids = []\n    for page in ec2.get_paginator('describe_instances').paginate():\n        ids += [i['InstanceId'] for r in page['Reservations'] for i in r['Instances']]\n    ec2.stop_instances(InstanceIds=ids)\n    ec2.start_instances(InstanceIds=ids)\n",
        &["missing-grant ec2.get_paginator", "unused-grant \"ec2:Start*\""],
    );
    in_sam(
        &statement("['ecr:*']"),
        "import boto3\necr = boto3.client('ecr')\ndef handler(e, c):\n    for repository in ecr.describe_repositories()['repositories']:\n        old = ecr.list_images(repositoryName=repository['repositoryName'])['imageIds']\n        ecr.batch_delete_image(repositoryName=repository['repositoryName'], imageIds=old)\n",
        &["unused-grant 'ecr:*'"],
    );
    // A token for a registry is for whoever pulls with it.
    in_sam(
        &statement("['ecr:GetAuthorizationToken', 'ecr:BatchGetImage']"),
        "import boto3\ndef handler(e, c):\n    return boto3.client('ecr').get_authorization_token()\n",
        &[],
    );
    in_sam(
        &statement("['rekognition:DetectLabels', 's3:GetObject', 's3:PutObject']"),
        "import boto3\neyes = boto3.client('rekognition')\ndef handler(e, c):\n    return eyes.detect_labels(Image={'S3Object': {'Bucket': e['b'], 'Name': e['k']}})\n",
        &["unused-grant 's3:PutObject'"],
    );
    in_sam(
        &statement("['states:SendTaskSuccess', 'states:SendTaskFailure', 'states:SendTaskHeartbeat']"),
        "import boto3\nsfn = boto3.client('stepfunctions')\ndef handler(e, c):\n    if e['ok']:\n        sfn.send_task_success(taskToken=e['t'], output='{}')\n    else:\n        sfn.send_task_failure(taskToken=e['t'])\n",
        &["unused-grant 'states:SendTaskHeartbeat'"],
    );
}

/// The roles that a task definition names are passed by whoever runs it.
#[test]
fn tasks_are_run_with_their_definitions_roles() {
    in_sam(
        &statement("['ecs:RunTask', 'ecs:DescribeTasks', 'iam:PassRole']"),
        "import boto3, os\necs = boto3.client('ecs')\ndef handler(e, c):\n    return ecs.run_task(cluster=os.environ['C'], taskDefinition=os.environ['T'], launchType='FARGATE')\n",
        &["unused-grant 'ecs:DescribeTasks'"],
    );
}

/// boto3's `S3Transfer` calls what its client would.
#[test]
fn transfers_are_their_clients_calls() {
    let code = "import boto3\nfrom boto3.s3.transfer import S3Transfer\ndef handler(e, c):\n    S3Transfer(boto3.client('s3')).upload_file('/tmp/x', 'b', 'k', extra_args={'ACL': 'bucket-owner-full-control'})\n";
    in_sam(
        &statement("['s3:PutObject', 's3:PutObjectAcl', 's3:GetObject']"),
        code,
        &["unused-grant 's3:GetObject'"],
    );
}

/// Powertools' persistence needs four actions of its table, and no other.
#[test]
fn idempotency_needs_four_actions() {
    in_sam(
        &statement(
            "['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:Scan']",
        ),
        "from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent\n@idempotent(persistence_store=DynamoDBPersistenceLayer(table_name='seen'))\ndef handler(e, c):\n    return {}\n",
        &["unused-grant 'dynamodb:Scan'"],
    );
}
