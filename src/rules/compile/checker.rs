//! Whether a `match` and its `report` mean something: captures, words, subjects.

use std::collections::BTreeSet;

use super::super::spec::{
    AttachmentTest, CallTest, ClauseTest, ConditionTest, ConditionsTest, DocKind, DocumentTest, IdentityTest, ItemTest,
    Match, ReportSpec, ResourceTest, StatementTest, StatementsTest, ValueTest,
};
use super::{Checked, Lists, RuleError, Validators, interpolations, nearest};

/// Checks one `match` and its `report`, and puts the words of lists in their place.
pub(super) struct Checker<'a> {
    lists: &'a Lists,
    judges: Validators,
    made: BTreeSet<String>,
}

/// What the items of a clause are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ItemsOf {
    Action,
    Resource,
    Principal,
    Text,
}

impl<'a> Checker<'a> {
    pub(super) fn run(matcher: &mut Match, report: &ReportSpec, lists: &'a Lists, judges: Validators) -> Checked {
        let mut c = Self {
            lists,
            judges,
            made: BTreeSet::new(),
        };
        c.subject(matcher)?;
        for a in &report.adjust {
            if matcher.statement.is_none() && matcher.trust.is_none() {
                return Err(RuleError::at("`adjust` is for rules about statements", "adjust"));
            }
            let mut inner = Checker {
                lists,
                judges,
                made: BTreeSet::new(),
            };
            let mut when = a.when.clone();
            inner.statement(&mut when, &DocKind::ALL)?;
            if let Some(item) = &a.item {
                inner.item(&mut item.as_ref().clone(), ItemsOf::Action)?;
            }
            if let Some(unused) = inner.made.first() {
                return Err(RuleError::at(format!("nothing uses the capture `{unused}`"), unused));
            }
        }
        c.captures(report)
    }

    fn captures(&self, report: &ReportSpec) -> Checked {
        let mut used: BTreeSet<&str> = BTreeSet::from([&*report.at]);
        used.extend(report.also.iter().map(|a| &*a.at));
        let texts = [&report.message, &report.label]
            .into_iter()
            .chain(&report.notes)
            .chain(report.also.iter().map(|a| &a.label));
        for text in texts {
            used.extend(interpolations(text)?);
        }
        for name in &used {
            if !self.made.contains(*name) {
                return Err(RuleError {
                    suggestion: nearest(name, self.made.iter().map(String::as_str)),
                    ..RuleError::at(format!("nothing is captured as `{name}`"), name)
                });
            }
        }
        match self.made.iter().find(|m| !used.contains(&***m)) {
            Some(unused) => Err(RuleError::at(format!("nothing uses the capture `{unused}`"), unused)),
            None => Ok(()),
        }
    }

    fn subject(&mut self, m: &mut Match) -> Checked {
        let given = [
            m.document.is_some(),
            m.statement.is_some(),
            m.trust.is_some(),
            m.identity.is_some(),
            m.attachment.is_some(),
            m.resource.is_some(),
            m.call.is_some(),
        ];
        if given.iter().filter(|g| **g).count() != 1 {
            return Err(RuleError::at("`match` has exactly one subject", "match"));
        }
        if let Some(t) = &mut m.document {
            self.document(t)?;
        }
        if let Some(t) = &mut m.statement {
            self.statement(t, &DocKind::ALL)?;
        }
        if let Some(t) = &mut m.trust {
            if !t.kinds.is_empty() {
                return Err(RuleError::at(
                    "the subject `trust` is about trust policies: drop `in`",
                    "in",
                ));
            }
            self.statement(t, &[DocKind::Trust])?;
        }
        if let Some(t) = &mut m.identity {
            self.identity(t)?;
        }
        if let Some(AttachmentTest { policy, capture, .. }) = m.attachment.as_deref_mut() {
            self.made.extend(capture.clone());
            if let Some(p) = policy {
                self.item(p, ItemsOf::Text)?;
            }
        }
        if let Some(t) = &mut m.resource {
            self.resource(t)?;
        }
        if let Some(CallTest { arguments, capture, .. }) = m.call.as_deref_mut() {
            self.made.extend(capture.clone());
            for t in arguments.values_mut() {
                self.value(t)?;
            }
        }
        Ok(())
    }

