//! Which identity of the logs is which one of the repository.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::{Evidence, EvidenceIdentity, EvidenceIdentityKind};
use crate::iam::catalogue;
use crate::iam::glob::{self, CaseSensitivity};
use crate::project::{Effective, IdentityId, IdentityKind, Project};
use crate::source::{Piece, Text};

/// Letters and digits of a name that must be known where a part of it is not.
const LEAST_KNOWN: usize = 4;
/// Pairs of a pattern and a name that are compared; beyond it, patterns match nothing.
const MAX_COMPARED: usize = 4_000_000;

/// A role or user of the logs, whatever path its ARN has there.
#[derive(Debug, Default)]
pub(super) struct LoggedIdentity {
    pub(super) is_user: bool,
    pub(super) account: String,
    pub(super) name: String,
    /// As in the logs, the longest: it has the path.
    arn: String,
    /// Indexes into the lists of [`Evidence`].
    pub(super) rows: Vec<usize>,
    pub(super) last_used: Vec<usize>,
    pub(super) unused: Vec<usize>,
}

impl LoggedIdentity {
    /// All roles and users of a file, in order.
    pub(super) fn all(evidence: &Evidence) -> Vec<Self> {
        let mut all: BTreeMap<(bool, String, String), Self> = BTreeMap::new();
        let mut put = |identity: &EvidenceIdentity, add: &dyn Fn(&mut Self)| {
            if let Some((is_user, account, name)) = key(identity) {
                let one = all.entry((is_user, account.clone(), name.clone())).or_default();
                (one.is_user, one.account, one.name) = (is_user, account, name);
                if identity.name.len() > one.arn.len() {
                    one.arn.clone_from(&identity.name);
                }
                add(one);
            }
        };
        for (i, row) in evidence.rows.iter().enumerate() {
            put(&row.identity, &|one| one.rows.push(i));
        }
        for (i, last) in evidence.last_used.iter().enumerate() {
            put(&last.identity, &|one| one.last_used.push(i));
        }
        for (i, unused) in evidence.unused.iter().enumerate() {
            put(&unused.identity, &|one| one.unused.push(i));
        }
        all.into_values().collect()
    }

    pub(super) fn identity(&self) -> EvidenceIdentity {
        let kind = match self.is_user {
            true => EvidenceIdentityKind::User,
            false => EvidenceIdentityKind::Role,
        };
        EvidenceIdentity {
            kind,
            name: self.arn.clone(),
        }
    }

    /// Calls that were allowed.
    pub(super) fn calls(&self, evidence: &Evidence) -> u64 {
        let rows = self.rows.iter().map(|i| &evidence.rows[*i]);
        rows.filter(|r| !r.denied).fold(0, |sum, r| sum.saturating_add(r.count))
    }

    /// Whether an identity that has such a name may have done what this one did: its policies allow most of it.
    pub(super) fn fits(&self, evidence: &Evidence, effective: &Effective<'_>) -> bool {
        if self.rows.is_empty() {
            return true;
        }
        let granted = effective.actions();
        let rows = self.rows.iter().map(|i| &evidence.rows[*i]).filter(|r| !r.denied);
        let used: BTreeSet<&String> = rows.flat_map(|r| r.actions.iter().flatten()).collect();
        let known = used.iter().filter_map(|name| catalogue().action(name));
        let allowed = known.filter(|a| granted.contains(a.id())).count();
        allowed > 0 && (allowed * 2 >= used.len() || !effective.is_complete())
    }
}

/// Whether it is a user, its account, and its name without the path.
fn key(identity: &EvidenceIdentity) -> Option<(bool, String, String)> {
    let is_user = match identity.kind {
        EvidenceIdentityKind::Role => false,
        EvidenceIdentityKind::User => true,
        // The session has what the user has.
        EvidenceIdentityKind::Federated if identity.name.contains(":user/") => true,
        _ => return None,
    };
    let name = identity.name.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some((is_user, identity.account()?.to_owned(), name.to_owned()))
}

/// What the name of an identity of the repository may be once it is deployed.
#[derive(Clone, Debug)]
pub(super) struct NamePattern {
    is_user: bool,
    account: Option<String>,
    text: NameText,
}

#[derive(Clone, Debug)]
enum NameText {
    Known(String),
    /// A pattern with `*`, and what stands in the place of the last one.
    Partly(String, LastPart),
}

/// What an unknown end of a name looks like.
#[derive(Clone, Copy, Debug)]
enum LastPart {
    Any,
    /// What CloudFormation appends: 12 or 13 letters and digits.
    Suffix,
    /// What Terraform appends to a `name_prefix`: the time and a counter, 26 digits.
    Digits,
    /// What IAM Identity Center appends: 16 hexadecimal digits.
    Hex,
}

