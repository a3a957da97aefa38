//! Who may become a role, by its trust policy.
//!
//! **Invariant:** a statement of the trust policy that certainly lets no one in says nothing, and what a condition leaves open
//! is written on the edge. IAM User Guide, "How to use trust policies with IAM roles"; AWS STS API Reference, "AssumeRole".

use super::graph::NodeId;
use super::names::NodeNames;
use crate::iam::arn::Arn;
use crate::iam::condition::strength;
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::{Pattern, is_star};
use crate::iam::principal::{IdentityType, Oidc, PrincipalOrigin, origin_of};
use crate::iam::{Action, Condition, Effect, PrincipalItem, Statement, Truth};
use crate::project::{Identity, Project};
use crate::source::{Span, Text};

/// One way into a role.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) who: Who,
    /// The principal.
    pub(super) span: Span,
    /// Keys of conditions that a caller must meet.
    pub(super) conditions: Vec<String>,
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
                let Some(who) = who(project, names, item) else { continue };
                here.push(out.ways.len());
                out.ways.push(Way {
                    who,
                    span: item.value.span,
                    conditions: conditions_of(s),
                });
            }
            out.statements.push((s, here));
        }
        out
    }

    /// Whether the conditions of a way, and the Deny statements, certainly keep `node` out.
    pub(super) fn keeps_out(&self, way: usize, node: NodeId, names: &NodeNames<'_>) -> bool {
        let statement = self.statements.iter().find(|(_, ways)| ways.contains(&way));
        let shut = statement.is_some_and(|(s, _)| s.conditions.iter().any(|c| admits(c, node, names).is_no()));
        shut || self.denies.iter().any(|s| denies(s, node, names))
    }

    /// Whether it says more about a caller than that its account may decide.
    pub(super) fn asks_who(&self) -> bool {
        let mut conditions = self.statements.iter().flat_map(|(s, _)| &s.conditions);
        !self.denies.is_empty() || conditions.any(|c| c.lower_key == "aws:principalarn")
    }

    pub(super) fn trusts_service(&self, name: &str) -> Option<&Way> {
        self.ways.iter().find(|w| w.who == Who::Service(name.to_owned()))
    }
}

pub(super) fn who(project: &Project<'_>, names: &NodeNames<'_>, item: &PrincipalItem) -> Option<Who> {
    if let Some(node) = names.named_by(&item.value.text) {
        return Some(Who::Named(node));
    }
    if let Some(elsewhere) = elsewhere(&item.value.text) {
        return Some(elsewhere);
    }
    Some(match origin_of(item, project.own, None) {
        PrincipalOrigin::Everyone | PrincipalOrigin::AnyAccount(_) => Who::Everyone,
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
        _ => return None,
    })
}

/// The role or user that an ARN names.
fn elsewhere(text: &Text) -> Option<Who> {
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

/// Whether a condition lets a caller in: known for conditions on who it is.
fn admits(c: &Condition, node: NodeId, names: &NodeNames<'_>) -> Truth {
    let Some(operator) = c.parsed.filter(|_| c.lower_key == "aws:principalarn" && c.complete) else {
        return Truth::Unknown;
    };
    let Some(named) = names.of(node) else {
        return Truth::Unknown;
    };
    let own = Pattern::resource(named.rest());
    let any = c.values.iter().map(|v| match Arn::parse(&v.text) {
        Some(arn) => Pattern::resource(&arn.resource.to_text()).overlaps(&own),
        None if is_star(&v.text) => Truth::Yes,
        None => match Pattern::new(&v.text, CaseSensitivity::Sensitive).is_known() {
            true => Truth::No,
            false => match names.named_by(&v.text) {
                Some(named) => (named == node).into(),
                None => Truth::Unknown,
            },
        },
    });
    let any = any.fold(Truth::No, Truth::or);
    match operator.negated {
        true => !any,
        false => any,
    }
}

fn denies(s: &Statement, node: NodeId, names: &NodeNames<'_>) -> bool {
    let assume = crate::iam::catalogue().action("sts:AssumeRole");
    assume.is_some_and(|assume| is_denied_by(s, assume, node, names))
}

/// Whether a Deny of a resource's policy certainly keeps a caller from an action.
pub(super) fn is_denied_by(s: &Statement, action: Action, node: NodeId, names: &NodeNames<'_>) -> bool {
    if s.branch.is_some() || s.open || s.dead.is_some() {
        return false;
    }
    let action = match &s.action {
        Some(clause) if !clause.negated => clause.items_naming(action).next().is_some(),
        Some(clause) => !clause.may_name(action),
        None => false,
    };
    let principal = s.principal.as_ref().is_some_and(|p| {
        let named = p.items.iter().any(|i| names.named_by(&i.value.text) == Some(node));
        let all = p.items.iter().any(|i| is_star(&i.value.text));
        match p.negated {
            true => !named && p.items.iter().all(|i| i.value.text.is_known()),
            false => named || all,
        }
    });
    action && principal && s.conditions.iter().all(|c| admits(c, node, names).is_yes())
}