    fn document(&mut self, t: &mut DocumentTest) -> Checked {
        self.made.extend(t.capture.clone());
        if let Some(v) = &mut t.version {
            self.clause(v, ItemsOf::Text)?;
        }
        let kinds = if t.kinds.is_empty() {
            DocKind::ALL.to_vec()
        } else {
            t.kinds.to_vec()
        };
        self.statements(t.statement.as_deref_mut(), &kinds)
    }

    fn statements(&mut self, t: Option<&mut StatementsTest>, kinds: &[DocKind]) -> Checked {
        let Some(StatementsTest { any, all, none }) = t else {
            return Ok(());
        };
        for s in any.iter_mut().chain(all).chain(none) {
            self.statement(s, kinds)?;
        }
        Ok(())
    }

    fn statement(&mut self, t: &mut StatementTest, outer: &[DocKind]) -> Checked {
        self.made.extend(t.capture.clone());
        let kinds: Vec<DocKind> = match t.kinds.as_slice() {
            [] => outer.to_vec(),
            own => own.iter().copied().filter(|k| outer.contains(k)).collect(),
        };
        if kinds.is_empty() {
            return Err(RuleError::at("no kind of document is left: this can never match", "in"));
        }
        if !t.service.is_empty() && !kinds.contains(&DocKind::Resource) {
            return Err(RuleError::at(
                "only resource policies have a service: this can never match",
                "service",
            ));
        }
        if (t.principal.is_some() || t.not_principal.is_some()) && !kinds.iter().any(|k| k.has_principal()) {
            return Err(RuleError::at(
                "no document of these kinds has principals: this can never match",
                "principal",
            ));
        }
        if (t.resource.is_some() || t.not_resource.is_some()) && kinds == [DocKind::Trust] {
            return Err(RuleError::at(
                "a trust policy has no resources: this can never match",
                "resource",
            ));
        }
        for (plain, negated, word) in [
            (&t.action, &t.not_action, "not-action"),
            (&t.resource, &t.not_resource, "not-resource"),
            (&t.principal, &t.not_principal, "not-principal"),
        ] {
            let must = |c: &Option<Box<ClauseTest>>| {
                c.as_ref()
                    .is_some_and(|c| c.present == Some(true) || c.any.is_some() || c.all.is_some())
            };
            if must(plain) && must(negated) {
                return Err(RuleError::at(
                    format!("a statement never has both forms of `{word}`"),
                    word,
                ));
            }
        }
        for (clause, of) in [
            (&mut t.sid, ItemsOf::Text),
            (&mut t.action, ItemsOf::Action),
            (&mut t.not_action, ItemsOf::Action),
            (&mut t.resource, ItemsOf::Resource),
            (&mut t.not_resource, ItemsOf::Resource),
            (&mut t.principal, ItemsOf::Principal),
            (&mut t.not_principal, ItemsOf::Principal),
        ] {
            if let Some(c) = clause {
                self.clause(c, of)?;
            }
        }
        if let Some(c) = &mut t.condition {
            self.conditions(c)?;
        }
        for s in t
            .all
            .iter_mut()
            .chain(&mut t.any)
            .chain(&mut t.none)
            .chain(t.not.as_deref_mut())
        {
            self.statement(s, &kinds)?;
        }
        Ok(())
    }

    fn clause(&mut self, t: &mut ClauseTest, of: ItemsOf) -> Checked {
        if t.present == Some(false) && (t.any.is_some() || t.all.is_some() || t.capture.is_some()) {
            return Err(RuleError::at(
                "an element that is absent has no items: this can never match",
                "present",
            ));
        }
        if t.capture.is_some() && t.any.is_none() && t.all.is_none() && t.present != Some(true) {
            return Err(RuleError::at(
                "`as` needs `any`, `all` or `present: true` to name items",
                "as",
            ));
        }
        self.made.extend(t.capture.clone());
        self.made.extend(t.key.clone());
        self.made.extend(t.value.clone());
        for i in t.any.iter_mut().chain(&mut t.all).chain(&mut t.none) {
            self.item(i, of)?;
        }
        Ok(())
    }

