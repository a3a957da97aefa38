//! The policies that apply to a request.

use crate::iam::{Document, Statement};

/// The policies that apply to a request, by what they are to it.
#[derive(Clone, Debug, Default)]
pub struct RequestPolicies<'d> {
    /// Of the caller: its own, and those of its groups.
    pub identity: PolicyGroup<'d>,
    /// On the resource: its policy, the trust policy of a role, the policy of a key.
    pub resource: PolicyGroup<'d>,
    /// `None`: the caller has no permissions boundary.
    pub boundary: Option<PolicyGroup<'d>>,
    /// `None`: the session of the caller was begun without a session policy.
    pub session: Option<PolicyGroup<'d>>,
    /// Of the organization of the caller's account: from the root to the account, each level. None: no level limits.
    pub scp: Vec<PolicyGroup<'d>>,
    /// Of the organization of the resource's account.
    pub rcp: Vec<PolicyGroup<'d>>,
    /// `None`: the request does not come through an endpoint that has a policy.
    pub endpoint: Option<PolicyGroup<'d>>,
}

/// Policies that count together: what one of them allows is allowed.
#[derive(Clone, Debug, Default)]
pub struct PolicyGroup<'d> {
    pub documents: Vec<&'d Document>,
    /// There may be more of them.
    pub is_open: bool,
    /// Beside them is one that allows everything: `FullAWSAccess`.
    pub allows_all: bool,
}

impl<'d> PolicyGroup<'d> {
    pub fn of(documents: impl IntoIterator<Item = &'d Document>) -> Self {
        Self {
            documents: documents.into_iter().collect(),
            is_open: false,
            allows_all: false,
        }
    }
}

/// What a policy is to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyRole {
    Identity,
    Resource,
    Boundary,
    Session,
    /// At this level, from 0.
    Scp(usize),
    Rcp(usize),
    Endpoint,
}

impl PolicyRole {
    /// As in request files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Resource => "resource",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::Scp(_) => "scp",
            Self::Rcp(_) => "rcp",
            Self::Endpoint => "endpoint",
        }
    }

    pub fn level(self) -> Option<usize> {
        match self {
            Self::Scp(level) | Self::Rcp(level) => Some(level),
            _ => None,
        }
    }

    /// For sentences: "an identity policy".
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Identity => "an identity policy",
            Self::Resource => "the resource policy",
            Self::Boundary => "the permissions boundary",
            Self::Session => "the session policy",
            Self::Scp(_) => "a service control policy",
            Self::Rcp(_) => "a resource control policy",
            Self::Endpoint => "the endpoint policy",
        }
    }
}

/// A statement that decided, and where it is.
#[derive(Clone, Copy, Debug)]
pub struct DecidingStatement<'d> {
    pub role: PolicyRole,
    /// Its document among those of the role, or of the level.
    pub document_index: usize,
    pub document: &'d Document,
    pub statement_index: usize,
    pub statement: &'d Statement,
}

impl DecidingStatement<'_> {
    fn place(&self) -> (PolicyRole, usize, usize) {
        (self.role, self.document_index, self.statement_index)
    }
}

impl PartialEq for DecidingStatement<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for DecidingStatement<'_> {}
