//! Which property of which resource holds a policy, and of what kind.
//!
//! CloudFormation User Guide, "AWS resource and property types reference". Properties that are not listed are searched by
//! shape all the same; a listed one is a policy even when it is broken.

use crate::iam::PolicyKind::{self, Identity, Resource, Session, Trust};
use crate::model::Resource as Held;
use crate::source::Text;
use crate::value::{MapEntry, Value};

/// `[]` after a name stands for any item of a list.
const SLOTS: &[(&str, &str, PolicyKind)] = &[
    ("AWS::ACMPCA::Policy", "Policy", Resource),
    ("AWS::ApiGateway::RestApi", "Policy", Resource),
    ("AWS::Backup::BackupVault", "AccessPolicy", Resource),
    ("AWS::Backup::LogicallyAirGappedBackupVault", "AccessPolicy", Resource),
    ("AWS::CloudSearch::AccessPolicy", "AccessPolicy", Resource),
    ("AWS::CloudTrail::ResourcePolicy", "ResourcePolicy", Resource),
    ("AWS::CodeArtifact::Domain", "PermissionsPolicyDocument", Resource),
    ("AWS::CodeArtifact::Repository", "PermissionsPolicyDocument", Resource),
    ("AWS::CodeBuild::ResourcePolicy", "Policy", Resource),
    ("AWS::DSQL::Cluster", "PolicyDocument", Resource),
    ("AWS::DynamoDB::Table", "ResourcePolicy/PolicyDocument", Resource),
    (
        "AWS::DynamoDB::Table",
        "StreamSpecification/ResourcePolicy/PolicyDocument",
        Resource,
    ),
    ("AWS::EC2::VPCEndpoint", "PolicyDocument", Resource),
    ("AWS::ECR::PublicRepository", "RepositoryPolicyText", Resource),
    ("AWS::ECR::RegistryPolicy", "PolicyText", Resource),
    ("AWS::ECR::Repository", "RepositoryPolicyText", Resource),
    ("AWS::ECR::RepositoryCreationTemplate", "RepositoryPolicy", Resource),
    ("AWS::EFS::FileSystem", "FileSystemPolicy", Resource),
    ("AWS::Elasticsearch::Domain", "AccessPolicies", Resource),
    ("AWS::EventSchemas::RegistryPolicy", "Policy", Resource),
    ("AWS::Events::EventBus", "Policy", Resource),
    ("AWS::Glacier::Vault", "AccessPolicy", Resource),
    ("AWS::Glue::ResourcePolicy", "PolicyInJson", Resource),
    ("AWS::IAM::Group", "Policies[]/PolicyDocument", Identity),
    ("AWS::IAM::GroupPolicy", "PolicyDocument", Identity),
    ("AWS::IAM::ManagedPolicy", "PolicyDocument", Identity),
    ("AWS::IAM::Policy", "PolicyDocument", Identity),
    ("AWS::IAM::Role", "AssumeRolePolicyDocument", Trust),
    ("AWS::IAM::Role", "Policies[]/PolicyDocument", Identity),
    ("AWS::IAM::RolePolicy", "PolicyDocument", Identity),
    ("AWS::IAM::User", "Policies[]/PolicyDocument", Identity),
    ("AWS::IAM::UserPolicy", "PolicyDocument", Identity),
    ("AWS::IoT::Policy", "PolicyDocument", Identity),
    ("AWS::KMS::Key", "KeyPolicy", Resource),
    ("AWS::KMS::ReplicaKey", "KeyPolicy", Resource),
    ("AWS::Kinesis::ResourcePolicy", "ResourcePolicy", Resource),
    ("AWS::Lambda::LayerVersionPermission", "Policy", Resource),
    ("AWS::Lex::ResourcePolicy", "Policy", Resource),
    ("AWS::Logs::Destination", "DestinationPolicy", Resource),
    ("AWS::Logs::ResourcePolicy", "PolicyDocument", Resource),
    ("AWS::MSK::ClusterPolicy", "Policy", Resource),
    ("AWS::MediaPackageV2::ChannelPolicy", "Policy", Resource),
    ("AWS::MediaPackageV2::OriginEndpointPolicy", "Policy", Resource),
    ("AWS::MediaStore::Container", "Policy", Resource),
    ("AWS::NetworkFirewall::ResourcePolicy", "Policy", Resource),
    ("AWS::Oam::Sink", "Policy", Resource),
    ("AWS::OpenSearchService::Domain", "AccessPolicies", Resource),
    ("AWS::Organizations::ResourcePolicy", "Content", Resource),
    ("AWS::Redshift::Cluster", "NamespaceResourcePolicy", Resource),
    ("AWS::Redshift::ResourcePolicy", "Policy", Resource),
    (
        "AWS::RedshiftServerless::Namespace",
        "NamespaceResourcePolicy",
        Resource,
    ),
    ("AWS::RolesAnywhere::Profile", "SessionPolicy", Session),
    ("AWS::S3::AccessPoint", "Policy", Resource),
    ("AWS::S3::Bucket", "Policy", Resource),
    ("AWS::S3::BucketPolicy", "PolicyDocument", Resource),
    ("AWS::S3::MultiRegionAccessPointPolicy", "Policy", Resource),
    ("AWS::S3Express::BucketPolicy", "PolicyDocument", Resource),
    ("AWS::S3ObjectLambda::AccessPointPolicy", "PolicyDocument", Resource),
    ("AWS::S3Outposts::BucketPolicy", "PolicyDocument", Resource),
    ("AWS::S3Tables::TableBucketPolicy", "ResourcePolicy", Resource),
    ("AWS::S3Tables::TablePolicy", "ResourcePolicy", Resource),
    ("AWS::SES::IdentityPolicy", "PolicyDocument", Resource),
    ("AWS::SNS::Topic", "Policy", Resource),
    ("AWS::SNS::TopicInlinePolicy", "PolicyDocument", Resource),
    ("AWS::SNS::TopicPolicy", "PolicyDocument", Resource),
    ("AWS::SQS::Queue", "Policy", Resource),
    ("AWS::SQS::QueueInlinePolicy", "PolicyDocument", Resource),
    ("AWS::SQS::QueuePolicy", "PolicyDocument", Resource),
    ("AWS::SSM::ResourcePolicy", "Policy", Resource),
    ("AWS::SSO::PermissionSet", "InlinePolicy", Identity),
    ("AWS::STS::AssumeRole", "Policy", Session),
    ("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupPolicy", Resource),
    ("AWS::SecretsManager::ResourcePolicy", "ResourcePolicy", Resource),
    ("AWS::Transfer::User", "Policy", Session),
    ("AWS::VpcLattice::AuthPolicy", "Policy", Resource),
    ("AWS::VpcLattice::ResourcePolicy", "Policy", Resource),
    ("AWS::XRay::ResourcePolicy", "PolicyDocument", Resource),
];

