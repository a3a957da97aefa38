//! Walks what a rule is about and tests each.

use std::borrow::Cow;

use super::items::{ClauseItems, Items, One, combine};
use super::statements::{StatementRef, document_kinds};
use super::{Captured, CapturedElement, Captures, Eval};
use crate::finding::{Cause, Finding, Subject};
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::{Document, Truth};
use crate::model::{Resource, kinds};
use crate::project::{Identity, IdentityKind, PolicyRef, PolicyUse};
use crate::rules::spec::{
    AttachmentTest, CallTest, DocKind, DocumentTest, IdentityName, IdentityTest, Match, ResourceTest, StatementTest,
    ValueTest,
};
use crate::source::Text;
use crate::value::{Value, ValueKind};

/// Takes what a subject that matched gave: the finding without message and labels, the captures, and the statement.
type Emit<'e, 'a> = &'e mut dyn FnMut(Finding, &Captures<'a>, Option<StatementRef<'a>>);

impl<'a> Eval<'_, 'a> {
    pub(super) fn subjects(&self, m: &Match, emit: Emit<'_, 'a>) {
        if let Some(t) = &m.document {
            self.each_document(t, emit);
        }
        if let Some(t) = &m.statement {
            self.each_statement(t, None, emit);
        }
        if let Some(t) = &m.trust {
            self.each_statement(t, Some(DocKind::Trust), emit);
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
    }

    fn each_document(&self, t: &DocumentTest, emit: Emit<'_, 'a>) {
        for (id, d) in self.context.documents() {
            let mut found = Captures::default();
            if self.document(t, id, d, &mut found).is_yes() {
                emit(self.context.at_document("", id, ""), &found, None);
            }
        }
    }

    fn document(&self, t: &DocumentTest, id: u32, d: &'a Document, found: &mut Captures<'a>) -> Truth {
        let principals = d.statements.iter().any(|s| s.principal.is_some());
        let of_kind = document_kinds(d.kind, principals).iter().any(|k| t.kinds.contains(k));
        let of_service = |s: &str| t.service.iter().any(|w| w == s);
        if !(t.kinds.is_empty() || of_kind) || !(t.service.is_empty() || d.service.as_deref().is_some_and(of_service)) {
            return Truth::No;
        }
        let mut truth = Truth::Yes;
        if let Some(test) = &t.version {
            let clause = d.version.as_ref().map(|v| ClauseItems {
                items: Items::Written(std::slice::from_ref(v), CapturedElement::Text),
                complete: true,
                key: None,
                span: Some(v.span),
            });
            truth = truth.and(self.clause(test, clause.as_ref(), found));
        }
        if let Some(test) = &t.statement {
            truth = truth.and(self.statements(test, id, d, found));
        }
        found.add(t.capture.as_ref(), || {
            Captured::at_span(d.statement_key.unwrap_or(d.span))
        });
        truth
    }

    fn each_statement(&self, t: &StatementTest, kind: Option<DocKind>, emit: Emit<'_, 'a>) {
        for (document_id, document, index, statement) in self.context.statements() {
            let s = StatementRef {
                document_id,
                document,
                index,
                statement,
            };
            let of_kind = kind.is_none_or(|k| document_kinds(document.kind, true).contains(&k));
            let mut found = Captures::default();
            if of_kind && self.statement(t, s, &mut found).is_yes() {
                let base = self.context.at_statement("", s.document_id, s.index, "");
                emit(base, &found, Some(s));
            }
        }
    }

    fn each_identity(&self, t: &IdentityTest, emit: Emit<'_, 'a>) {
        for (index, identity) in (0u32..).zip(&self.context.project.identities) {
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
                items: Items::Made(vec![One {
                    of: CapturedElement::Text,
                    text: n,
                    span: i.header,
                    via: None,
                    principal: None,
                    set: None,
                }]),
                complete: true,
                key: None,
                span: None,
            });
            truth = truth.and(self.clause(test, clause.as_ref(), &mut own));
        }
        if let Some(wanted) = t.boundary {
            truth = truth.and((i.boundary.is_some() == wanted).into());
        }
        if let Some(test) = &t.trust {
            let documents = &self.context.project.documents;
            let trust = i
                .trust
                .iter()
                .filter_map(|id| Some((*id, documents.get(*id as usize)?)));
            let each = trust.map(|(id, d)| self.statements(test, id, d, &mut own));
            truth = truth.and(each.fold(Truth::No, Truth::or));
        }
        if let Some(test) = &t.policy {
            let names: Vec<(Cow<'a, Text>, &'a PolicyUse)> =
                i.policies.iter().map(|u| (self.policy_name(u), u)).collect();
            let items = names.iter().map(|(name, u)| self.policy_item(name, u)).collect();
            let clause = ClauseItems {
                items: Items::Made(items),
                complete: true,
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
        for (index, identity) in (0u32..).zip(&self.context.project.identities) {
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
            PolicyRef::AwsManaged(name) => Cow::Owned(Text::made(name.rsplit('/').next().unwrap_or(name), used.span)),
            PolicyRef::Elsewhere(text) => Cow::Borrowed(text),
            PolicyRef::Documents(ids) => {
                let documents = &self.context.project.documents;
                let first = ids.first().and_then(|id| documents.get(*id as usize));
                let owner = first.and_then(|d| d.owner.as_ref()).map_or("", |o| &*o.address);
                Cow::Owned(Text::made(owner, used.span))
            }
        }
    }

    fn policy_item<'n>(&self, name: &'n Text, used: &PolicyUse) -> One<'n> {
        One {
            of: CapturedElement::Text,
            text: name,
            span: used.span,
            via: None,
            principal: None,
            set: None,
        }
    }

    fn at_identity(&self, index: u32, identity: &Identity) -> Finding {
        let mut f = Finding::new("", "").cause(Cause::Identity(index));
        if let Some(r) = self.context.project.resources.get(identity.resource as usize) {
            f.subject = Subject {
                kind: super::super::context::subject_kind(r.format).to_owned(),
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
                    self.context.at_resource("", index, "").only_under(r.branch.as_ref()),
                    &found,
                    None,
                );
            }
        }
    }

    fn resource(&self, t: &ResourceTest, r: &'a Resource, found: &mut Captures<'a>) -> Truth {
        if !t.kind.is_empty()
            && !t
                .kind
                .iter()
                .any(|k| glob::matches(k, &r.kind, CaseSensitivity::Sensitive))
        {
            return Truth::No;
        }
        let mut own = Captures::default();
        let mut truth = self.properties(&t.properties, &r.props, &mut own);
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
            let word = |words: &[String], prop: &str| {
                let said = r.get(prop).and_then(Value::as_str);
                words.is_empty()
                    || said.is_some_and(|s| words.iter().any(|w| glob::matches(w, &s, CaseSensitivity::Sensitive)))
            };
            let mut found = Captures::default();
            let truth = Truth::from(word(&t.service, "Service") && word(&t.operation, "Operation"))
                .and(self.properties(&t.arguments, &r.props, &mut found));
            if truth.is_yes() {
                found.add(t.capture.as_ref(), || Captured::at_span(r.header));
                emit(
                    self.context.at_resource("", index, "").only_under(r.branch.as_ref()),
                    &found,
                    None,
                );
            }
        }
    }

    fn properties(
        &self,
        tests: &std::collections::BTreeMap<String, ValueTest>,
        props: &'a Value,
        found: &mut Captures<'a>,
    ) -> Truth {
        let mut truth = Truth::Yes;
        for (path, test) in tests {
            let keys: Vec<&str> = path.split('.').collect();
            truth = truth.and(self.value(test, props.path(&keys), props.is_unknown(), found));
        }
        truth
    }

    /// `value` is `None` where the property is absent, or where it cannot be seen.
    fn value(&self, t: &ValueTest, value: Option<&'a Value>, hidden: bool, found: &mut Captures<'a>) -> Truth {
        let Some(value) = value.filter(|v| !v.is_null()) else {
            let asks = !t.is.is_empty() || !t.one_of.is_empty() || !t.glob.is_empty() || t.matches.is_some();
            let absent = Truth::from(t.present != Some(true) && !asks && t.truthy != Some(true) && t.known.is_none());
            return if hidden { Truth::Unknown } else { absent };
        };
        if t.present == Some(false) {
            return Truth::No;
        }
        if let ValueKind::OneOf(branches) = &value.kind {
            let mut scratch = Captures::default();
            let each = branches
                .iter()
                .map(|b| self.value(t, Some(&b.value), false, &mut scratch));
            let answers: Vec<Truth> = each.collect();
            let truth = match answers.as_slice() {
                [first, rest @ ..] if rest.iter().all(|a| a == first) => *first,
                _ => Truth::Unknown,
            };
            if truth.is_yes() {
                found.0.append(&mut scratch.0);
            }
            return truth;
        }
        let mut truth = Truth::Yes;
        if let Some(wanted) = t.truthy {
            let is = match &value.kind {
                ValueKind::Unknown(_) => Truth::Unknown,
                ValueKind::Str(text) if !text.is_known() => Truth::Unknown,
                ValueKind::Str(_) => value
                    .as_bool()
                    .unwrap_or_else(|| value.as_str().is_some_and(|s| !s.is_empty()))
                    .into(),
                ValueKind::Bool(b) => (*b).into(),
                ValueKind::Num(n) => (n.parse() != Ok(0.0)).into(),
                ValueKind::Seq(items) => (!items.is_empty()).into(),
                _ => Truth::Yes,
            };
            truth = truth.and(if wanted { is } else { !is });
        }
        if let Some(wanted) = t.known {
            let known = match &value.kind {
                ValueKind::Unknown(_) => false,
                ValueKind::Str(text) => text.is_known(),
                _ => true,
            };
            truth = truth.and((known == wanted).into());
        }
        for list in [&t.is, &t.one_of] {
            if !list.is_empty() {
                truth = truth.and(some_item(value, |s| list.iter().any(|w| w == s)));
            }
        }
        if !t.glob.is_empty() {
            let fits = |s: &str| t.glob.iter().any(|w| glob::matches(w, s, CaseSensitivity::Sensitive));
            truth = truth.and(some_item(value, fits));
        }
        if let Some(regex) = t.matches.as_deref() {
            let regex = self.words.regex(regex);
            truth = truth.and(some_item(value, |s| regex.as_ref().is_some_and(|r| r.is_match(s))));
        }
        if truth.is_yes() {
            found.add(t.capture.as_ref(), || Captured {
                of: CapturedElement::Text,
                text: value.as_text().map(Cow::Borrowed),
                span: value.span,
                via: Some(&value.via),
                actions: None,
                left: None,
                denied: None,
            });
        }
        truth
    }
}

