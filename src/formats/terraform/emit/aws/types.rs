//! The types whose names or arguments CloudFormation spells otherwise.

use crate::formats::terraform::emit::aws::Type;
use crate::model::kinds;

const fn map(terraform: &'static str, kind: &'static str, properties: &'static [(&'static str, &'static str)]) -> Type {
    Type {
        terraform,
        kind,
        properties,
    }
}

/// In the order of the types' names.
pub(super) const TYPES: &[Type] = &[
    map("archive_file", kinds::ARCHIVE, &[]),
    map("aws_accessanalyzer_analyzer", "AWS::AccessAnalyzer::Analyzer", &[]),
    map(
        "aws_ami_launch_permission",
        "AWS::EC2::AMILaunchPermission",
        &[("account_id", "UserId"), ("group", "Group")],
    ),
    map(
        "aws_api_gateway_method",
        "AWS::ApiGateway::Method",
        &[("authorization", "AuthorizationType")],
    ),
    map("aws_api_gateway_rest_api", "AWS::ApiGateway::RestApi", &[]),
    map("aws_api_gateway_rest_api_policy", "AWS::ApiGateway::RestApi", &[]),
    map("aws_apigatewayv2_api", "AWS::ApiGatewayV2::Api", &[]),
    map("aws_apigatewayv2_route", "AWS::ApiGatewayV2::Route", &[]),
    map(
        "aws_backup_vault",
        "AWS::Backup::BackupVault",
        &[("name", "BackupVaultName")],
    ),
    map(
        "aws_backup_vault_policy",
        "AWS::Backup::BackupVault",
        &[("policy", "AccessPolicy")],
    ),
    map(
        "aws_cloudformation_stack",
        "AWS::CloudFormation::Stack",
        &[("template_url", "TemplateURL")],
    ),
    map(
        "aws_cloudformation_stack_set",
        "AWS::CloudFormation::StackSet",
        &[("template_url", "TemplateURL")],
    ),
    map("aws_cloudwatch_event_bus", "AWS::Events::EventBus", &[]),
    map(
        "aws_cloudwatch_event_bus_policy",
        "AWS::Events::EventBus",
        &[("event_bus_name", "Name")],
    ),
    map("aws_cloudwatch_event_permission", "AWS::Events::EventBusPolicy", &[]),
    map(
        "aws_cloudwatch_log_destination_policy",
        "AWS::Logs::Destination",
        &[("access_policy", "DestinationPolicy")],
    ),
    map(
        "aws_cloudwatch_log_resource_policy",
        "AWS::Logs::ResourcePolicy",
        &[("policy_document", "PolicyDocument")],
    ),
    map(
        "aws_codeartifact_domain_permissions_policy",
        "AWS::CodeArtifact::Domain",
        &[
            ("policy_document", "PermissionsPolicyDocument"),
            ("domain", "DomainName"),
        ],
    ),
    map(
        "aws_codeartifact_repository_permissions_policy",
        "AWS::CodeArtifact::Repository",
        &[
            ("policy_document", "PermissionsPolicyDocument"),
            ("repository", "RepositoryName"),
        ],
    ),
    map(
        "aws_codebuild_project",
        "AWS::CodeBuild::Project",
        &[
            ("environment.environment_variable", "EnvironmentVariables[]"),
            ("service_role", "ServiceRole"),
        ],
    ),
    map("aws_codebuild_resource_policy", "AWS::CodeBuild::ResourcePolicy", &[]),
    map("aws_cognito_identity_pool", "AWS::Cognito::IdentityPool", &[]),
    map(
        "aws_cognito_identity_pool_roles_attachment",
        "AWS::Cognito::IdentityPoolRoleAttachment",
        &[],
    ),
    map(
        "aws_config_configuration_recorder",
        "AWS::Config::ConfigurationRecorder",
        &[],
    ),
    map(
        "aws_db_instance",
        "AWS::RDS::DBInstance",
        &[
            ("iam_database_authentication_enabled", "EnableIAMDatabaseAuthentication"),
            ("password", "MasterUserPassword"),
            ("username", "MasterUsername"),
        ],
    ),
    map("aws_db_snapshot", "AWS::RDS::DBSnapshot", &[]),
    map("aws_db_snapshot_copy", "AWS::RDS::DBSnapshot", &[]),
    map("aws_db_cluster_snapshot", "AWS::RDS::DBClusterSnapshot", &[]),
    map("aws_default_vpc", "AWS::EC2::VPC", &[]),
    map(
        "aws_dynamodb_resource_policy",
        "AWS::DynamoDB::Table",
        &[("policy", "ResourcePolicy/PolicyDocument")],
    ),
    map("aws_dynamodb_table", "AWS::DynamoDB::Table", &[("name", "TableName")]),
    map("aws_ebs_snapshot", "AWS::EC2::Snapshot", &[]),
    map(
        "aws_ecr_registry_policy",
        "AWS::ECR::RegistryPolicy",
        &[("policy", "PolicyText")],
    ),
    map(
        "aws_ecr_repository",
        "AWS::ECR::Repository",
        &[("name", "RepositoryName")],
    ),
    map(
        "aws_ecr_repository_policy",
        "AWS::ECR::Repository",
        &[("policy", "RepositoryPolicyText"), ("repository", "RepositoryName")],
    ),
    map("aws_ecrpublic_repository", "AWS::ECR::PublicRepository", &[]),
    map(
        "aws_ecrpublic_repository_policy",
        "AWS::ECR::PublicRepository",
        &[("policy", "RepositoryPolicyText")],
    ),
    map("aws_ecs_service", "AWS::ECS::Service", &[]),
    map("aws_ecs_task_definition", "AWS::ECS::TaskDefinition", &[]),
    map("aws_efs_access_point", "AWS::EFS::AccessPoint", &[]),
    map("aws_efs_file_system", "AWS::EFS::FileSystem", &[]),
    map(
        "aws_efs_file_system_policy",
        "AWS::EFS::FileSystem",
        &[("policy", "FileSystemPolicy")],
    ),
    map("aws_eks_access_policy_association", "AWS::EKS::AccessEntry", &[]),
    map("aws_eks_cluster", "AWS::EKS::Cluster", &[]),
    map("aws_elasticsearch_domain", "AWS::Elasticsearch::Domain", &[]),
    map("aws_elasticsearch_domain_policy", "AWS::Elasticsearch::Domain", &[]),
    map("aws_glacier_vault", "AWS::Glacier::Vault", &[("name", "VaultName")]),
    map(
        "aws_glacier_vault_lock",
        "AWS::Glacier::Vault",
        &[("policy", "AccessPolicy")],
    ),
    map(
        "aws_glue_resource_policy",
        "AWS::Glue::ResourcePolicy",
        &[("policy", "PolicyInJson")],
    ),
    map("aws_guardduty_detector", "AWS::GuardDuty::Detector", &[]),
    map("aws_iam_access_key", "AWS::IAM::AccessKey", &[("user", "UserName")]),
    map("aws_iam_account_password_policy", kinds::PASSWORD_POLICY, &[]),
    map("aws_iam_group", "AWS::IAM::Group", &[("name", "GroupName")]),
    map(
        "aws_iam_group_membership",
        "AWS::IAM::UserToGroupAddition",
        &[("group", "GroupName")],
    ),
    map(
        "aws_iam_group_policy",
        "AWS::IAM::GroupPolicy",
        &[
            ("group", "GroupName"),
            ("name", "PolicyName"),
            ("policy", "PolicyDocument"),
        ],
    ),
    map("aws_iam_group_policy_attachment", kinds::ATTACHMENT, &[]),
    map(
        "aws_iam_group_policy_attachments_exclusive",
        kinds::ATTACHMENT,
        &[("policy_arns", "PolicyArn"), ("group_name", "Group")],
    ),
    map(
        "aws_iam_instance_profile",
        "AWS::IAM::InstanceProfile",
        &[
            ("name", "InstanceProfileName"),
            ("role", "Roles[]"),
            ("roles", "Roles[]"),
        ],
    ),
    map(
        "aws_iam_openid_connect_provider",
        "AWS::IAM::OIDCProvider",
        &[("client_id_list", "ClientIdList")],
    ),
    map(
        "aws_iam_policy",
        "AWS::IAM::ManagedPolicy",
        &[("name", "ManagedPolicyName"), ("policy", "PolicyDocument")],
    ),
    map("aws_iam_policy_attachment", kinds::ATTACHMENT, &[]),
    map(
        "aws_iam_role",
        "AWS::IAM::Role",
        &[
            ("assume_role_policy", "AssumeRolePolicyDocument"),
            ("inline_policy", "Policies[]"),
            ("inline_policy.name", "PolicyName"),
            ("inline_policy.policy", "PolicyDocument"),
            ("name", "RoleName"),
        ],
    ),
    map(
        "aws_iam_role_policy",
        "AWS::IAM::RolePolicy",
        &[
            ("name", "PolicyName"),
            ("policy", "PolicyDocument"),
            ("role", "RoleName"),
        ],
    ),
    map("aws_iam_role_policy_attachment", kinds::ATTACHMENT, &[]),
    map(
        "aws_iam_role_policy_attachments_exclusive",
        kinds::ATTACHMENT,
        &[("policy_arns", "PolicyArn"), ("role_name", "Role")],
    ),
    map("aws_iam_saml_provider", "AWS::IAM::SAMLProvider", &[]),
    map("aws_iam_service_linked_role", "AWS::IAM::ServiceLinkedRole", &[]),
    map("aws_iam_user", "AWS::IAM::User", &[("name", "UserName")]),
    map(
        "aws_iam_user_group_membership",
        "AWS::IAM::UserToGroupAddition",
        &[("user", "Users[]")],
    ),
    map(
        "aws_iam_user_login_profile",
        kinds::LOGIN_PROFILE,
        &[("user", "UserName")],
    ),
    map(
        "aws_iam_user_policy",
        "AWS::IAM::UserPolicy",
        &[
            ("name", "PolicyName"),
            ("policy", "PolicyDocument"),
            ("user", "UserName"),
        ],
    ),
    map("aws_iam_user_policy_attachment", kinds::ATTACHMENT, &[]),
    map(
        "aws_iam_user_policy_attachments_exclusive",
        kinds::ATTACHMENT,
        &[("policy_arns", "PolicyArn"), ("user_name", "User")],
    ),
    map("aws_identitystore_user", "AWS::IdentityStore::User", &[]),
    map("aws_instance", "AWS::EC2::Instance", &[("ami", "ImageId")]),
    map(
        "aws_iot_policy",
        "AWS::IoT::Policy",
        &[("name", "PolicyName"), ("policy", "PolicyDocument")],
    ),
    map(
        "aws_kinesis_firehose_delivery_stream",
        "AWS::KinesisFirehose::DeliveryStream",
        &[("name", "DeliveryStreamName")],
    ),
    map(
        "aws_kinesis_resource_policy",
        "AWS::Kinesis::ResourcePolicy",
        &[("policy", "ResourcePolicy"), ("resource_arn", "ResourceARN")],
    ),
    map("aws_kinesis_stream", "AWS::Kinesis::Stream", &[]),
    map("aws_kms_external_key", "AWS::KMS::Key", &[("policy", "KeyPolicy")]),
    map("aws_kms_grant", "AWS::KMS::Grant", &[]),
    map("aws_kms_key", "AWS::KMS::Key", &[("policy", "KeyPolicy")]),
    map("aws_kms_key_policy", "AWS::KMS::Key", &[("policy", "KeyPolicy")]),
    map(
        "aws_kms_replica_external_key",
        "AWS::KMS::ReplicaKey",
        &[("policy", "KeyPolicy")],
    ),
    map(
        "aws_kms_replica_key",
        "AWS::KMS::ReplicaKey",
        &[("policy", "KeyPolicy")],
    ),
    map(
        "aws_lambda_event_source_mapping",
        "AWS::Lambda::EventSourceMapping",
        &[],
    ),
    map("aws_lambda_function", "AWS::Lambda::Function", &[]),
    map(
        "aws_lambda_function_url",
        "AWS::Lambda::Url",
        &[
            ("authorization_type", "AuthType"),
            ("function_name", "TargetFunctionArn"),
        ],
    ),
    map("aws_lambda_layer_version", "AWS::Lambda::LayerVersion", &[]),
    map(
        "aws_lambda_layer_version_permission",
        "AWS::Lambda::LayerVersionPermission",
        &[],
    ),
    map(
        "aws_lambda_permission",
        "AWS::Lambda::Permission",
        &[
            ("principal_org_id", "PrincipalOrgID"),
            ("source_account", "SourceAccount"),
        ],
    ),
    map(
        "aws_launch_configuration",
        "AWS::AutoScaling::LaunchConfiguration",
        &[("name", "LaunchConfigurationName")],
    ),
    map(
        "aws_launch_template",
        "AWS::EC2::LaunchTemplate",
        &[
            ("name", "LaunchTemplateName"),
            ("image_id", "LaunchTemplateData/ImageId"),
            ("user_data", "LaunchTemplateData/UserData"),
            ("iam_instance_profile", "LaunchTemplateData/IamInstanceProfile"),
            ("metadata_options", "LaunchTemplateData/MetadataOptions"),
        ],
    ),
    map("aws_media_store_container_policy", "AWS::MediaStore::Container", &[]),
    map("aws_msk_cluster_policy", "AWS::MSK::ClusterPolicy", &[]),
    map(
        "aws_neptune_cluster",
        "AWS::Neptune::DBCluster",
        &[("iam_database_authentication_enabled", "IamAuthEnabled")],
    ),
    map("aws_opensearch_domain", "AWS::OpenSearchService::Domain", &[]),
    map("aws_opensearch_domain_policy", "AWS::OpenSearchService::Domain", &[]),
    map(
        "aws_opensearchserverless_access_policy",
        "AWS::OpenSearchServerless::AccessPolicy",
        &[],
    ),
    map(
        "aws_opensearchserverless_security_policy",
        "AWS::OpenSearchServerless::SecurityPolicy",
        &[],
    ),
    map("aws_organizations_account", "AWS::Organizations::Account", &[]),
    map(
        "aws_organizations_organization",
        "AWS::Organizations::Organization",
        &[],
    ),
    map("aws_organizations_policy", "AWS::Organizations::Policy", &[]),
    map(
        "aws_organizations_policy_attachment",
        "AWS::Organizations::PolicyAttachment",
        &[],
    ),
    map(
        "aws_organizations_resource_policy",
        "AWS::Organizations::ResourcePolicy",
        &[],
    ),
    map("aws_ram_principal_association", "AWS::RAM::PrincipalAssociation", &[]),
    map("aws_ram_resource_share", "AWS::RAM::ResourceShare", &[]),
    map(
        "aws_rds_cluster",
        "AWS::RDS::DBCluster",
        &[
            ("iam_database_authentication_enabled", "EnableIAMDatabaseAuthentication"),
            ("master_password", "MasterUserPassword"),
        ],
    ),
    map(
        "aws_s3_access_point",
        "AWS::S3::AccessPoint",
        &[
            ("public_access_block_configuration", "PublicAccessBlockConfiguration"),
            ("account_id", "BucketAccountId"),
        ],
    ),
    map(
        "aws_s3_account_public_access_block",
        "AWS::S3::AccountPublicAccessBlock",
        &[],
    ),
    map(
        "aws_s3_bucket",
        "AWS::S3::Bucket",
        &[("bucket", "BucketName"), ("acl", "AccessControl"), ("policy", "Policy")],
    ),
    map("aws_s3_bucket_acl", "AWS::S3::BucketAcl", &[("acl", "AccessControl")]),
    map("aws_s3_bucket_object", "AWS::S3::Object", &[]),
    map(
        "aws_s3_bucket_ownership_controls",
        "AWS::S3::BucketOwnershipControls",
        &[],
    ),
    map(
        "aws_s3_bucket_policy",
        "AWS::S3::BucketPolicy",
        &[("policy", "PolicyDocument")],
    ),
    map(
        "aws_s3_bucket_public_access_block",
        "AWS::S3::BucketPublicAccessBlock",
        &[],
    ),
    map("aws_s3_object", "AWS::S3::Object", &[]),
    map("aws_s3_object_acl", "AWS::S3::ObjectAcl", &[("acl", "AccessControl")]),
    map(
        "aws_s3control_access_point_policy",
        "AWS::S3::AccessPoint",
        &[("policy", "Policy"), ("access_point_arn", "Arn")],
    ),
    map(
        "aws_s3control_bucket_policy",
        "AWS::S3Outposts::BucketPolicy",
        &[("policy", "PolicyDocument")],
    ),
    map(
        "aws_s3control_multi_region_access_point_policy",
        "AWS::S3::MultiRegionAccessPointPolicy",
        &[("details.policy", "Policy")],
    ),
    map(
        "aws_s3control_object_lambda_access_point_policy",
        "AWS::S3ObjectLambda::AccessPointPolicy",
        &[("policy", "PolicyDocument")],
    ),
    map(
        "aws_sagemaker_notebook_instance",
        "AWS::SageMaker::NotebookInstance",
        &[],
    ),
    map("aws_schemas_registry_policy", "AWS::EventSchemas::RegistryPolicy", &[]),
    map(
        "aws_secretsmanager_secret",
        "AWS::SecretsManager::Secret",
        &[("policy", "ResourcePolicy")],
    ),
    map(
        "aws_secretsmanager_secret_policy",
        "AWS::SecretsManager::ResourcePolicy",
        &[("policy", "ResourcePolicy"), ("secret_arn", "SecretId")],
    ),
    map(
        "aws_secretsmanager_secret_version",
        "AWS::SecretsManager::SecretVersion",
        &[],
    ),
    map("aws_securityhub_account", "AWS::SecurityHub::Hub", &[]),
    map(
        "aws_ses_identity_policy",
        "AWS::SES::IdentityPolicy",
        &[("policy", "PolicyDocument")],
    ),
    map(
        "aws_sesv2_email_identity_policy",
        "AWS::SES::IdentityPolicy",
        &[("policy", "PolicyDocument")],
    ),
    map(
        "aws_sfn_state_machine",
        "AWS::StepFunctions::StateMachine",
        &[("definition", "DefinitionString")],
    ),
    map(
        "aws_snapshot_create_volume_permission",
        "AWS::EC2::SnapshotPermission",
        &[("account_id", "UserId")],
    ),
    map("aws_sns_topic", "AWS::SNS::Topic", &[("name", "TopicName")]),
    map(
        "aws_sns_topic_policy",
        "AWS::SNS::TopicPolicy",
        &[("policy", "PolicyDocument"), ("arn", "Topics[]")],
    ),
    map("aws_sns_topic_subscription", "AWS::SNS::Subscription", &[]),
    map("aws_sqs_queue", "AWS::SQS::Queue", &[("name", "QueueName")]),
    map(
        "aws_sqs_queue_policy",
        "AWS::SQS::QueuePolicy",
        &[("policy", "PolicyDocument"), ("queue_url", "Queues[]")],
    ),
    map("aws_ssm_document", "AWS::SSM::Document", &[]),
    map("aws_ssm_parameter", "AWS::SSM::Parameter", &[]),
    map("aws_ssm_resource_policy", "AWS::SSM::ResourcePolicy", &[]),
    map("aws_ssoadmin_account_assignment", "AWS::SSO::Assignment", &[]),
    map(
        "aws_ssoadmin_customer_managed_policy_attachment",
        kinds::ATTACHMENT,
        &[
            ("customer_managed_policy_reference.name", "PolicyName"),
            ("permission_set_arn", "PermissionSet"),
        ],
    ),
    map(
        "aws_ssoadmin_managed_policy_attachment",
        kinds::ATTACHMENT,
        &[
            ("managed_policy_arn", "PolicyArn"),
            ("permission_set_arn", "PermissionSet"),
        ],
    ),
    map("aws_ssoadmin_permission_set", "AWS::SSO::PermissionSet", &[]),
    map(
        "aws_ssoadmin_permission_set_inline_policy",
        "AWS::SSO::PermissionSet",
        &[
            ("inline_policy", "InlinePolicy"),
            ("permission_set_arn", "PermissionSetArn"),
        ],
    ),
    map(
        "aws_ssoadmin_permissions_boundary_attachment",
        "AWS::SSO::PermissionsBoundary",
        &[],
    ),
    map(
        "aws_transfer_user",
        "AWS::Transfer::User",
        &[("policy", "Policy"), ("role", "Role")],
    ),
    map(
        "aws_vpc_endpoint",
        "AWS::EC2::VPCEndpoint",
        &[("policy", "PolicyDocument")],
    ),
    map(
        "aws_vpc_endpoint_policy",
        "AWS::EC2::VPCEndpoint",
        &[("policy", "PolicyDocument")],
    ),
    map("aws_vpclattice_auth_policy", "AWS::VpcLattice::AuthPolicy", &[]),
    map("aws_vpclattice_resource_policy", "AWS::VpcLattice::ResourcePolicy", &[]),
    map("data.aws_ami", "data.aws_ami", &[]),
    map("data.aws_ami_ids", "data.aws_ami", &[]),
    map("data.archive_file", kinds::ARCHIVE, &[]),
    map("data.aws_iam_policy", kinds::POLICY_LOOKUP, &[]),
    map("data.http", kinds::HTTP_REQUEST, &[]),
];
