//! Words that IAM and the rule language have in common. The build script compiles this file too: it imports nothing from the
//! crate.

use serde::{Deserialize, Serialize};

/// What a document is used as; the words of the command line and the configuration too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyKind {
    Identity,
    Trust,
    Resource,
    Boundary,
    Session,
    Scp,
    Rcp,
    Unknown,
}

impl PolicyKind {
    pub const ALL: [Self; 8] = [
        Self::Identity,
        Self::Trust,
        Self::Resource,
        Self::Boundary,
        Self::Session,
        Self::Scp,
        Self::Rcp,
        Self::Unknown,
    ];

    /// Those that a policy can be known to be.
    pub const KNOWN: [Self; 7] = [
        Self::Identity,
        Self::Trust,
        Self::Resource,
        Self::Boundary,
        Self::Session,
        Self::Scp,
        Self::Rcp,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Trust => "trust",
            Self::Resource => "resource",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::Scp => "scp",
            Self::Rcp => "rcp",
            Self::Unknown => "unknown",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// With its article, for messages.
    pub fn described(self) -> &'static str {
        match self {
            Self::Identity => "an identity policy",
            Self::Trust => "a trust policy",
            Self::Resource => "a resource policy",
            Self::Boundary => "a permissions boundary",
            Self::Session => "a session policy",
            Self::Scp => "a service control policy",
            Self::Rcp => "a resource control policy",
            Self::Unknown => "a policy of unknown kind",
        }
    }

    /// Statements name who they are for.
    pub fn has_principal(self) -> bool {
        matches!(self, Self::Trust | Self::Resource | Self::Rcp)
    }

    /// Allow statements here give permissions to someone. Boundaries, SCPs and RCPs only limit.
    pub fn grants(self) -> bool {
        matches!(
            self,
            Self::Identity | Self::Trust | Self::Resource | Self::Session | Self::Unknown
        )
    }
}

/// AWS's classes of actions (Service Authorization Reference, "Access levels"), from the least to the most powerful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AccessLevel {
    List,
    Read,
    Tagging,
    Write,
    PermissionsManagement,
}

impl AccessLevel {
    pub const ALL: [Self; 5] = [
        Self::List,
        Self::Read,
        Self::Tagging,
        Self::Write,
        Self::PermissionsManagement,
    ];

    /// As messages write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Tagging => "tagging",
            Self::Write => "write",
            Self::PermissionsManagement => "permissions management",
        }
    }

    /// From [`Self::name`] in any case, words joined by a space, a hyphen or nothing.
    pub fn from_name(name: &str) -> Option<Self> {
        let letters = |s: &str| {
            s.bytes()
                .filter(u8::is_ascii_alphabetic)
                .map(|b| b.to_ascii_lowercase())
                .collect::<Vec<_>>()
        };
        let wanted = letters(name);
        Self::ALL.into_iter().find(|l| letters(l.name()) == wanted)
    }

    /// Changes something: neither lists nor reads.
    pub fn changes(self) -> bool {
        self >= Self::Tagging
    }

    pub(crate) fn from_code(code: u32) -> Self {
        match code {
            0 => Self::List,
            1 => Self::Read,
            2 => Self::Write,
            3 => Self::Tagging,
            _ => Self::PermissionsManagement,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Allow,
    Deny,
    #[serde(skip)]
    /// Neither, in any case of letters (`Permit`): never grants.
    Invalid,
    #[serde(skip)]
    /// Not known before deployment.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalType {
    /// The bare string `"*"`.
    Everyone,
    Aws,
    Service,
    Federated,
    CanonicalUser,
    /// A key that IAM does not know.
    #[serde(skip)]
    Unknown,
}

/// The format a document was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SourceFormat {
    Json,
    Cloudformation,
    Sam,
    Terraform,
    Python,
    Serverless,
    /// Any other text file: credentials only.
    #[serde(skip)]
    Text,
}

impl SourceFormat {
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Cloudformation => "cloudformation",
            Self::Sam => "sam",
            Self::Terraform => "terraform",
            Self::Python => "python",
            Self::Serverless => "serverless",
            Self::Text => "text",
        }
    }
}

/// What the values of an operator are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OperatorFamily {
    String,
    Numeric,
    Date,
    Bool,
    Binary,
    IpAddress,
    Arn,
    Null,
}

/// The prefix of an operator, for keys with several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SetOperator {
    ForAnyValue,
    ForAllValues,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum IdentityKind {
    Role,
    User,
    Group,
    PermissionSet,
}

impl IdentityKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::User => "user",
            Self::Group => "group",
            Self::PermissionSet => "permission set",
        }
    }
}

/// A form of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TextForm {
    /// `true` or `false` in any case.
    Boolean,
    Number,
    /// Seconds since 1970, or a day with or without a time. "Date and time formats", https://www.w3.org/TR/NOTE-datetime.
    Date,
    /// An IP address or a range in CIDR notation.
    IpAddress,
    /// An IP range with bits set behind its prefix.
    HostBits,
    /// An address or range of RFC 1918 or its IPv6 counterpart.
    PrivateIp,
    Base64,
    Arn,
    /// Twelve digits.
    AccountId,
    /// AWS Organizations API Reference, `Organization`: `^o-[a-z0-9]{10,32}$`.
    OrganizationId,
    /// An organization, a slash, and what is below it: `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`. IAM User Guide, "AWS global
    /// condition context keys".
    OrganizationPath,
    VpcId,
    VpcEndpointId,
    /// A Region that AWS has.
    Region,
    Alphanumeric,
    /// An action that assumes a role: `sts:AssumeRole` and its kin.
    AssumeAction,
}

/// The elements that a policy may have. IAM User Guide, "Grammar of the IAM JSON policy language".
pub const POLICY_ELEMENTS: [&str; 3] = ["Version", "Id", "Statement"];

/// The elements that a statement may have. IAM User Guide, "Grammar of the IAM JSON policy language".
pub const STATEMENT_ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
];
