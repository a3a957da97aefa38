//! A value to a policy document.
//!
//! Grammar: IAM User Guide, "Grammar of the IAM JSON policy language". What deviates is a [`Defect`]; what is not known
//! stays unknown, and the document says that it is not complete.

use std::sync::Arc;

use crate::iam::{
    ClauseItem, Defect, DefectKind, Document, DocumentOrigin, DocumentUse, Owner, POLICY_ELEMENTS, PolicyKind,
    PolicyPart, Reason, SourceFormat, UnknownPart,
};
use crate::index::ResourceId;
use crate::source::{Hole, HoleKind, Piece, Span, Text, WithSpan};
use crate::value::guard::combined;
use crate::value::{Branch, Guard, MapEntry, Value, ValueKind};

use super::broken::is_broken;
use crate::formats::placeholders;
use crate::formats::recognize::is_statement_shaped;

/// Alternatives of nested conditionals are followed this deep, and no document has more than this many.
const MAX_ALTERNATIVES: usize = 16;

/// What the surroundings of a document say about it.
#[derive(Clone, Debug)]
pub(super) struct PolicySlot {
    pub kind: PolicyKind,
    pub service: Option<Arc<str>>,
    pub format: SourceFormat,
    pub origin: DocumentOrigin,
    pub owner: Option<Owner>,
    pub resource: Option<ResourceId>,
    pub used_at: Vec<DocumentUse>,
    pub branch: Option<Guard>,
}

/// Every document that `value` may be: one, or one for each alternative of a conditional. None where the value is wholly
/// unknown or is no object at all.
pub(super) fn documents(value: &Value, slot: &PolicySlot) -> Vec<Document> {
    let mut out = Vec::new();
    let filled = placeholders::in_document(value);
    collect(filled.as_ref().unwrap_or(value), slot.branch.clone(), slot, &mut out);
    out
}

/// The document that `value` is where every text of it is meant as it stands; `None` where it is not an object.
pub(super) fn literal(value: &Value, slot: &PolicySlot) -> Option<Document> {
    let entries = value.entries()?;
    Some(document(value, entries, None, slot))
}

fn collect(value: &Value, branch: Option<Guard>, slot: &PolicySlot, out: &mut Vec<Document>) {
    if out.len() >= MAX_ALTERNATIVES {
        if let Some(last) = out.last_mut() {
            too_many(last, value.span);
        }
        return;
    }
    let value = value.decoded();
    match &value.kind {
        ValueKind::OneOf(branches) => {
            let possible = |b: &&Branch| !branch.as_ref().is_some_and(|outer| outer.excludes(&b.when));
            for b in branches.iter().filter(possible) {
                collect(&b.value, Some(combined(branch.as_ref(), &b.when)), slot, out);
            }
        }
        ValueKind::Map(_) => {
            let decided = branch.as_ref().and_then(|when| value.decide(when));
            let value = decided.as_ref().unwrap_or(value);
            out.push(document(value, value.entries().unwrap_or(&[]), branch, slot));
        }
        _ => {}
    }
}

/// What more there may be in place of a document is not judged.
fn too_many(document: &mut Document, span: Span) {
    document.open = true;
    let said = |u: &UnknownPart| u.why == Reason::TooMany;
    if !document.unresolved.iter().any(said) {
        document.unresolved.push(UnknownPart {
            name: "more alternatives".into(),
            span,
            part: PolicyPart::Document,
            whole: true,
            why: Reason::TooMany,
        });
    }
}

/// A document of which nothing is known but where it stands, or one for each alternative of which that is so.
pub(super) fn add_unknown_document(value: &Value, slot: &PolicySlot, out: &mut Vec<Document>) {
    let value = value.decoded();
    if let ValueKind::OneOf(branches) = &value.kind {
        for b in branches.iter().take(MAX_ALTERNATIVES) {
            let branch = Some(combined(slot.branch.as_ref(), &b.when));
            add_unknown_document(&b.value, &PolicySlot { branch, ..slot.clone() }, out);
        }
    }
    let Some(hole) = value.as_hole() else { return };
    out.push(Document {
        defects: Vec::new(),
        open: true,
        unresolved: vec![UnknownPart {
            name: hole.name.clone(),
            span: hole.span,
            part: PolicyPart::Document,
            whole: true,
            why: Reason::Hole(hole.kind),
        }],
        ..document(value, &[], slot.branch.clone(), slot)
    });
}

