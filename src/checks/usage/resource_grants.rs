//! What the policies of resources grant to the code of the repository: within an account, one of the two policies is enough.
//! IAM User Guide, "Identity-based policies and resource-based policies".
//!
//! **Invariant:** the policy of a resource grants the actions of its service, on that resource, to those that it names. Where
//! a call does not say what it is about, the resource is one of the same template or folder; where it names what is not known,
//! any.

use std::sync::Arc;

use crate::iam::principal::{self, PrincipalOrigin};
use crate::iam::{Action, ActionSet, PolicyKind, PrincipalItem, Statement};
use crate::model::{Address, Resource};
use crate::project::targets::{ResourceRef, ResourceRefs};
use crate::project::{IdentityId, Project};
use crate::source::{is_within, parent_path};
use crate::value::Value;

/// What the policies of resources grant.
pub(super) struct ResourceGrants<'p> {
    project: &'p Project<'p>,
    grants: Vec<ResourceGrant<'p>>,
    /// Of all of them.
    actions: ActionSet,
}

struct ResourceGrant<'p> {
    actions: ActionSet,
    /// `None` where it is not all known.
    statement: Option<&'p Statement>,
    /// Where it stands; `None` for a policy on its own.
    at: Option<Placement<'p>>,
}

/// What is deployed with what.
#[derive(Clone, Copy)]
struct Placement<'p> {
    /// The template or root module.
    root: &'p str,
    folder: &'p str,
}

impl<'p> Placement<'p> {
    fn of(project: &'p Project<'_>, r: &'p Resource) -> Self {
        Self {
            root: r.address.root(),
            folder: parent_path(project.sources.path(r.header.file)),
        }
    }

    fn may_be_with(self, other: Placement<'_>) -> bool {
        self.root == other.root || is_within(self.folder, other.folder) || is_within(other.folder, self.folder)
    }
}

/// Whom a statement lets in of the roles of the repository.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LetsIn {
    /// This role, by its name.
    Named,
    /// Any of those that are deployed with it.
    Anyone,
    Others,
}

impl<'p> ResourceGrants<'p> {
    pub(super) fn new(project: &'p Project<'p>) -> Self {
        let mut grants = Vec::new();
        let documents = project.documents.iter_enumerated();
        for (id, d) in documents.filter(|(_, d)| d.kind == PolicyKind::Resource) {
            let at = d.resource.map(|r| Placement::of(project, &project.resources[r]));
            let of_service = d
                .service
                .as_ref()
                .map(|s: &Arc<str>| ActionSet::expand(&format!("{s}:*")));
            let granted = project.granted(id);
            for allowed in &granted.allowed {
                let mut actions = allowed.actions.clone();
                if let Some(of_service) = &of_service {
                    actions.intersect(of_service);
                }
                grants.push(ResourceGrant {
                    actions,
                    statement: d.statements.get(allowed.statement),
                    at,
                });
            }
            if let Some(actions) = of_service.filter(|_| !granted.unclear.is_empty()) {
                grants.push(ResourceGrant {
                    actions,
                    statement: None,
                    at,
                });
            }
        }
        let is_service = |r: &Resource| {
            let principal = r.get("Principal").and_then(Value::as_str);
            principal.is_some_and(|p| p.ends_with(".amazonaws.com"))
        };
        let permissions = project.resources.iter();
        for r in permissions.filter(|r| &*r.kind == "AWS::Lambda::Permission" && !is_service(r)) {
            grants.push(ResourceGrant {
                actions: ActionSet::expand("lambda:Invoke*"),
                statement: None,
                at: Some(Placement::of(project, r)),
            });
        }
        let mut actions = ActionSet::empty();
        grants.iter().for_each(|grant| actions.union_with(&grant.actions));
        Self {
            project,
            grants,
            actions,
        }
    }

    /// Whether the policy of a resource may let a role do this for a resource that is declared at `user`, on `places`: all that
    /// is known of what is asked for; empty where that is nothing.
    pub(super) fn may_grant(
        &self,
        role: IdentityId,
        user: &Resource,
        action: Action,
        (refs, places): (&ResourceRefs<'_>, &[ResourceRef]),
    ) -> bool {
        if !self.actions.contains(action.id()) {
            return false;
        }
        let here = Placement::of(self.project, user);
        self.grants
            .iter()
            .filter(|g| g.actions.contains(action.id()))
            .any(|grant| {
                let is_near = grant.at.is_none_or(|at| at.may_be_with(here));
                let Some(statement) = grant.statement else {
                    return is_near;
                };
                let is_elsewhere = |place: &ResourceRef| refs.grants_none_of(statement, std::slice::from_ref(place));
                if !places.is_empty() && places.iter().all(is_elsewhere) {
                    return false;
                }
                match self.lets_in(statement, role) {
                    LetsIn::Named => true,
                    LetsIn::Anyone => is_near || places.iter().any(|place| refs.names(statement, place)),
                    LetsIn::Others => false,
                }
            })
    }

    fn lets_in(&self, statement: &Statement, role: IdentityId) -> LetsIn {
        let Some(clause) = statement.principal.as_ref().filter(|p| p.complete && !p.negated) else {
            return LetsIn::Anyone;
        };
        let each = clause.items.iter().map(|item| self.lets_in_by(item, role));
        each.fold(LetsIn::Others, |all, one| match (all, one) {
            (LetsIn::Named, _) | (_, LetsIn::Named) => LetsIn::Named,
            (LetsIn::Anyone, _) | (_, LetsIn::Anyone) => LetsIn::Anyone,
            (LetsIn::Others, LetsIn::Others) => LetsIn::Others,
        })
    }

    fn lets_in_by(&self, item: &PrincipalItem, role: IdentityId) -> LetsIn {
        match principal::origin_of(item, self.project.own, None) {
            PrincipalOrigin::Service { .. }
            | PrincipalOrigin::AnyService
            | PrincipalOrigin::Oidc { .. }
            | PrincipalOrigin::Saml
            | PrincipalOrigin::Cognito
            | PrincipalOrigin::Federated(_)
            | PrincipalOrigin::CanonicalUser => LetsIn::Others,
            PrincipalOrigin::Resource(target) => {
                let is_target = |address: &Address| address.scope == target.scope && address.name == target.address;
                let address = |id: IdentityId| &self.project.resources[self.project.identities[id].resource].address;
                if is_target(address(role)) {
                    LetsIn::Named
                } else if self.project.identities.ids().any(|id| is_target(address(id))) {
                    LetsIn::Others
                } else {
                    LetsIn::Anyone
                }
            }
            _ => {
                let name = self.project.identities[role].name.as_ref();
                let text = item.value.text.with_placeholders();
                match name.map(|name| name.with_placeholders()) {
                    Some(name) if text.ends_with(&format!("/{name}")) => LetsIn::Named,
                    _ => LetsIn::Anyone,
                }
            }
        }
    }
}
