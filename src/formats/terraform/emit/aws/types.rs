//! The types whose names or arguments CloudFormation spells otherwise.

use crate::formats::terraform::emit::aws::Type;
use crate::model::kinds;

const fn is(terraform: &'static str, kind: &'static str, properties: &'static [(&'static str, &'static str)]) -> Type {
    Type {
        terraform,
        kind,
        properties,
    }
}

/// In the order of the types' names.
pub(super) const TYPES: &[Type] = &[
    is("archive_file", kinds::ARCHIVE, &[]),
    is("aws_accessanalyzer_analyzer", "AWS::AccessAnalyzer::Analyzer", &[]),
    is(
        "aws_ami_launch_permission",
        "AWS::EC2::AMILaunchPermission",
        &[("account_id", "UserId"), ("group", "Group")],
    ),
    is(
        "aws_api_gateway_method",
        "AWS::ApiGateway::Method",
        &[("authorization", "AuthorizationType")],
    ),
    is("aws_api_gateway_rest_api", "AWS::ApiGateway::RestApi", &[]),
    is("aws_api_gateway_rest_api_policy", "AWS::ApiGateway::RestApi", &[]),
    is("aws_apigatewayv2_api", "AWS::ApiGatewayV2::Api", &[]),
    is("aws_apigatewayv2_route", "AWS::ApiGatewayV2::Route", &[]),
    is(
        "aws_backup_vault",
        "AWS::Backup::BackupVault",
        &[("name", "BackupVaultName")],
    ),
    is(
        "aws_backup_vault_policy",
        "AWS::Backup::BackupVault",
        &[("policy", "AccessPolicy")],
    ),
    is(
        "aws_cloudformation_stack",
        "AWS::CloudFormation::Stack",
        &[("template_url", "TemplateURL")],
    ),
    is(
        "aws_cloudformation_stack_set",
        "AWS::CloudFormation::StackSet",
        &[("template_url", "TemplateURL")],
    ),
    is("aws_cloudwatch_event_bus", "AWS::Events::EventBus", &[]),
    is(
        "aws_cloudwatch_event_bus_policy",
        "AWS::Events::EventBus",
        &[("event_bus_name", "Name")],
    ),
    is("aws_cloudwatch_event_permission", "AWS::Events::EventBusPolicy", &[]),
    is(
        "aws_cloudwatch_log_destination_policy",
        "AWS::Logs::Destination",
        &[("access_policy", "DestinationPolicy")],
    ),
    is(
        "aws_cloudwatch_log_resource_policy",
        "AWS::Logs::ResourcePolicy",
        &[("policy_document", "PolicyDocument")],
    ),
    is(
        "aws_codeartifact_domain_permissions_policy",
        "AWS::CodeArtifact::Domain",
        &[
            ("policy_document", "PermissionsPolicyDocument"),
            ("domain", "DomainName"),
        ],
    ),
    is(
        "aws_codeartifact_repository_permissions_policy",
        "AWS::CodeArtifact::Repository",
        &[
            ("policy_document", "PermissionsPolicyDocument"),
            ("repository", "RepositoryName"),
        ],
    ),
    is(
        "aws_codebuild_project",
        "AWS::CodeBuild::Project",
        &[
            ("environment.environment_variable", "EnvironmentVariables[]"),
            ("service_role", "ServiceRole"),
        ],
    ),
    is("aws_codebuild_resource_policy", "AWS::CodeBuild::ResourcePolicy", &[]),
    is("aws_cognito_identity_pool", "AWS::Cognito::IdentityPool", &[]),
    is(
        "aws_cognito_identity_pool_roles_attachment",
        "AWS::Cognito::IdentityPoolRoleAttachment",
        &[],
    ),
    is(
        "aws_config_configuration_recorder",
        "AWS::Config::ConfigurationRecorder",
        &[],
    ),
    is(
        "aws_db_instance",
        "AWS::RDS::DBInstance",
        &[
            ("iam_database_authentication_enabled", "EnableIAMDatabaseAuthentication"),
            ("password", "MasterUserPassword"),
            ("username", "MasterUsername"),
        ],
    ),
    is("aws_db_snapshot", "AWS::RDS::DBSnapshot", &[]),
    is("aws_db_snapshot_copy", "AWS::RDS::DBSnapshot", &[]),
    is("aws_db_cluster_snapshot", "AWS::RDS::DBClusterSnapshot", &[]),
    is("aws_default_vpc", "AWS::EC2::VPC", &[]),
    is(
        "aws_dynamodb_resource_policy",
        "AWS::DynamoDB::Table",
        &[("policy", "ResourcePolicy/PolicyDocument")],
    ),
    is("aws_dynamodb_table", "AWS::DynamoDB::Table", &[("name", "TableName")]),
    is("aws_ebs_snapshot", "AWS::EC2::Snapshot", &[]),
    is(
        "aws_ecr_registry_policy",
        "AWS::ECR::RegistryPolicy",
        &[("policy", "PolicyText")],
    ),
    is(
        "aws_ecr_repository",
        "AWS::ECR::Repository",
        &[("name", "RepositoryName")],
    ),
    is(
        "aws_ecr_repository_policy",
        "AWS::ECR::Repository",
        &[("policy", "RepositoryPolicyText"), ("repository", "RepositoryName")],
    ),
    is("aws_ecrpublic_repository", "AWS::ECR::PublicRepository", &[]),
    is(
        "aws_ecrpublic_repository_policy",
        "AWS::ECR::PublicRepository",
        &[("policy", "RepositoryPolicyText")],
    ),
    is("aws_ecs_service", "AWS::ECS::Service", &[]),
    is("aws_ecs_task_definition", "AWS::ECS::TaskDefinition", &[]),
    is("aws_efs_access_point", "AWS::EFS::AccessPoint", &[]),
    is("aws_efs_file_system", "AWS::EFS::FileSystem", &[]),
    is(
        "aws_efs_file_system_policy",
        "AWS::EFS::FileSystem",
        &[("policy", "FileSystemPolicy")],
    ),
    is("aws_eks_access_policy_association", "AWS::EKS::AccessEntry", &[]),
    is("aws_eks_cluster", "AWS::EKS::Cluster", &[]),
    is("aws_elasticsearch_domain", "AWS::Elasticsearch::Domain", &[]),
    is("aws_elasticsearch_domain_policy", "AWS::Elasticsearch::Domain", &[]),
    is("aws_glacier_vault", "AWS::Glacier::Vault", &[("name", "VaultName")]),
    is(
        "aws_glacier_vault_lock",
        "AWS::Glacier::Vault",
        &[("policy", "AccessPolicy")],
    ),
    is(
        "aws_glue_resource_policy",
        "AWS::Glue::ResourcePolicy",
        &[("policy", "PolicyInJson")],
    ),
    is("aws_guardduty_detector", "AWS::GuardDuty::Detector", &[]),
    is("aws_iam_access_key", "AWS::IAM::AccessKey", &[("user", "UserName")]),
    is("aws_iam_account_password_policy", kinds::PASSWORD_POLICY, &[]),
    is("aws_iam_group", "AWS::IAM::Group", &[("name", "GroupName")]),
    is(
        "aws_iam_group_membership",
        "AWS::IAM::UserToGroupAddition",
        &[("group", "GroupName")],
    ),
    is(
        "aws_iam_group_policy",
        "AWS::IAM::GroupPolicy",
        &[
            ("group", "GroupName"),
            ("name", "PolicyName"),
            ("policy", "PolicyDocument"),
        ],
    ),
    is("aws_iam_group_policy_attachment", kinds::ATTACHMENT, &[]),
    is(
        "aws_iam_group_policy_attachments_exclusive",
        kinds::ATTACHMENT,
        &[("policy_arns", "PolicyArn"), ("group_name", "Group")],
    ),
    is(
        "aws_iam_instance_profile",
        "AWS::IAM::InstanceProfile",
        &[
            ("name", "InstanceProfileName"),
            ("role", "Roles[]"),
            ("roles", "Roles[]"),
        ],
    ),
    is(
        "aws_iam_openid_connect_provider",
        "AWS::IAM::OIDCProvider",
        &[("client_id_list", "ClientIdList")],
    ),
    is(
        "aws_iam_policy",
        "AWS::IAM::ManagedPolicy",
        &[("name", "ManagedPolicyName"), ("policy", "PolicyDocument")],
    ),
    is("aws_iam_policy_attachment", kinds::ATTACHMENT, &[]),
    is(
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
    is(
        "aws_iam_role_policy",
        "AWS::IAM::RolePolicy",
        &[
            ("name", "PolicyName"),
            ("policy", "PolicyDocument"),
            ("role", "RoleName"),
        ],
    ),
    is("aws_iam_role_policy_attachment", kinds::ATTACHMENT, &[]),
    is(
        "aws_iam_role_policy_attachments_exclusive",
        kinds::ATTACHMENT,
        &[("policy_arns", "PolicyArn"), ("role_name", "Role")],
    ),
    is("aws_iam_saml_provider", "AWS::IAM::SAMLProvider", &[]),
    is("aws_iam_service_linked_role", "AWS::IAM::ServiceLinkedRole", &[]),
    is("aws_iam_user", "AWS::IAM::User", &[("name", "UserName")]),
    is(
        "aws_iam_user_group_membership",
        "AWS::IAM::UserToGroupAddition",
        &[("user", "Users[]")],
    ),
    is(
        "aws_iam_user_login_profile",
        kinds::LOGIN_PROFILE,
        &[("user", "UserName")],
    ),
    is(
        "aws_iam_user_policy",
        "AWS::IAM::UserPolicy",
        &[
            ("name", "PolicyName"),
            ("policy", "PolicyDocument"),
            ("user", "UserName"),
        ],
    ),
    is("aws_iam_user_policy_attachment", kinds::ATTACHMENT, &[]),
    is(
        "aws_iam_user_policy_attachments_exclusive",
        kinds::ATTACHMENT,
        &[("policy_arns", "PolicyArn"), ("user_name", "User")],
    ),
    is("aws_identitystore_user", "AWS::IdentityStore::User", &[]),
    is("aws_instance", "AWS::EC2::Instance", &[("ami", "ImageId")]),
    is(
        "aws_iot_policy",
        "AWS::IoT::Policy",
        &[("name", "PolicyName"), ("policy", "PolicyDocument")],
    ),
    is(
        "aws_kinesis_firehose_delivery_stream",
        "AWS::KinesisFirehose::DeliveryStream",
        &[("name", "DeliveryStreamName")],
    ),
    is(
        "aws_kinesis_resource_policy",
        "AWS::Kinesis::ResourcePolicy",
        &[("policy", "ResourcePolicy"), ("resource_arn", "ResourceARN")],
    ),
    is("aws_kinesis_stream", "AWS::Kinesis::Stream", &[]),
    is("aws_kms_external_key", "AWS::KMS::Key", &[("policy", "KeyPolicy")]),
    is("aws_kms_grant", "AWS::KMS::Grant", &[]),
    is("aws_kms_key", "AWS::KMS::Key", &[("policy", "KeyPolicy")]),
    is("aws_kms_key_policy", "AWS::KMS::Key", &[("policy", "KeyPolicy")]),
    is(
        "aws_kms_replica_external_key",
        "AWS::KMS::ReplicaKey",
        &[("policy", "KeyPolicy")],
    ),
    is(
        "aws_kms_replica_key",
        "AWS::KMS::ReplicaKey",
        &[("policy", "KeyPolicy")],
    ),
    is(
        "aws_lambda_event_source_mapping",
        "AWS::Lambda::EventSourceMapping",
        &[],
    ),
    is("aws_lambda_function", "AWS::Lambda::Function", &[]),
    is(
        "aws_lambda_function_url",
        "AWS::Lambda::Url",
        &[
            ("authorization_type", "AuthType"),
            ("function_name", "TargetFunctionArn"),
        ],
    ),
    is("aws_lambda_layer_version", "AWS::Lambda::LayerVersion", &[]),
    is(
        "aws_lambda_layer_version_permission",
        "AWS::Lambda::LayerVersionPermission",
        &[],
    ),
    is(
        "aws_lambda_permission",
        "AWS::Lambda::Permission",
        &[
            ("principal_org_id", "PrincipalOrgID"),
            ("source_account", "SourceAccount"),
        ],
    ),
    is(
        "aws_launch_configuration",
        "AWS::AutoScaling::LaunchConfiguration",
        &[("name", "LaunchConfigurationName")],
    ),
    is(
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
    is("aws_media_store_container_policy", "AWS::MediaStore::Container", &[]),
    is("aws_msk_cluster_policy", "AWS::MSK::ClusterPolicy", &[]),
    is(
        "aws_neptune_cluster",
        "AWS::Neptune::DBCluster",
        &[("iam_database_authentication_enabled", "IamAuthEnabled")],
    ),
    is("aws_opensearch_domain", "AWS::OpenSearchService::Domain", &[]),
    is("aws_opensearch_domain_policy", "AWS::OpenSearchService::Domain", &[]),
    is(
        "aws_opensearchserverless_access_policy",
        "AWS::OpenSearchServerless::AccessPolicy",
        &[],
    ),
    is(
        "aws_opensearchserverless_security_policy",
        "AWS::OpenSearchServerless::SecurityPolicy",
        &[],
    ),
    is("aws_organizations_account", "AWS::Organizations::Account", &[]),
    is(
        "aws_organizations_organization",
        "AWS::Organizations::Organization",
        &[],
    ),
    is("aws_organizations_policy", "AWS::Organizations::Policy", &[]),
    is(
        "aws_organizations_policy_attachment",
        "AWS::Organizations::PolicyAttachment",
        &[],
    ),
    is(
        "aws_organizations_resource_policy",
        "AWS::Organizations::ResourcePolicy",
        &[],
    ),
    is("aws_ram_principal_association", "AWS::RAM::PrincipalAssociation", &[]),
    is("aws_ram_resource_share", "AWS::RAM::ResourceShare", &[]),
    is(
        "aws_rds_cluster",
        "AWS::RDS::DBCluster",
        &[
            ("iam_database_authentication_enabled", "EnableIAMDatabaseAuthentication"),
            ("master_password", "MasterUserPassword"),
        ],
    ),
    is(
        "aws_s3_access_point",
        "AWS::S3::AccessPoint",
        &[
            ("public_access_block_configuration", "PublicAccessBlockConfiguration"),
            ("account_id", "BucketAccountId"),
        ],
    ),
    is(
        "aws_s3_account_public_access_block",
        "AWS::S3::AccountPublicAccessBlock",
        &[],
    ),
    is(
        "aws_s3_bucket",
        "AWS::S3::Bucket",
        &[("bucket", "BucketName"), ("acl", "AccessControl"), ("policy", "Policy")],
    ),
    is("aws_s3_bucket_acl", "AWS::S3::BucketAcl", &[("acl", "AccessControl")]),
    is("aws_s3_bucket_object", "AWS::S3::Object", &[]),
    is(
        "aws_s3_bucket_ownership_controls",
        "AWS::S3::BucketOwnershipControls",
        &[],
    ),
    is(
        "aws_s3_bucket_policy",
        "AWS::S3::BucketPolicy",
        &[("policy", "PolicyDocument")],
    ),
    is(
        "aws_s3_bucket_public_access_block",
        "AWS::S3::BucketPublicAccessBlock",
        &[],
    ),
    is("aws_s3_object", "AWS::S3::Object", &[]),
    is("aws_s3_object_acl", "AWS::S3::ObjectAcl", &[("acl", "AccessControl")]),
    is(
        "aws_s3control_access_point_policy",
        "AWS::S3::AccessPoint",
        &[("policy", "Policy"), ("access_point_arn", "Arn")],
    ),
    is(
        "aws_s3control_bucket_policy",
        "AWS::S3Outposts::BucketPolicy",
        &[("policy", "PolicyDocument")],
    ),
    is(
        "aws_s3control_multi_region_access_point_policy",
        "AWS::S3::MultiRegionAccessPointPolicy",
        &[("details.policy", "Policy")],
    ),
    is(
        "aws_s3control_object_lambda_access_point_policy",
        "AWS::S3ObjectLambda::AccessPointPolicy",
        &[("policy", "PolicyDocument")],
    ),
    is(
        "aws_sagemaker_notebook_instance",
        "AWS::SageMaker::NotebookInstance",
        &[],
    ),
    is("aws_schemas_registry_policy", "AWS::EventSchemas::RegistryPolicy", &[]),
    is(
        "aws_secretsmanager_secret",
        "AWS::SecretsManager::Secret",
        &[("policy", "ResourcePolicy")],
    ),
    is(
        "aws_secretsmanager_secret_policy",
        "AWS::SecretsManager::ResourcePolicy",
        &[("policy", "ResourcePolicy"), ("secret_arn", "SecretId")],
    ),
    is(
        "aws_secretsmanager_secret_version",
        "AWS::SecretsManager::SecretVersion",
        &[],
    ),
    is("aws_securityhub_account", "AWS::SecurityHub::Hub", &[]),
    is(
        "aws_ses_identity_policy",
        "AWS::SES::IdentityPolicy",
        &[("policy", "PolicyDocument")],
    ),
    is(
        "aws_sesv2_email_identity_policy",
        "AWS::SES::IdentityPolicy",
        &[("policy", "PolicyDocument")],
    ),
    is(
        "aws_sfn_state_machine",
        "AWS::StepFunctions::StateMachine",
        &[("definition", "DefinitionString")],
    ),
    is(
        "aws_snapshot_create_volume_permission",
        "AWS::EC2::SnapshotPermission",
        &[("account_id", "UserId")],
    ),
    is("aws_sns_topic", "AWS::SNS::Topic", &[("name", "TopicName")]),
    is(
        "aws_sns_topic_policy",
        "AWS::SNS::TopicPolicy",
        &[("policy", "PolicyDocument"), ("arn", "Topics[]")],
    ),
    is("aws_sns_topic_subscription", "AWS::SNS::Subscription", &[]),
    is("aws_sqs_queue", "AWS::SQS::Queue", &[("name", "QueueName")]),
    is(
        "aws_sqs_queue_policy",
        "AWS::SQS::QueuePolicy",
        &[("policy", "PolicyDocument"), ("queue_url", "Queues[]")],
    ),
    is("aws_ssm_document", "AWS::SSM::Document", &[]),
    is("aws_ssm_parameter", "AWS::SSM::Parameter", &[]),
    is("aws_ssm_resource_policy", "AWS::SSM::ResourcePolicy", &[]),
    is("aws_ssoadmin_account_assignment", "AWS::SSO::Assignment", &[]),
    is(
        "aws_ssoadmin_customer_managed_policy_attachment",
        kinds::ATTACHMENT,
        &[
            ("customer_managed_policy_reference.name", "PolicyName"),
            ("permission_set_arn", "PermissionSet"),
        ],
    ),
    is(
        "aws_ssoadmin_managed_policy_attachment",
        kinds::ATTACHMENT,
        &[
            ("managed_policy_arn", "PolicyArn"),
            ("permission_set_arn", "PermissionSet"),
        ],
    ),
    is("aws_ssoadmin_permission_set", "AWS::SSO::PermissionSet", &[]),
    is(
        "aws_ssoadmin_permission_set_inline_policy",
        "AWS::SSO::PermissionSet",
        &[
            ("inline_policy", "InlinePolicy"),
            ("permission_set_arn", "PermissionSetArn"),
        ],
    ),
    is(
        "aws_ssoadmin_permissions_boundary_attachment",
        "AWS::SSO::PermissionsBoundary",
        &[],
    ),
    is(
        "aws_transfer_user",
        "AWS::Transfer::User",
        &[("policy", "Policy"), ("role", "Role")],
    ),
    is(
        "aws_vpc_endpoint",
        "AWS::EC2::VPCEndpoint",
        &[("policy", "PolicyDocument")],
    ),
    is(
        "aws_vpc_endpoint_policy",
        "AWS::EC2::VPCEndpoint",
        &[("policy", "PolicyDocument")],
    ),
    is("aws_vpclattice_auth_policy", "AWS::VpcLattice::AuthPolicy", &[]),
    is("aws_vpclattice_resource_policy", "AWS::VpcLattice::ResourcePolicy", &[]),
    is("data.aws_ami", "data.aws_ami", &[]),
    is("data.aws_ami_ids", "data.aws_ami", &[]),
    is("data.archive_file", kinds::ARCHIVE, &[]),
    is("data.aws_iam_policy", kinds::POLICY_LOOKUP, &[]),
    is("data.http", kinds::HTTP_REQUEST, &[]),
];
