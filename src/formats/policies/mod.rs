//! From canonical resources and loose values to IAM documents: written once for all formats.
//!
//! **Invariant:** every value with the shape of a policy document becomes a document, whatever holds it; a property that
//! holds a policy by its name becomes one even when it is broken.

mod broken;
mod conditions;
mod document;
mod policy_properties;
mod statement;
mod suggest;

use std::sync::Arc;

use crate::iam::{Document, DocumentOrigin, DocumentUse, Owner, PolicyKind, SourceFormat, kind};
use crate::index::ResourceId;
use crate::model::{LoweredUnit, Resource, UnattachedPolicy, resource_types};
use crate::phrase::{MAX_LABEL, clip};
use crate::source::{HoleKind, Problem, ProblemKind, Span, Text};
use crate::value::guard::combined;
use crate::value::{Provenance, Value, ValueKind};

use super::{data, recognize};
use document::PolicySlot;
pub use suggest::suggestion_of_path;
use suggest::{infer_endpoint, suggest, suggestion_of_name};

/// Properties are searched this deep for policies: all that parsers let pass.
const MAX_DEPTH: usize = 100;

/// So many objects before a document are asked whose account it is in.
const MAX_NESTED_HOMES: usize = 32;

/// Fills [`LoweredUnit::documents`] from the unit's resources and loose values.
pub fn lower(unit: &mut LoweredUnit) {
    let mut found = FoundPolicies::default();
    for (i, resource) in unit.resources.iter_enumerated() {
        let mut search = PolicySearch {
            resource,
            index: i,
            via: None,
            found: &mut found,
        };
        match policy_properties::lone_statement(resource) {
            Some(document) => search.policy(&document, "Statement", Some(PolicyKind::Resource)),
            None => search.walk(&resource.props, &mut String::new(), 0),
        }
    }
    for loose in &unit.loose {
        found.add_unattached(loose);
    }
    unit.homes
        .sort_by_key(|(around, _)| (around.start, std::cmp::Reverse(around.end)));
    for document in &mut found.documents {
        let before = unit
            .homes
            .partition_point(|(around, _)| around.start <= document.span.start);
        // The innermost says it.
        let mut near = unit.homes[..before].iter().rev().take(MAX_NESTED_HOMES);
        let home = near.find(|(around, _)| around.contains(document.span));
        let Some((_, account)) = home else { continue };
        let principals = document.statements.iter_mut().filter_map(|s| s.principal.as_mut());
        for item in principals.flat_map(|clause| &mut clause.items) {
            item.home = Some(account.clone());
        }
    }
    unit.documents.append(&mut found.documents);
    unit.unread.append(&mut found.unread);
    unit.problems.append(&mut found.problems);
}

/// A managed policy of AWS as a document. All its spans are [`Span::NOWHERE`]: findings point at what refers to it.
pub fn aws_managed(name: &str, json: &str) -> Option<Document> {
    let (value, _) = data::embedded(&Text::synthetic(json, Span::NOWHERE), Span::NOWHERE)?;
    let slot = PolicySlot {
        kind: PolicyKind::Identity,
        service: None,
        format: SourceFormat::Json,
        origin: DocumentOrigin::AwsManaged(Arc::from(name)),
        owner: None,
        resource: None,
        used_at: Vec::new(),
        branch: None,
    };
    document::documents(&value, &slot).into_iter().next()
}

/// A policy that is known to be one, in which no text stands for another; `None` where it is not an object.
pub fn literal(value: &Value, kind: PolicyKind) -> Option<Document> {
    let slot = PolicySlot {
        kind,
        service: None,
        format: SourceFormat::Json,
        origin: DocumentOrigin::Written,
        owner: None,
        resource: None,
        used_at: Vec::new(),
        branch: None,
    };
    document::literal(value, &slot)
}

#[derive(Default)]
struct FoundPolicies {
    documents: Vec<Document>,
    unread: Vec<Document>,
    problems: Vec<Problem>,
}

struct PolicySearch<'a> {
    resource: &'a Resource,
    index: ResourceId,
    /// How what holds the value at hand came here.
    via: Provenance,
    found: &'a mut FoundPolicies,
}

