//! Statements and their elements. IAM User Guide, "IAM JSON policy elements reference".

use std::sync::OnceLock;

use crate::iam::{
    Clause, DefectKind, Effect, PolicyPart, PrincipalClause, PrincipalItem, PrincipalType, Reason, STATEMENT_ELEMENTS,
    Statement,
};
use crate::source::{Span, Text, WithSpan};
use crate::value::guard::{combined, possible_worlds};
use crate::value::{Branch, Guard, MapEntry, Value, ValueKind};

use super::broken::is_broken;
use super::document::{DocumentLowering, find, item, may_have_more_keys, spanned_keys};

/// What a statement is in each case that matters to whom it lets in and to whether it allows: the guard, the statement, and
/// whether an element that names whom it is for, or a condition that an input asks for, is left out. Conditionals among what it is about stay, as all their
/// alternatives are granted, but for those that the case decides.
fn alternatives(value: &Value, branch: Option<Guard>) -> Vec<Case> {
    let entries = value.entries().unwrap_or(&[]);
    let names = |e: &MapEntry, names: &[&str]| e.key.known().is_some_and(|k| names.contains(&&*k));
    let limits = entries.iter().filter(|e| {
        let whole = matches!(e.value.kind, ValueKind::OneOf(_));
        names(e, &["Effect", "Condition"]) || whole && names(e, &["Principal", "NotPrincipal"])
    });
    let worlds = possible_worlds(limits.map(|e| &e.value)).unwrap_or_default();
    let decided = |world: &Guard| {
        let when = combined(branch.as_ref(), world);
        let value = value.decide(&when)?;
        let principals = |v: &Value| {
            let entries = v.entries().unwrap_or(&[]);
            let is_one = |e: &&MapEntry| names(e, &["Principal", "NotPrincipal"]) && !e.value.is_null();
            entries.iter().filter(is_one).count()
        };
        let open = principals(&value) == 0 && entries.iter().any(|e| names(e, &["Principal", "NotPrincipal"]));
        let mut conditions = entries.iter().filter(|e| names(e, &["Condition"]));
        Some(Case {
            unlimited: conditions.any(|e| lacks_requested_part(&e.value, &when, 0)),
            when: Some(when).filter(|w| !w.is_always()),
            value,
            open,
        })
    };
    let excluded = |world: &&Guard| branch.as_ref().is_some_and(|outer| outer.excludes(world));
    let cases: Vec<_> = worlds.iter().filter(|w| !excluded(w)).filter_map(decided).collect();
    match cases.as_slice() {
        [] => vec![Case {
            when: branch,
            value: value.clone(),
            open: false,
            unlimited: false,
        }],
        // What is the same in every case depends on none.
        [first, rest @ ..] if rest.iter().all(|other| other.value == first.value) => vec![Case {
            when: branch,
            value: first.value.clone(),
            ..*first
        }],
        _ => cases,
    }
}

/// See [`alternatives`].
struct Case {
    when: Option<Guard>,
    value: Value,
    /// See [`Statement::open`].
    open: bool,
    /// See [`Statement::unlimited`].
    unlimited: bool,
}

/// Whether a part of a condition that an input asks for is not there in this case.
fn lacks_requested_part(value: &Value, when: &Guard, depth: u32) -> bool {
    if depth > 16 {
        return false;
    }
    let inside = |v: &Value| lacks_requested_part(v, when, depth + 1);
    match &value.kind {
        ValueKind::OneOf(branches) => branches.iter().any(|b| match when.excludes(&b.when) {
            true => b.when.is_opt_in(),
            false => inside(&b.value),
        }),
        ValueKind::Seq(items) => items.iter().any(inside),
        ValueKind::Map(entries) => entries.iter().any(|e| inside(&e.value)),
        _ => false,
    }
}

impl DocumentLowering {
    pub(super) fn statements(&mut self, value: &Value, pointer: &str, branch: Option<Guard>, out: &mut Vec<Statement>) {
        match &value.decoded().kind {
            ValueKind::OneOf(branches) if out.len() < 10_000 => {
                let possible = |b: &&Branch| !branch.as_ref().is_some_and(|outer| outer.excludes(&b.when));
                for b in branches.iter().filter(possible) {
                    for item in b.value.items() {
                        self.statements(item, pointer, Some(combined(branch.as_ref(), &b.when)), out);
                    }
                }
            }
            ValueKind::Map(_) => {
                for case in alternatives(value.decoded(), branch) {
                    self.statement = Some(out.len());
                    let outer = self.complete;
                    self.complete = true;
                    let mut statement =
                        self.lower_statement(&case.value, case.value.entries().unwrap_or(&[]), pointer, case.when);
                    statement.open |= case.open;
                    statement.unlimited = case.unlimited;
                    self.complete = outer;
                    out.push(statement);
                }
                self.statement = None;
            }
            // A list inside the list, as `concat` and `Fn::If` may leave it.
            ValueKind::Seq(inner) if value.via.is_some() => {
                for (i, item) in inner.iter().enumerate() {
                    self.statements(item, &format!("{pointer}/{i}"), branch.clone(), out);
                }
            }
            ValueKind::Null => {}
            _ => {
                self.statement = None;
                self.wrong_type(value, "an object", "Statement");
            }
        }
    }

