//! Look-ups from names and addresses to resources and documents.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::iam::catalogue;
use crate::iam::managed::aws_managed_name;
use crate::model::{Resource, kinds};
use crate::project::{DocumentId, IdentityKind, PolicyRef, Project, ResourceId};
use crate::source::{HoleTarget, Piece, Text};
use crate::value::{Value, ValueKind};

/// What references can resolve to.
#[derive(Debug, Default)]
pub(in crate::project) struct ReferenceIndex {
    /// By scope and name.
    by_address: HashMap<(Arc<str>, Arc<str>), Vec<ResourceId>>,
    /// Physical names of managed policies of the repository.
    policy_names: BTreeMap<String, Vec<ResourceId>>,
    /// Physical names of identities.
    identity_names: BTreeMap<(IdentityKind, String), Vec<ResourceId>>,
    /// Documents by the resource that holds them.
    documents: BTreeMap<ResourceId, Vec<DocumentId>>,
    lookups: BTreeMap<ResourceId, Lookup>,
}

/// How many look-ups may name each other.
const MAX_LOOKUPS: usize = 8;

/// What a `data "aws_iam_policy"` looks for: one policy by its ARN, or by its name among those of the account and of AWS.
#[derive(Debug)]
struct Lookup {
    arn: Option<Value>,
    name: Option<String>,
    path: Option<String>,
}

impl Lookup {
    fn new(r: &Resource) -> Self {
        Self {
            arn: r.get("Arn").filter(|v| !v.is_null()).cloned(),
            name: r.get("Name").and_then(known_text),
            path: r.get("PathPrefix").and_then(known_text),
        }
    }
}

pub(super) fn identity_kind(kind: &str) -> Option<IdentityKind> {
    match kind {
        "AWS::IAM::Role" => Some(IdentityKind::Role),
        "AWS::IAM::User" => Some(IdentityKind::User),
        "AWS::IAM::Group" => Some(IdentityKind::Group),
        "AWS::SSO::PermissionSet" => Some(IdentityKind::PermissionSet),
        _ => None,
    }
}

/// The property that holds an identity's physical name.
pub(super) fn name_property(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::Role => "RoleName",
        IdentityKind::User => "UserName",
        IdentityKind::Group => "GroupName",
        IdentityKind::PermissionSet => "Name",
    }
}

impl ReferenceIndex {
    pub(super) fn new(project: &Project<'_>) -> Self {
        let mut index = Self::default();
        for (id, r) in project.resources.iter_enumerated() {
            let key = (r.address.scope.clone(), r.address.name.clone());
            index.by_address.entry(key).or_default().push(id);
            if let Some(kind) = identity_kind(&r.kind)
                && let Some(name) = r.get(name_property(kind)).and_then(known_text)
            {
                index.identity_names.entry((kind, name)).or_default().push(id);
            }
            if &*r.kind == "AWS::IAM::ManagedPolicy"
                && let Some(name) = r
                    .get("ManagedPolicyName")
                    .or_else(|| r.get("PolicyName"))
                    .and_then(known_text)
            {
                index.policy_names.entry(name).or_default().push(id);
            }
            if &*r.kind == kinds::POLICY_LOOKUP {
                index.lookups.insert(id, Lookup::new(r));
            }
        }
        for (id, d) in project.documents.iter_enumerated() {
            if let Some(r) = d.resource {
                index.documents.entry(r).or_default().push(id);
            }
        }
        index
    }

    pub(super) fn documents_of(&self, resource: ResourceId) -> &[DocumentId] {
        self.documents.get(&resource).map_or(&[], Vec::as_slice)
    }

    /// The resources that a reference names.
    pub(in crate::project) fn target(&self, target: &HoleTarget) -> &[ResourceId] {
        let key = (target.scope.clone(), target.address.clone());
        self.by_address.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The identities that `value` names: a reference, a physical name, or an ARN of this account.
    pub(super) fn identities(&self, kind: IdentityKind, value: &Value) -> Vec<ResourceId> {
        if let Some(target) = target_of(value) {
            return self.target(target).to_vec();
        }
        let Some(text) = value.as_text() else {
            return Vec::new();
        };
        let Some(name) = last_known_part(text) else {
            return Vec::new();
        };
        self.identity_names.get(&(kind, name)).cloned().unwrap_or_default()
    }

    /// What a managed policy reference stands for.
    pub(super) fn policy(&self, value: &Value) -> PolicyRef {
        self.policy_through(value, 0)
    }

    fn policy_through(&self, value: &Value, lookups: usize) -> PolicyRef {
        if let Some(target) = target_of(value) {
            let targets = self.target(target);
            if let Some(found) = self.documents_of_all(targets) {
                return found;
            }
            let looked_up = targets.iter().filter_map(|r| self.lookups.get(r));
            for lookup in looked_up.take(usize::from(lookups < MAX_LOOKUPS)) {
                let found = match (&lookup.arn, &lookup.name) {
                    (Some(arn), _) => Some(self.policy_through(arn, lookups + 1)),
                    (None, Some(name)) => self.policy_named(name, lookup.path.as_deref()),
                    (None, None) => None,
                };
                if let Some(found) = found.filter(|f| !matches!(f, PolicyRef::Elsewhere(_))) {
                    return found;
                }
            }
        }
        let Some(text) = value.as_text() else {
            let text = match &value.kind {
                ValueKind::Unknown(h) => Text::from_pieces([Piece::Hole(h.clone())]),
                _ => Text::default(),
            };
            return PolicyRef::Elsewhere(text);
        };
        if let Some(name) = aws_managed_name(text) {
            return PolicyRef::AwsManaged(name.into());
        }
        last_known_part(text)
            .and_then(|name| self.documents_of_all(self.policy_names.get(&name)?))
            .unwrap_or_else(|| PolicyRef::Elsewhere(text.clone()))
    }

    /// A policy of the repository with this name, or else the one of AWS under this path.
    fn policy_named(&self, name: &str, path: Option<&str>) -> Option<PolicyRef> {
        if let Some(resources) = self.policy_names.get(name) {
            return self.documents_of_all(resources);
        }
        let policy = catalogue().managed_policy(name).filter(|p| p.name == name)?;
        let full = policy.arn.split_once(":policy")?.1;
        (full.starts_with(path.unwrap_or("/"))).then(|| PolicyRef::AwsManaged(full.trim_start_matches('/').into()))
    }

    fn documents_of_all(&self, resources: &[ResourceId]) -> Option<PolicyRef> {
        let all: Vec<_> = resources.iter().flat_map(|r| self.documents_of(*r)).copied().collect();
        (!all.is_empty()).then_some(PolicyRef::Documents(all))
    }
}

fn known_text(value: &Value) -> Option<String> {
    value.as_str().map(|s| s.into_owned()).filter(|s| !s.is_empty())
}

/// The resource that a whole value refers to.
pub(super) fn target_of(value: &Value) -> Option<&HoleTarget> {
    value.as_hole()?.target.as_ref()
}

/// As [`last_known_part`], of a text without holes.
pub(super) fn last_known_name(text: &str) -> Option<&str> {
    text.rsplit(['/', ':']).next().filter(|last| !last.is_empty())
}

/// `name` of `name`, of `path/name` and of `arn:…:role/path/name`; the last part must be known.
pub(super) fn last_known_part(text: &Text) -> Option<String> {
    let flat = text.with_placeholders();
    let last = last_known_name(&flat)?;
    last.chars()
        .all(|c| Text::placeholder(c).is_none())
        .then(|| last.to_owned())
}