impl NamePattern {
    /// `None` where too little is known.
    pub(super) fn new(project: &Project<'_>, id: IdentityId) -> Option<Self> {
        let identity = &project.identities[id];
        let resource = &project.resources[identity.resource];
        let name = identity.name.as_ref();
        let (property, is_user) = match identity.kind {
            IdentityKind::Role => ("RoleName", false),
            IdentityKind::User => ("UserName", true),
            IdentityKind::PermissionSet => ("Name", false),
            IdentityKind::Group => return None,
        };
        let text = match (name, identity.kind) {
            (Some(name), IdentityKind::PermissionSet) => {
                let pattern = format!("AWSReservedSSO_{}_*", name_pattern(name)?);
                NameText::Partly(pattern, LastPart::Hex)
            }
            (Some(name), _) => match name.known() {
                Some(known) if !known.is_empty() => NameText::Known(known.into_owned()),
                _ => NameText::Partly(name_pattern(name)?, LastPart::Any),
            },
            (None, _) if resource.has(property) => return None,
            (None, _) => match resource.get("NamePrefix").and_then(|v| v.as_text()) {
                Some(prefix) => NameText::Partly(format!("{}*", name_pattern(prefix)?), LastPart::Digits),
                None => NameText::Partly(name_pattern(&resource.generated_name()?)?, LastPart::Suffix),
            },
        };
        Some(Self {
            is_user,
            account: project.account_of(id).map(str::to_owned),
            text,
        })
    }

    /// The whole name is known.
    pub(super) fn is_known(&self) -> bool {
        matches!(self.text, NameText::Known(_))
    }

    pub(super) fn is_user(&self) -> bool {
        self.is_user
    }

    /// Whether it may be the name of an identity of this account.
    pub(super) fn matches(&self, is_user: bool, account: &str, name: &str) -> bool {
        is_user == self.is_user && self.account.as_ref().is_none_or(|a| a == account) && self.is_name(name)
    }

    fn is_name(&self, name: &str) -> bool {
        match &self.text {
            NameText::Known(known) => known.eq_ignore_ascii_case(name),
            NameText::Partly(pattern, last) => {
                let matches = glob::matches(pattern, name, CaseSensitivity::Sensitive);
                matches && last.is_end_of(name, pattern)
            }
        }
    }
}

impl LastPart {
    fn is_end_of(self, name: &str, pattern: &str) -> bool {
        let tail = |is: fn(u8) -> bool, lengths: std::ops::RangeInclusive<usize>| {
            let before = pattern.trim_end_matches('*').rsplit('*').next().unwrap_or_default();
            let rest = name.rfind(before).map_or("", |at| &name[at + before.len()..]);
            lengths.contains(&rest.len()) && rest.bytes().all(is)
        };
        match self {
            Self::Any => true,
            Self::Suffix => tail(|b| b.is_ascii_alphanumeric(), 12..=13),
            Self::Digits => tail(|b| b.is_ascii_digit(), 26..=26),
            Self::Hex => tail(|b| b.is_ascii_hexdigit(), 16..=16),
        }
    }
}

/// A name with `*` in the place of what is not known. `None` where that is nearly all of it.
fn name_pattern(name: &Text) -> Option<String> {
    let mut out = String::new();
    for piece in name.pieces() {
        match piece {
            Piece::Lit(lit) => out.push_str(&lit.text),
            Piece::Hole(_) => out.push('*'),
        }
    }
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-*".contains(&b);
    let known = out.bytes().filter(u8::is_ascii_alphanumeric).count();
    (known >= LEAST_KNOWN && out.bytes().all(is_name)).then_some(out)
}

/// The identities of the repository that one of the logs may be.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    pub(super) ids: Vec<IdentityId>,
    /// By their whole names.
    pub(super) exact: bool,
}

/// For each identity of the logs.
pub(super) fn candidates(logged: &[LoggedIdentity], patterns: &[(IdentityId, NamePattern)]) -> Vec<Candidates> {
    let mut known: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut partly: Vec<usize> = Vec::new();
    for (i, (_, pattern)) in patterns.iter().enumerate() {
        match &pattern.text {
            NameText::Known(name) => known.entry(name.to_ascii_lowercase()).or_default().push(i),
            NameText::Partly(..) => partly.push(i),
        }
    }
    if partly.len().saturating_mul(logged.len()) > MAX_COMPARED {
        partly.clear();
    }
    let find = |l: &LoggedIdentity, among: &[usize]| -> Vec<IdentityId> {
        let all = among.iter().map(|i| &patterns[*i]);
        let matching = all.filter(|(_, p)| p.matches(l.is_user, &l.account, &l.name));
        matching.map(|(id, _)| *id).collect()
    };
    let of = |l: &LoggedIdentity| {
        let exact = known.get(&l.name.to_ascii_lowercase());
        let ids = exact.map_or_else(Vec::new, |among| find(l, among));
        match ids.is_empty() {
            false => Candidates { ids, exact: true },
            true => Candidates {
                ids: find(l, &partly),
                exact: false,
            },
        }
    };
    logged.iter().map(of).collect()
}

/// Whether identities are one in the source: the same block, evaluated for several environments.
pub(super) fn is_one_source(project: &Project<'_>, ids: &[IdentityId]) -> bool {
    let mut headers = ids.iter().map(|id| project.identities[*id].header);
    let first = headers.next();
    first.is_some() && headers.all(|h| Some(h) == first)
}