impl PolicySearch<'_> {
    fn walk(&mut self, value: &Value, path: &mut String, depth: usize) {
        if depth > MAX_DEPTH || policy_properties::is_foreign(self.resource) || recognize::is_pattern_property(path) {
            return;
        }
        let known = if path.is_empty() {
            None
        } else {
            policy_properties::kind_at(self.resource, path)
        };
        if let Some(kind) = known {
            self.policy(value, path, Some(kind));
            return;
        }
        let outer = self.via.clone();
        if value.via.is_some() {
            self.via.clone_from(&value.via);
        }
        self.search(value, path, depth);
        self.via = outer;
    }

    fn search(&mut self, value: &Value, path: &mut String, depth: usize) {
        match &value.kind {
            ValueKind::Map(_) if recognize::is_policy(value) => self.policy(value, path, None),
            ValueKind::Map(entries) => {
                for e in entries.iter() {
                    let Some(name) = e.key.known() else { continue };
                    let len = path.len();
                    if !path.is_empty() {
                        path.push('/');
                    }
                    path.push_str(&name);
                    self.walk(&e.value, path, depth + 1);
                    path.truncate(len);
                }
            }
            ValueKind::Seq(items) => {
                for (i, item) in items.iter().enumerate() {
                    let len = path.len();
                    if !path.is_empty() {
                        path.push('/');
                    }
                    path.push_str(&i.to_string());
                    self.walk(item, path, depth + 1);
                    path.truncate(len);
                }
            }
            ValueKind::OneOf(branches) => {
                for b in branches.iter() {
                    self.walk(&b.value, path, depth + 1);
                }
            }
            ValueKind::Json(inner) => self.walk(inner, path, depth + 1),
            ValueKind::Str(text) => {
                if recognize::may_be_policy_text(&text.with_placeholders()) {
                    self.policy(value, path, None);
                }
            }
            ValueKind::Unknown(hole) => {
                // A list of policies, or one of them, of which nothing is known. What a parameter gives of managed ones is
                // an ARN; what could not be evaluated may be any policy.
                let managed = path.starts_with("ManagedPolicyArns") && hole.kind == HoleKind::Other;
                let kind = policy_properties::kind_below(self.resource, path).filter(|_| !path.is_empty());
                let kind = kind.or(managed.then_some(PolicyKind::Identity));
                let named = || recognize::is_policy_property(&self.resource.type_name, path);
                if let Some(kind) = kind.or_else(|| named().then_some(PolicyKind::Resource)) {
                    self.policy(value, path, Some(kind));
                }
            }
            ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) => {}
        }
    }

    fn policy(&mut self, value: &Value, path: &str, kind: Option<PolicyKind>) {
        let r = self.resource;
        let template = sam_origin(r, path);
        let slot = PolicySlot {
            kind: kind.unwrap_or(PolicyKind::Unknown),
            service: resource_types::service_of(&r.kind).map(Arc::from),
            format: r.format,
            origin: template.unwrap_or(DocumentOrigin::Written),
            owner: Some(Owner {
                scope: r.address.scope.clone(),
                address: r.address.name.clone(),
                type_name: r.type_name.clone(),
                attribute: Arc::from(path),
            }),
            resource: Some(self.index),
            used_at: Vec::new(),
            branch: r.branch.clone(),
        };
        let before = self.found.documents.len();
        self.found.values(value, &slot, kind.is_some(), 0);
        if kind.is_some() {
            document::add_unknown_document(value, &slot, &mut self.found.unread);
        }
        let via = if value.via.is_some() { &value.via } else { &self.via };
        for d in &mut self.found.documents[before..] {
            infer_kind(d);
            d.used_at = document_uses(via, r, d);
        }
    }
}

/// The SAM policy template that a policy was expanded from; the property, for a trust policy or a connector's policy
/// that the SAM translator makes; the grant of the CDK; or what the translator wrote it for.
fn sam_origin(r: &Resource, path: &str) -> Option<DocumentOrigin> {
    let holder = path.rsplit_once('/').map_or("", |(holder, _)| holder);
    let mut at = &r.props;
    for part in holder.split('/').filter(|part| !part.is_empty()) {
        at = match part.parse::<usize>() {
            Ok(i) => at.as_seq()?.get(i)?,
            Err(_) => at.get(part)?,
        };
    }
    let name = |property: &str| Some(Arc::from(&*at.get(property)?.as_str()?));
    name("SamTemplate")
        .map(DocumentOrigin::SamTemplate)
        .or_else(|| name("CdkGrant").map(DocumentOrigin::CdkGrant))
        .or_else(|| name("GeneratedFor").map(DocumentOrigin::Generated))
}

