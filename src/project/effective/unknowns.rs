//! Why an identity may have more permissions than can be seen.

use crate::project::{Identity, Project};
use crate::source::Span;
use crate::value::{Value, ValueKind};

/// Something that may grant more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    pub span: Span,
    pub why: UnknownPolicies,
}

/// What cannot be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnknownPolicies {
    /// A policy that is not in the repository, or whose reference is not known.
    Elsewhere,
    /// A managed policy that AWS does not have, or keeps from view.
    NotShownByAws,
    /// An inline policy whose text is not known.
    NoDocument,
    /// Actions, an effect or statements that are not known.
    Unclear,
    /// A group that is not in the repository.
    GroupElsewhere,
    /// A policy that is put on some identity of this kind, and nothing says on which; a macro or a plugin may put one there.
    Unplaced,
    /// Code hands the identity on, to something that may give it more.
    GivenToCode,
}

impl UnknownPolicies {}

impl Gap {
    pub(super) fn new(span: Span, why: UnknownPolicies) -> Self {
        Self { span, why }
    }
}

/// What the identity's own resource and the attachments of its scope leave open.
pub(in crate::project) fn gaps_of_identity(project: &Project<'_>, identity: &Identity) -> Vec<Gap> {
    let r = &project.resources[identity.resource];
    let mut out = Vec::new();
    for inline in ["Policies", "InlinePolicy"].iter().filter_map(|p| r.get(p)) {
        collect_unreadable(inline, 0, &mut out);
    }
    let places = r.get("Widened").map(Value::items).unwrap_or_default();
    out.extend(places.iter().map(|v| Gap::new(v.span, UnknownPolicies::GivenToCode)));
    let key = (identity.kind, r.address.scope.clone());
    if let Some(span) = project.unplaced.get(&key) {
        out.push(Gap::new(*span, UnknownPolicies::Unplaced));
    }
    out
}

/// Policies without a text that can be read: lists, conditionals and `{PolicyName, PolicyDocument}` are followed.
fn collect_unreadable(value: &Value, depth: usize, out: &mut Vec<Gap>) {
    match &value.kind {
        ValueKind::Unknown(_) => out.push(Gap::new(value.span, UnknownPolicies::NoDocument)),
        ValueKind::Str(text) if !text.is_known() && text.as_hole().is_some() => {
            out.push(Gap::new(value.span, UnknownPolicies::NoDocument));
        }
        ValueKind::Seq(items) if depth < 8 => items.iter().for_each(|v| collect_unreadable(v, depth + 1, out)),
        ValueKind::OneOf(branches) if depth < 8 => branches
            .iter()
            .for_each(|b| collect_unreadable(&b.value, depth + 1, out)),
        ValueKind::Map(_) => {
            if let Some(document) = value.get("PolicyDocument") {
                collect_unreadable(document, depth + 1, out);
            }
        }
        _ => {}
    }
}