    fn lower_statement(
        &mut self,
        value: &Value,
        entries: &[MapEntry],
        pointer: &str,
        branch: Option<Guard>,
    ) -> Statement {
        self.conditional = branch.is_some();
        if is_broken(entries, 0) {
            return self.broken_statement(value, pointer, branch);
        }
        let keys = self.keys(entries, &STATEMENT_ELEMENTS);
        let sid = self.read_part(PolicyPart::Other, |low| {
            find(&keys, "Sid").and_then(|e| low.scalar(&e.value, "Sid"))
        });
        let effect = match find(&keys, "Effect") {
            Some(e) => self.read_part(PolicyPart::Effect, |low| low.effect(e)),
            None if may_have_more_keys(entries) => None,
            None => {
                self.add_defect(DefectKind::Missing, value.span, "Effect");
                None
            }
        };
        let (action, second_action) =
            self.read_part(PolicyPart::Action, |low| low.clauses(&keys, "Action", "NotAction"));
        let (resource, second_resource) =
            self.read_part(PolicyPart::Other, |low| low.clauses(&keys, "Resource", "NotResource"));
        let principal = self.read_part(PolicyPart::Principal, |low| low.principal_clause(&keys));
        let condition_entry = find(&keys, "Condition");
        let conditions = condition_entry
            .map(|e| self.read_part(PolicyPart::Other, |low| low.conditions(&e.value)))
            .unwrap_or_default();
        Statement {
            sid,
            effect,
            action,
            resource,
            second_action,
            second_resource,
            principal,
            conditions,
            condition_key: condition_entry.map(|e| e.key_span),
            keys: spanned_keys(entries),
            span: value.span,
            pointer: pointer.to_owned(),
            branch,
            open: may_have_more_keys(entries),
            unlimited: false,
            complete: self.complete,
            dead: None,
            strength: OnceLock::new(),
            nothing: OnceLock::new(),
        }
    }

