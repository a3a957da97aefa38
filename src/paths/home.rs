//! What is deployed together, and in which account.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::classes::{ROLE, USER};
use super::graph::{AccessNode, Graph, NodeId};
use super::names::{MatchedNodes, NodeNames};
use crate::iam::arn::{Arn, ArnField, is_account_id};
use crate::model::Resource;
use crate::project::{PolicyRef, Project};

/// What is deployed together, so that a pattern of one part of it is about the other parts: a template, or what a root module
/// makes in one account. Everything, where the settings name one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Deployment {
    root: usize,
    account: usize,
}

impl Deployment {
    /// That of nothing.
    pub(super) const NONE: Self = Self {
        root: usize::MAX,
        account: 0,
    };

    /// Whether one root module makes both in different accounts.
    pub(super) fn is_of_other_account(self, other: Self) -> bool {
        self.root == other.root && self.account != other.account
    }
}

/// Numbers for roots and accounts.
pub(super) struct Deployments<'p> {
    one_account: bool,
    roots: HashMap<&'p str, usize>,
    accounts: HashMap<&'p str, usize>,
}

impl<'p> Deployments<'p> {
    pub(super) fn new(project: &Project<'_>) -> Self {
        Self {
            one_account: project.own.only_account().is_some(),
            roots: HashMap::new(),
            accounts: HashMap::new(),
        }
    }

    pub(super) fn of(&mut self, resource: Option<&'p Resource>) -> Deployment {
        let root = resource.map_or("", |r| r.address.root());
        let next = self.roots.len();
        let root = match self.one_account {
            true => 0,
            false => *self.roots.entry(root).or_insert(next),
        };
        let account = resource.and_then(|r| r.account.as_deref());
        let next = self.accounts.len() + 1;
        Deployment {
            root,
            account: account.map_or(0, |a| *self.accounts.entry(a).or_insert(next)),
        }
    }
}

/// The number of the account of a deployment, where policies tell it: they name one of its identities in a single account.
pub(super) fn home_accounts(project: &Project<'_>, names: &NodeNames<'_>) -> HashMap<Deployment, String> {
    let mut found: BTreeMap<Deployment, BTreeSet<String>> = BTreeMap::new();
    for identity in project.identities.iter() {
        let Some(own) = names.node_of(identity.resource) else {
            continue;
        };
        let documents = identity.policies.iter().filter_map(|used| match &used.policy {
            PolicyRef::Documents(ids) => Some(ids),
            _ => None,
        });
        let statements = documents.flatten().flat_map(|d| &project.documents[*d].statements);
        let items = statements.filter(|s| s.allows()).filter_map(|s| s.resource.as_ref());
        for item in items.flat_map(|clause| &clause.items) {
            let Some(arn) = Arn::parse(&item.text) else { continue };
            let ArnField::Literal(account) = arn.account() else {
                continue;
            };
            let class = match &*arn.resource_type() {
                "role" => ROLE,
                "user" => USER,
                _ => continue,
            };
            if !is_account_id(&account) {
                continue;
            }
            let MatchedNodes::These { named, .. } = names.of_item(item, class) else {
                continue;
            };
            for of in named.iter().filter(|n| **n != own).map(|n| names.deployment(*n)) {
                if of.root == names.deployment(own).root {
                    found.entry(of).or_default().insert(account.to_string());
                }
            }
        }
    }
    let one = |(of, accounts): (Deployment, BTreeSet<String>)| {
        let known = accounts.len() == 1;
        known.then(|| Some((of, accounts.into_iter().next()?)))?
    };
    found.into_iter().filter_map(one).collect()
}

/// The number of the account in an ARN.
pub(super) fn account_in(arn: &str) -> Option<String> {
    let field = arn.split(':').nth(4)?;
    is_account_id(field).then(|| field.to_owned())
}

/// The account of what is in the repository, where it is known: its number, or what its provider uses.
pub(super) fn account_of(graph: &Graph<'_>, node: NodeId) -> Option<String> {
    let resource = match &graph.nodes[node] {
        AccessNode::Identity(id) => graph.project.identities[*id].resource,
        AccessNode::Resource(id) | AccessNode::Contents(id) => *id,
        _ => return None,
    };
    graph.project.resources[resource].account.as_deref().map(str::to_owned)
}
