//! The kinds of things that paths lead through or to, and how their ARNs look.
//! Service Authorization Reference, "Resource types".

use crate::project::IdentityKind;

/// A kind of thing that actions are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Class {
    /// CloudFormation's type.
    pub(super) kind: &'static str,
    /// For output.
    pub(super) label: &'static str,
    /// IAM's prefix of the service, and what stands before the name in the ARN.
    pub(super) service: &'static str,
    pub(super) before: &'static str,
}

const fn class(kind: &'static str, label: &'static str, service: &'static str, before: &'static str) -> Class {
    Class {
        kind,
        label,
        service,
        before,
    }
}

pub(super) const ROLE: Class = class("AWS::IAM::Role", "role", "iam", "role/");
pub(super) const USER: Class = class("AWS::IAM::User", "user", "iam", "user/");
pub(super) const GROUP: Class = class("AWS::IAM::Group", "group", "iam", "group/");
pub(super) const POLICY: Class = class("AWS::IAM::ManagedPolicy", "policy", "iam", "policy/");
pub(super) const BUCKET: Class = class("AWS::S3::Bucket", "bucket", "s3", "");
pub(super) const INSTANCE: Class = class("AWS::EC2::Instance", "instance", "ec2", "instance/");
pub(super) const IMAGES: Class = class("AWS::ECR::Repository", "repository", "ecr", "repository/");
pub(super) const GIT: Class = class("AWS::CodeCommit::Repository", "repository", "codecommit", "");
pub(super) const QUEUE: Class = class("AWS::SQS::Queue", "queue", "sqs", "");
pub(super) const TOPIC: Class = class("AWS::SNS::Topic", "topic", "sns", "");
pub(super) const PARAMETER: Class = class("AWS::SSM::Parameter", "parameter", "ssm", "parameter/");
pub(super) const TEMPLATE: Class = class("AWS::EC2::LaunchTemplate", "launch-template", "ec2", "launch-template/");
pub(super) const FUNCTION: Class = class("AWS::Lambda::Function", "function", "lambda", "function:");

/// The resources that paths lead through or to.
pub(super) const RESOURCES: &[Class] = &[
    class("AWS::AppRunner::Service", "service", "apprunner", "service/"),
    class(
        "AWS::AutoScaling::LaunchConfiguration",
        "launch-configuration",
        "ec2",
        "instance/",
    ),
    class(
        "AWS::Batch::JobDefinition",
        "job-definition",
        "batch",
        "job-definition/",
    ),
    class(
        "AWS::BedrockAgentCore::CodeInterpreterCustom",
        "interpreter",
        "bedrock-agentcore",
        "code-interpreter-custom/",
    ),
    class("AWS::CloudFormation::Stack", "stack", "cloudformation", "stack/"),
    class(
        "AWS::CloudFormation::StackSet",
        "stack-set",
        "cloudformation",
        "stackset/",
    ),
    class("AWS::CodeBuild::Project", "project", "codebuild", "project/"),
    class("AWS::DynamoDB::Table", "table", "dynamodb", "table/"),
    INSTANCE,
    TEMPLATE,
    class("AWS::ECS::TaskDefinition", "task", "ecs", "task/"),
    class("AWS::EMR::Cluster", "cluster", "elasticmapreduce", "cluster/"),
    class("AWS::Glue::DevEndpoint", "endpoint", "glue", "devEndpoint/"),
    class("AWS::Glue::Job", "job", "glue", "job/"),
    POLICY,
    FUNCTION,
    BUCKET,
    IMAGES,
    GIT,
    PARAMETER,
    QUEUE,
    TOPIC,
    class(
        "AWS::SageMaker::NotebookInstance",
        "notebook",
        "sagemaker",
        "notebook-instance/",
    ),
    class(
        "AWS::StepFunctions::StateMachine",
        "state-machine",
        "states",
        "stateMachine:",
    ),
    class("AWS::SecretsManager::Secret", "secret", "secretsmanager", "secret:"),
];

pub(super) fn class_of(kind: &str) -> Option<Class> {
    RESOURCES.iter().copied().find(|c| c.kind == kind)
}

impl Class {
    pub(super) fn of_identity(kind: IdentityKind) -> Option<Self> {
        match kind {
            IdentityKind::Role => Some(ROLE),
            IdentityKind::User => Some(USER),
            IdentityKind::Group => Some(GROUP),
            IdentityKind::PermissionSet => None,
        }
    }
}
