//! The policies that apply to a request by or to what the repository declares.

use std::borrow::Cow;

use super::effective::Effective;
use super::{AwsManaged, Identity, IdentityId, PolicyRef, PolicyUse, RepositoryPlace, ResourceId};
use crate::access::{PolicyGroup, RequestPolicies};
use crate::iam::{ActionSet, Document, PolicyKind, Statement};
use crate::model::Resource;
use crate::source::Text;
use crate::value::Value;

/// The policies that apply to a request, with what is known filled in.
#[derive(Debug, Default)]
pub struct RequestDocuments {
    identity: FilledPolicies,
    resource: FilledPolicies,
    boundary: Option<FilledPolicies>,
    scp: Vec<FilledPolicies>,
    rcp: Vec<FilledPolicies>,
}

/// See [`PolicyGroup`].
#[derive(Debug, Default)]
struct FilledPolicies {
    documents: Vec<Document>,
    is_open: bool,
    allows_all: bool,
}

impl FilledPolicies {
    fn group(&self) -> PolicyGroup<'_> {
        PolicyGroup {
            is_open: self.is_open,
            allows_all: self.allows_all,
            ..PolicyGroup::of(&self.documents)
        }
    }
}

impl RequestDocuments {
    pub fn policies(&self) -> RequestPolicies<'_> {
        RequestPolicies {
            identity: self.identity.group(),
            resource: self.resource.group(),
            boundary: self.boundary.as_ref().map(FilledPolicies::group),
            scp: self.scp.iter().map(FilledPolicies::group).collect(),
            rcp: self.rcp.iter().map(FilledPolicies::group).collect(),
            ..RequestPolicies::default()
        }
    }

    /// Nothing is known of the policies of the caller, who is not of the repository.
    pub fn open_identity(&mut self) {
        self.identity.is_open = true;
    }

    /// Nothing is known of a policy on the resource, which the repository does not declare.
    pub fn open_resource(&mut self) {
        self.resource.is_open = true;
    }

    /// With a policy on the resource that is in none of the documents of the repository.
    pub fn add_resource_policy(&mut self, document: Document) {
        self.resource.documents.push(document);
    }

    /// The items of `Resource` of the caller's policies that may allow the action, as they are known.
    pub fn allowed_resources(&self, action: &str) -> Vec<String> {
        let asked = ActionSet::expand(action);
        let statements = self.identity.documents.iter().flat_map(|d| &d.statements);
        let allows = statements.filter(|s| s.is_written_as_allow());
        let may_allow = |s: &&Statement| s.action_clauses().all(|clause| clause.may_name_any(&asked));
        let allows = allows.filter(|s| asked.is_empty() || may_allow(s));
        let clauses = allows.filter_map(|s| s.resource.as_ref()).filter(|c| !c.negated);
        let known = clauses.flat_map(|c| &c.items).filter_map(|i| i.text.known());
        let mut out: Vec<String> = known.map(Cow::into_owned).collect();
        out.sort();
        out.dedup();
        out
    }
}

impl RepositoryPlace<'_> {
    /// The policies that apply to a request by an identity of the repository, or by another, to a resource.
    pub fn documents(&self, who: Option<IdentityId>, on: &[ResourceId]) -> RequestDocuments {
        let mut out = RequestDocuments::default();
        if let Some(id) = who {
            let identity = &self.project().identities[id];
            out.identity = self.of_identity(identity);
            out.identity.is_open |= !Effective::new(self.project(), id).gaps.is_empty();
            out.boundary = identity.boundary.as_ref().map(|used| {
                let mut policies = FilledPolicies::default();
                self.add(used, &mut policies);
                policies
            });
            out.scp = self.levels(identity.resource);
        }
        for id in on {
            self.add_resource_policies(*id, &mut out.resource);
        }
        out.rcp = self.above_resources(on).into_iter().collect();
        out
    }

    /// The resource control policies above resources; above what is not declared, those of the account that the question is
    /// about.
    fn above_resources(&self, on: &[ResourceId]) -> Option<FilledPolicies> {
        let project = self.project();
        let is_managed = |id: &ResourceId| project.management.contains(project.resources[*id].address.root());
        let all = &project.resource_control_policies;
        (!all.is_empty() && !on.iter().any(is_managed)).then(|| FilledPolicies {
            documents: all.iter().map(|d| self.document(&project.documents[*d])).collect(),
            allows_all: true,
            ..FilledPolicies::default()
        })
    }

    fn of_identity(&self, identity: &Identity) -> FilledPolicies {
        let mut out = FilledPolicies::default();
        for used in self.project().policies_of(identity) {
            self.add(used, &mut out);
        }
        out
    }

    fn add(&self, used: &PolicyUse, out: &mut FilledPolicies) {
        match &used.policy {
            PolicyRef::Documents(ids) => {
                for id in ids {
                    let document = &self.project().documents[*id];
                    out.is_open |= document.open;
                    out.documents.push(self.document(document));
                }
            }
            PolicyRef::AwsManaged(name) => match AwsManaged::by_name(name) {
                Some(policy) => out.documents.push(policy.document().clone()),
                None => out.is_open = true,
            },
            PolicyRef::Elsewhere(_) => out.is_open = true,
        }
    }

    /// The service control policies above a resource, by level.
    fn levels(&self, resource: ResourceId) -> Vec<FilledPolicies> {
        let levels = self.project().levels_above(resource).into_iter();
        let filled = levels.map(|(documents, allows_all)| FilledPolicies {
            documents: documents.into_iter().map(|d| self.document(d)).collect(),
            allows_all,
            ..FilledPolicies::default()
        });
        filled.collect()
    }

    /// The trust policy of a role, and the policies that are on a resource or that another resource puts on it.
    fn add_resource_policies(&self, id: ResourceId, out: &mut FilledPolicies) {
        if let Some(identity) = self.project().identity_of(id) {
            let trust = self.project().identities[identity].trust.iter();
            out.documents
                .extend(trust.map(|d| self.document(&self.project().documents[*d])));
            return;
        }
        let name = self.name(id, 0);
        let arn = self.arn(id);
        for document in &self.project().documents {
            let on = document.resource.filter(|_| document.kind == PolicyKind::Resource);
            let Some(on) = on else { continue };
            if on == id || self.names(&self.project().resources[on], id, name.as_deref(), arn.as_deref()) {
                out.is_open |= document.open;
                out.documents.push(self.document(document));
            }
        }
    }

    /// Whether a resource that holds a policy names the resource with this name and ARN as what it is on.
    fn names(&self, holder: &Resource, id: ResourceId, name: Option<&str>, arn: Option<&str>) -> bool {
        let entries = holder.props.entries().unwrap_or(&[]);
        let values = entries.iter().flat_map(|e| e.value.items());
        let is_it = |value: &Value| {
            let target = value.as_hole().and_then(|h| h.target.as_ref());
            if target.is_some_and(|t| self.project().resources_at(t).contains(&id)) {
                return true;
            }
            let text = value.as_text().map(|t| self.filled(t, 0));
            let known = text.as_ref().and_then(Text::known);
            known.is_some_and(|t| Some(&*t) == arn || Some(&*t) == name)
        };
        // A policy on a bucket is no policy on a queue of the same name.
        holder.namespace() == self.project().resources[id].namespace() && values.into_iter().any(is_it)
    }
}