/// Whether one of the value's items, as text, fits.
fn some_item(value: &Value, fits: impl Fn(&str) -> bool) -> Truth {
    let mut truth = Truth::No;
    for item in value.items() {
        truth = truth.or(match &item.kind {
            ValueKind::Str(text) => text.known().map_or(Truth::Unknown, |s| fits(&s).into()),
            ValueKind::Bool(b) => fits(if *b { "true" } else { "false" }).into(),
            ValueKind::Num(n) => fits(n).into(),
            ValueKind::Unknown(_) | ValueKind::OneOf(_) => Truth::Unknown,
            _ => Truth::No,
        });
    }
    truth
}

fn identity_fits(names: &[IdentityName], identity: &Identity) -> bool {
    let name = match identity.kind {
        IdentityKind::Role => IdentityName::Role,
        IdentityKind::User => IdentityName::User,
        IdentityKind::Group => IdentityName::Group,
        IdentityKind::PermissionSet => IdentityName::PermissionSet,
    };
    names.is_empty() || names.contains(&name)
}

/// The same capture with a text of its own.
fn with_own_text<'o>(c: Captured<'_>) -> Captured<'o> {
    Captured {
        of: c.of,
        text: c.text.map(|t| Cow::Owned(t.into_owned())),
        span: c.span,
        via: None,
        actions: None,
        left: None,
        denied: None,
    }
}
