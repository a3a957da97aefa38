//! Who may become a role, by its trust policy.
//!
//! **Invariant:** a statement of the trust policy that certainly lets no one in says nothing, and what a condition leaves open
//! is written on the edge. IAM User Guide, "How to use trust policies with IAM roles"; AWS STS API Reference, "AssumeRole".

use super::asking::Asking;
use super::graph::NodeId;
use super::names::NodeNames;
use crate::iam::arn::{Arn, is_account_id};
use crate::iam::condition::strength;
use crate::iam::principal::{IdentityType, Oidc, PrincipalOrigin, origin_of};
use crate::iam::{Effect, PrincipalItem, PrincipalType, Statement, catalogue};
use crate::project::{Identity, Project};
use crate::source::{HoleTarget, Span, Text};
use crate::value::Value;

/// Keys that say who the caller is.
const ASKED: &[&str] = &["aws:principalarn", "aws:username", "aws:principaltype"];

/// One way into a role.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) who: Who,
    /// The principal.
    pub(super) span: Span,
    /// Keys of conditions that a caller must meet.
    pub(super) conditions: Vec<String>,
    /// A condition names an account, an organization, or a principal.
    pub(super) is_pinned: bool,
    /// It names an account that is given from outside.
    pub(super) is_given: bool,
}

/// Whom a principal lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// An identity of the repository, by name: it needs no permission of its own in the same account.
    Named(NodeId),
    /// Anyone in the account has the permission.
    Account,
    /// The same, for everyone in every account.
    Everyone,
    Service(String),
    /// Another account: its number.
    OtherAccount(String),
    /// A role or user that the repository only names: its kind, name, and ARN.
    Elsewhere(&'static str, String, String),
    /// An identity provider: what it is called.
    Provider(String),
}

/// The ways into a role.
pub(super) struct TrustOf<'p> {
    pub(super) ways: Vec<Way>,
    statements: Vec<(&'p Statement, Vec<usize>)>,
    denies: Vec<&'p Statement>,
}

impl<'p> TrustOf<'p> {
    pub(super) fn new(project: &'p Project<'p>, names: &NodeNames<'p>, role: &Identity) -> Self {
        let mut out = Self {
            ways: Vec::new(),
            statements: Vec::new(),
            denies: Vec::new(),
        };
        let node = names.node_of(role.resource);
        let home = node.and_then(|n| names.home(names.deployment(n)));
        for s in role.trust.iter().flat_map(|d| &project.documents[*d].statements) {
            let denies = matches!(&s.effect, Some(e) if e.value == Effect::Deny);
            if denies {
                out.denies.push(s);
            }
            let Some(principal) = s.principal.as_ref().filter(|p| !p.negated && s.allows()) else {
                continue;
            };
            let mut here = Vec::new();
            for item in &principal.items {
                let Some(who) = who(project, names, item, home).filter(|_| lets_in(s, item.kind)) else {
                    continue;
                };
                here.push(out.ways.len());
                out.ways.push(Way {
                    who,
                    span: item.value.span,
                    conditions: conditions_of(s),
                    is_pinned: strength(s).pins_caller(),
                    is_given: matches!(origin_of(item, project.own, home), PrincipalOrigin::SomeAccount { .. }),
                });
            }
            out.statements.push((s, here));
        }
        out
    }

    /// Whether the conditions of a way, and the Deny statements, certainly keep `node` out.
    pub(super) fn keeps_out(&self, way: usize, node: NodeId, names: &NodeNames<'_>) -> bool {
        let statement = self.statements.iter().find(|(_, ways)| ways.contains(&way));
        let asking = Asking::new(names, node);
        let shut = statement.is_some_and(|(s, _)| asking.meets_all(s).is_no());
        let assume = catalogue().action("sts:AssumeRole");
        shut || assume.is_some_and(|a| self.denies.iter().any(|s| asking.is_denied_by(s, a)))
    }

    /// Nothing of it can be read, so that it may let anyone in.
    pub(super) fn is_open(&self) -> bool {
        self.statements.is_empty() && self.ways.is_empty()
    }

    /// Whether it says more about a caller than that its account may decide.
    pub(super) fn asks_who(&self) -> bool {
        let mut conditions = self.statements.iter().flat_map(|(s, _)| &s.conditions);
        !self.denies.is_empty() || conditions.any(|c| ASKED.contains(&c.lower_key.as_str()))
    }

    pub(super) fn trusts_service(&self, name: &str) -> Option<&Way> {
        self.ways.iter().find(|w| w.who == Who::Service(name.to_owned()))
    }
}

