//! Answers and inputs of the IAM, S3, KMS and Organizations APIs, as the command line prints and reads them.
//!
//! OpenAPI definitions of APIs in API Gateway are among the latter. Shapes: IAM API Reference, `GetAccountAuthorizationDetails`, `GetRole`, `GetRolePolicy`, `CreatePolicy`,
//! `GetPolicyVersion`; S3 API Reference, `PutBucketPolicy`; Organizations API Reference, `Policy`.

use std::sync::Arc;

use crate::iam::arn::is_account_id;
use crate::iam::{PolicyKind, SourceFormat};
use crate::model::{Address, Resource};
use crate::source::{Span, Text};
use crate::value::{MapEntry, Value};

use super::{DocumentHint, Walk, encoded, may_be_document};

/// A list of the account export: its key, what it makes, the name property, the key of the inline policies.
const DETAILS: [(&str, &str, &str, &str); 3] = [
    ("RoleDetailList", "AWS::IAM::Role", "RoleName", "RolePolicyList"),
    ("UserDetailList", "AWS::IAM::User", "UserName", "UserPolicyList"),
    ("GroupDetailList", "AWS::IAM::Group", "GroupName", "GroupPolicyList"),
];

/// Inline policies by the key that names their holder.
const INLINE: [(&str, &str); 3] = [
    ("RoleName", "AWS::IAM::RolePolicy"),
    ("UserName", "AWS::IAM::UserPolicy"),
    ("GroupName", "AWS::IAM::GroupPolicy"),
];

/// What an object says of the documents inside it.
pub(super) fn hint(value: &Value) -> Option<DocumentHint> {
    let of = |kind| Some(DocumentHint { kind, service: None });
    let on = |service| {
        Some(DocumentHint {
            kind: PolicyKind::Resource,
            service: Some(service),
        })
    };
    let kind = value
        .get("Type")
        .or_else(|| value.path(&["PolicySummary", "Type"]))
        .and_then(Value::as_str);
    match kind.as_deref() {
        Some("SERVICE_CONTROL_POLICY") => return of(PolicyKind::Scp),
        Some("RESOURCE_CONTROL_POLICY") => return of(PolicyKind::Rcp),
        _ => {}
    }
    let has = |key| value.get(key).is_some();
    if has("PolicyDocument") && (has("VpcEndpointId") || has("VpcEndpointType")) {
        return on("ec2");
    }
    if has("PolicyVersion") || has("VersionId") {
        return of(PolicyKind::Identity);
    }
    if !has("Policy") {
        return None;
    }
    if has("RoleArn") && has("RoleSessionName") {
        of(PolicyKind::Session)
    } else if has("Bucket") {
        on("s3")
    } else if has("KeyId") {
        on("kms")
    } else if has("SecretId") {
        on("secretsmanager")
    } else if has("repositoryName") || has("policyText") {
        on("ecr")
    } else {
        None
    }
}

/// The account that an object belongs to: of its own ARN, or named beside it, as in answers of IAM, items of AWS Config and
/// what scanners save.
pub(super) fn account(value: &Value) -> Option<Arc<str>> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let named = [
        "AccountId",
        "accountId",
        "awsAccountId",
        "AwsAccountId",
        "OwnerAccountId",
    ];
    let arns = ["Arn", "arn", "ARN", "RoleArn"];
    let in_arn = |arn: &str| {
        arn.starts_with("arn:")
            .then(|| arn.split(':').nth(4).map(str::to_owned))?
    };
    let written = named.iter().find_map(|k| text(k)).map(|id| id.into_owned());
    let account = arns
        .iter()
        .find_map(|k| text(k))
        .and_then(|arn| in_arn(&arn))
        .or(written)?;
    is_account_id(&account).then(|| Arc::from(account))
}

/// An OpenAPI definition that API Gateway imports: an operation of it has an integration.
/// API Gateway Developer Guide, "Develop REST APIs using OpenAPI in API Gateway".
fn is_definition(value: &Value) -> bool {
    let versioned = value.get("openapi").is_some() || value.get("swagger").is_some();
    let paths = value.get("paths").and_then(Value::entries).unwrap_or(&[]);
    let mut operations = paths.iter().flat_map(|p| p.value.entries().unwrap_or(&[]));
    versioned && operations.any(|o| o.value.get("x-amazon-apigateway-integration").is_some())
}

/// Properties of a resource in the making.
struct ApiProperties<'v> {
    from: &'v Value,
    entries: Vec<MapEntry>,
}

impl<'v> ApiProperties<'v> {
    fn new(from: &'v Value) -> Self {
        let entries = Vec::new();
        Self { from, entries }
    }

    /// Takes over the property `from` as `to`.
    fn move_property(&mut self, from: &str, to: &str) -> &mut Self {
        if let Some(e) = self.from.entry(from) {
            self.put(to, e.key_span, e.value.clone());
        }
        self
    }

    fn put(&mut self, name: &str, key_span: Span, value: Value) {
        self.entries.push(MapEntry {
            key: Text::synthetic(name, key_span),
            key_span,
            value,
        });
    }

    fn finish(self) -> Value {
        Value::map(self.entries, self.from.span)
    }
}