    fn item(&mut self, t: &mut ItemTest, of: ItemsOf) -> Checked {
        let refuse = |given: bool, word: &str, what: &str| {
            if given {
                Err(RuleError::at(format!("`{word}` is for {what}"), word))
            } else {
                Ok(())
            }
        };
        refuse(
            !t.access_level.is_empty() && of != ItemsOf::Action,
            "access-level",
            "actions",
        )?;
        refuse(
            !t.service.is_empty() && of == ItemsOf::Text,
            "service",
            "actions, resources and principals",
        )?;
        refuse(
            !t.principal.is_empty() && of != ItemsOf::Principal,
            "type",
            "principals",
        )?;
        refuse(
            !t.account.is_empty() && !matches!(of, ItemsOf::Principal | ItemsOf::Resource),
            "account",
            "resources and principals",
        )?;
        let covering = !t.covers.is_empty() || !t.covered_by.is_empty();
        refuse(
            covering && matches!(of, ItemsOf::Principal | ItemsOf::Text),
            "covers",
            "actions and resources",
        )?;
        self.expand_lists(&mut t.one_of.0)?;
        self.expand_lists(&mut t.service.0)?;
        self.regex(t.matches.as_deref())?;
        if of == ItemsOf::Action {
            for word in [&t.is.0, &t.covers.0, &t.covered_by.0, &t.one_of.0]
                .into_iter()
                .flatten()
            {
                self.action(word)?;
            }
        }
        for i in t
            .all
            .iter_mut()
            .chain(&mut t.any)
            .chain(&mut t.none)
            .chain(t.not.as_deref_mut())
        {
            self.item(i, of)?;
        }
        Ok(())
    }

    fn conditions(&mut self, t: &mut ConditionsTest) -> Checked {
        if t.capture.is_some() && t.any.is_none() && t.all.is_none() {
            return Err(RuleError::at("`as` needs `any` or `all` to name conditions", "as"));
        }
        self.made.extend(t.capture.clone());
        self.made.extend(t.key.clone());
        for line in t.any.iter_mut().chain(&mut t.all).chain(&mut t.none) {
            let ConditionTest {
                operator, key, value, ..
            } = &mut **line;
            for i in operator.iter_mut().chain(key) {
                self.item(i, ItemsOf::Text)?;
            }
            if let Some(v) = value {
                self.clause(v, ItemsOf::Text)?;
            }
        }
        Ok(())
    }

    fn identity(&mut self, t: &mut IdentityTest) -> Checked {
        self.made.extend(t.capture.clone());
        for c in t.name.iter_mut().chain(&mut t.policy) {
            self.clause(c, ItemsOf::Text)?;
        }
        self.statements(t.trust.as_deref_mut(), &[DocKind::Trust])?;
        for i in t
            .all
            .iter_mut()
            .chain(&mut t.any)
            .chain(&mut t.none)
            .chain(t.not.as_deref_mut())
        {
            self.identity(i)?;
        }
        Ok(())
    }

    fn resource(&mut self, t: &mut ResourceTest) -> Checked {
        self.made.extend(t.capture.clone());
        for v in t.properties.values_mut() {
            self.value(v)?;
        }
        for i in t
            .all
            .iter_mut()
            .chain(&mut t.any)
            .chain(&mut t.none)
            .chain(t.not.as_deref_mut())
        {
            self.resource(i)?;
        }
        Ok(())
    }

    fn value(&mut self, t: &mut ValueTest) -> Checked {
        if t.present == Some(false) && t.capture.is_some() {
            return Err(RuleError::at("a property that is absent cannot be captured", "as"));
        }
        self.made.extend(t.capture.clone());
        self.expand_lists(&mut t.one_of.0)?;
        self.regex(t.matches.as_deref())
    }

    fn action(&self, word: &str) -> Checked {
        match (self.judges.action)(word) {
            Some(meant) => Err(RuleError {
                suggestion: Some(meant),
                ..RuleError::at(format!("AWS has no action `{word}`"), word)
            }),
            None => Ok(()),
        }
    }

    fn regex(&self, pattern: Option<&str>) -> Checked {
        let Some(p) = pattern else { return Ok(()) };
        match (self.judges.regex)(p) {
            Some(why) => Err(RuleError::at(format!("invalid regular expression: {why}"), p)),
            None => Ok(()),
        }
    }

    /// Puts the words of named lists in the place of their names.
    fn expand_lists(&self, words: &mut Vec<String>) -> Checked {
        let mut all = Vec::new();
        for w in words.drain(..) {
            let Some(name) = w.strip_prefix('@') else {
                all.push(w);
                continue;
            };
            let list = self.lists.get(name).ok_or_else(|| RuleError {
                suggestion: nearest(name, self.lists.keys().map(String::as_str)).map(|n| format!("@{n}")),
                ..RuleError::at(format!("unknown list `{name}`"), &w)
            })?;
            all.extend(list.iter().cloned());
        }
        *words = all;
        Ok(())
    }
}
