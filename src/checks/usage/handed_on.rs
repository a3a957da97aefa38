//! What is handed on: resources, mostly roles, whose names or ARNs are given to something that is not read and may use them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::references::is_in_policy;
use crate::model::{Address, Resource, kinds};
use crate::project::{IdentityId, Project, RoleGap};
use crate::source::{Span, Text};
use crate::value::Value;

/// Fewest letters and digits of the name of an output that a parameter elsewhere may be called after.
const MIN_NAME: usize = 6;

/// What is handed on, with the place where it first is.
pub(super) struct HandedOn {
    /// By scope and name.
    resources: BTreeMap<(Arc<str>, Arc<str>), Span>,
    /// By the name of the role, as text.
    names: BTreeMap<String, Span>,
}

impl HandedOn {
    pub(super) fn new(project: &Project<'_>) -> Self {
        let mut out = Self {
            resources: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        let gaps = open_roles(project);
        for r in &project.resources {
            if let Some(place) = r.get("HandedOn") {
                let own = (r.address.scope.clone(), r.address.name.clone());
                out.resources.entry(own).or_insert(place.span);
            }
            match &*r.kind {
                kinds::OUTPUT => {
                    let is_taken = || {
                        let name = r.get("Name").and_then(Value::as_str);
                        let name = name.map_or_else(|| normalized(&r.address.name), |name| normalized(&name));
                        let place = project.sources.path(r.header.file);
                        name.len() >= MIN_NAME && gaps.iter().any(|gap| gap.is_filled_by(&name, place))
                    };
                    if let Some(value) = r.get("Value").filter(|_| r.get("Export").is_some() || is_taken()) {
                        out.add(project, value, &|_| true);
                    }
                }
                _ if names_no_user(r) => {}
                _ => out.add_settings(project, r),
            }
        }
        // A role that is named with parts that are not known may be this one.
        for w in &project.workloads {
            if let Some(RoleGap::Unknown(named) | RoleGap::Elsewhere(named)) = &w.role_gap
                && let Some((_, name)) = named.rsplit_once('/')
            {
                let at = project.resources[w.resource].header;
                out.names.entry(name.to_owned()).or_insert(at);
            }
        }
        out
    }

    fn add_settings(&mut self, project: &Project<'_>, r: &Resource) {
        if takes_anything(r) {
            self.add(project, &r.props, &|_| true);
            return;
        }
        for e in r.props.entries().unwrap_or(&[]) {
            let key = e.key.display();
            match &*key {
                "Environment" => self.add(project, &e.value, &|_| true),
                "Parameters" if is_stack(r) => {
                    if !is_read(project, r) {
                        self.add(project, &e.value, &|_| true);
                    }
                }
                _ => self.add(project, &e.value, &|inner| {
                    !is_of_a_service(if inner.is_empty() { &key } else { inner })
                }),
            }
        }
    }

    /// Whatever the texts of `value` name, where the key that is nearest to it counts.
    fn add(&mut self, project: &Project<'_>, value: &Value, counts: &dyn Fn(&str) -> bool) {
        value.each_setting(&mut |key, v| {
            let Some(text) = v.to_text() else { return };
            let mut targets = text.holes().filter_map(|h| h.target.as_ref()).peekable();
            let name = role_name(&text, key);
            if targets.peek().is_none() && name.is_none() || !counts(key) || is_in_policy(project, v.span) {
                return;
            }
            for t in targets {
                let named = (t.scope.clone(), t.address.clone());
                self.resources.entry(named).or_insert(v.span);
            }
            if let Some(name) = name {
                self.names.entry(name).or_insert(v.span);
            }
        });
    }

    /// Where the name or ARN of a resource is first handed on.
    pub(super) fn resource(&self, address: &Address) -> Option<Span> {
        let key = (address.scope.clone(), address.name.clone());
        self.resources.get(&key).copied()
    }

    /// As [`HandedOn::resource`], also by its name where that is only text.
    pub(super) fn role(&self, project: &Project<'_>, role: IdentityId) -> Option<Span> {
        let identity = &project.identities[role];
        let by_name = || self.names.get(&identity.name.as_ref()?.display()).copied();
        self.resource(&project.resources[identity.resource].address)
            .or_else(by_name)
    }
}

/// Resources whose settings say what something may do to them or on whose behalf, or are only names.
fn names_no_user(r: &Resource) -> bool {
    r.namespace() == Some("IAM")
        || r.type_name.starts_with("aws_iam_")
        || matches!(
            &*r.kind,
            "AWS::Lambda::Permission" | kinds::PARAMETER | kinds::PROVIDER | kinds::BACKEND | kinds::ATTACHMENT
        )
}

/// Code that is not known gets all of the settings of a custom resource, a module gets its arguments, and anyone may read a
/// parameter or a secret: its keys are no properties.
fn takes_anything(r: &Resource) -> bool {
    match &*r.kind {
        kinds::HANDED_ON => !r.type_name.starts_with("aws_"),
        "AWS::CloudFormation::CustomResource" | "AWS::SSM::Parameter" => true,
        kind => kind.starts_with("Custom::") || kind.starts_with("AWS::SecretsManager::Secret"),
    }
}

fn is_stack(r: &Resource) -> bool {
    matches!(&*r.kind, "AWS::CloudFormation::Stack" | "AWS::CloudFormation::StackSet")
}

/// Whether the template of a stack is read: a file, or what stands in it.
fn is_read(project: &Project<'_>, stack: &Resource) -> bool {
    stack.has("TemplatePath") || {
        let inside = format!("{}#{}", stack.address.scope, stack.address.name);
        project.resources.iter().any(|r| *r.address.scope == *inside)
    }
}

/// Whether a property names who may do something, or the role that a service assumes: a trust policy says which of them can
/// have the role.
fn is_of_a_service(key: &str) -> bool {
    let key = normalized(key);
    ["role", "roles", "rolearn", "rolearns", "roleid", "userarn"]
        .iter()
        .any(|end| key.ends_with(end))
        || ["credentials", "principal", "policy", "policies", "dependson"]
            .iter()
            .any(|part| key.contains(part))
}

/// The name of a role that a text gives: of an ARN, or of a setting that says so.
fn role_name(text: &Text, key: &str) -> Option<String> {
    let shown = text.display();
    let of_arn = shown.rsplit_once(":role/").map(|(_, path)| path);
    let name = of_arn.or_else(|| normalized(key).contains("role").then_some(&*shown))?;
    let name = name.rsplit('/').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// What the role of a workload is taken from that has no value here.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct OpenRole<'p> {
    taken: String,
    path: &'p str,
}

impl OpenRole<'_> {
    /// Whether it may be the output `name` of the file at `path`: what lies in another folder of the repository is another
    /// application.
    fn is_filled_by(&self, name: &str, path: &str) -> bool {
        let top = |path: &str| path.split_once('/').map(|(folder, _)| folder.to_owned());
        let near = match (top(self.path), top(path)) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        near && self.taken.ends_with(name)
    }
}

fn open_roles<'p>(project: &'p Project<'_>) -> Vec<OpenRole<'p>> {
    let unknown = project.workloads.iter().filter_map(|w| match &w.role_gap {
        Some(RoleGap::Unknown(taken)) => Some(OpenRole {
            taken: normalized(taken),
            path: project.sources.path(project.resources[w.resource].header.file),
        }),
        _ => None,
    });
    let mut out: Vec<_> = unknown.collect();
    out.sort();
    out.dedup();
    out
}

/// Letters and digits, in lower case.
fn normalized(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_ascii_alphanumeric());
    kept.map(|c| c.to_ascii_lowercase()).collect()
}