pub(super) struct DocumentLowering {
    pub(super) defects: Vec<Defect>,
    pub(super) statement: Option<usize>,
    /// The statement being read is one of several alternatives.
    pub(super) conditional: bool,
    /// Of the part being read.
    pub(super) complete: bool,
    pub(super) unresolved: Vec<UnknownPart>,
    /// Something may have more than its default gives.
    pub(super) by_default: bool,
    /// Being read.
    pub(super) part: PolicyPart,
}

impl DocumentLowering {
    pub(super) fn add_defect(&mut self, kind: DefectKind, span: Span, element: &str) {
        self.defects.push(Defect {
            kind,
            span,
            statement: self.statement,
            element: element.to_owned(),
        });
    }

    /// Something that is not known: the part being read is not complete, nor is the document.
    pub(super) fn unknown(&mut self, name: &str, span: Span, why: Reason) {
        self.add_unknown_part(name, span, why, true);
    }

    fn add_unknown_part(&mut self, name: &str, span: Span, why: Reason, whole: bool) {
        self.complete = false;
        if why == Reason::Hole(HoleKind::Default) {
            // What is written is judged as it is.
            self.by_default = true;
            return;
        }
        if !self.unresolved.iter().any(|u| *u.name == *name && u.span == span) {
            self.unresolved.push(UnknownPart {
                name: name.into(),
                span,
                part: self.part,
                whole,
                why,
            });
        }
    }

    pub(super) fn hole(&mut self, hole: &Hole) {
        self.add_hole(hole, true);
    }

    fn add_hole(&mut self, hole: &Hole, whole: bool) {
        if !hole.kind.is_placeholder() {
            self.add_unknown_part(&hole.name, hole.span, Reason::Hole(hole.kind), whole);
        }
    }

    pub(super) fn holes(&mut self, text: &Text) {
        let whole = text.as_hole().is_some();
        text.holes().for_each(|h| self.add_hole(h, whole));
    }

    /// Does `read` while `part` is what is being read.
    pub(super) fn read_part<T>(&mut self, part: PolicyPart, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.part, part);
        let out = read(self);
        self.part = outer;
        out
    }

    pub(super) fn alternatives(&mut self, branches: &[Branch], span: Span) {
        let labels: Vec<&str> = branches.iter().map(|b| b.when.label()).collect();
        self.unknown(&labels.join(" | "), span, Reason::Alternatives);
    }

    pub(super) fn wrong_type(&mut self, value: &Value, expected: &'static str, element: &str) {
        match &value.kind {
            ValueKind::Unknown(hole) => return self.unknown(&hole.name, hole.span, Reason::Hole(hole.kind)),
            ValueKind::OneOf(branches) => return self.alternatives(branches, value.span),
            // A text of which nothing is known, as of a parameter, may be what is wanted.
            ValueKind::Str(text) if text.is_broken() || is_unknown(text) => return self.holes(text),
            ValueKind::Map(entries) if is_broken(entries, 0) => {
                return self.unknown(element, value.span, Reason::Hole(HoleKind::Broken));
            }
            _ => {}
        }
        let found = value.type_name();
        self.add_defect(DefectKind::WrongType { expected, found }, value.span, element);
    }

    /// An entry of which no one can tell what it is.
    pub(super) fn unknown_key(&mut self, e: &MapEntry) {
        match e.key.holes().find(|h| !h.kind.is_placeholder()) {
            Some(hole) => self.unknown(&hole.name, hole.span, Reason::Hole(hole.kind)),
            None => self.unknown(&e.key.display(), e.key_span, Reason::Hole(HoleKind::Other)),
        }
    }

    /// Keys of an object: unknown ones and doubles become defects; returns for each known name its last entry.
    pub(super) fn keys<'v>(&mut self, entries: &'v [MapEntry], known: &[&str]) -> Vec<(String, &'v MapEntry)> {
        let mut out: Vec<(String, &MapEntry)> = Vec::new();
        for e in entries {
            let Some(name) = e.key.known().map(|k| k.into_owned()) else {
                self.unknown_key(e);
                continue;
            };
            if !known.contains(&name.as_str()) {
                self.add_defect(DefectKind::UnknownElement, e.key_span, &name);
                continue;
            }
            if let Some((_, before)) = out.iter_mut().find(|(n, _)| *n == name) {
                if before.key_span != e.key_span {
                    let first = before.key_span;
                    self.add_defect(DefectKind::DuplicateKey { first }, e.key_span, &name);
                }
                *before = e;
            } else {
                out.push((name, e));
            }
        }
        out
    }
}

