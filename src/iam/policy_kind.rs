//! What policies are used as.

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

/// What a policy is likely to be though its shape says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likely {
    /// A boundary or a control policy.
    Kind(PolicyKind),
    /// The policy of a VPC endpoint: a resource policy by its shape, and a limit on what passes.
    Endpoint,
}
