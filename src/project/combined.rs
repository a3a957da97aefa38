//! Several policies as one: all of an identity, all on a resource.
//!
//! **Invariant:** two combined policies with one text grant the same; every statement knows a place in the repository.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::RepositoryPlace;
use crate::iam::pattern::is_star;
use crate::iam::variables::has_variable;
use crate::iam::{Clause, ClauseItem, Document, Effect, PolicyPart, SourceFormat, Statement, UnknownPart};
use crate::source::{Hole, Piece, Span, Text};

/// Several policies as one.
#[derive(Debug)]
pub struct CombinedPolicy {
    pub document: Document,
    /// Of each statement: where the repository puts its policy to use, for those that AWS wrote.
    pub places: Vec<Span>,
    /// Policies of which only a name is here.
    pub elsewhere: BTreeMap<String, Span>,
    /// The text of a boundary or control policy that is not a list of actions: it may take away more. `false`: there are
    /// deployments without it.
    pub limits: BTreeMap<String, bool>,
    /// What holds more statements, as it is written.
    pub unseen: BTreeMap<String, Span>,
    /// Of statements, by index, that refer to what is gone: the reference.
    pub dangling: BTreeMap<usize, String>,
}

impl CombinedPolicy {
    pub(super) fn new(like: &Document) -> Self {
        Self {
            document: Document {
                statements: Vec::new(),
                open: false,
                // Each statement says so itself.
                branch: None,
                format: like.format,
                ..like.clone()
            },
            places: Vec::new(),
            elsewhere: BTreeMap::new(),
            limits: BTreeMap::new(),
            unseen: BTreeMap::new(),
            dangling: BTreeMap::new(),
        }
    }

    /// Nothing is known of the items that refer to what is gone.
    pub fn hide(&mut self, is_gone: &dyn Fn(&Hole) -> bool) {
        for (at, s) in self.document.statements.iter_mut().enumerate() {
            let mut is_there = |item: &ClauseItem| {
                let gone = item.text.holes().find(|h| is_gone(h));
                gone.map(|h| self.dangling.insert(at, h.name.to_string())).is_none()
            };
            for clause in [&mut s.action, &mut s.resource].into_iter().flatten() {
                let before = clause.items.len();
                clause.items.retain(&mut is_there);
                clause.complete &= clause.items.len() == before;
                clause.sets = Default::default();
            }
            if let Some(clause) = &mut s.principal {
                let before = clause.items.len();
                clause.items.retain(|i| is_there(&i.value));
                clause.complete &= clause.items.len() == before;
            }
            for c in &mut s.conditions {
                let before = c.values.len();
                c.values.retain(&mut is_there);
                c.complete &= c.values.len() == before;
            }
        }
    }

    /// The same subject without any policy.
    pub fn nothing(&self) -> Self {
        Self::new(&self.document)
    }

    /// Whether there is no policy at all.
    pub fn is_nothing(&self) -> bool {
        let names = [&self.elsewhere, &self.unseen].into_iter().all(BTreeMap::is_empty);
        self.document.statements.is_empty() && !self.document.open && names && self.limits.is_empty()
    }

    /// Whether something that is not compared always limits it.
    pub fn is_limited(&self) -> bool {
        self.limits.values().any(|is_always| *is_always)
    }

    /// Where the token is, or where its policy is put to use.
    pub fn place(&self, statement: usize, token: Span) -> Span {
        let used = self.places.get(statement).copied().unwrap_or(Span::NOWHERE);
        match () {
            () if token.is_in_source() => token,
            () if used.is_in_source() => used,
            () => self.document.span,
        }
    }

    /// All that it says, in no order and without places.
    pub fn text(&self) -> String {
        let mut all: Vec<String> = self.document.statements.iter().map(statement_text).collect();
        all.sort_unstable();
        all.dedup();
        let mut out = all.concat();
        for name in self
            .elsewhere
            .keys()
            .chain(self.unseen.keys())
            .chain(self.limits.keys())
        {
            let _ = write!(out, "\n+{name}");
        }
        if self.document.open {
            out.push_str("\nopen");
        }
        out
    }

