//! Words that IAM and the rule language have in common. The build script compiles this file too: it imports nothing from the
//! crate.

use serde::{Deserialize, Serialize};

/// The kind of a policy, also as the command line and the configuration name it.
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

    /// The kinds that can be known, which is all but [`Self::Unknown`].
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

    /// The name with its article, for messages.
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

    /// Whether statements name a principal.
    pub fn has_principal(self) -> bool {
        matches!(self, Self::Trust | Self::Resource | Self::Rcp)
    }

    /// Whether Allow statements grant permissions. Boundaries, SCPs, and RCPs only limit them.
    pub fn grants(self) -> bool {
        matches!(
            self,
            Self::Identity | Self::Trust | Self::Resource | Self::Session | Self::Unknown
        )
    }
}

/// The access levels of the Service Authorization Reference, from the least to the most powerful.
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

    /// The name that messages use.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Tagging => "tagging",
            Self::Write => "write",
            Self::PermissionsManagement => "permissions management",
        }
    }

    /// The level with this [`Self::name`], without regard to case; a space, a hyphen, or nothing joins the words.
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

    /// Whether the action changes something, rather than listing or reading.
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

/// The effect of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Allow,
    Deny,
    /// Neither `Allow` nor `Deny`, such as `Permit`; it never grants.
    #[serde(skip)]
    Invalid,
    /// Not known before deployment.
    #[serde(skip)]
    Unknown,
}

/// The type of a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalType {
    /// The string `"*"`.
    Everyone,
    /// The key `AWS`.
    Aws,
    /// The key `Service`.
    Service,
    /// The key `Federated`.
    Federated,
    /// The key `CanonicalUser`.
    CanonicalUser,
    /// A key that IAM does not know.
    #[serde(skip)]
    Unknown,
}

/// The format that a document is written in.
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
    /// Any other text file, which is searched for credentials only.
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

    /// The start of the subjects of findings, which is a part of their fingerprints.
    pub fn short_name(self) -> &'static str {
        match self {
            Self::Cloudformation | Self::Sam => "cfn",
            Self::Terraform => "tf",
            other => other.name(),
        }
    }

    pub fn is_cloudformation(self) -> bool {
        matches!(self, Self::Cloudformation | Self::Sam)
    }
}

/// The type of the values that a condition operator compares.
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

/// The set operator that prefixes an operator for multivalued keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SetOperator {
    ForAnyValue,
    ForAllValues,
}

/// The kind of an identity.
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

/// A form that a text can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TextForm {
    /// `true` or `false`, without regard to case.
    Boolean,
    /// A number.
    Number,
    /// Seconds since 1970, or an ISO 8601 date (<https://www.w3.org/TR/NOTE-datetime>).
    Date,
    /// An IP address or a CIDR block.
    IpAddress,
    /// A CIDR block with host bits set.
    HostBits,
    /// A private IP address or CIDR block: RFC 1918, or its IPv6 counterpart.
    PrivateIp,
    /// Base64.
    Base64,
    /// An ARN.
    Arn,
    /// An AWS account ID, 12 digits.
    AccountId,
    /// An AWS Organizations ID: `^o-[a-z0-9]{10,32}$`.
    OrganizationId,
    /// An AWS Organizations path, such as `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`.
    OrganizationPath,
    /// A VPC ID.
    VpcId,
    /// A VPC endpoint ID.
    VpcEndpointId,
    /// The name of an AWS Region.
    Region,
    /// Letters and digits only.
    Alphanumeric,
    /// An action that assumes a role, such as `sts:AssumeRole`.
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