/// Whom a principal of a policy lets in, where `home` is the number of the account that the policy is in.
pub(super) fn who(
    project: &Project<'_>,
    names: &NodeNames<'_>,
    item: &PrincipalItem,
    home: Option<&str>,
) -> Option<Who> {
    if let Some(node) = names.named_by(&item.value.text) {
        return Some(Who::Named(node));
    }
    if let Some(elsewhere) = elsewhere(&item.value.text) {
        return Some(elsewhere);
    }
    let other = |text: &Text| {
        let known = text.known();
        let account = Arn::parse(text).and_then(|arn| arn.account.known());
        let account = account.or_else(|| known.filter(|id| is_account_id(id)));
        account.is_some_and(|a| home.is_some_and(|home| a != home))
    };
    Some(match origin_of(item, project.own, home) {
        PrincipalOrigin::Everyone | PrincipalOrigin::AnyAccount(_) => Who::Everyone,
        // Another one of the accounts that the settings name.
        PrincipalOrigin::OwnAccount { .. } if other(&item.value.text) => return None,
        PrincipalOrigin::OwnAccount {
            who: IdentityType::Root,
            ..
        } => Who::Account,
        // One account in a repository of one account: which one it is does not matter.
        PrincipalOrigin::SomeAccount {
            who: IdentityType::Root,
            ..
        } => Who::Account,
        PrincipalOrigin::OtherAccount { id, name, trusted, .. } if !trusted => Who::OtherAccount(match name {
            Some(name) => format!("{id} ({name})"),
            None => id,
        }),
        PrincipalOrigin::Service { name } => Who::Service(name),
        PrincipalOrigin::Oidc { provider, url } => Who::Provider(match provider {
            Oidc::Other => url,
            known => known.name().to_owned(),
        }),
        PrincipalOrigin::Saml => Who::Provider("SAML".to_owned()),
        PrincipalOrigin::Cognito => Who::Provider("Amazon Cognito".to_owned()),
        PrincipalOrigin::Resource(target) => Who::Provider(provider_at(project, &target)?),
        PrincipalOrigin::Federated(Some(target)) => {
            Who::Provider(provider_at(project, &target).unwrap_or_else(|| item.value.display()))
        }
        PrincipalOrigin::Federated(None) => Who::Provider(item.value.display()),
        _ => return None,
    })
}

/// The identity provider that a resource of the repository is: by its URL, where that is known.
fn provider_at(project: &Project<'_>, target: &HoleTarget) -> Option<String> {
    let (_, r) = project.resource_at(target)?;
    let known = match &*r.kind {
        "AWS::IAM::OIDCProvider" => r.get("Url").and_then(Value::as_str),
        "AWS::IAM::SAMLProvider" => return Some("SAML".to_owned()),
        _ => return None,
    };
    Some(match known {
        Some(url) => {
            let url = url.trim_start_matches("https://");
            match Oidc::from_url(url) {
                Oidc::Other => url.to_owned(),
                known => known.name().to_owned(),
            }
        }
        None => r.address.full().into_owned(),
    })
}

/// Whether a statement has the action by which a type of principal assumes a role.
/// AWS STS API Reference, "AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML".
fn lets_in(s: &Statement, kind: PrincipalType) -> bool {
    let names: &[&str] = match kind {
        PrincipalType::Federated => &["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"],
        _ => &["sts:AssumeRole"],
    };
    let Some(clause) = &s.action else { return false };
    let mut actions = names.iter().filter_map(|n| catalogue().action(n));
    match clause.negated {
        true => true,
        false => actions.any(|a| clause.may_name(a)),
    }
}

/// The role or user that an ARN names.
pub(super) fn elsewhere(text: &Text) -> Option<Who> {
    let arn = Arn::parse(text)?;
    let kind = match &*arn.resource_type() {
        "role" => "role",
        "user" => "user",
        _ => return None,
    };
    let name = arn.resource_id().known()?;
    let name = name.rsplit('/').next().filter(|n| !n.is_empty() && !n.contains('*'))?;
    Some(Who::Elsewhere(kind, name.to_owned(), text.display()))
}

/// Keys of the conditions that keep something out.
pub(super) fn conditions_of(s: &Statement) -> Vec<String> {
    let weighed = strength(s);
    let narrow = weighed
        .bounds
        .iter()
        .filter(|b| b.grade >= crate::iam::condition::Grade::Narrows);
    let mut keys: Vec<String> = narrow
        .filter_map(|b| Some(s.conditions.get(b.index)?.key.display()))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}
