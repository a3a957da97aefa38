//! Types of which only a policy, a role, or a secret matters. AWS provider documentation, resource by resource.

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
    is("aws_acmpca_policy", "AWS::ACMPCA::Policy", &[]),
    is(
        "aws_amplify_app",
        "AWS::Amplify::App",
        &[("iam_service_role_arn", "IAMServiceRole")],
    ),
    is("aws_batch_compute_environment", "AWS::Batch::ComputeEnvironment", &[]),
    is("aws_budgets_budget_action", "AWS::Budgets::BudgetsAction", &[]),
    is(
        "aws_cloudsearch_domain_service_access_policy",
        "AWS::CloudSearch::AccessPolicy",
        &[],
    ),
    is("aws_cloudwatch_event_connection", "AWS::Events::Connection", &[]),
    is(
        "aws_codebuild_source_credential",
        "AWS::CodeBuild::SourceCredential",
        &[("token", "AccessToken")],
    ),
    is("aws_datasync_location_smb", "AWS::DataSync::LocationSMB", &[]),
    is(
        "aws_directory_service_directory",
        "AWS::DirectoryService::MicrosoftAD",
        &[],
    ),
    is("aws_dlm_lifecycle_policy", "AWS::DLM::LifecyclePolicy", &[]),
    is("aws_dms_endpoint", "AWS::DMS::Endpoint", &[]),
    is(
        "aws_docdb_cluster",
        "AWS::DocDB::DBCluster",
        &[
            ("master_password", "MasterUserPassword"),
            ("manage_master_user_password", "ManageMasterUserPassword"),
        ],
    ),
    is("aws_docdbelastic_cluster", "AWS::DocDBElastic::Cluster", &[]),
    is(
        "aws_ecr_repository_creation_template",
        "AWS::ECR::RepositoryCreationTemplate",
        &[],
    ),
    is(
        "aws_elasticache_replication_group",
        "AWS::ElastiCache::ReplicationGroup",
        &[],
    ),
    is("aws_elasticache_user", "AWS::ElastiCache::User", &[]),
    is("aws_fis_experiment_template", "AWS::FIS::ExperimentTemplate", &[]),
    is("aws_fsx_windows_file_system", "AWS::FSx::FileSystem", &[]),
    is("aws_grafana_workspace", "AWS::Grafana::Workspace", &[]),
    is(
        "aws_kinesis_analytics_application",
        "AWS::KinesisAnalytics::Application",
        &[],
    ),
    is(
        "aws_kinesisanalyticsv2_application",
        "AWS::KinesisAnalyticsV2::Application",
        &[],
    ),
    is(
        "aws_lightsail_database",
        "AWS::Lightsail::Database",
        &[("master_password", "MasterUserPassword")],
    ),
    is("aws_memorydb_user", "AWS::MemoryDB::User", &[]),
    is("aws_mq_broker", "AWS::AmazonMQ::Broker", &[]),
    is(
        "aws_networkfirewall_resource_policy",
        "AWS::NetworkFirewall::ResourcePolicy",
        &[],
    ),
    is("aws_oam_sink_policy", "AWS::Oam::Sink", &[]),
    is("aws_quicksight_data_source", "AWS::QuickSight::DataSource", &[]),
    is(
        "aws_redshift_cluster",
        "AWS::Redshift::Cluster",
        &[("master_password", "MasterUserPassword")],
    ),
    is("aws_redshift_resource_policy", "AWS::Redshift::ResourcePolicy", &[]),
    is(
        "aws_redshiftserverless_namespace",
        "AWS::RedshiftServerless::Namespace",
        &[],
    ),
    is(
        "aws_redshiftserverless_resource_policy",
        "AWS::RedshiftServerless::Namespace",
        &[("policy", "NamespaceResourcePolicy")],
    ),
    is("aws_rolesanywhere_profile", "AWS::RolesAnywhere::Profile", &[]),
    is(
        "aws_s3tables_table_bucket_policy",
        "AWS::S3Tables::TableBucketPolicy",
        &[],
    ),
    is("aws_s3tables_table_policy", "AWS::S3Tables::TablePolicy", &[]),
    is(
        "aws_sagemaker_model_package_group_policy",
        "AWS::SageMaker::ModelPackageGroup",
        &[("resource_policy", "ModelPackageGroupPolicy")],
    ),
    is("aws_spot_fleet_request", "AWS::EC2::SpotFleet", &[]),
    is(
        "aws_ssm_maintenance_window_task",
        "AWS::SSM::MaintenanceWindowTask",
        &[],
    ),
    is("aws_transfer_access", "AWS::Transfer::User", &[]),
    is("aws_transfer_server", "AWS::Transfer::Server", &[]),
    is("aws_xray_resource_policy", "AWS::XRay::ResourcePolicy", &[]),
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
