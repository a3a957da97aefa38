//! What is asked: who wants to do what, on which resource, and in which circumstances.

use std::collections::BTreeMap;

use crate::iam::arn::is_account_id;

/// A request to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRequest {
    pub caller: Caller,
    /// With its prefix, in any case.
    pub action: String,
    /// ARNs, or `*`. Several are authorized one by one, and all must be allowed.
    pub resources: Vec<String>,
    /// Whose the resource is; `None`: the account in its ARN, or the caller's where that has none.
    pub resource_account: Option<String>,
    pub context: RequestContext,
}

impl AccessRequest {
    /// The prefix of the action in lower case.
    pub(super) fn service(&self) -> String {
        let prefix = self.action.split_once(':').map(|(prefix, _)| prefix);
        prefix.unwrap_or_default().to_ascii_lowercase()
    }

    /// Compares the whole name of the action, in any case.
    pub(super) fn is_for(&self, action: &str) -> bool {
        self.action.eq_ignore_ascii_case(action)
    }
}

/// Who asks. IAM User Guide, "AWS JSON policy elements: Principal".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Of an account.
    Identity(CallerIdentity),
    /// An AWS service in its own name: `cloudtrail.amazonaws.com`.
    Service(String),
    /// Who signed in with a provider and asks for a session: the ARN of the provider, or `accounts.google.com`.
    Provider(String),
    /// What Amazon S3 knows by a canonical user ID: an account, or an origin access identity of CloudFront.
    CanonicalUser(String),
    Anonymous,
}

/// A principal of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    pub arn: String,
    pub partition: String,
    pub account: String,
    pub kind: CallerKind,
    /// After the type and the path: the name of the user, the role, or the federated user; empty for the root user.
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerKind {
    Root,
    User,
    /// A session of a role, whose name is not known.
    Role,
    /// A session of a role.
    Session,
    /// A session of `GetFederationToken`.
    FederatedUser,
}

impl Caller {
    /// The principal that a text names: an ARN, an account ID for its root user, the name of a service or of an identity
    /// provider. `None` for anything else, such as a group.
    pub fn parse(text: &str) -> Option<Self> {
        if is_account_id(text) {
            return Self::parse(&format!("arn:aws:iam::{text}:root"));
        }
        // Amazon S3 User Guide, "Finding the canonical user ID for your AWS account".
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Some(Self::CanonicalUser(text.to_owned()));
        }
        let is_name = |t: &str| t.contains('.') && !t.contains(char::is_whitespace) && !t.contains([':', '*', '?']);
        let Some(rest) = text.strip_prefix("arn:") else {
            let of_aws = text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn");
            return match is_name(text) {
                true if of_aws && text != "cognito-identity.amazonaws.com" => Some(Self::Service(text.to_owned())),
                true => Some(Self::Provider(text.to_owned())),
                false => None,
            };
        };
        let mut parts = rest.splitn(5, ':');
        let mut part = || parts.next();
        let (partition, service, region, account, resource) = (part()?, part()?, part()?, part()?, part()?);
        // Amazon CloudFront Developer Guide, "Restrict access to an Amazon S3 origin": an origin access identity.
        let is_owner = is_account_id(account) || account == "cloudfront" && resource.starts_with("user/");
        if partition.is_empty() || !region.is_empty() || !is_owner || resource.contains(['*', '?']) {
            return None;
        }
        let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
        let (kind, name) = match (service, kind) {
            ("iam", "saml-provider" | "oidc-provider") if !rest.is_empty() => {
                return Some(Self::Provider(text.to_owned()));
            }
            ("iam", "root") if rest.is_empty() => (CallerKind::Root, ""),
            ("iam", "user") => (CallerKind::User, last_part(rest)),
            ("iam", "role") => (CallerKind::Role, last_part(rest)),
            ("sts", "assumed-role") => {
                let (role, session) = rest.rsplit_once('/')?;
                if session.is_empty() {
                    return None;
                }
                (CallerKind::Session, last_part(role))
            }
            ("sts", "federated-user") => (CallerKind::FederatedUser, rest),
            _ => return None,
        };
        if name.is_empty() && kind != CallerKind::Root {
            return None;
        }
        Some(Self::Identity(CallerIdentity {
            arn: text.to_owned(),
            partition: partition.to_owned(),
            account: account.to_owned(),
            kind,
            name: name.to_owned(),
        }))
    }

    pub fn identity(&self) -> Option<&CallerIdentity> {
        match self {
            Self::Identity(identity) => Some(identity),
            Self::Service(_) | Self::Provider(_) | Self::CanonicalUser(_) | Self::Anonymous => None,
        }
    }

    pub fn account(&self) -> Option<&str> {
        self.identity().map(|i| &*i.account)
    }
}

impl CallerIdentity {
    pub(super) fn is_root(&self) -> bool {
        self.kind == CallerKind::Root
    }

    /// Whether it acts with the permissions of a role.
    pub(super) fn is_role(&self) -> bool {
        matches!(self.kind, CallerKind::Role | CallerKind::Session)
    }

    /// A role that is linked to a service, which organization policies do not limit. The ARN of a session has no path, but
    /// the names of these roles begin alike.
    /// AWS Organizations User Guide, "Service control policies (SCPs)", "Tasks and entities not restricted by SCPs", and
    /// "Resource control policies (RCPs)", "Resources and entities not restricted by RCPs".
    pub(super) fn is_service_linked(&self) -> bool {
        match self.kind {
            CallerKind::Role => self.arn.contains(":role/aws-service-role/"),
            CallerKind::Session => self.name.starts_with("AWSServiceRoleFor"),
            CallerKind::Root | CallerKind::User | CallerKind::FederatedUser => false,
        }
    }
}

/// What follows the path.
pub(super) fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The circumstances of a request: condition keys in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestContext {
    keys: BTreeMap<String, ContextValue>,
    /// Whether a key that is not given may be there all the same.
    is_open: bool,
}

/// What is known of a condition key in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextValue {
    Absent,
    /// One value, or several of a key that can have several.
    Known(Vec<String>),
    Unknown,
}

impl RequestContext {
    /// One of which everything is said: a key that is not given is absent.
    pub fn closed() -> Self {
        Self::default()
    }

    /// One in which a key that is not given is not known.
    pub fn open() -> Self {
        Self {
            keys: BTreeMap::new(),
            is_open: true,
        }
    }

    /// Sets a key, whose case does not count.
    pub fn set(&mut self, key: &str, value: ContextValue) {
        self.keys.insert(key.to_lowercase(), value);
    }

    /// Sets a key that was not given.
    pub(super) fn add(&mut self, key: &str, value: ContextValue) {
        self.keys.entry(key.to_lowercase()).or_insert(value);
    }

    pub fn has(&self, key: &str) -> bool {
        self.keys.contains_key(&key.to_lowercase())
    }

    /// Of a key in lower case.
    pub(super) fn get(&self, lower_key: &str) -> &ContextValue {
        self.keys.get(lower_key).unwrap_or(match self.is_open {
            true => &ContextValue::Unknown,
            false => &ContextValue::Absent,
        })
    }
}