    fn effect(&mut self, e: &MapEntry) -> Option<WithSpan<Effect>> {
        let item = self.scalar(&e.value, "Effect")?;
        let effect = match item.text.known().as_deref() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            Some(other) => {
                self.add_defect(DefectKind::InvalidEffect(other.to_owned()), item.span, "Effect");
                // What is meant is plain, and holds as soon as the word is corrected.
                match other {
                    _ if other.eq_ignore_ascii_case("allow") => Effect::Allow,
                    _ if other.eq_ignore_ascii_case("deny") => Effect::Deny,
                    _ => Effect::Invalid,
                }
            }
            None => Effect::Unknown,
        };
        // More cases than are distinguished.
        if matches!(e.value.kind, ValueKind::OneOf(_)) {
            return Some(WithSpan::new(Effect::Unknown, item.span));
        }
        Some(WithSpan::new(effect, item.span))
    }

    /// The clause that counts, and the `Not…` form where both are written.
    fn clauses(
        &mut self,
        keys: &[(String, &MapEntry)],
        plain: &str,
        negated: &str,
    ) -> (Option<Clause>, Option<Clause>) {
        match (find(keys, plain), find(keys, negated)) {
            (Some(a), Some(b)) => {
                self.add_defect(DefectKind::Conflict { other: a.key_span }, b.key_span, negated);
                (self.clause(a, plain, false), self.clause(b, negated, true))
            }
            (Some(a), None) => (self.clause(a, plain, false), None),
            (None, Some(b)) => (self.clause(b, negated, true), None),
            (None, None) => (None, None),
        }
    }

    fn clause(&mut self, entry: &MapEntry, element: &str, negated: bool) -> Option<Clause> {
        if matches!(&entry.value.kind, ValueKind::Seq(items) if items.is_empty()) {
            self.add_defect(DefectKind::Empty, entry.value.span, element);
        }
        // Of the wrong type, the element is there all the same, and no one knows what it was to say.
        let (items, complete) = self.strings(&entry.value, element).unwrap_or_default();
        Some(Clause {
            negated,
            key: entry.key_span,
            span: entry.value.span,
            items,
            list: matches!(entry.value.kind, ValueKind::Seq(_)),
            complete,
            sets: OnceLock::new(),
        })
    }

    fn principal_clause(&mut self, keys: &[(String, &MapEntry)]) -> Option<PrincipalClause> {
        let (a, b) = (find(keys, "Principal"), find(keys, "NotPrincipal"));
        if let (Some(a), Some(b)) = (a, b) {
            self.add_defect(DefectKind::Conflict { other: a.key_span }, b.key_span, "NotPrincipal");
        }
        let (entry, negated) = match (a, b) {
            (Some(e), _) => (e, false),
            (None, Some(e)) => (e, true),
            (None, None) => return None,
        };
        let element = if negated { "NotPrincipal" } else { "Principal" };
        let before = self.complete;
        self.complete = true;
        let mut items = Vec::new();
        let ok = self.principals(&entry.value, element, &mut items, 0);
        let complete = self.complete;
        self.complete = before && complete;
        ok.then_some(PrincipalClause {
            negated,
            key: entry.key_span,
            span: entry.value.span,
            items,
            complete,
        })
    }

    fn principals(&mut self, value: &Value, element: &str, items: &mut Vec<PrincipalItem>, depth: usize) -> bool {
        if depth > 8 {
            self.unknown(element, value.span, Reason::TooDeep);
            return true;
        }
        match &value.kind {
            ValueKind::OneOf(branches) => {
                for b in branches.iter() {
                    self.principals(&b.value, element, items, depth + 1);
                }
                true
            }
            ValueKind::Map(entries) => {
                if entries.is_empty() {
                    self.add_defect(DefectKind::Empty, value.span, element);
                }
                for (name, e) in self.principal_keys(entries) {
                    let kind = match name.as_str() {
                        "AWS" => PrincipalType::Aws,
                        "Service" => PrincipalType::Service,
                        "Federated" => PrincipalType::Federated,
                        "CanonicalUser" => PrincipalType::CanonicalUser,
                        _ => {
                            self.add_defect(DefectKind::UnknownPrincipalType, e.key_span, &name);
                            PrincipalType::Unknown
                        }
                    };
                    if matches!(&e.value.kind, ValueKind::Seq(i) if i.is_empty()) {
                        self.add_defect(DefectKind::Empty, e.value.span, element);
                    }
                    let Some((values, _)) = self.strings(&e.value, element) else {
                        continue;
                    };
                    items.extend(values.into_iter().map(|value| PrincipalItem {
                        home: None,
                        kind,
                        type_key: Some(WithSpan::new(name.clone(), e.key_span)),
                        value,
                    }));
                }
                true
            }
            ValueKind::Str(text) if text.known().as_deref() == Some("*") => {
                items.push(untyped_principal(PrincipalType::Everyone, value, text));
                true
            }
            ValueKind::Str(text) if text.is_broken() => {
                self.holes(text);
                true
            }
            ValueKind::Str(_) | ValueKind::Unknown(_) if value.as_hole().is_some() => {
                if let Some(hole) = value.as_hole() {
                    self.unknown(&hole.name, hole.span, Reason::Hole(hole.kind));
                }
                true
            }
            _ => {
                self.wrong_type(value, "an object or \"*\"", element);
                // Who is meant is plain, and holds as soon as it is written as `{"AWS": …}`.
                let ValueKind::Str(text) = &value.kind else {
                    return false;
                };
                if !text.known().is_some_and(|t| t.starts_with("arn:")) {
                    return false;
                }
                items.push(untyped_principal(PrincipalType::Aws, value, text));
                true
            }
        }
    }

    fn principal_keys<'v>(&mut self, entries: &'v [MapEntry]) -> Vec<(String, &'v MapEntry)> {
        let mut out: Vec<(String, &MapEntry)> = Vec::new();
        for e in entries {
            let Some(name) = e.key.known().map(|k| k.into_owned()) else {
                self.unknown_key(e);
                continue;
            };
            // Terraform's document merges principals blocks of one type: same key, other place, both count.
            if let Some((_, before)) = out
                .iter()
                .find(|(n, x)| *n == name && x.key_span.file == e.key_span.file)
                && before.value.via.is_none()
                && e.value.via.is_none()
            {
                let first = before.key_span;
                self.add_defect(DefectKind::DuplicateKey { first }, e.key_span, &name);
            }
            out.push((name, e));
        }
        out
    }

    pub(super) fn sids(&mut self, statements: &[Statement]) {
        let mut seen: std::collections::BTreeMap<String, (Span, Option<Guard>)> = std::collections::BTreeMap::new();
        for (i, s) in statements.iter().enumerate() {
            let Some(item) = &s.sid else { continue };
            let Some(sid) = item.text.known().map(|s| s.into_owned()) else {
                continue;
            };
            if sid.is_empty() {
                continue;
            }
            match seen.get(&sid) {
                // The two branches of one conditional never stand together.
                Some((_, branch)) if branch.is_some() && s.branch.is_some() && *branch != s.branch => {}
                // One written statement that is seen twice and may be there once.
                Some((first, branch)) if *first == item.span && (branch.is_some() || s.branch.is_some()) => {}
                Some((first, _)) => {
                    self.statement = Some(i);
                    let first = *first;
                    self.add_defect(DefectKind::DuplicateSid { first, sid }, item.span, "Sid");
                }
                None => {
                    seen.insert(sid, (item.span, s.branch.clone()));
                }
            }
        }
        self.statement = None;
    }
}

/// A principal without a type before it.
fn untyped_principal(kind: PrincipalType, value: &Value, text: &Text) -> PrincipalItem {
    PrincipalItem {
        home: None,
        kind,
        type_key: None,
        value: item(value, text.clone()),
    }
}
