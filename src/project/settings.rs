//! Settings that decide who may do what and are no policy: access control lists, grants, shares, how callers of an API are
//! known, and the roles that resources run as.
//!
//! **Invariant:** the text of a setting is the same where it means the same thing, whatever address that has.

use super::{Project, RepositoryPlace};
use crate::model::{Resource, resource_types};
use crate::source::Span;
use crate::value::{MAX_DEPTH, Value, ValueKind};

/// What a setting decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingOf {
    /// Who is let in.
    Access,
    /// Who is kept out.
    Protection,
    /// The role that something runs as.
    Role,
}

/// A setting of a resource.
#[derive(Debug)]
pub struct AccessSetting {
    pub of: SettingOf,
    /// With the calls of modules that lead there.
    pub address: String,
    pub root: String,
    /// The property, in the words of CloudFormation.
    pub name: &'static str,
    pub text: String,
    /// The root and the address of the role that it names, where that is declared here.
    pub role: Option<(String, String)>,
    pub span: Span,
    /// Being there lets nobody in whom policies do not let in.
    pub is_quiet: bool,
}

/// The settings of each type; none listed is all of its properties. Amazon S3 User Guide, "Access control list (ACL) overview"
/// and "Blocking public access"; AWS KMS Developer Guide, "Grants"; Amazon EC2 User Guide, "Share an AMI with specific AWS
/// accounts"; AWS RAM User Guide, "Sharing your AWS resources".
const SETTINGS: &[(&str, SettingOf, &[&str])] = &[
    (
        "AWS::ApiGateway::Method",
        SettingOf::Access,
        &["AuthorizationType", "ApiKeyRequired"],
    ),
    ("AWS::ApiGatewayV2::Route", SettingOf::Access, &["AuthorizationType"]),
    ("AWS::AppSync::GraphQLApi", SettingOf::Access, &["AuthenticationType"]),
    (
        "AWS::Cognito::IdentityPool",
        SettingOf::Access,
        &["AllowUnauthenticatedIdentities"],
    ),
    (
        "AWS::Cognito::IdentityPoolRoleAttachment",
        SettingOf::Access,
        &["Roles", "RoleMappings"],
    ),
    ("AWS::EC2::AMILaunchPermission", SettingOf::Access, &[]),
    ("AWS::EC2::SnapshotPermission", SettingOf::Access, &[]),
    ("AWS::EKS::AccessEntry", SettingOf::Access, &[]),
    ("AWS::KMS::Grant", SettingOf::Access, &[]),
    (
        "AWS::OpenSearchServerless::AccessPolicy",
        SettingOf::Access,
        &["Policy"],
    ),
    ("AWS::RAM::PrincipalAssociation", SettingOf::Access, &[]),
    (
        "AWS::RAM::ResourceShare",
        SettingOf::Access,
        &["Principals", "ResourceArns", "AllowExternalPrincipals"],
    ),
    ("AWS::RDS::DBClusterSnapshot", SettingOf::Access, &["SharedAccounts"]),
    ("AWS::RDS::DBSnapshot", SettingOf::Access, &["SharedAccounts"]),
    ("AWS::S3::AccountPublicAccessBlock", SettingOf::Protection, &[]),
    ("AWS::S3::Bucket", SettingOf::Access, &["AccessControl", "Grant"]),
    (
        "AWS::S3::Bucket",
        SettingOf::Protection,
        &["PublicAccessBlockConfiguration"],
    ),
    (
        "AWS::S3::BucketAcl",
        SettingOf::Access,
        &["AccessControl", "AccessControlPolicy"],
    ),
    ("AWS::S3::BucketPublicAccessBlock", SettingOf::Protection, &[]),
    ("AWS::S3::Object", SettingOf::Access, &["Acl"]),
    (
        "AWS::S3::ObjectAcl",
        SettingOf::Access,
        &["AccessControl", "AccessControlPolicy"],
    ),
    ("AWS::SSO::Assignment", SettingOf::Access, &[]),
];