impl Walk {
    /// Takes `value` if it is something that an API answers or takes.
    pub(super) fn api(&mut self, value: &Value, pointer: &[String]) -> bool {
        let mut export = false;
        for (key, kind, name, policies) in DETAILS {
            if let Some(list) = value.get(key) {
                export = true;
                for item in list.items() {
                    self.identity(kind, name, policies, item);
                }
            }
        }
        if let Some(list) = value.get("Policies")
            && list.items().iter().any(|p| p.get("PolicyVersionList").is_some())
        {
            export = true;
            for item in list.items() {
                self.managed(item);
            }
        }
        if export {
            return true;
        }
        if pointer.is_empty() && is_definition(value) {
            let mut props = ApiProperties::new(value);
            props.put("Body", value.span, value.clone());
            self.resource("AWS::ApiGateway::RestApi", "openapi", value, props.finish());
        }
        let has = |key| value.get(key).is_some();
        let holds = |key| value.get(key).is_some_and(may_be_document);
        if has("RoleName") && holds("AssumeRolePolicyDocument") {
            self.identity("AWS::IAM::Role", "RoleName", "RolePolicyList", value);
            return true;
        }
        if has("PolicyName") && holds("PolicyDocument") && !pointer.iter().any(|p| p == "Policies") {
            for (name, kind) in INLINE {
                if has(name) {
                    let mut props = ApiProperties::new(value);
                    props
                        .move_property(name, name)
                        .move_property("PolicyName", "PolicyName");
                    self.policy_document(&mut props, "PolicyDocument", "PolicyDocument");
                    self.resource(kind, "PolicyName", value, props.finish());
                    return true;
                }
            }
            let mut props = ApiProperties::new(value);
            props
                .move_property("PolicyName", "ManagedPolicyName")
                .move_property("Path", "Path");
            self.policy_document(&mut props, "PolicyDocument", "PolicyDocument");
            self.resource("AWS::IAM::ManagedPolicy", "PolicyName", value, props.finish());
            return true;
        }
        false
    }

    /// A role, user or group with all that the export says of it.
    fn identity(&mut self, kind: &str, name: &str, policies: &str, value: &Value) {
        let mut props = ApiProperties::new(value);
        props
            .move_property(name, name)
            .move_property("Path", "Path")
            .move_property("GroupList", "Groups");
        props.move_property("ManagedPolicyArns", "ManagedPolicyArns");
        self.policy_document(&mut props, "AssumeRolePolicyDocument", "AssumeRolePolicyDocument");
        if let Some(list) = value.entry(policies) {
            let inline = list.value.items().iter().map(|item| {
                let mut props = ApiProperties::new(item);
                props.move_property("PolicyName", "PolicyName");
                self.policy_document(&mut props, "PolicyDocument", "PolicyDocument");
                props.finish()
            });
            let inline = Value::seq(inline.collect(), list.value.span);
            props.put("Policies", list.key_span, inline);
        }
        if let Some(list) = value.entry("AttachedManagedPolicies") {
            let arns = list.value.items().iter().filter_map(|p| p.get("PolicyArn").cloned());
            let arns = Value::seq(arns.collect(), list.value.span);
            props.put("ManagedPolicyArns", list.key_span, arns);
        }
        if let Some(e) = value.entry("PermissionsBoundary") {
            let arn = e.value.get("PermissionsBoundaryArn").unwrap_or(&e.value);
            props.put("PermissionsBoundary", e.key_span, arn.clone());
        }
        self.resource(kind, name, value, props.finish());
    }

    /// A managed policy of the export in its default version; AWS's own are not the account's to change.
    fn managed(&mut self, value: &Value) {
        let arn = value.get("Arn").and_then(Value::as_str).unwrap_or_default();
        if arn.contains("::aws:policy/") {
            return;
        }
        let versions = value.get("PolicyVersionList").map_or(&[][..], Value::items);
        let default = versions
            .iter()
            .find(|v| v.get("IsDefaultVersion").and_then(Value::as_bool) == Some(true))
            .or(versions.first());
        let Some(version) = default else { return };
        let mut props = ApiProperties::new(value);
        props
            .move_property("PolicyName", "ManagedPolicyName")
            .move_property("Path", "Path");
        if let Some(e) = version.entry("Document") {
            let document = self.decoded(&e.value);
            props.put("PolicyDocument", e.key_span, document);
        }
        self.resource("AWS::IAM::ManagedPolicy", "PolicyName", value, props.finish());
    }

    fn policy_document(&mut self, props: &mut ApiProperties<'_>, from: &str, to: &str) {
        if let Some(e) = props.from.entry(from) {
            let document = self.decoded(&e.value);
            props.put(to, e.key_span, document);
        }
    }

    fn decoded(&mut self, value: &Value) -> Value {
        let (document, problems) = encoded::document(value);
        self.unit.problems.extend(problems);
        document
    }

    fn resource(&mut self, kind: &str, name: &str, from: &Value, props: Value) {
        self.note_account(from);
        let named = from.get(name);
        let shown = named.and_then(Value::as_str).unwrap_or_default();
        self.unit.resources.push(Resource {
            kind: Arc::from(kind),
            type_name: Arc::from(kind),
            address: Address {
                scope: self.path.clone(),
                name: Arc::from(&*shown),
            },
            format: SourceFormat::Json,
            header: named.map_or(from.span, |n| n.span),
            extent: from.span,
            props,
            metadata: None,
            instances: None,
            branch: None,
            account: None,
        });
    }
}
