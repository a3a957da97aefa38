//! SAM policy templates and AWS managed policies, and narrower replacements.

use serde_json::Value as Json;

use crate::iam::cdk::{CdkGrant, cdk_grant, cdk_grants};
use crate::iam::{ActionSet, catalogue};
use crate::rules::{RuleId, ids};

/// Statements under one name, which someone else wrote.
pub(super) enum PolicyBundle<'n> {
    /// A SAM policy template.
    Template(&'n str),
    /// A method of a construct of the CDK: class and method.
    Grant(&'n str, &'n str),
}

impl<'n> PolicyBundle<'n> {
    pub(super) fn template(name: &'n str) -> Self {
        Self::Template(name)
    }

    /// `Table.grant_read_data`.
    pub(super) fn grant(name: &'n str) -> Self {
        let (class, method) = name.rsplit_once('.').unwrap_or(("", name));
        Self::Grant(class, method)
    }

    pub(super) fn name(&self) -> &'n str {
        match self {
            Self::Template(name) | Self::Grant(_, name) => name,
        }
    }

    /// What it is, for a sentence.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Template(_) => "template",
            Self::Grant(..) => "call",
        }
    }

    pub(super) fn rule(&self) -> RuleId {
        match self {
            Self::Template(_) => ids::UNUSED_MANAGED_GRANT,
            Self::Grant(..) => ids::UNUSED_GRANT,
        }
    }

    /// What a method of the CDK grants, whatever its resource takes.
    pub(super) fn written_actions(&self) -> Option<ActionSet> {
        let Self::Grant(class, method) = self else { return None };
        Some(ActionSet::expand_all(cdk_grant(class, method)?.actions.iter().copied()))
    }

    /// Actions on something that has an ARN of its own: the stream of a table.
    pub(super) fn on_other_resources(&self) -> ActionSet {
        let other =
            |g: &CdkGrant| matches!(self, Self::Grant(class, _) if g.class == *class && g.method.contains("stream"));
        match self {
            Self::Grant(_, method) if !method.contains("stream") => {
                let others = cdk_grants().iter().filter(|g| other(g));
                ActionSet::expand_all(others.flat_map(|g| g.actions.iter().copied()))
            }
            _ => ActionSet::empty(),
        }
    }

    /// How many severity steps it is below a whole service: of a template, the rule says it.
    pub(super) fn severity_reduction(&self, granted: &ActionSet) -> u8 {
        let whole = |service: &str| ActionSet::expand(&format!("{service}:*")).is_subset(granted);
        match self {
            Self::Template(_) => 0,
            Self::Grant(..) if granted.services().into_iter().any(whole) => 0,
            Self::Grant(class, method) => {
                let row = cdk_grant(class, method);
                let patterns = row.is_some_and(|g| g.actions.iter().any(|a| a.contains('*')));
                2 - u8::from(patterns && granted.iter().any(|a| a.level().changes()))
            }
        }
    }

    /// What may stand in its place: it grants all of `needed`, and less than `all`, which this grants.
    pub(super) fn narrower(&self, needed: &ActionSet, all: &ActionSet) -> Option<&'static str> {
        match self {
            Self::Template(name) => narrower_template(name, needed, all),
            // What grants nothing that is needed goes.
            Self::Grant(..) if needed.is_empty() => None,
            Self::Grant(class, method) => narrower_grant(class, method, needed),
        }
    }
}

/// The narrowest method of a class that grants all of `needed`, and nothing but a part of what `method` does.
fn narrower_grant(class: &str, method: &str, needed: &ActionSet) -> Option<&'static str> {
    let set = |g: &CdkGrant| ActionSet::expand_all(g.actions.iter().copied());
    let all = set(cdk_grant(class, method)?);
    cdk_grants()
        .iter()
        .filter(|g| g.class == class)
        .map(|g| (set(g), g.method))
        .filter(|(set, _)| needed.is_subset(set) && set.is_subset(&all) && *set != all)
        .min_by_key(|(set, method)| (set.len(), *method))
        .map(|(_, method)| method)
}

/// The narrowest SAM policy template with the same parameters as `name` that grants all of `needed`, and nothing
/// outside
/// `all`, the actions of `name`.
fn narrower_template(name: &str, needed: &ActionSet, all: &ActionSet) -> Option<&'static str> {
    let own = parameters(name)?;
    catalogue()
        .sam_templates()
        .filter(|other| *other != name && parameters(other).as_ref() == Some(&own))
        .filter_map(|other| Some((granted_actions(catalogue().sam_template(other)?, "Definition"), other)))
        .filter(|(set, _)| needed.is_subset(set) && set.is_subset(all) && set != all)
        .min_by_key(|(set, other)| (set.len(), *other))
        .map(|(_, other)| other)
}

fn parameters(name: &str) -> Option<Vec<String>> {
    let template: Json = serde_json::from_str(catalogue().sam_template(name)?).ok()?;
    Some(template.get("Parameters")?.as_object()?.keys().cloned().collect())
}

/// The read-only AWS managed policy of the same family, if it is enough: `AmazonS3ReadOnlyAccess` for
/// `AmazonS3FullAccess`.
pub(super) fn narrower_policy(name: &str, needed: &ActionSet) -> Option<&'static str> {
    let family = name.strip_suffix("FullAccess")?;
    let policy = catalogue().managed_policy(&format!("{family}ReadOnlyAccess"))?;
    let set = granted_actions(policy.document_json().filter(|_| !policy.deprecated)?, "");
    needed.is_subset(&set).then_some(policy.name)
}

/// Actions in the Allow statements of a document, or of the document under `key`.
fn granted_actions(json: &str, key: &str) -> ActionSet {
    let Ok(json) = serde_json::from_str::<Json>(json) else {
        return ActionSet::empty();
    };
    ActionSet::allowed_by(json.get(key).unwrap_or(&json))
}
