//! The boto3 operations that make resources that we support: method and keyword names to canonical ones.

use crate::iam::PolicyKind;
use crate::model::kinds;

/// What a call becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallOutput {
    /// A resource of this kind; keyword arguments keep their names but for the pairs `(keyword, property)`.
    Resource(&'static str, &'static [(&'static str, &'static str)]),
    /// The keyword argument is a document that no resource that we support holds.
    Document(&'static str, PolicyKind, Option<&'static str>),
    /// [`kinds::BOTO3_CALL`].
    Call,
    /// `Attributes={"Policy": …}`: a resource of this kind with `PolicyDocument`, and this property listing the keyword's
    /// value.
    Attributes(&'static str, &'static str, &'static str),
    /// `AttributeName="Policy", AttributeValue=…`
    Attribute(&'static str, &'static str, &'static str),
    /// A resource of this kind with all that stands at these paths of keywords and keys, lists included, at this path of
    /// properties.
    Shares(
        &'static str,
        &'static [&'static str],
        &'static [&'static [&'static str]],
    ),
}

pub(super) struct LoweredOperation {
    /// boto3's service names.
    pub services: &'static [&'static str],
    /// Of the client, or `Type.method` of the resource API.
    pub method: &'static str,
    /// One of these keywords stands in the call; empty for any call of a known client.
    pub keys: &'static [&'static str],
    pub makes: CallOutput,
}

const fn resource(
    services: &'static [&'static str],
    method: &'static str,
    keys: &'static [&'static str],
    kind: &'static str,
    renames: &'static [(&'static str, &'static str)],
) -> LoweredOperation {
    LoweredOperation {
        services,
        method,
        keys,
        makes: CallOutput::Resource(kind, renames),
    }
}

const fn document(
    services: &'static [&'static str],
    method: &'static str,
    keyword: &'static [&'static str],
    kind: PolicyKind,
    service: Option<&'static str>,
) -> LoweredOperation {
    LoweredOperation {
        services,
        method,
        keys: keyword,
        makes: CallOutput::Document(keyword[0], kind, service),
    }
}

const fn shares(
    service: &'static [&'static str],
    method: &'static str,
    keys: &'static [&'static str],
    kind: &'static str,
    property: &'static [&'static str],
    paths: &'static [&'static [&'static str]],
) -> LoweredOperation {
    LoweredOperation {
        services: service,
        method,
        keys,
        makes: CallOutput::Shares(kind, property, paths),
    }
}

const fn call(
    services: &'static [&'static str],
    method: &'static str,
    keys: &'static [&'static str],
) -> LoweredOperation {
    LoweredOperation {
        services,
        method,
        keys,
        makes: CallOutput::Call,
    }
}

const IAM: &[&str] = &["iam"];
const S3: &[&str] = &["s3"];
const ACL: &[&str] = &[
    "ACL",
    "GrantFullControl",
    "GrantRead",
    "GrantReadACP",
    "GrantWrite",
    "GrantWriteACP",
    "AccessControlPolicy",
    "ExtraArgs",
];
const ATTACHED_TO_ROLE: &[(&str, &str)] = &[("RoleName", "Role")];
const ATTACHED_TO_USER: &[(&str, &str)] = &[("UserName", "User")];
const ATTACHED_TO_GROUP: &[(&str, &str)] = &[("GroupName", "Group")];
const METHOD: &[(&str, &str)] = &[
    ("restApiId", "RestApiId"),
    ("httpMethod", "HttpMethod"),
    ("authorizationType", "AuthorizationType"),
    ("authorizerId", "AuthorizerId"),
    ("apiKeyRequired", "ApiKeyRequired"),
];
const POLICY: &[(&str, &str)] = &[("Policy", "PolicyDocument")];

