//! Whether a `match` and its `report` mean something: captures, words, subjects.

use std::collections::BTreeSet;

use super::super::spec::{
    AttachmentTest, CallTest, ClauseTest, ConditionTest, ConditionsTest, DocKind, DocumentTest, IdentityTest, ItemTest,
    Match, Report, ResourceTest, StatementTest, StatementsTest, ValueTest,
};
use super::{Checked, Judges, Lists, Mistake, interpolations, nearest};

/// Checks one `match` and its `report`, and puts the words of lists in their place.
pub(super) struct Checker<'a> {
    lists: &'a Lists,
    judges: Judges,
    made: BTreeSet<String>,
}

/// What the items of a clause are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Action,
    Resource,
    Principal,
    Text,
}

impl<'a> Checker<'a> {
    pub(super) fn run(matcher: &mut Match, report: &Report, lists: &'a Lists, judges: Judges) -> Checked {
        let mut c = Self {
            lists,
            judges,
            made: BTreeSet::new(),
        };
        c.subject(matcher)?;
        for a in &report.adjust {
            if matcher.statement.is_none() && matcher.trust.is_none() {
                return Err(Mistake::at("`adjust` is for rules about statements", "adjust"));
            }
            let mut inner = Checker {
                lists,
                judges,
                made: BTreeSet::new(),
            };
            let mut when = a.when.clone();
            inner.statement(&mut when, &DocKind::ALL)?;
            if let Some(item) = &a.item {
                inner.item(&mut item.as_ref().clone(), Of::Action)?;
            }
            if let Some(unused) = inner.made.first() {
                return Err(Mistake::at(format!("nothing uses the capture `{unused}`"), unused));
            }
        }
        c.captures(report)
    }

    fn captures(&self, report: &Report) -> Checked {
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
                return Err(Mistake {
                    suggestion: nearest(name, self.made.iter().map(String::as_str)),
                    ..Mistake::at(format!("nothing is captured as `{name}`"), name)
                });
            }
        }
        match self.made.iter().find(|m| !used.contains(&***m)) {
            Some(unused) => Err(Mistake::at(format!("nothing uses the capture `{unused}`"), unused)),
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
            return Err(Mistake::at("`match` has exactly one subject", "match"));
        }
        if let Some(t) = &mut m.document {
            self.document(t)?;
        }
        if let Some(t) = &mut m.statement {
            self.statement(t, &DocKind::ALL)?;
        }
        if let Some(t) = &mut m.trust {
            if !t.kinds.is_empty() {
                return Err(Mistake::at(
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
                self.item(p, Of::Text)?;
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
            self.clause(v, Of::Text)?;
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
            return Err(Mistake::at("no kind of document is left: this can never match", "in"));
        }
        if !t.service.is_empty() && !kinds.contains(&DocKind::Resource) {
            return Err(Mistake::at(
                "only resource policies have a service: this can never match",
                "service",
            ));
        }
        if (t.principal.is_some() || t.not_principal.is_some()) && !kinds.iter().any(|k| k.has_principal()) {
            return Err(Mistake::at(
                "no document of these kinds has principals: this can never match",
                "principal",
            ));
        }
        if (t.resource.is_some() || t.not_resource.is_some()) && kinds == [DocKind::Trust] {
            return Err(Mistake::at(
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
                return Err(Mistake::at(
                    format!("a statement never has both forms of `{word}`"),
                    word,
                ));
            }
        }
        for (clause, of) in [
            (&mut t.sid, Of::Text),
            (&mut t.action, Of::Action),
            (&mut t.not_action, Of::Action),
            (&mut t.resource, Of::Resource),
            (&mut t.not_resource, Of::Resource),
            (&mut t.principal, Of::Principal),
            (&mut t.not_principal, Of::Principal),
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

    fn clause(&mut self, t: &mut ClauseTest, of: Of) -> Checked {
        if t.present == Some(false) && (t.any.is_some() || t.all.is_some() || t.capture.is_some()) {
            return Err(Mistake::at(
                "an element that is absent has no items: this can never match",
                "present",
            ));
        }
        if t.capture.is_some() && t.any.is_none() && t.all.is_none() && t.present != Some(true) {
            return Err(Mistake::at(
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

    fn item(&mut self, t: &mut ItemTest, of: Of) -> Checked {
        let refuse = |given: bool, word: &str, what: &str| {
            if given {
                Err(Mistake::at(format!("`{word}` is for {what}"), word))
            } else {
                Ok(())
            }
        };
        refuse(
            !t.access_level.is_empty() && of != Of::Action,
            "access-level",
            "actions",
        )?;
        refuse(
            !t.service.is_empty() && of == Of::Text,
            "service",
            "actions, resources and principals",
        )?;
        refuse(!t.principal.is_empty() && of != Of::Principal, "type", "principals")?;
        refuse(
            !t.account.is_empty() && !matches!(of, Of::Principal | Of::Resource),
            "account",
            "resources and principals",
        )?;
        let covering = !t.covers.is_empty() || !t.covered_by.is_empty();
        refuse(
            covering && matches!(of, Of::Principal | Of::Text),
            "covers",
            "actions and resources",
        )?;
        self.words(&mut t.one_of.0)?;
        self.words(&mut t.service.0)?;
        self.regex(t.matches.as_deref())?;
        if of == Of::Action {
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
            return Err(Mistake::at("`as` needs `any` or `all` to name conditions", "as"));
        }
        self.made.extend(t.capture.clone());
        self.made.extend(t.key.clone());
        for line in t.any.iter_mut().chain(&mut t.all).chain(&mut t.none) {
            let ConditionTest {
                operator, key, value, ..
            } = &mut **line;
            for i in operator.iter_mut().chain(key) {
                self.item(i, Of::Text)?;
            }
            if let Some(v) = value {
                self.clause(v, Of::Text)?;
            }
        }
        Ok(())
    }

    fn identity(&mut self, t: &mut IdentityTest) -> Checked {
        self.made.extend(t.capture.clone());
        for c in t.name.iter_mut().chain(&mut t.policy) {
            self.clause(c, Of::Text)?;
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
            return Err(Mistake::at("a property that is absent cannot be captured", "as"));
        }
        self.made.extend(t.capture.clone());
        self.words(&mut t.one_of.0)?;
        self.regex(t.matches.as_deref())
    }

    fn action(&self, word: &str) -> Checked {
        match (self.judges.action)(word) {
            Some(meant) => Err(Mistake {
                suggestion: Some(meant),
                ..Mistake::at(format!("AWS has no action `{word}`"), word)
            }),
            None => Ok(()),
        }
    }

    fn regex(&self, pattern: Option<&str>) -> Checked {
        let Some(p) = pattern else { return Ok(()) };
        match (self.judges.regex)(p) {
            Some(why) => Err(Mistake::at(format!("this is no regular expression: {why}"), p)),
            None => Ok(()),
        }
    }

    /// Puts the words of named lists in the place of their names.
    fn words(&self, words: &mut Vec<String>) -> Checked {
        let mut all = Vec::new();
        for w in words.drain(..) {
            let Some(name) = w.strip_prefix('@') else {
                all.push(w);
                continue;
            };
            let list = self.lists.get(name).ok_or_else(|| Mistake {
                suggestion: nearest(name, self.lists.keys().map(String::as_str)).map(|n| format!("@{n}")),
                ..Mistake::at(format!("there is no list `{name}`"), &w)
            })?;
            all.extend(list.iter().cloned());
        }
        *words = all;
        Ok(())
    }
}