pub(super) fn find<'v>(keys: &[(String, &'v MapEntry)], name: &str) -> Option<&'v MapEntry> {
    keys.iter().find(|(n, _)| n == name).map(|(_, e)| *e)
}

fn document(value: &Value, entries: &[MapEntry], branch: Option<Guard>, slot: &PolicySlot) -> Document {
    let mut low = DocumentLowering {
        defects: Vec::new(),
        statement: None,
        conditional: false,
        complete: true,
        unresolved: Vec::new(),
        by_default: false,
        part: PolicyPart::Statement,
    };
    let keys = low.keys(entries, &POLICY_ELEMENTS);
    let version = low.read_part(PolicyPart::Other, |low| {
        find(&keys, "Version").and_then(|e| low.scalar(&e.value, "Version"))
    });
    if let Some(v) = &version
        && let Some(text) = v.text.known()
        && text != "2012-10-17"
        && text != "2008-10-17"
    {
        low.add_defect(DefectKind::InvalidVersion(text.into_owned()), v.span, "Version");
    }
    let id = low.read_part(PolicyPart::Other, |low| {
        find(&keys, "Id").and_then(|e| low.scalar(&e.value, "Id"))
    });
    let statement = find(&keys, "Statement");
    let mut statements = Vec::new();
    low.complete = true;
    match statement {
        None if may_have_more_keys(entries) => {}
        None => low.add_defect(DefectKind::Missing, value.span, "Statement"),
        Some(e) => {
            let listed = matches!(e.value.kind, ValueKind::Seq(_));
            if listed && e.value.items().is_empty() {
                low.add_defect(DefectKind::Empty, e.value.span, "Statement");
            }
            // Of a list in which the syntax is broken, items that are no statements are pieces of one.
            let pieces = is_broken(entries, 0);
            for (i, item) in e.value.items().iter().enumerate() {
                if pieces && matches!(item.kind, ValueKind::Map(_)) && !is_statement_shaped(item) {
                    low.unknown("unread", item.span, Reason::Hole(HoleKind::Broken));
                    continue;
                }
                let pointer = if listed {
                    format!("/Statement/{i}")
                } else {
                    "/Statement".to_owned()
                };
                low.statements(item, &pointer, None, &mut statements);
            }
        }
    }
    low.statement = None;
    low.sids(&statements);
    let open = !low.complete || may_have_more_keys(entries);
    let mut defects = low.defects;
    if is_broken(entries, 0) {
        // Keys and values of its own may be pieces of others.
        defects.retain(|d| d.statement.is_some());
    }
    defects.sort_by_key(|d| (d.span, d.statement));
    Document {
        kind: slot.kind,
        suggested: None,
        holders: Vec::new(),
        roles: Vec::new(),
        service: slot.service.clone(),
        format: slot.format,
        origin: slot.origin.clone(),
        version,
        id,
        statements,
        defects,
        span: value.span,
        statement_key: statement.map(|e| e.key_span),
        keys: spanned_keys(entries),
        owner: slot.owner.clone(),
        resource: slot.resource,
        account: None,
        used_at: slot.used_at.clone(),
        branch,
        open,
        unresolved: low.unresolved,
        by_default: low.by_default,
        value: match low.by_default {
            true => value.without_additions(),
            false => value.clone(),
        },
    }
}

pub(super) fn spanned_keys(entries: &[MapEntry]) -> Vec<WithSpan<String>> {
    entries
        .iter()
        .map(|e| WithSpan::new(e.key.display(), e.key_span))
        .collect()
}