/// Every operation, in no particular order.
#[rustfmt::skip]
pub(super) const OPERATIONS: &[LoweredOperation] = &[
    resource(IAM, "create_role", &["RoleName", "AssumeRolePolicyDocument"], "AWS::IAM::Role", &[]),
    resource(IAM, "put_role_policy", &["PolicyDocument"], "AWS::IAM::RolePolicy", &[]),
    resource(IAM, "put_user_policy", &["PolicyDocument"], "AWS::IAM::UserPolicy", &[]),
    resource(IAM, "put_group_policy", &["PolicyDocument"], "AWS::IAM::GroupPolicy", &[]),
    resource(IAM, "create_policy", &["PolicyDocument"], "AWS::IAM::ManagedPolicy", &[("PolicyName", "ManagedPolicyName")]),
    resource(IAM, "create_policy_version", &["PolicyDocument"], "AWS::IAM::ManagedPolicy", &[]),
    resource(IAM, "attach_role_policy", &["PolicyArn"], kinds::ATTACHMENT, ATTACHED_TO_ROLE),
    resource(IAM, "attach_user_policy", &["PolicyArn"], kinds::ATTACHMENT, ATTACHED_TO_USER),
    resource(IAM, "attach_group_policy", &["PolicyArn"], kinds::ATTACHMENT, ATTACHED_TO_GROUP),
    document(IAM, "update_assume_role_policy", &["PolicyDocument"], PolicyKind::Trust, None),
    resource(IAM, "create_access_key", &["UserName"], "AWS::IAM::AccessKey", &[]),
    resource(IAM, "create_user", &["UserName"], "AWS::IAM::User", &[]),
    resource(IAM, "create_group", &["GroupName"], "AWS::IAM::Group", &[]),
    call(IAM, "create_login_profile", &["UserName"]),
    call(IAM, "update_login_profile", &["UserName"]),
    call(IAM, "delete_role_permissions_boundary", &["RoleName"]),
    call(IAM, "delete_user_permissions_boundary", &["UserName"]),
    call(IAM, "put_role_permissions_boundary", &["PermissionsBoundary"]),
    call(IAM, "put_user_permissions_boundary", &["PermissionsBoundary"]),
    resource(IAM, "add_role_to_instance_profile", &["InstanceProfileName"], "AWS::IAM::InstanceProfile", &[("RoleName", "Roles")]),
    resource(IAM, "add_user_to_group", &["GroupName"], "AWS::IAM::UserToGroupAddition", &[("UserName", "Users")]),
    resource(IAM, "update_account_password_policy", &[], kinds::PASSWORD_POLICY, &[]),
    resource(IAM, "create_open_id_connect_provider", &["Url"], "AWS::IAM::OIDCProvider", &[("ClientIDList", "ClientIdList")]),
    // The resource API.
    resource(IAM, "Role.attach_policy", &["PolicyArn"], kinds::ATTACHMENT, &[]),
    resource(IAM, "User.attach_policy", &["PolicyArn"], kinds::ATTACHMENT, &[]),
    resource(IAM, "Group.attach_policy", &["PolicyArn"], kinds::ATTACHMENT, &[]),
    resource(IAM, "Policy.attach_role", &["RoleName"], kinds::ATTACHMENT, ATTACHED_TO_ROLE),
    resource(IAM, "Policy.attach_user", &["UserName"], kinds::ATTACHMENT, ATTACHED_TO_USER),
    resource(IAM, "Policy.attach_group", &["GroupName"], kinds::ATTACHMENT, ATTACHED_TO_GROUP),
    resource(IAM, "Policy.create_version", &["PolicyDocument"], "AWS::IAM::ManagedPolicy", &[]),
    resource(IAM, "RolePolicy.put", &["PolicyDocument"], "AWS::IAM::RolePolicy", &[]),
    resource(IAM, "UserPolicy.put", &["PolicyDocument"], "AWS::IAM::UserPolicy", &[]),
    resource(IAM, "GroupPolicy.put", &["PolicyDocument"], "AWS::IAM::GroupPolicy", &[]),
    resource(IAM, "User.create_policy", &["PolicyDocument"], "AWS::IAM::UserPolicy", &[]),
    resource(IAM, "Group.create_policy", &["PolicyDocument"], "AWS::IAM::GroupPolicy", &[]),
    document(IAM, "AssumeRolePolicy.update", &["PolicyDocument"], PolicyKind::Trust, None),
    resource(IAM, "User.create_access_key_pair", &[], "AWS::IAM::AccessKey", &[]),
    resource(S3, "BucketPolicy.put", &["Policy"], "AWS::S3::BucketPolicy", POLICY),
    call(S3, "BucketAcl.put", ACL),
    call(S3, "ObjectAcl.put", ACL),
    call(S3, "Object.put", ACL),
    call(S3, "Bucket.put_object", ACL),
    call(S3, "Bucket.upload_file", ACL),
    call(S3, "Object.upload_file", ACL),
    call(S3, "Bucket.create", ACL),
    LoweredOperation { services: &["sqs"], method: "Queue.set_attributes", keys: &["Attributes"], makes: CallOutput::Attributes("AWS::SQS::QueuePolicy", "QueueUrl", "Queues") },
    LoweredOperation { services: &["sns"], method: "Topic.set_attributes", keys: &["AttributeName"], makes: CallOutput::Attribute("AWS::SNS::TopicPolicy", "TopicArn", "Topics") },
    call(&["sqs"], "Queue.add_permission", &["Actions"]),
    call(&["sns"], "Topic.add_permission", &["ActionName"]),
    // S3.
    resource(S3, "put_bucket_policy", &["Policy"], "AWS::S3::BucketPolicy", POLICY),
    call(S3, "put_bucket_acl", ACL),
    call(S3, "put_object_acl", ACL),
    call(S3, "create_bucket", ACL),
    call(S3, "put_object", ACL),
    call(S3, "copy_object", ACL),
    call(S3, "create_multipart_upload", ACL),
    call(S3, "upload_file", ACL),
    call(S3, "upload_fileobj", ACL),
    call(&["s3", "s3control"], "delete_public_access_block", &["Bucket", "AccountId"]),
    call(&["s3", "s3control"], "put_public_access_block", &["PublicAccessBlockConfiguration"]),
    call(S3, "put_bucket_ownership_controls", &["Bucket"]),
    call(S3, "generate_presigned_post", &[]),
    call(&[], "generate_presigned_url", &[]),
    resource(&["s3control"], "put_access_point_policy", &["Policy"], "AWS::S3::AccessPoint", &[]),
    // Policies on resources.
    resource(&["kms"], "put_key_policy", &["Policy"], "AWS::KMS::Key", &[("Policy", "KeyPolicy")]),
    resource(&["kms"], "create_key", &["Policy"], "AWS::KMS::Key", &[("Policy", "KeyPolicy")]),
    LoweredOperation { services: &["sqs"], method: "set_queue_attributes", keys: &["Attributes"], makes: CallOutput::Attributes("AWS::SQS::QueuePolicy", "QueueUrl", "Queues") },
    LoweredOperation { services: &["sqs"], method: "create_queue", keys: &["Attributes"], makes: CallOutput::Attributes("AWS::SQS::QueuePolicy", "QueueName", "Queues") },
    LoweredOperation { services: &["sns"], method: "set_topic_attributes", keys: &["AttributeName"], makes: CallOutput::Attribute("AWS::SNS::TopicPolicy", "TopicArn", "Topics") },
    LoweredOperation { services: &["sns"], method: "create_topic", keys: &["Attributes"], makes: CallOutput::Attributes("AWS::SNS::TopicPolicy", "Name", "Topics") },
    call(&["sqs"], "add_permission", &["AWSAccountIds"]),
    call(&["sns"], "add_permission", &["AWSAccountId"]),
    resource(&["lambda"], "add_permission", &["FunctionName"], "AWS::Lambda::Permission", &[]),
    resource(&["lambda"], "add_layer_version_permission", &["LayerName"], "AWS::Lambda::LayerVersionPermission", &[]),
    resource(&["lambda"], "create_function", &["FunctionName", "Handler", "Runtime"], "AWS::Lambda::Function", &[]),
    resource(&["lambda"], "create_function_url_config", &["AuthType"], "AWS::Lambda::Url", &[("FunctionName", "TargetFunctionArn")]),
    resource(&["lambda"], "update_function_url_config", &["AuthType"], "AWS::Lambda::Url", &[("FunctionName", "TargetFunctionArn")]),
    resource(&["secretsmanager"], "put_resource_policy", &["SecretId"], "AWS::SecretsManager::ResourcePolicy", &[]),
    resource(&["ecr"], "set_repository_policy", &["policyText"], "AWS::ECR::Repository", &[("repositoryName", "RepositoryName"), ("policyText", "RepositoryPolicyText")]),
    resource(&["ecr"], "put_registry_policy", &["policyText"], "AWS::ECR::RegistryPolicy", &[("policyText", "PolicyText")]),
    document(&["events"], "put_permission", &["Policy"], PolicyKind::Resource, Some("events")),
    resource(&["events"], "put_permission", &["Principal"], "AWS::Events::EventBusPolicy", &[]),
    document(&["glacier"], "set_vault_access_policy", &["policy"], PolicyKind::Resource, Some("glacier")),
    document(&["glacier"], "initiate_vault_lock", &["policy"], PolicyKind::Resource, Some("glacier")),
    resource(&["efs"], "put_file_system_policy", &["Policy"], "AWS::EFS::FileSystem", &[("Policy", "FileSystemPolicy")]),
    resource(&["backup"], "put_backup_vault_access_policy", &["Policy"], "AWS::Backup::BackupVault", &[("Policy", "AccessPolicy")]),
    resource(&["opensearch"], "create_domain", &["AccessPolicies"], "AWS::OpenSearchService::Domain", &[]),
    resource(&["opensearch"], "update_domain_config", &["AccessPolicies"], "AWS::OpenSearchService::Domain", &[]),
    resource(&["es"], "create_elasticsearch_domain", &["AccessPolicies"], "AWS::OpenSearchService::Domain", &[]),
    resource(&["es"], "update_elasticsearch_domain_config", &["AccessPolicies"], "AWS::OpenSearchService::Domain", &[]),
    resource(&["apigateway"], "create_rest_api", &["policy"], "AWS::ApiGateway::RestApi", &[("name", "Name"), ("policy", "Policy")]),
    document(&["logs"], "put_resource_policy", &["policyDocument"], PolicyKind::Resource, Some("logs")),
    resource(&["logs"], "put_destination_policy", &["accessPolicy"], "AWS::Logs::Destination", &[("destinationName", "DestinationName"), ("accessPolicy", "DestinationPolicy")]),
    resource(&["codeartifact"], "put_domain_permissions_policy", &["policyDocument"], "AWS::CodeArtifact::Domain", &[("domain", "DomainName"), ("policyDocument", "PermissionsPolicyDocument")]),
    resource(&["codeartifact"], "put_repository_permissions_policy", &["policyDocument"], "AWS::CodeArtifact::Repository", &[("repository", "RepositoryName"), ("policyDocument", "PermissionsPolicyDocument")]),
    document(&["dynamodb"], "put_resource_policy", &["Policy"], PolicyKind::Resource, Some("dynamodb")),
    resource(&["kinesis"], "put_resource_policy", &["Policy"], "AWS::Kinesis::ResourcePolicy", &[("ResourceARN", "ResourceArn"), ("Policy", "ResourcePolicy")]),
    document(&["acm-pca"], "put_policy", &["Policy"], PolicyKind::Resource, Some("acm-pca")),
    document(&["mediastore"], "put_container_policy", &["Policy"], PolicyKind::Resource, Some("mediastore")),
    document(&["glue"], "put_resource_policy", &["PolicyInJson"], PolicyKind::Resource, Some("glue")),
    document(&["schemas"], "put_resource_policy", &["Policy"], PolicyKind::Resource, Some("schemas")),
    document(&["ses"], "put_identity_policy", &["Policy"], PolicyKind::Resource, Some("ses")),
    document(&["sesv2"], "create_email_identity_policy", &["Policy"], PolicyKind::Resource, Some("ses")),
    resource(&["iot"], "create_policy", &["policyDocument"], "AWS::IoT::Policy", &[("policyName", "PolicyName"), ("policyDocument", "PolicyDocument")]),
    resource(&["iot"], "create_policy_version", &["policyDocument"], "AWS::IoT::Policy", &[("policyName", "PolicyName"), ("policyDocument", "PolicyDocument")]),
    resource(&["ec2"], "create_vpc_endpoint", &["PolicyDocument"], "AWS::EC2::VPCEndpoint", &[]),
    resource(&["ec2"], "modify_vpc_endpoint", &["PolicyDocument"], "AWS::EC2::VPCEndpoint", &[]),
    resource(&["sso-admin"], "put_inline_policy_to_permission_set", &["InlinePolicy"], "AWS::SSO::PermissionSet", &[]),
    resource(&["organizations"], "create_policy", &["Content"], "AWS::Organizations::Policy", &[]),
    resource(&["organizations"], "update_policy", &["Content"], "AWS::Organizations::Policy", &[]),
    // Sessions.
    document(&["sts"], "assume_role", &["Policy"], PolicyKind::Session, None),
    document(&["sts"], "assume_role_with_saml", &["Policy"], PolicyKind::Session, None),
    document(&["sts"], "assume_role_with_web_identity", &["Policy"], PolicyKind::Session, None),
    document(&["sts"], "get_federation_token", &["Policy"], PolicyKind::Session, None),
    call(&["sts"], "assume_role", &["RoleArn"]),
    call(&["sts"], "assume_role_with_saml", &["RoleArn"]),
    call(&["sts"], "assume_role_with_web_identity", &["RoleArn"]),
    call(&["sts"], "get_session_token", &[]),
    call(&["sts"], "get_federation_token", &["Name"]),
    call(&["kms"], "put_key_policy", &["BypassPolicyLockoutSafetyCheck"]),
    call(&["kms"], "create_key", &["BypassPolicyLockoutSafetyCheck"]),
    // Sharing with other accounts.
    call(&["ec2"], "modify_snapshot_attribute", &["SnapshotId"]),
    call(&["ec2"], "modify_image_attribute", &["ImageId"]),
    call(&["rds"], "modify_db_snapshot_attribute", &["DBSnapshotIdentifier"]),
    call(&["rds"], "modify_db_cluster_snapshot_attribute", &["DBClusterSnapshotIdentifier"]),
    shares(&["ec2"], "modify_snapshot_attribute", &["SnapshotId"], "AWS::EC2::SnapshotPermission", &["Group"], &[&["CreateVolumePermission", "Add", "Group"], &["GroupNames"]]),
    shares(&["ec2"], "modify_image_attribute", &["ImageId"], "AWS::EC2::AMILaunchPermission", &["Group"], &[&["LaunchPermission", "Add", "Group"], &["UserGroups"]]),
    shares(&["rds"], "modify_db_snapshot_attribute", &["DBSnapshotIdentifier"], "AWS::RDS::DBSnapshot", &["SharedAccounts"], &[&["ValuesToAdd"]]),
    shares(&["rds"], "modify_db_cluster_snapshot_attribute", &["DBClusterSnapshotIdentifier"], "AWS::RDS::DBClusterSnapshot", &["SharedAccounts"], &[&["ValuesToAdd"]]),
    shares(&["ssm"], "modify_document_permission", &["PermissionType"], "AWS::SSM::Document", &["Permissions", "AccountIds"], &[&["AccountIdsToAdd"]]),
    resource(&["ram"], "create_resource_share", &["allowExternalPrincipals"], "AWS::RAM::ResourceShare", &[("name", "Name"), ("allowExternalPrincipals", "AllowExternalPrincipals")]),
    resource(&["ram"], "update_resource_share", &["allowExternalPrincipals"], "AWS::RAM::ResourceShare", &[("name", "Name"), ("allowExternalPrincipals", "AllowExternalPrincipals")]),
    resource(&["kms"], "create_grant", &["Operations"], "AWS::KMS::Grant", &[]),
    // Without signing in.
    resource(&["cognito-identity"], "create_identity_pool", &["AllowUnauthenticatedIdentities"], "AWS::Cognito::IdentityPool", &[]),
    resource(&["cognito-identity"], "update_identity_pool", &["AllowUnauthenticatedIdentities"], "AWS::Cognito::IdentityPool", &[]),
    resource(&["apigateway"], "put_method", &["authorizationType"], "AWS::ApiGateway::Method", METHOD),
    resource(&["apigatewayv2"], "create_route", &["RouteKey"], "AWS::ApiGatewayV2::Route", &[]),
    resource(&["apigatewayv2"], "update_route", &["AuthorizationType"], "AWS::ApiGatewayV2::Route", &[]),
];

