//! Walks what a rule is about and tests each.

use std::borrow::Cow;

use super::items::{ClauseItems, Items, TestedItem, combine};
use super::statements::{document_kinds, elements};
use super::{Captured, CapturedElement, Captures, Eval};
use crate::finding::{Cause, Finding, Subject};
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::{DefectKind, Document, DocumentOrigin, PolicyKind, Truth};
use crate::index::{DocumentId, IdentityId};
use crate::model::{Resource, kinds};
use crate::project::{Identity, IdentityKind, PolicyRef, PolicyUse, StatementRef};
use crate::rules::spec::{
    AttachmentTest, CallTest, DefectName, DefectTest, DocumentTest, IdentityTest, ItemTest, Match, ResourceTest,
    StatementTest,
};
use crate::source::Text;
use crate::value::Value;

/// Takes what a subject that matched gave: the finding without message and labels, the captures, and the statement.
pub(super) type Emit<'e, 'a> = &'e mut dyn FnMut(Finding, &Captures<'a>, Option<StatementRef<'a>>);

impl<'a> Eval<'_, 'a> {
    pub(super) fn subjects(&self, m: &Match, emit: Emit<'_, 'a>) {
        if let Some(t) = &m.document {
            self.each_document(t, emit);
        }
        if let Some(t) = &m.statement {
            self.each_statement(t, None, emit);
        }
        if let Some(t) = &m.trust {
            self.each_statement(t, Some(PolicyKind::Trust), emit);
        }
        if let Some(t) = &m.identity {
            self.each_identity(t, emit);
        }
        if let Some(t) = &m.attachment {
            self.each_attachment(t, emit);
        }
        if let Some(t) = &m.resource {
            self.each_resource(t, emit);
        }
        if let Some(t) = &m.call {
            self.each_call(t, emit);
        }
        if let Some(t) = &m.condition {
            self.each_line(t, emit);
        }
        if let Some(t) = &m.defect {
            self.each_defect(t, emit);
        }
    }

    fn each_document(&self, t: &DocumentTest, emit: Emit<'_, 'a>) {
        for (id, d) in self.context.documents() {
            let mut found = Captures::default();
            if self.document(t, id, d, &mut found).is_yes() {
                emit(self.context.at_document(self.rule, id, ""), &found, None);
            }
        }
    }

    fn document(&self, t: &DocumentTest, id: DocumentId, d: &'a Document, found: &mut Captures<'a>) -> Truth {
        let principals = d.statements.iter().any(|s| s.principal.is_some());
        let of_kind = document_kinds(d.kind, principals).iter().any(|k| t.kinds.contains(k));
        let of_service = |s: &str| t.service.iter().any(|w| w == s);
        if !(t.kinds.is_empty() || of_kind) || !(t.service.is_empty() || d.service.as_deref().is_some_and(of_service)) {
            return Truth::No;
        }
        let mut truth = Truth::from(t.written.is_none_or(|w| w == (d.origin == DocumentOrigin::Written)));
        truth = truth.and(elements(&d.keys, d.open, &t.has, &t.lacks));
        if let Some(test) = &t.version {
            let clause = d.version.as_ref().map(|v| ClauseItems {
                items: Items::Written(std::slice::from_ref(v), CapturedElement::Text),
                complete: true,
                vague: false,
                key: None,
                span: Some(v.span),
            });
            truth = truth.and(self.clause(test, clause.as_ref(), found));
        }
        if let Some(test) = &t.statement {
            truth = truth.and(self.statements(test, id, found));
        }
        found.add(t.capture.as_ref(), || {
            Captured::at_span(d.statement_key.unwrap_or(d.span))
        });
        truth
    }

    fn each_statement(&self, t: &StatementTest, kind: Option<PolicyKind>, emit: Emit<'_, 'a>) {
        for s in self.context.statements() {
            let of_kind = kind.is_none_or(|k| document_kinds(s.document.kind, true).contains(&k));
            let mut found = Captures::default();
            if of_kind && self.statement(t, s, &mut found).is_yes() {
                let base = self.context.at_statement(self.rule, s, "");
                emit(base, &found, Some(s));
            }
        }
    }

    fn each_defect(&self, t: &DefectTest, emit: Emit<'_, 'a>) {
        for (id, d) in self
            .context
            .documents()
            .filter(|(_, d)| d.origin == DocumentOrigin::Written)
        {
            for defect in &d.defects {
                let of_kind = t.kinds.is_empty() || t.kinds.contains(&d.kind);
                if !of_kind || !(t.kind.is_empty() || t.kind.contains(&defect_name(&defect.kind))) {
                    continue;
                }
                let text = match &defect.kind {
                    DefectKind::InvalidEffect(text) | DefectKind::InvalidVersion(text) => text,
                    DefectKind::DuplicateSid { sid, .. } => sid,
                    _ => &defect.element,
                };
                let fits = |test: &Option<Box<ItemTest>>, word: &str| {
                    let word = Text::synthetic(word, defect.span);
                    test.as_deref()
                        .is_none_or(|t| self.item(t, TestedItem::text(&word, defect.span)).is_yes())
                };
                if !fits(&t.element, &defect.element) || !fits(&t.text, text) {
                    continue;
                }
                let mut found = Captures::default();
                let place = |span| Captured {
                    text: Some(Cow::Owned(Text::synthetic(text, span))),
                    ..Captured::at_span(span)
                };
                found.0.push(("place".to_owned(), place(defect.span)));
                if let DefectKind::DuplicateKey { first: other }
                | DefectKind::Conflict { other }
                | DefectKind::DuplicateSid { first: other, .. } = defect.kind
                {
                    found.0.push(("other".to_owned(), place(other)));
                }
                let base = match defect.statement {
                    Some(i) => self
                        .context
                        .at_statement(self.rule, self.context.project.statement(id, i), ""),
                    None => self.context.at_document(self.rule, id, ""),
                };
                emit(base, &found, None);
            }
        }
    }

    fn each_identity(&self, t: &IdentityTest, emit: Emit<'_, 'a>) {
        for (index, identity) in self.context.project.identities.iter_enumerated() {
            let mut found = Captures::default();
            if self.identity(t, identity, &mut found).is_yes() {
                emit(self.at_identity(index, identity), &found, None);
            }
        }
    }

    fn identity(&self, t: &IdentityTest, i: &'a Identity, found: &mut Captures<'a>) -> Truth {
        let mut own = Captures::default();
        let mut truth = Truth::from(identity_fits(&t.kind, i));
        if let Some(test) = &t.name {
            let clause = i.name.as_ref().map(|n| ClauseItems {
                items: Items::Made(vec![TestedItem::text(n, i.header)]),
                complete: true,
                vague: false,
                key: None,
                span: None,
            });
            truth = truth.and(self.clause(test, clause.as_ref(), &mut own));
        }
        if let Some(wanted) = t.boundary {
            truth = truth.and((i.boundary.is_some() == wanted).into());
        }
        if let Some(test) = &t.trust {
            let each = i.trust.iter().map(|id| self.statements(test, *id, &mut own));
            truth = truth.and(each.fold(Truth::No, Truth::or));
        }
        if let Some(test) = &t.policy {
            let names: Vec<(Cow<'a, Text>, &'a PolicyUse)> =
                i.policies.iter().map(|u| (self.policy_name(u), u)).collect();
            let items = names.iter().map(|(name, u)| self.policy_item(name, u)).collect();
            let clause = ClauseItems {
                items: Items::Made(items),
                complete: true,
                vague: false,
                key: None,
                span: None,
            };
            let mut inner = Captures::default();
            truth = truth.and(self.clause(test, Some(&clause), &mut inner));
            own.0
                .extend(inner.0.into_iter().map(|(name, c)| (name, with_own_text(c))));
        }
        found.add(t.capture.as_ref(), || Captured::at_span(i.header));
        truth = combine(truth, &t.all, &t.any, &[], None, |inner| {
            self.identity(inner, i, &mut own)
        });
        let none = t.none.iter().chain(t.not.as_deref());
        let none = none
            .map(|inner| self.identity(inner, i, &mut Captures::default()))
            .fold(Truth::No, Truth::or);
        let truth = truth.and(!none);
        if truth.is_yes() {
            found.0.append(&mut own.0);
        }
        truth
    }

    fn each_attachment(&self, t: &AttachmentTest, emit: Emit<'_, 'a>) {
        for (index, identity) in self.context.project.identities.iter_enumerated() {
            for used in &identity.policies {
                let aws = matches!(used.policy, PolicyRef::AwsManaged(_));
                let name = self.policy_name(used);
                let item = self.policy_item(&name, used);
                let truth = Truth::from(identity_fits(&t.to, identity))
                    .and(t.aws_managed.is_none_or(|w| w == aws).into())
                    .and(t.inline.is_none_or(|w| w == used.inline).into())
                    .and(t.policy.as_ref().map_or(Truth::Yes, |p| self.item(p, item)));
                if truth.is_yes() {
                    let mut found = Captures::default();
                    found.add(t.capture.as_ref(), || with_own_text(item.captured()));
                    emit(self.at_identity(index, identity), &found, None);
                }
            }
        }
    }

    /// How a policy that is put on an identity is called in tests.
    fn policy_name(&self, used: &'a PolicyUse) -> Cow<'a, Text> {
        match &used.policy {
            PolicyRef::AwsManaged(name) => {
                Cow::Owned(Text::synthetic(name.rsplit('/').next().unwrap_or(name), used.span))
            }
            PolicyRef::Elsewhere(text) => Cow::Borrowed(text),
            PolicyRef::Documents(ids) => {
                let documents = &self.context.project.documents;
                let first = ids.first().and_then(|id| documents.get(*id));
                let owner = first.and_then(|d| d.owner.as_ref()).map_or("", |o| &*o.address);
                Cow::Owned(Text::synthetic(owner, used.span))
            }
        }
    }

    fn policy_item<'n>(&self, name: &'n Text, used: &PolicyUse) -> TestedItem<'n> {
        TestedItem::text(name, used.span)
    }

    fn at_identity(&self, index: IdentityId, identity: &Identity) -> Finding {
        let mut f = Finding::new(self.rule, "").cause(Cause::Identity(index));
        if let Some(r) = self.context.project.resources.get(identity.resource) {
            f.subject = Subject {
                kind: r.format.short_name().to_owned(),
                address: r.address.name.to_string(),
                ..Subject::default()
            };
        }
        f
    }

    fn each_resource(&self, t: &ResourceTest, emit: Emit<'_, 'a>) {
        for (index, r) in self.context.project.deployed() {
            let mut found = Captures::default();
            if self.resource(t, r, &mut found).is_yes() {
                emit(
                    self.context
                        .at_resource(self.rule, index, "")
                        .under_guard(r.branch.as_ref()),
                    &found,
                    None,
                );
            }
        }
    }

    pub(super) fn resource(&self, t: &ResourceTest, r: &'a Resource, found: &mut Captures<'a>) -> Truth {
        if !t.kind.is_empty()
            && !t
                .kind
                .iter()
                .any(|k| glob::matches(k, &r.kind, CaseSensitivity::Sensitive))
        {
            return Truth::No;
        }
        let mut own = Captures::default();
        if !t.format.is_empty() && !t.format.contains(&r.format) {
            return Truth::No;
        }
        let mut truth = self.properties(&t.properties, r, &mut own);
        truth = truth.and(self.tags(&t.tag, r, &mut own));
        own.add(t.capture.as_ref(), || Captured::at_span(r.header));
        truth = combine(truth, &t.all, &t.any, &[], None, |inner| {
            self.resource(inner, r, &mut own)
        });
        let none = t.none.iter().chain(t.not.as_deref());
        let none = none
            .map(|inner| self.resource(inner, r, &mut Captures::default()))
            .fold(Truth::No, Truth::or);
        let truth = truth.and(!none);
        if truth.is_yes() {
            found.0.append(&mut own.0);
        }
        truth
    }

    fn each_call(&self, t: &CallTest, emit: Emit<'_, 'a>) {
        for (index, r) in self.context.project.deployed() {
            if &*r.kind != kinds::BOTO3_CALL {
                continue;
            }
            let mut found = Captures::default();
            if self.call(t, r, &mut found).is_yes() {
                emit(
                    self.context
                        .at_resource(self.rule, index, "")
                        .under_guard(r.branch.as_ref()),
                    &found,
                    None,
                );
            }
        }
    }

    fn call(&self, t: &CallTest, r: &'a Resource, found: &mut Captures<'a>) -> Truth {
        let word = |words: &[String], prop: &str| {
            let said = r.get(prop).and_then(Value::as_str);
            words.is_empty()
                || said.is_some_and(|s| words.iter().any(|w| glob::matches(w, &s, CaseSensitivity::Sensitive)))
        };
        if !word(&t.service, "Service") || !word(&t.operation, "Operation") {
            return Truth::No;
        }
        let mut own = Captures::default();
        own.add(t.capture.as_ref(), || Captured::at_span(r.header));
        let mut truth = self.properties(&t.arguments, r, &mut own);
        truth = combine(truth, &t.all, &t.any, &[], None, |inner| self.call(inner, r, &mut own));
        let none = t.none.iter().chain(t.not.as_deref());
        let none = none
            .map(|inner| self.call(inner, r, &mut Captures::default()))
            .fold(Truth::No, Truth::or);
        let truth = truth.and(!none);
        if truth.is_yes() {
            found.0.append(&mut own.0);
        }
        truth
    }
}

fn identity_fits(kinds: &[IdentityKind], identity: &Identity) -> bool {
    kinds.is_empty() || kinds.contains(&identity.kind)
}

fn defect_name(kind: &DefectKind) -> DefectName {
    match kind {
        DefectKind::UnknownElement => DefectName::UnknownElement,
        DefectKind::DuplicateKey { .. } => DefectName::DuplicateKey,
        DefectKind::WrongType { .. } => DefectName::WrongType,
        DefectKind::Missing => DefectName::Missing,
        DefectKind::InvalidEffect(_) => DefectName::InvalidEffect,
        DefectKind::InvalidVersion(_) => DefectName::InvalidVersion,
        DefectKind::Conflict { .. } => DefectName::Conflict,
        DefectKind::Empty => DefectName::Empty,
        DefectKind::DuplicateSid { .. } => DefectName::DuplicateSid,
        DefectKind::UnknownPrincipalType => DefectName::UnknownPrincipalType,
    }
}

/// The same capture with a text of its own.
fn with_own_text<'o>(c: Captured<'_>) -> Captured<'o> {
    Captured {
        of: c.of,
        text: c.text.map(|t| Cow::Owned(t.into_owned())),
        ..Captured::at_span(c.span)
    }
}