/// Whether keys may exist that we cannot see.
pub(super) fn may_have_more_keys(entries: &[MapEntry]) -> bool {
    entries.iter().any(|e| !e.key.is_known())
}

/// Whether a text has holes, and nothing between them.
fn is_unknown(text: &Text) -> bool {
    let blank = |p: &Piece| matches!(p, Piece::Lit(lit) if !lit.text.trim().is_empty());
    !text.is_known() && !text.pieces().iter().any(blank)
}

/// Marks a value as one item of unknown content.
fn unknown_item(value: &Value, hole: &Arc<Hole>) -> ClauseItem {
    item(value, Text::from_pieces([Piece::Hole(hole.clone())]))
}

pub(super) fn item(value: &Value, text: Text) -> ClauseItem {
    let mut item = ClauseItem::new(text, value.span);
    item.via.clone_from(&value.via);
    item
}

impl DocumentLowering {
    /// A single string; numbers and booleans are taken by what they say.
    pub(super) fn scalar(&mut self, value: &Value, element: &str) -> Option<ClauseItem> {
        match &value.kind {
            ValueKind::Str(text) => {
                self.holes(text);
                Some(item(value, text.clone()))
            }
            ValueKind::Unknown(hole) => {
                self.hole(hole);
                Some(unknown_item(value, hole))
            }
            ValueKind::Num(n) if element == "Sid" || element == "Id" || element == "value" => {
                Some(item(value, Text::synthetic(n, value.span)))
            }
            ValueKind::Bool(b) if element == "value" => {
                let text = Text::synthetic(if *b { "true" } else { "false" }, value.span);
                Some(item(value, text))
            }
            ValueKind::OneOf(branches) => {
                // Both alternatives are possible; the first stands for them where only one can.
                self.alternatives(branches, value.span);
                branches.first().and_then(|b| self.scalar(&b.value, element))
            }
            _ => {
                self.wrong_type(value, "a string", element);
                None
            }
        }
    }

    /// A string or a list of strings, alternatives flattened; `None` where it is neither.
    pub(super) fn strings(&mut self, value: &Value, element: &str) -> Option<(Vec<ClauseItem>, bool)> {
        let before = self.complete;
        self.complete = true;
        let mut items = Vec::new();
        let ok = self.push_strings(value, element, &mut items, 0);
        let complete = self.complete;
        self.complete = before && complete;
        ok.then_some((items, complete))
    }

    fn push_strings(&mut self, value: &Value, element: &str, items: &mut Vec<ClauseItem>, depth: usize) -> bool {
        if depth > 8 {
            self.unknown(element, value.span, Reason::TooDeep);
            return true;
        }
        match &value.kind {
            ValueKind::Seq(inner) if depth == 0 || value.via.is_some() => {
                let from = items.len();
                for v in inner.iter() {
                    self.push_strings(v, element, items, depth + 1);
                }
                // What travelled as a list has travelled with each of its items.
                for item in items.iter_mut().skip(from).filter(|i| i.via.is_none()) {
                    item.via = value.via.clone();
                }
                true
            }
            ValueKind::OneOf(branches) => {
                for b in branches.iter() {
                    let from = items.len();
                    if !b.value.is_null() {
                        self.push_strings(&b.value, element, items, depth);
                    }
                    for item in items.iter_mut().skip(from) {
                        item.branch = Some(match &item.branch {
                            Some(inner) => b.when.and(inner),
                            None => b.when.clone(),
                        });
                    }
                }
                true
            }
            ValueKind::Json(_) | ValueKind::Null | ValueKind::Map(_) | ValueKind::Seq(_) => {
                self.wrong_type(
                    value,
                    if depth == 0 { "a string or a list" } else { "a string" },
                    element,
                );
                depth > 0
            }
            ValueKind::Unknown(hole) if hole.kind == HoleKind::Default => {
                self.hole(hole);
                true
            }
            _ => match self.scalar(value, element) {
                Some(item) => {
                    items.push(item);
                    true
                }
                None => depth > 0,
            },
        }
    }
}