/// Names of positional parameters, for the few methods that take any.
pub(super) fn positional(method: &str) -> &'static [&'static str] {
    match method {
        "upload_file" => &["Filename", "Bucket", "Key", "ExtraArgs"],
        "upload_fileobj" => &["Fileobj", "Bucket", "Key", "ExtraArgs"],
        "generate_presigned_url" => &["ClientMethod", "Params", "ExpiresIn", "HttpMethod"],
        "generate_presigned_post" => &["Bucket", "Key", "Fields", "Conditions", "ExpiresIn"],
        "Bucket.upload_file" => &["Filename", "Key", "ExtraArgs"],
        "Object.upload_file" => &["Filename", "ExtraArgs"],
        _ => &[],
    }
}

/// Names of the constructor's positional parameters (boto3 reference, "Session").
pub(super) fn constructor_positional(callee: &str) -> &'static [&'static str] {
    if callee.ends_with("client") || callee.ends_with("resource") {
        &[
            "service_name",
            "region_name",
            "api_version",
            "use_ssl",
            "verify",
            "endpoint_url",
            "aws_access_key_id",
            "aws_secret_access_key",
            "aws_session_token",
            "config",
        ]
    } else {
        &[
            "aws_access_key_id",
            "aws_secret_access_key",
            "aws_session_token",
            "region_name",
            "botocore_session",
            "profile_name",
        ]
    }
}