/// The IAM prefix after a CloudFormation namespace where it is not the namespace in lower case.
const SERVICES: &[(&str, &str)] = &[
    ("ACMPCA", "acm-pca"),
    ("ApiGateway", "execute-api"),
    ("EFS", "elasticfilesystem"),
    ("Elasticsearch", "es"),
    ("EventSchemas", "schemas"),
    ("MSK", "kafka"),
    ("NetworkFirewall", "network-firewall"),
    ("OpenSearchService", "es"),
    ("RedshiftServerless", "redshift-serverless"),
    ("S3ObjectLambda", "s3-object-lambda"),
    ("S3Outposts", "s3-outposts"),
    ("SSO", "sso"),
    ("VpcLattice", "vpc-lattice"),
];

/// The kind of policy at `path` (`Policies/0/PolicyDocument`) of a resource, where the table knows it.
pub(super) fn kind_at(resource: &Held, path: &str) -> Option<PolicyKind> {
    if &*resource.kind == "AWS::Organizations::Policy" && path == "Content" {
        return Some(organization_kind(resource));
    }
    let general = generalise(path);
    SLOTS
        .iter()
        .find(|(kind, slot, _)| *kind == &*resource.kind && *slot == general)
        .map(|(_, _, k)| *k)
}

/// Whether policies stand below `path` of a resource (`Policies`, `Policies/0`), where the table knows it.
pub(super) fn kind_below(resource: &Held, path: &str) -> Option<PolicyKind> {
    let general = generalise(path);
    let below = |slot: &str| {
        let rest = slot.strip_prefix(&*general);
        rest.is_some_and(|rest| rest.starts_with(['/', '[']))
    };
    SLOTS
        .iter()
        .find(|(kind, slot, _)| *kind == &*resource.kind && below(slot))
        .map(|(_, _, k)| *k)
}

