//! Types that are read for the role that they name.

use crate::formats::terraform::emit::aws::Type;

const fn is(terraform: &'static str, kind: &'static str, properties: &'static [(&'static str, &'static str)]) -> Type {
    Type {
        terraform,
        kind,
        properties,
    }
}

/// In the order of the types' names.
pub(super) const TYPES: &[Type] = &[
    is(
        "aws_api_gateway_account",
        "AWS::ApiGateway::Account",
        &[("cloudwatch_role_arn", "CloudWatchRoleArn")],
    ),
    is("aws_appsync_datasource", "AWS::AppSync::DataSource", &[]),
    is(
        "aws_backup_selection",
        "AWS::Backup::BackupSelection",
        &[("iam_role_arn", "BackupSelection/IamRoleArn")],
    ),
    is("aws_bedrockagent_agent", "AWS::Bedrock::Agent", &[]),
    is("aws_bedrockagent_knowledge_base", "AWS::Bedrock::KnowledgeBase", &[]),
    is("aws_cloudtrail", "AWS::CloudTrail::Trail", &[]),
    is("aws_cloudwatch_event_target", "AWS::Events::Rule", &[]),
    is(
        "aws_cloudwatch_log_subscription_filter",
        "AWS::Logs::SubscriptionFilter",
        &[],
    ),
    is(
        "aws_codedeploy_deployment_group",
        "AWS::CodeDeploy::DeploymentGroup",
        &[],
    ),
    is("aws_codepipeline", "AWS::CodePipeline::Pipeline", &[]),
    is(
        "aws_dax_cluster",
        "AWS::DAX::Cluster",
        &[("iam_role_arn", "IAMRoleARN")],
    ),
    is("aws_db_proxy", "AWS::RDS::DBProxy", &[]),
    is("aws_eks_fargate_profile", "AWS::EKS::FargateProfile", &[]),
    is(
        "aws_eks_node_group",
        "AWS::EKS::Nodegroup",
        &[("node_role_arn", "NodeRole")],
    ),
    is("aws_emr_cluster", "AWS::EMR::Cluster", &[]),
    is(
        "aws_flow_log",
        "AWS::EC2::FlowLog",
        &[("iam_role_arn", "DeliverLogsPermissionArn")],
    ),
    is("aws_glue_crawler", "AWS::Glue::Crawler", &[]),
    is("aws_glue_job", "AWS::Glue::Job", &[("role_arn", "Role")]),
    is("aws_mwaa_environment", "AWS::MWAA::Environment", &[]),
    is("aws_pipes_pipe", "AWS::Pipes::Pipe", &[]),
    is(
        "aws_s3_bucket_replication_configuration",
        "AWS::S3::BucketReplication",
        &[],
    ),
    is("aws_sagemaker_model", "AWS::SageMaker::Model", &[]),
    is("aws_scheduler_schedule", "AWS::Scheduler::Schedule", &[]),
    is("aws_synthetics_canary", "AWS::Synthetics::Canary", &[]),
];
