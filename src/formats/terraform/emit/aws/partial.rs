//! Types of which only a policy, a role, or a secret matters. AWS provider documentation, resource by resource.

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
    map("aws_acmpca_policy", "AWS::ACMPCA::Policy", &[]),
    map(
        "aws_amplify_app",
        "AWS::Amplify::App",
        &[("iam_service_role_arn", "IAMServiceRole")],
    ),
    map("aws_batch_compute_environment", "AWS::Batch::ComputeEnvironment", &[]),
    map("aws_budgets_budget_action", "AWS::Budgets::BudgetsAction", &[]),
    map(
        "aws_cloudsearch_domain_service_access_policy",
        "AWS::CloudSearch::AccessPolicy",
        &[],
    ),
    map("aws_cloudwatch_event_connection", "AWS::Events::Connection", &[]),
    map(
        "aws_codebuild_source_credential",
        "AWS::CodeBuild::SourceCredential",
        &[("token", "AccessToken")],
    ),
    map("aws_datasync_location_smb", "AWS::DataSync::LocationSMB", &[]),
    map(
        "aws_directory_service_directory",
        "AWS::DirectoryService::MicrosoftAD",
        &[],
    ),
    map("aws_dlm_lifecycle_policy", "AWS::DLM::LifecyclePolicy", &[]),
    map("aws_dms_endpoint", "AWS::DMS::Endpoint", &[]),
    map(
        "aws_docdb_cluster",
        "AWS::DocDB::DBCluster",
        &[
            ("master_password", "MasterUserPassword"),
            ("manage_master_user_password", "ManageMasterUserPassword"),
        ],
    ),
    map("aws_docdbelastic_cluster", "AWS::DocDBElastic::Cluster", &[]),
    map(
        "aws_ecr_repository_creation_template",
        "AWS::ECR::RepositoryCreationTemplate",
        &[],
    ),
    map(
        "aws_elasticache_replication_group",
        "AWS::ElastiCache::ReplicationGroup",
        &[],
    ),
    map("aws_elasticache_user", "AWS::ElastiCache::User", &[]),
    map("aws_fis_experiment_template", "AWS::FIS::ExperimentTemplate", &[]),
    map("aws_fsx_windows_file_system", "AWS::FSx::FileSystem", &[]),
    map("aws_grafana_workspace", "AWS::Grafana::Workspace", &[]),
    map(
        "aws_kinesis_analytics_application",
        "AWS::KinesisAnalytics::Application",
        &[],
    ),
    map(
        "aws_kinesisanalyticsv2_application",
        "AWS::KinesisAnalyticsV2::Application",
        &[],
    ),
    map(
        "aws_lightsail_database",
        "AWS::Lightsail::Database",
        &[("master_password", "MasterUserPassword")],
    ),
    map("aws_memorydb_user", "AWS::MemoryDB::User", &[]),
    map("aws_mq_broker", "AWS::AmazonMQ::Broker", &[]),
    map(
        "aws_networkfirewall_resource_policy",
        "AWS::NetworkFirewall::ResourcePolicy",
        &[],
    ),
    map("aws_oam_sink_policy", "AWS::Oam::Sink", &[]),
    map("aws_quicksight_data_source", "AWS::QuickSight::DataSource", &[]),
    map(
        "aws_redshift_cluster",
        "AWS::Redshift::Cluster",
        &[("master_password", "MasterUserPassword")],
    ),
    map("aws_redshift_resource_policy", "AWS::Redshift::ResourcePolicy", &[]),
    map(
        "aws_redshiftserverless_namespace",
        "AWS::RedshiftServerless::Namespace",
        &[],
    ),
    map(
        "aws_redshiftserverless_resource_policy",
        "AWS::RedshiftServerless::Namespace",
        &[("policy", "NamespaceResourcePolicy")],
    ),
    map("aws_rolesanywhere_profile", "AWS::RolesAnywhere::Profile", &[]),
    map(
        "aws_s3tables_table_bucket_policy",
        "AWS::S3Tables::TableBucketPolicy",
        &[],
    ),
    map("aws_s3tables_table_policy", "AWS::S3Tables::TablePolicy", &[]),
    map(
        "aws_sagemaker_model_package_group_policy",
        "AWS::SageMaker::ModelPackageGroup",
        &[("resource_policy", "ModelPackageGroupPolicy")],
    ),
    map("aws_spot_fleet_request", "AWS::EC2::SpotFleet", &[]),
    map(
        "aws_ssm_maintenance_window_task",
        "AWS::SSM::MaintenanceWindowTask",
        &[],
    ),
    map("aws_transfer_access", "AWS::Transfer::User", &[]),
    map("aws_transfer_server", "AWS::Transfer::Server", &[]),
    map("aws_xray_resource_policy", "AWS::XRay::ResourcePolicy", &[]),
];

/// Whether the provider demands a policy in this argument of a type: a variable without a value must get one from a caller.
pub(crate) fn is_required(terraform: &str, argument: &str) -> bool {
    match argument {
        "assume_role_policy" => terraform == "aws_iam_role",
        "policy" | "policy_document" | "inline_policy" | "resource_policy" | "access_policy" | "access_policies" => {
            ["_policy", "_policy_attachment", "_vault_lock"]
                .iter()
                .any(|end| terraform.ends_with(end))
        }
        _ => false,
    }
}
