//! How the kinds of resources name themselves in ARNs.

/// A kind of resource whose ARN its name makes (AWS Service Authorization Reference, "Resource types").
pub(super) struct Named {
    pub(super) kind: &'static str,
    pub(super) service: &'static str,
    /// Before the name.
    pub(super) form: &'static str,
    pub(super) property: &'static str,
    /// Attributes that are the name; all others that are known are the ARN, or say as much as it.
    pub(super) names: &'static [&'static str],
    pub(super) others: &'static [&'static str],
}

pub(super) const NAMED: &[Named] = &[
    Named {
        kind: "AWS::DynamoDB::Table",
        service: "dynamodb",
        form: "table/",
        property: "TableName",
        names: &["", "id", "name"],
        others: &["Arn", "arn"],
    },
    Named {
        kind: "AWS::IAM::Role",
        service: "iam",
        form: "role/",
        property: "RoleName",
        names: &["", "id", "name"],
        others: &["Arn", "arn"],
    },
    Named {
        kind: "AWS::KMS::Key",
        service: "kms",
        form: "key/",
        property: "KeyId",
        names: &["", "KeyId", "id", "key_id"],
        others: &["Arn", "arn"],
    },
    Named {
        kind: "AWS::SSM::Parameter",
        service: "ssm",
        form: "parameter/",
        property: "Name",
        names: &["", "id", "name"],
        others: &["arn"],
    },
    Named {
        kind: "AWS::SecretsManager::Secret",
        service: "secretsmanager",
        form: "secret:",
        property: "Name",
        names: &["name"],
        others: &["", "Id", "arn", "id"],
    },
    Named {
        kind: "AWS::Events::EventBus",
        service: "events",
        form: "event-bus/",
        property: "Name",
        names: &["", "Name", "id", "name"],
        others: &["Arn", "arn"],
    },
    Named {
        kind: "AWS::Kinesis::Stream",
        service: "kinesis",
        form: "stream/",
        property: "Name",
        names: &["", "name"],
        others: &["Arn", "arn", "id"],
    },
    Named {
        kind: "AWS::KinesisFirehose::DeliveryStream",
        service: "firehose",
        form: "deliverystream/",
        property: "DeliveryStreamName",
        names: &["", "name"],
        others: &["Arn", "arn", "id"],
    },
    Named {
        kind: "AWS::Lambda::Function",
        service: "lambda",
        form: "function:",
        property: "FunctionName",
        names: &["", "id", "function_name"],
        others: &["Arn", "arn"],
    },
    Named {
        kind: "AWS::S3::Bucket",
        service: "s3",
        form: "",
        property: "BucketName",
        names: &["", "id", "bucket"],
        others: &["Arn", "arn"],
    },
    Named {
        kind: "AWS::SNS::Topic",
        service: "sns",
        form: "",
        property: "TopicName",
        names: &["TopicName", "name"],
        others: &["", "TopicArn", "arn", "id"],
    },
    Named {
        kind: "AWS::SQS::Queue",
        service: "sqs",
        form: "",
        property: "QueueName",
        names: &["QueueName", "name"],
        others: &["", "Arn", "QueueUrl", "arn", "id", "url"],
    },
    Named {
        kind: "AWS::StepFunctions::StateMachine",
        service: "states",
        form: "stateMachine:",
        property: "StateMachineName",
        names: &["Name", "name"],
        others: &["", "Arn", "arn", "id"],
    },
];

/// Further kinds, whose names say nothing of their ARNs: an ARN of the kind, and the attributes that are one.
pub(super) const ARNS: &[(&str, &str, &[&str])] = &[
    (
        "AWS::CodeBuild::Project",
        "arn:aws:codebuild:eu-west-1:111122223333:project/name",
        &["Arn", "arn"],
    ),
    (
        "AWS::Cognito::UserPool",
        "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_name",
        &["Arn", "arn"],
    ),
    (
        "AWS::ECR::Repository",
        "arn:aws:ecr:eu-west-1:111122223333:repository/name",
        &["Arn", "arn"],
    ),
    (
        "AWS::ECS::Cluster",
        "arn:aws:ecs:eu-west-1:111122223333:cluster/name",
        &["Arn", "arn"],
    ),
    (
        "AWS::EFS::FileSystem",
        "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-name",
        &["Arn", "arn"],
    ),
    ("AWS::IAM::User", "arn:aws:iam::111122223333:user/name", &["Arn", "arn"]),
    (
        "AWS::OpenSearchService::Domain",
        "arn:aws:es:eu-west-1:111122223333:domain/name",
        &["Arn", "DomainArn", "arn"],
    ),
];
