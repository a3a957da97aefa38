//! Services that run code whose place is not read.

/// A resource whose service runs something with a role: it is listed, and its code is not read.
#[derive(Debug, PartialEq, Eq)]
pub struct Host {
    /// Resource type of CloudFormation.
    pub kind: &'static str,
    /// The path of the property that names the role.
    pub role: &'static [&'static str],
    /// The service that the role trusts.
    principal: &'static str,
    /// What it is, for people and machines.
    pub noun: &'static str,
    pub plural: &'static str,
}

impl Host {
    const fn new(
        kind: &'static str,
        role: &'static [&'static str],
        principal: &'static str,
        noun: &'static str,
        plural: &'static str,
    ) -> Self {
        Self {
            kind,
            role,
            principal,
            noun,
            plural,
        }
    }

    pub fn is_trusted_as(&self, principal: &str) -> bool {
        principal.strip_suffix(".amazonaws.com") == Some(self.principal)
    }
}

const SAGEMAKER: &str = "SageMaker resource";
const OF_SAGEMAKER: &str = "notebooks, models, and jobs of SageMaker";

/// The page of each type in the CloudFormation reference says what the role of this property is for.
static HOSTS: [Host; 12] = [
    Host::new(
        "AWS::AppRunner::Service",
        &["InstanceConfiguration", "InstanceRoleArn"],
        "tasks.apprunner",
        "App Runner service",
        "App Runner services",
    ),
    Host::new(
        "AWS::BedrockAgentCore::Runtime",
        &["RoleArn"],
        "bedrock-agentcore",
        "agent runtime",
        "agent runtimes",
    ),
    Host::new(
        "AWS::GameLift::Fleet",
        &["InstanceRoleARN"],
        "gamelift",
        "game fleet",
        "fleets of GameLift",
    ),
    Host::new(
        "AWS::Glue::DevEndpoint",
        &["RoleArn"],
        "glue",
        "development endpoint",
        "development endpoints of Glue",
    ),
    Host::new(
        "AWS::KinesisAnalyticsV2::Application",
        &["ServiceExecutionRole"],
        "kinesisanalytics",
        "Flink application",
        "applications of Managed Service for Apache Flink",
    ),
    Host::new(
        "AWS::MWAA::Environment",
        &["ExecutionRoleArn"],
        "airflow-env",
        "Airflow environment",
        "environments of Managed Workflows for Apache Airflow",
    ),
    Host::new(
        "AWS::SageMaker::Domain",
        &["DefaultUserSettings", "ExecutionRole"],
        "sagemaker",
        SAGEMAKER,
        OF_SAGEMAKER,
    ),
    Host::new(
        "AWS::SageMaker::Model",
        &["ExecutionRoleArn"],
        "sagemaker",
        SAGEMAKER,
        OF_SAGEMAKER,
    ),
    Host::new(
        "AWS::SageMaker::NotebookInstance",
        &["RoleArn"],
        "sagemaker",
        SAGEMAKER,
        OF_SAGEMAKER,
    ),
    Host::new(
        "AWS::SageMaker::Pipeline",
        &["RoleArn"],
        "sagemaker",
        SAGEMAKER,
        OF_SAGEMAKER,
    ),
    Host::new(
        "AWS::SageMaker::ProcessingJob",
        &["RoleArn"],
        "sagemaker",
        SAGEMAKER,
        OF_SAGEMAKER,
    ),
    Host::new(
        "AWS::Synthetics::Canary",
        &["ExecutionRoleArn"],
        "lambda",
        "canary",
        "canaries",
    ),
];

/// The host that a resource of this type is.
pub fn host(kind: &str) -> Option<&'static Host> {
    HOSTS.iter().find(|host| host.kind == kind)
}