/// `AWS::Events::EventBusPolicy` holds a statement without a document around it, or the parts of one: EventBridge writes that
/// document itself, in the language of 2012. EventBridge API, `PutPermission`.
pub(super) fn lone_statement(resource: &Held) -> Option<Value> {
    if &*resource.kind != "AWS::Events::EventBusPolicy" {
        return None;
    }
    let made = |key: &str, value: Value| MapEntry {
        key: Text::made(key, resource.header),
        key_span: resource.header,
        value,
    };
    let word = |text: &str| Value::made(text, resource.header);
    let written = |key: &str| resource.props.entry(key).filter(|e| !e.value.is_null());
    let (statement, span) = match written("Statement") {
        Some(statement) => (statement.clone(), statement.value.span),
        None => {
            let principal = written("Principal")?;
            let mut parts = vec![
                made("Effect", word("Allow")),
                made("Resource", word("*")),
                written("Action").map_or_else(|| made("Action", word("events:PutEvents")), Clone::clone),
            ];
            parts.push(match principal.value.as_str().as_deref() {
                Some("*") => principal.clone(),
                _ => {
                    let account = MapEntry {
                        key: Text::made("AWS", principal.key_span),
                        ..principal.clone()
                    };
                    MapEntry {
                        value: Value::map(vec![account], principal.value.span),
                        ..principal.clone()
                    }
                }
            });
            if let Some(condition) = written("Condition") {
                let value = organization(&condition.value).unwrap_or_else(|| condition.value.clone());
                parts.push(MapEntry {
                    value,
                    ..condition.clone()
                });
            }
            let span = resource.header;
            (made("Statement", Value::map(parts, span)), span)
        }
    };
    Some(Value::map(vec![made("Version", word("2012-10-17")), statement], span))
}

/// `{Type: StringEquals, Key: aws:PrincipalOrgID, Value: …}` as IAM writes it.
fn organization(condition: &Value) -> Option<Value> {
    let condition = condition.items().first()?;
    let (operator, key, value) = (
        condition.entry("Type")?,
        condition.entry("Key")?,
        condition.entry("Value")?,
    );
    let entry = |of: &MapEntry, value: Value| {
        Some(MapEntry {
            key: Text::made(&of.value.as_str()?, of.value.span),
            key_span: of.value.span,
            value,
        })
    };
    let line = Value::map(vec![entry(key, value.value.clone())?], condition.span);
    Some(Value::map(vec![entry(operator, line)?], condition.span))
}

/// `Policies/0/PolicyDocument` to `Policies[]/PolicyDocument`.
fn generalise(path: &str) -> String {
    let mut out = String::new();
    for part in path.split('/') {
        if part.bytes().all(|b| b.is_ascii_digit()) {
            out.push_str("[]");
        } else {
            if !out.is_empty() {
                out.push('/');
            }
            out.push_str(part);
        }
    }
    out
}

/// Organizations API, `CreatePolicy`: the type decides; a policy without one is a service control policy.
fn organization_kind(resource: &Held) -> PolicyKind {
    match resource.get("Type").and_then(Value::as_str).as_deref() {
        Some("RESOURCE_CONTROL_POLICY") => PolicyKind::Rcp,
        Some("SERVICE_CONTROL_POLICY") | None => PolicyKind::Scp,
        Some(_) => PolicyKind::Unknown,
    }
}

/// Policies of Organizations that are no IAM policies (tag policies, backup policies, …); stacks, whose templates are read as
/// templates, and whose own policies are about updates of their resources.
/// CloudFormation User Guide, "Prevent updates to stack resources".
pub(super) fn is_foreign(resource: &Held) -> bool {
    let stack = matches!(
        &*resource.kind,
        "AWS::CloudFormation::Stack" | "AWS::CloudFormation::StackSet"
    );
    stack || &*resource.kind == "AWS::Organizations::Policy" && organization_kind(resource) == PolicyKind::Unknown
}

/// The IAM prefix of the service a resource belongs to.
pub(super) fn service_of(resource: &Held) -> Option<String> {
    let mut parts = resource.kind.split("::");
    let (first, namespace) = (parts.next()?, parts.next()?);
    if first != "AWS" {
        // A Terraform type without a counterpart: `aws_s3control_bucket_policy`.
        return None;
    }
    if namespace == "Serverless" {
        return None;
    }
    match &*resource.kind {
        "AWS::ECR::PublicRepository" => return Some("ecr-public".to_owned()),
        // Decides on requests to a service, not on calls of the API of VPC Lattice.
        "AWS::VpcLattice::AuthPolicy" => return Some("vpc-lattice-svcs".to_owned()),
        _ => {}
    }
    Some(
        SERVICES
            .iter()
            .find(|(n, _)| *n == namespace)
            .map_or_else(|| namespace.to_ascii_lowercase(), |(_, s)| (*s).to_owned()),
    )
}
