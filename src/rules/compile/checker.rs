//! Whether a `match` and its `report` mean something: captures, words, subjects.

use std::collections::{BTreeMap, BTreeSet};

use super::super::spec::{
    AttachmentTest, CallTest, ClauseTest, ConditionTest, ConditionsTest, DocumentTest, IdentityTest, ItemTest, Many,
    Match, ReportSpec, ResourceTest, StatementTest, StatementsTest, ValueTest,
};
use crate::terms::{POLICY_ELEMENTS, PolicyKind, STATEMENT_ELEMENTS};

use super::{Checked, Lists, RuleError, Validators, interpolations, nearest};

/// Checks one `match` and its `report`, and puts the words of lists in their place.
pub(super) struct Checker<'a> {
    lists: &'a Lists,
    judges: Validators,
    made: BTreeSet<String>,
    /// Captures that the subject makes by itself: no report has to use them.
    given: &'static [&'static str],
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
            given: &[],
        };
        c.subject(matcher)?;
        for a in &report.adjust {
            if matcher.statement.is_none() && matcher.trust.is_none() {
                return Err(RuleError::at("`adjust` works only in rules about statements", "adjust"));
            }
            let mut inner = Checker {
                lists,
                judges,
                made: BTreeSet::new(),
                given: &[],
            };
            let mut when = a.when.clone();
            inner.statement(&mut when, &PolicyKind::KNOWN)?;
            if let Some(item) = &a.item {
                inner.item(&mut item.as_ref().clone(), ItemsOf::Action)?;
            }
            if let Some(unused) = inner.made.first() {
                return Err(RuleError::at(format!("unused capture `{unused}`"), unused));
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
            .chain(&report.help)
            .chain(report.also.iter().map(|a| &a.label))
            .chain(report.evidence.iter().flat_map(|e| &e.other))
            .chain(report.fix.iter().flat_map(|f| [&f.title].into_iter().chain(&f.write)));
        for text in texts {
            used.extend(interpolations(text)?);
        }
        if let Some(e) = &report.evidence {
            let named = e.actions.iter().chain(&e.resources).chain(&e.principals);
            used.extend(named.map(String::as_str));
        }
        if let Some(fix) = &report.fix {
            used.extend(fix.at.as_deref());
            let ways = [fix.write.is_some(), fix.add.is_some(), fix.remove];
            if ways.iter().filter(|way| **way).count() != 1 {
                return Err(RuleError::at(
                    "a fix needs one of `write`, `add`, and `remove: true`",
                    "fix",
                ));
            }
        }
        for name in &used {
            if !self.made.contains(*name) && !self.given.contains(name) {
                return Err(RuleError {
                    suggestion: nearest(name, self.made.iter().map(String::as_str)),
                    ..RuleError::at(format!("unknown capture `{name}`"), name)
                });
            }
        }
        match self.made.iter().find(|m| !used.contains(&***m)) {
            Some(unused) => Err(RuleError::at(format!("unused capture `{unused}`"), unused)),
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
            m.condition.is_some(),
            m.defect.is_some(),
        ];
        if given.iter().filter(|g| **g).count() != 1 {
            return Err(RuleError::at("`match` needs exactly one subject", "match"));
        }
        if let Some(t) = &mut m.document {
            self.document(t)?;
        }
        if let Some(t) = &mut m.statement {
            self.statement(t, &PolicyKind::KNOWN)?;
        }
        if let Some(t) = &mut m.trust {
            if !t.kinds.is_empty() {
                return Err(RuleError::at(
                    "the subject `trust` implies trust policies: remove `in`",
                    "in",
                ));
            }
            self.statement(t, &[PolicyKind::Trust])?;
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
        if let Some(t) = &mut m.call {
            self.call(t)?;
        }
        if let Some(t) = &mut m.condition {
            self.given = &["operator", "key", "values"];
            self.line(&mut t.line)?;
            if let Some(s) = &mut t.statement {
                self.statement(s, &PolicyKind::KNOWN)?;
            }
        }
        if let Some(t) = &mut m.defect {
            self.given = &["place", "other"];
            for i in t.element.iter_mut().chain(&mut t.text) {
                self.item(i, ItemsOf::Text)?;
            }
        }
        Ok(())
    }

    fn call(&mut self, t: &mut CallTest) -> Checked {
        self.made.extend(t.capture.clone());
        let any = ["*".to_owned()];
        let services: &[String] = if t.service.is_empty() { &any } else { &t.service };
        for (service, operation) in services.iter().flat_map(|s| t.operation.iter().map(move |o| (s, o))) {
            if let Some(why) = (self.judges.call)(service, operation) {
                return Err(RuleError::at(why, operation));
            }
        }
        self.properties(&mut t.arguments)?;
        for c in t
            .all
            .iter_mut()
            .chain(&mut t.any)
            .chain(&mut t.none)
            .chain(t.not.as_deref_mut())
        {
            self.call(c)?;
        }
        Ok(())
    }

    fn properties(&mut self, tests: &mut BTreeMap<String, ValueTest>) -> Checked {
        for (path, t) in tests {
            if path
                .split(['.', '|'])
                .any(|part| part.trim_end_matches("[]").is_empty())
            {
                return Err(RuleError::at(format!("`{path}` is not a property path"), path));
            }
            if path.ends_with("[]") && t.present == Some(false) {
                return Err(RuleError::at(
                    "an item of a list is never absent: this can never match",
                    path,
                ));
            }
            self.value(t)?;
        }
        Ok(())
    }

    /// Elements are names that the policy language has.
    fn elements<const N: usize>(words: &[&Many<String>], known: [&'static str; N]) -> Checked {
        for word in words.iter().flat_map(|w| w.iter()) {
            if !known.contains(&word.as_str()) {
                return Err(RuleError {
                    suggestion: nearest(word, known),
                    ..RuleError::at(format!("unknown element `{word}`: this can never match"), word)
                });
            }
        }
        Ok(())
    }

    fn document(&mut self, t: &mut DocumentTest) -> Checked {
        Self::elements(&[&t.has, &t.lacks], POLICY_ELEMENTS)?;
        self.made.extend(t.capture.clone());
        if let Some(v) = &mut t.version {
            self.clause(v, ItemsOf::Text)?;
        }
        let kinds = if t.kinds.is_empty() {
            PolicyKind::KNOWN.to_vec()
        } else {
            t.kinds.to_vec()
        };
        self.statements(t.statement.as_deref_mut(), &kinds)
    }

    fn statements(&mut self, t: Option<&mut StatementsTest>, kinds: &[PolicyKind]) -> Checked {
        let Some(StatementsTest { any, all, none }) = t else {
            return Ok(());
        };
        for s in any.iter_mut().chain(all).chain(none) {
            self.statement(s, kinds)?;
        }
        Ok(())
    }

    fn statement(&mut self, t: &mut StatementTest, outer: &[PolicyKind]) -> Checked {
        self.made.extend(t.capture.iter().chain(&t.effect_as).cloned());
        Self::elements(&[&t.has, &t.lacks], STATEMENT_ELEMENTS)?;
        if t.effect_as.is_some() && t.effect.is_none() {
            return Err(RuleError::at("`effect-as` needs `effect`", "effect-as"));
        }
        let kinds: Vec<PolicyKind> = match t.kinds.as_slice() {
            [] => outer.to_vec(),
            own => own.iter().copied().filter(|k| outer.contains(k)).collect(),
        };
        if kinds.is_empty() {
            return Err(RuleError::at(
                "these tests exclude every kind of document: this can never match",
                "in",
            ));
        }
        if !t.service.is_empty() && !kinds.contains(&PolicyKind::Resource) {
            return Err(RuleError::at(
                "only resource policies have a service: this can never match",
                "service",
            ));
        }
        // That an element is there where it must not be is a mistake to find; its items are never read.
        let asks = |c: &Option<Box<ClauseTest>>| c.as_ref().is_some_and(|c| c.any.is_some() || c.all.is_some());
        if (asks(&t.principal) || asks(&t.not_principal)) && !kinds.iter().any(|k| k.has_principal()) {
            return Err(RuleError::at(
                "no document of these kinds has principals: this can never match",
                "principal",
            ));
        }
        if (asks(&t.resource) || asks(&t.not_resource)) && kinds == [PolicyKind::Trust] {
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
                "`as` needs `any`, `all`, or `present: true` to name items",
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
                Err(RuleError::at(format!("`{word}` works only for {what}"), word))
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
            "actions, resources, and principals",
        )?;
        refuse(
            !t.principal.is_empty() && of != ItemsOf::Principal,
            "type",
            "principals",
        )?;
        refuse(
            !t.identity.is_empty() && of != ItemsOf::Principal,
            "identity",
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
            self.line(line)?;
        }
        Ok(())
    }

    fn line(&mut self, t: &mut ConditionTest) -> Checked {
        for i in t.operator.iter_mut().chain(&mut t.key) {
            self.item(i, ItemsOf::Text)?;
        }
        if let Some(v) = &mut t.value {
            self.clause(v, ItemsOf::Text)?;
        }
        let of_operator = !t.family.is_empty()
            || !t.set.is_empty()
            || t.negated.is_some()
            || t.wildcards.is_some()
            || t.if_exists.is_some()
            || t.fits_type.is_some();
        if t.known_operator == Some(false) && of_operator {
            return Err(RuleError::at(
                "an operator that is unknown has no properties: this can never match",
                "known-operator",
            ));
        }
        Ok(())
    }

    fn identity(&mut self, t: &mut IdentityTest) -> Checked {
        self.made.extend(t.capture.clone());
        for c in t.name.iter_mut().chain(&mut t.policy) {
            self.clause(c, ItemsOf::Text)?;
        }
        self.statements(t.trust.as_deref_mut(), &[PolicyKind::Trust])?;
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
        self.properties(&mut t.properties)?;
        for v in t.tag.values_mut() {
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
        if t.present == Some(false) && (t.capture.is_some() || t.key.is_some()) {
            return Err(RuleError::at("a property that is absent cannot be captured", "as"));
        }
        let least = t
            .more_than
            .into_iter()
            .chain(t.at_least)
            .fold(f64::NEG_INFINITY, f64::max);
        let most = t.less_than.into_iter().chain(t.at_most).fold(f64::INFINITY, f64::min);
        if least > most || least == most && (t.more_than == Some(least) || t.less_than == Some(most)) {
            return Err(RuleError::at(
                "no number is in this range: this can never match",
                "more-than",
            ));
        }
        self.made.extend(t.capture.iter().chain(&t.key).cloned());
        self.expand_lists(&mut t.one_of.0)?;
        self.regex(t.matches.as_deref())?;
        if let Some(i) = &mut t.item {
            self.item(i, ItemsOf::Resource)?;
        }
        if let Some(r) = &mut t.refers_to {
            self.resource(r)?;
        }
        for v in t
            .all
            .iter_mut()
            .chain(&mut t.any)
            .chain(&mut t.none)
            .chain(t.not.as_deref_mut())
        {
            self.value(v)?;
        }
        Ok(())
    }

    fn action(&self, word: &str) -> Checked {
        match (self.judges.action)(word) {
            Some(meant) => Err(RuleError {
                suggestion: Some(meant),
                ..RuleError::at(format!("unknown action `{word}`"), word)
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