    pub(super) fn add(&mut self, document: &Document, used: Span, place: &RepositoryPlace<'_>) {
        if self.document.statements.is_empty() {
            self.document.version.clone_from(&document.version);
            self.document.format = document.format;
        }
        let version = |d: &Document| d.version.as_ref().map(|v| v.text.display());
        // Only the current version of the language has variables.
        let differs = version(&self.document) != version(document);
        if differs && has_variables(document.statements.iter().chain(&self.document.statements)) {
            self.document.open = true;
        }
        if document.format != SourceFormat::Json {
            self.document.format = document.format;
        }
        self.document.open |= document.open;
        if document.open {
            self.note_unseen(document);
        }
        for s in &document.statements {
            let mut s = s.clone();
            if s.branch.is_none() {
                s.branch.clone_from(&document.branch);
            }
            complete_items(&mut s);
            place.fill_statement(&mut s);
            self.document.statements.push(s);
            self.places.push(used);
        }
    }

    /// In a policy on a resource, `*` is that resource and what is in it, and an ARN of its type is of the region and account
    /// that it is in.
    pub(super) fn scope(&mut self, on: &[Text]) {
        for s in &mut self.document.statements {
            let (fit, unfit): (Vec<&Text>, Vec<&Text>) =
                on.iter().partition(|text| fits_actions(s.action.as_ref(), text));
            let Some(clause) = s.resource.as_mut().filter(|c| !c.negated) else {
                continue;
            };
            clause.items.iter_mut().for_each(|i| place_as(&mut i.text, on));
            let unfit: Vec<String> = unfit.into_iter().map(Text::display).collect();
            let is_unfit = |i: &ClauseItem| unfit.contains(&i.text.display());
            let star = clause.items.iter().find(|i| is_star(&i.text) && i.branch.is_none());
            if let Some(at) = star.map(|i| i.span).filter(|_| !fit.is_empty()) {
                clause.items = fit.into_iter().map(|text| ClauseItem::new(text.clone(), at)).collect();
            } else if !clause.items.iter().all(is_unfit) {
                clause.items.retain(|i| !is_unfit(i));
            }
            clause.sets = Default::default();
        }
    }

    /// What the statements of a document that are not there depend on.
    fn note_unseen(&mut self, document: &Document) {
        let whole = |u: &&UnknownPart| matches!(u.part, PolicyPart::Document | PolicyPart::Statement);
        let named = document.unresolved.iter().filter(whole);
        let mut named = named.map(|u| (format!("${{{}}}", u.name), u.span)).peekable();
        if named.peek().is_none() {
            self.unseen.insert("a part that is not read".to_owned(), document.span);
        }
        self.unseen.extend(named);
    }

    /// The document without the Allow statements that the other one has too, where it denies no more than this one.
    pub fn beyond(&self, other: &Self) -> Document {
        let mut out = self.document.clone();
        let version = |d: &Document| d.version.as_ref().map(|v| v.text.display());
        let of = |all: &[Statement], effect: Effect| -> HashSet<String> {
            let own = all
                .iter()
                .filter(|s| s.effect.as_ref().is_some_and(|e| e.value == effect));
            own.map(statement_text).collect()
        };
        let (own, others) = (&self.document.statements, &other.document.statements);
        let is_decided = |s: &Statement| s.effect.as_ref().is_none_or(|e| e.value != Effect::Unknown);
        let denies_no_more = of(others, Effect::Deny).is_subset(&of(own, Effect::Deny));
        if !denies_no_more || version(&self.document) != version(&other.document) || !others.iter().all(is_decided) {
            return out;
        }
        let known = of(others, Effect::Allow);
        for s in &mut out.statements {
            let is_known = known.contains(&statement_text(s));
            if let Some(effect) = s.effect.as_mut().filter(|_| is_known) {
                effect.value = Effect::Invalid;
            }
        }
        out
    }
}

/// Writes the region and the account of an ARN as the ARN of a resource of its type does, where only a deployment knows them.
fn place_as(text: &mut Text, on: &[Text]) {
    const PLACE: std::ops::Range<usize> = 3..5;
    let fields = text.split(':');
    let is_alike = |other: &[Text]| {
        let same = |at: usize| fields.get(at).map(Text::display) == other.get(at).map(Text::display);
        fields.len() > PLACE.end && other.len() > PLACE.end && same(0) && same(2)
    };
    let Some(of_resource) = on.iter().map(|o| o.split(':')).find(|o| is_alike(o)) else {
        return;
    };
    let is_one = |field: &Text| field.known().is_some_and(|f| !f.is_empty() && !f.contains(['*', '?']));
    let moved = |at: usize| PLACE.contains(&at) && is_one(&fields[at]) && !of_resource[at].is_known();
    if !PLACE.into_iter().any(moved) {
        return;
    }
    let mut out = Text::default();
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.append(&Text::synthetic(":", Span::NOWHERE));
        }
        out.append(if moved(at) { &of_resource[at] } else { field });
    }
    *text = out;
}