/// Values of settings that let nobody in: of an access control list, those that name the owner or AWS's log delivery; of an
/// API, those that ask who calls.
fn is_quiet(name: &str, value: &Value) -> bool {
    let text = value.as_str().map(|t| t.to_ascii_lowercase().replace(['-', '_'], ""));
    match name {
        "AccessControl" | "Acl" => matches!(
            text.as_deref(),
            Some("private" | "logdeliverywrite" | "bucketownerfullcontrol" | "bucketownerread")
        ),
        "AuthorizationType" => text.is_some_and(|t| t != "none"),
        "AuthenticationType" => true,
        "ApiKeyRequired" | "AllowUnauthenticatedIdentities" | "AllowExternalPrincipals" => {
            value.as_bool() == Some(name == "ApiKeyRequired")
        }
        _ => false,
    }
}

impl Project<'_> {
    /// All that are in scope, in the order of the resources.
    pub fn access_settings(&self) -> Vec<AccessSetting> {
        let place = &RepositoryPlace::anywhere(self);
        let mut out = Vec::new();
        for r in &self.resources {
            if !self.sources.file(r.header.file).in_scope {
                continue;
            }
            let setting = |of: SettingOf, name: &'static str, value: &Value| AccessSetting {
                of,
                address: r.address.full().into_owned(),
                root: r.address.root().to_owned(),
                name,
                text: text(place, value, 0),
                role: None,
                span: value.span,
                is_quiet: of == SettingOf::Protection || is_quiet(name, value),
            };
            for (_, of, names) in SETTINGS.iter().filter(|(kind, ..)| *kind == &*r.kind) {
                match names {
                    [] => out.push(AccessSetting {
                        span: r.header,
                        ..setting(*of, "", &r.props)
                    }),
                    names => {
                        let written = names.iter().filter_map(|n| Some((*n, written(r, &[n])?)));
                        out.extend(written.map(|(name, value)| setting(*of, name, value)));
                    }
                }
            }
            for role in resource_types::roles(&r.kind) {
                let name = role.path.last().copied().unwrap_or_default();
                out.extend(written(r, role.path).map(|value| AccessSetting {
                    role: self.role_named(value),
                    ..setting(SettingOf::Role, name, value)
                }));
            }
        }
        out
    }

    fn role_named(&self, value: &Value) -> Option<(String, String)> {
        let of_profile = || self.instance_profile(value).map(|(_, role)| role);
        let only = match value.items() {
            [only] => only,
            _ => value,
        };
        let role = self.role(only).or_else(of_profile)?;
        let address = &self.resources[self.identities[role].resource].address;
        Some((address.root().to_owned(), address.full().into_owned()))
    }
}

fn written<'r>(r: &'r Resource, path: &[&str]) -> Option<&'r Value> {
    r.props.path(path).filter(|v| !v.is_null())
}

/// What a value says, without places.
fn text(place: &RepositoryPlace<'_>, value: &Value, depth: u32) -> String {
    if depth > MAX_DEPTH {
        return String::new();
    }
    let inner = |v: &Value| text(place, v, depth + 1);
    match &value.kind {
        ValueKind::Null => String::new(),
        ValueKind::Bool(b) => b.to_string(),
        ValueKind::Num(n) => n.to_string(),
        ValueKind::Str(t) => place.filled_text(t).display(),
        ValueKind::Unknown(hole) => place
            .filled_text(&crate::source::Text::hole((**hole).clone()))
            .display(),
        ValueKind::Json(v) => inner(v),
        ValueKind::Seq(items) => {
            let mut all: Vec<String> = items.iter().map(inner).collect();
            all.sort_unstable();
            format!("[{}]", all.join(","))
        }
        ValueKind::Map(entries) => {
            let mut all: Vec<String> = entries
                .iter()
                .map(|e| format!("{}={}", e.key.display(), inner(&e.value)))
                .collect();
            all.sort_unstable();
            format!("{{{}}}", all.join(","))
        }
        ValueKind::OneOf(branches) => {
            let all = branches.iter().map(|b| format!("{}:{}", b.when, inner(&b.value)));
            all.collect::<Vec<_>>().join("|")
        }
    }
}