/// The places through which a document came to its resource, when they are not inside it.
fn document_uses(via: &Provenance, r: &Resource, d: &Document) -> Vec<DocumentUse> {
    let outside = |s: Span| !s.contains(d.span) && !d.span.contains(s);
    let mut out = Vec::new();
    let mut at = via;
    while let Some(step) = at {
        if outside(step.span) {
            let what = match d.kind {
                PolicyKind::Trust => "trust policy of",
                PolicyKind::Resource => "resource policy of",
                _ => "used here by",
            };
            out.push(DocumentUse {
                span: step.span,
                what: clip(&format!("{what} {}", r.address.name), MAX_LABEL),
            });
        }
        at = &step.from;
    }
    if out.is_empty() && !r.extent.contains(d.span) && outside(r.header) {
        out.push(DocumentUse {
            span: r.header,
            what: clip(&format!("used here by {}", r.address.name), MAX_LABEL),
        });
    }
    out.truncate(3);
    out.reverse();
    out
}

impl FoundPolicies {
    /// Documents of a value that is a policy, or of the JSON it holds as text.
    fn values(&mut self, value: &Value, slot: &PolicySlot, certain: bool, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match &value.kind {
            ValueKind::Str(text) => self.embedded(text, value, slot, certain),
            ValueKind::Json(inner) => self.values(inner, slot, certain, depth + 1),
            ValueKind::OneOf(branches) => {
                for b in branches.iter() {
                    let slot = PolicySlot {
                        branch: Some(combined(slot.branch.as_ref(), &b.when)),
                        ..slot.clone()
                    };
                    self.values(&b.value, &slot, certain, depth + 1);
                }
            }
            _ => self.documents.extend(document::documents(value, slot)),
        }
    }

    fn embedded(&mut self, text: &Text, value: &Value, slot: &PolicySlot, certain: bool) {
        if text.as_hole().is_some() || text.is_empty() {
            return;
        }
        match data::embedded(text, value.span) {
            // A property that no one knows to hold a policy may hold anything else.
            Some((inner, problems)) if certain || recognize::is_policy_file(&inner) => {
                self.problems.extend(problems.into_iter().map(|mut p| {
                    // Whether the text is used as a policy is not certain.
                    if !certain && p.kind == ProblemKind::PolicyJson {
                        p.kind = ProblemKind::PolicyText;
                    }
                    p
                }));
                self.documents.extend(document::documents(&inner, slot));
            }
            Some(_) => {}
            // A reference to something that is not here stays unknown; a literal that is no JSON is broken.
            None if certain && text.is_known() => self.problems.push(
                Problem::new(ProblemKind::PolicyJson, value.span, "this policy is not JSON").embedded_in(value.span),
            ),
            None => {}
        }
    }

    fn add_unattached(&mut self, loose: &UnattachedPolicy) {
        let slot = PolicySlot {
            kind: loose.kind.unwrap_or(PolicyKind::Unknown),
            service: loose.service.clone(),
            format: loose.format,
            origin: DocumentOrigin::Written,
            owner: loose.name.as_ref().map(|n| Owner {
                scope: n.scope.clone(),
                address: n.name.clone(),
                type_name: loose.type_name.clone(),
                attribute: Arc::from(""),
            }),
            resource: None,
            used_at: Vec::new(),
            branch: None,
        };
        let before = self.documents.len();
        self.values(&loose.value, &slot, false, 0);
        if loose.kind.is_some() {
            document::add_unknown_document(&loose.value, &slot, &mut self.unread);
        }
        for d in &mut self.documents[before..] {
            if d.kind == PolicyKind::Unknown {
                let by_name = || loose.name.as_ref().and_then(|n| suggestion_of_name(&n.name));
                suggest(d, loose.suggested.or_else(by_name));
            }
            infer_kind(d);
            if d.kind == PolicyKind::Identity {
                d.holders.clone_from(&loose.holders);
            }
            d.roles.clone_from(&loose.roles);
        }
    }
}

/// What no slot decided, the shape decides.
fn infer_kind(d: &mut Document) {
    if d.kind == PolicyKind::Unknown {
        let (kind, service) = kind::kind_by_shape(&d.statements);
        d.kind = kind;
        d.service = service.or_else(|| d.service.take());
        infer_endpoint(d);
    }
    if d.format == SourceFormat::Text {
        d.format = SourceFormat::Json;
    }
}
