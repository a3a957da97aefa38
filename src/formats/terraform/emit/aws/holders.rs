//! Types that are read for the role that they name.

use crate::formats::terraform::emit::aws::Type;

const fn map(terraform: &'static str, kind: &'static str, properties: &'static [(&'static str, &'static str)]) -> Type {
    Type {
        terraform,
        kind,
        properties,
    }
}

/// In the order of the types' names.
pub(super) const TYPES: &[Type] = &[
    map(
        "aws_api_gateway_account",
        "AWS::ApiGateway::Account",
        &[("cloudwatch_role_arn", "CloudWatchRoleArn")],
    ),
    map("aws_appsync_datasource", "AWS::AppSync::DataSource", &[]),
    map(
        "aws_backup_selection",
        "AWS::Backup::BackupSelection",
        &[("iam_role_arn", "BackupSelection/IamRoleArn")],
    ),
    map("aws_bedrockagent_agent", "AWS::Bedrock::Agent", &[]),
    map("aws_bedrockagent_knowledge_base", "AWS::Bedrock::KnowledgeBase", &[]),
    map("aws_cloudtrail", "AWS::CloudTrail::Trail", &[]),
    map("aws_cloudwatch_event_target", "AWS::Events::Rule", &[]),
    map(
        "aws_cloudwatch_log_subscription_filter",
        "AWS::Logs::SubscriptionFilter",
        &[],
    ),
    map(
        "aws_codedeploy_deployment_group",
        "AWS::CodeDeploy::DeploymentGroup",
        &[],
    ),
    map("aws_codepipeline", "AWS::CodePipeline::Pipeline", &[]),
    map(
        "aws_dax_cluster",
        "AWS::DAX::Cluster",
        &[("iam_role_arn", "IAMRoleARN")],
    ),
    map("aws_db_proxy", "AWS::RDS::DBProxy", &[]),
    map("aws_eks_fargate_profile", "AWS::EKS::FargateProfile", &[]),
    map(
        "aws_eks_node_group",
        "AWS::EKS::Nodegroup",
        &[("node_role_arn", "NodeRole")],
    ),
    map("aws_emr_cluster", "AWS::EMR::Cluster", &[]),
    map(
        "aws_flow_log",
        "AWS::EC2::FlowLog",
        &[("iam_role_arn", "DeliverLogsPermissionArn")],
    ),
    map("aws_glue_crawler", "AWS::Glue::Crawler", &[]),
    map("aws_glue_job", "AWS::Glue::Job", &[("role_arn", "Role")]),
    map("aws_mwaa_environment", "AWS::MWAA::Environment", &[]),
    map("aws_pipes_pipe", "AWS::Pipes::Pipe", &[]),
    map(
        "aws_s3_bucket_replication_configuration",
        "AWS::S3::BucketReplication",
        &[],
    ),
    map("aws_sagemaker_model", "AWS::SageMaker::Model", &[]),
    map("aws_scheduler_schedule", "AWS::Scheduler::Schedule", &[]),
    map("aws_synthetics_canary", "AWS::Synthetics::Canary", &[]),
];