/// Whether one of the actions may be on this: of a bucket, those of buckets, and of what is in it, those of objects.
fn fits_actions(actions: Option<&Clause>, on: &Text) -> bool {
    let Some(actions) = actions.filter(|c| c.is_known()).and_then(Clause::actions) else {
        return true;
    };
    let is_of_s3 = on
        .pieces()
        .first()
        .is_some_and(|p| matches!(p, Piece::Lit(lit) if lit.text.contains(":s3:")));
    let is_within = on.display().ends_with("/*");
    let is_of = |name: &str| match is_within {
        true => name.starts_with("object"),
        false => name == "bucket",
    };
    let mut kinds = actions.iter().flat_map(|a| a.resource_types());
    let is_empty = actions.is_empty();
    !is_of_s3 || is_empty || kinds.any(|kind| is_of(kind.name()))
}

/// An item that is known in part, or is one thing of the repository, hides no others.
fn complete_items(s: &mut Statement) {
    fn is_complete<'i>(items: impl Iterator<Item = &'i ClauseItem> + Clone) -> bool {
        let unknown = items.filter(|i| !i.text.is_known());
        let is_one = |i: &ClauseItem| {
            i.text
                .as_hole()
                .is_none_or(|h| h.kind.is_placeholder() || h.is_given_arn())
        };
        unknown.clone().next().is_some() && unknown.clone().all(is_one)
    }
    for clause in [&mut s.action, &mut s.resource].into_iter().flatten() {
        clause.complete |= is_complete(clause.items.iter());
    }
    if let Some(clause) = &mut s.principal {
        clause.complete |= is_complete(clause.items.iter().map(|i| &i.value));
    }
    for condition in &mut s.conditions {
        condition.complete |= is_complete(condition.values.iter());
    }
}

fn has_variables<'s>(statements: impl Iterator<Item = &'s Statement>) -> bool {
    let of = |s: &Statement| {
        let values = s.conditions.iter().flat_map(|c| &c.values);
        let mut items = s.written_resources().chain(values);
        items.any(|i| has_variable(&i.text.with_placeholders()))
    };
    let mut statements = statements;
    statements.any(of)
}

/// All that a statement says; an unknown part is not taken for a text.
pub fn statement_text(s: &Statement) -> String {
    let mut out = format!("\n{:?}", s.effect.as_ref().map(|e| e.value));
    let branch = |item: &ClauseItem| item.branch.as_ref().map(|b| b.label().to_owned());
    let list = |out: &mut String, name: &str, negated: bool, items: &mut dyn Iterator<Item = (String, &ClauseItem)>| {
        let mut all: Vec<String> = items
            .map(|(kind, i)| format!("{kind}{:?}{:?}", plain_text(&i.text), branch(i)))
            .collect();
        all.sort_unstable();
        all.dedup();
        let _ = write!(out, " {name}{negated}{}", all.join(","));
    };
    let untyped = |i| (String::new(), i);
    let actions = [(&s.action, "action"), (&s.second_action, "more actions")];
    let resources = [(&s.resource, "resource"), (&s.second_resource, "more resources")];
    for (clause, name) in actions.into_iter().chain(resources) {
        if let Some(c) = clause {
            list(&mut out, name, c.negated, &mut c.items.iter().map(untyped));
            let _ = write!(out, "{}", c.complete);
        }
    }
    if let Some(p) = &s.principal {
        let items = p.items.iter().map(|i| (format!("{:?}", i.kind), &i.value));
        list(&mut out, "principal", p.negated, &mut items.into_iter());
        let _ = write!(out, "{}", p.complete);
    }
    let mut conditions: Vec<String> = Vec::new();
    for c in &s.conditions {
        let mut text = format!("{} {}", c.operator.display(), c.lower_key);
        list(&mut text, "values", false, &mut c.values.iter().map(untyped));
        let _ = write!(text, "{}", c.complete);
        conditions.push(text);
    }
    conditions.sort_unstable();
    out += &conditions.concat();
    let guard = s.branch.as_ref().map(|b| b.label().to_owned());
    let _ = write!(out, " {guard:?}{}{}", s.open, s.condition_key.is_some());
    out
}

fn plain_text(text: &Text) -> String {
    let pieces = text.pieces().iter().map(|p| match p {
        Piece::Lit(lit) => lit.text.to_string(),
        Piece::Hole(hole) => format!("\u{0}{}\u{0}", hole.name),
    });
    pieces.collect()
}
