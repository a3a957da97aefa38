//! `data "aws_iam_policy_document"`: blocks to the document that its `json` is the JSON of.
//!
//! AWS provider documentation, "Data Source: aws_iam_policy_document". Key spans are those of the argument names and
//! block types, so that findings point at what is written.

use std::collections::{HashMap, HashSet};

use crate::formats::data;
use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::{Branch, MapEntry, Value, ValueKind};

use crate::formats::terraform::eval::blocks;
use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::nested::{
    alternatives, condition, conditioned, nested_blocks, principals, with_variables,
};
use crate::formats::terraform::eval::values::{inherit, spread_of};
use crate::formats::terraform::parse::directory::Decl;

/// The evaluated document as an encoded string.
pub(crate) fn document<'a>(evaluator: &TerraformEvaluator<'a>, decl: &Decl<'a>, env: &EvalScope<'a>) -> Value {
    let block = decl.block();
    let items = blocks::items(evaluator, decl, env, &|_| false);
    let all = |name: &'static str| {
        let named = move |e: &&MapEntry| e.key.known().as_deref() == Some(name);
        items.iter().map(|i| &i.entry).filter(named)
    };
    let mut list = MergedStatements::new(evaluator, block.span);
    for (argument, section) in [
        ("source_json", StatementSource::Replacing),
        ("source_policy_documents", StatementSource::Sources),
    ] {
        for entry in all(argument) {
            list.documents(&entry.value, section, 0);
        }
    }
    let mut first_key = None;
    for entry in all("statement") {
        first_key.get_or_insert(entry.key_span);
        list.own_statement(&entry.value, entry.key_span);
    }
    for argument in ["override_policy_documents", "override_json"] {
        for entry in all(argument) {
            list.documents(&entry.value, StatementSource::Replacing, 0);
        }
    }
    if let Some(lost) = items.iter().find(|i| i.entry.key.is_broken()) {
        list.push(lost.entry.value.clone(), StatementSource::Own);
    }
    let mut entries = Vec::new();
    let version = all("version").next_back().filter(|e| !e.value.is_null());
    let version = match version {
        Some(e) => (e.key_span, e.value.clone()),
        None => (
            block.header,
            list.version
                .take()
                .unwrap_or_else(|| Value::synthetic("2012-10-17", block.header)),
        ),
    };
    entries.push(MapEntry::synthetic("Version", version.0, version.1));
    if let Some(id) = all("policy_id").next_back().filter(|e| !is_absent(&e.value)) {
        entries.push(MapEntry::synthetic("Id", id.key_span, id.value.clone()));
    }
    let statements = Value::seq(list.statements.into_iter().map(|(s, _)| s).collect(), block.span);
    entries.push(MapEntry::synthetic(
        "Statement",
        first_key.unwrap_or(block.header),
        statements,
    ));
    Value::json(Value::map(entries, block.span), block.span)
}

/// The document that the values of a data source in a plan make: null stands for what only `apply` knows.
pub(crate) fn planned_document(values: &Value, span: Span) -> Value {
    let mut statements = Vec::new();
    let documents = |name: &str, statements: &mut Vec<Value>| {
        let Some(list) = values.get(name) else { return };
        for item in list.items() {
            match item.as_text().and_then(|text| data::embedded(text, item.span)) {
                Some((document, _)) => {
                    statements.extend(
                        document
                            .get("Statement")
                            .map(Value::items)
                            .unwrap_or_default()
                            .iter()
                            .cloned(),
                    );
                }
                None if list.is_null() => {}
                None => statements.push(spread_of(&unknown_where_null(item, 0), item.span, name)),
            }
        }
    };
    documents("source_policy_documents", &mut statements);
    if let Some(own) = values.entry("statement") {
        let items = own.value.items().iter();
        statements.extend(items.map(|s| statement(&unknown_where_null(s, 0), own.key_span)));
    }
    documents("override_policy_documents", &mut statements);
    policy(statements, span, span)
}

/// The items of lists that are null are unknown. Arguments that are null are not there.
fn unknown_where_null(value: &Value, depth: u32) -> Value {
    let unknown = || Value::unknown(Hole::new(HoleKind::Applied, "known after apply", value.span));
    let kind = match &value.kind {
        _ if depth > 8 => return value.clone(),
        ValueKind::Null if depth == 0 => return unknown(),
        ValueKind::Seq(items) => ValueKind::Seq(
            items
                .iter()
                .map(|item| match item.kind {
                    ValueKind::Null => unknown_where_null(item, 0),
                    _ => unknown_where_null(item, depth + 1),
                })
                .collect(),
        ),
        ValueKind::Map(entries) => ValueKind::Map(
            entries
                .iter()
                .map(|e| MapEntry {
                    value: unknown_where_null(&e.value, depth + 1),
                    ..e.clone()
                })
                .collect(),
        ),
        _ => return value.clone(),
    };
    Value { kind, ..value.clone() }
}

/// A document of these statements, with the version that the provider writes.
pub(crate) fn policy(statements: Vec<Value>, key: Span, span: Span) -> Value {
    let entries = vec![
        MapEntry::synthetic("Version", key, Value::synthetic("2012-10-17", key)),
        MapEntry::synthetic("Statement", key, Value::seq(statements, span)),
    ];
    Value::json(Value::map(entries, span), span)
}

/// Null, or an empty string or list: what the provider leaves out.
fn is_absent(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Null => true,
        ValueKind::Str(t) => t.is_empty(),
        ValueKind::Seq(items) => items.is_empty(),
        _ => false,
    }
}

/// An empty list that is written outside the statement at `inside`.
fn is_emptied(value: &Value, inside: Span) -> bool {
    matches!(&value.kind, ValueKind::Seq(items) if items.is_empty()) && !inside.contains(value.span)
}

/// Where a statement of a document comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StatementSource {
    /// `source_policy_documents`: a Sid may stand in one of them only.
    Sources,
    /// The `statement` blocks: each has a Sid of its own.
    Own,
    /// `source_json`, and documents that override: a Sid replaces the statement that has it.
    Replacing,
}

/// Statements in the provider's order: one with a sid replaces the one that has that sid already. Where the provider stops at
/// a sid that stands twice, both statements stay, so that both are judged and the sid is reported.
struct MergedStatements<'e, 'a> {
    evaluator: &'e TerraformEvaluator<'a>,
    at: Span,
    statements: Vec<(Value, StatementSource)>,
    /// The first statement with each sid.
    sids: HashMap<String, usize>,
    /// The statements themselves: what is merged in twice, word for word, is there once.
    seen: HashSet<usize>,
    version: Option<Value>,
}

/// How many statements one document may have.
const MAX_STATEMENTS: usize = 5_000;

impl<'e, 'a> MergedStatements<'e, 'a> {
    fn new(evaluator: &'e TerraformEvaluator<'a>, at: Span) -> Self {
        Self {
            evaluator,
            at,
            statements: Vec::new(),
            sids: HashMap::new(),
            seen: HashSet::new(),
            version: None,
        }
    }

    fn push(&mut self, statement: Value, section: StatementSource) {
        if self.statements.len() < MAX_STATEMENTS && self.evaluator.spend(1) {
            self.statements.push((statement, section));
        } else if self.statements.len() <= MAX_STATEMENTS {
            let rest = self.evaluator.over_budget(self.at);
            self.statements.push((spread_of(&rest, self.at, "statements"), section));
        }
    }

    fn add(&mut self, statement: Value, section: StatementSource) {
        if let ValueKind::Map(entries) = &statement.kind
            && section != StatementSource::Own
            && !self.seen.insert(entries.as_ptr().addr())
        {
            return;
        }
        let sid = statement.get("Sid").and_then(|s| Some(s.as_str()?.into_owned()));
        let Some(sid) = sid.filter(|s| !s.is_empty()) else {
            return self.push(statement, section);
        };
        match self.sids.get(&sid) {
            Some(&i) if section == StatementSource::Replacing || self.statements[i].1 != section => {
                let replaced = std::mem::replace(&mut self.statements[i], (statement, section));
                self.evaluator.replaced.borrow_mut().insert(replaced.0.span);
            }
            Some(_) => self.push(statement, section),
            None => {
                self.sids.insert(sid, self.statements.len());
                self.push(statement, section);
            }
        }
    }

    /// One or several documents, as JSON or as a list of JSON.
    fn documents(&mut self, value: &Value, section: StatementSource, depth: u32) {
        if depth > 8 || !self.evaluator.spend(1) {
            return;
        }
        match &value.kind {
            ValueKind::Null => {}
            ValueKind::Seq(items) => {
                for item in items.iter() {
                    self.documents(&inherit(item, &value.via), section, depth + 1);
                }
            }
            ValueKind::Json(inner) => self.documents(&inherit(inner, &value.via), section, depth + 1),
            ValueKind::Str(text) if text.as_hole().is_none() => {
                if let Some((inner, problems)) = data::embedded(text, value.span) {
                    self.evaluator.problems.borrow_mut().extend(problems);
                    self.documents(&inherit(&inner, &value.via), section, depth + 1);
                }
            }
            ValueKind::Map(_) => {
                if let Some(version) = value.get("Version") {
                    self.version.get_or_insert_with(|| inherit(version, &value.via));
                }
                for statement in value.get("Statement").map(Value::items).unwrap_or_default() {
                    self.add(inherit(statement, &value.via), section);
                }
            }
            ValueKind::OneOf(branches) => {
                for b in branches.iter() {
                    let mut inner = MergedStatements::new(self.evaluator, self.at);
                    inner.documents(&inherit(&b.value, &value.via), section, depth + 1);
                    for (statement, _) in inner.statements {
                        let span = statement.span;
                        let branch = vec![(b.when.clone(), statement)];
                        self.push(self.evaluator.one_of(branch, span), section);
                    }
                }
            }
            _ => {
                let name = self.evaluator.name(value.span);
                self.push(spread_of(value, value.span, &name), section);
            }
        }
    }

    /// A `statement` block, or what JSON syntax writes for several.
    fn own_statement(&mut self, value: &Value, key: Span) {
        match &value.kind {
            ValueKind::Seq(items) => {
                for item in items.iter() {
                    self.own_statement(&inherit(item, &value.via), key);
                }
            }
            ValueKind::Null => {}
            _ => {
                let statement = statement(value, key);
                self.add(statement, StatementSource::Own);
            }
        }
    }
}

/// One statement with IAM's element names.
pub(crate) fn statement(value: &Value, key: Span) -> Value {
    let entries = match &value.kind {
        ValueKind::Map(entries) => entries,
        ValueKind::OneOf(branches) => {
            let branches: Vec<Branch> = branches
                .iter()
                .map(|b| Branch {
                    when: b.when.clone(),
                    value: statement(&b.value, key),
                })
                .collect();
            return Value {
                kind: ValueKind::OneOf(branches.into()),
                ..value.clone()
            };
        }
        _ => return value.clone(),
    };
    let mut out: Vec<MapEntry> = Vec::new();
    let given = |name: &str| value.entry(name).filter(|e| !is_absent(&e.value));
    if let Some(e) = given("sid") {
        out.push(MapEntry::synthetic("Sid", e.key_span, e.value.clone()));
    }
    match given("effect") {
        Some(e) => out.push(MapEntry::synthetic(
            "Effect",
            e.key_span,
            default_to_allow(&e.value, key),
        )),
        None => out.push(MapEntry::synthetic("Effect", key, Value::synthetic("Allow", key))),
    }
    for (names, elements, variables) in [
        (["actions", "not_actions"], ["Action", "NotAction"], false),
        (["resources", "not_resources"], ["Resource", "NotResource"], true),
    ] {
        let [plain, not] = names.map(given);
        // A list elsewhere, a default, may be empty: `Resource` is then empty, and `NotResource` may be there.
        let emptied = |name: &str| value.entry(name).filter(|e| is_emptied(&e.value, value.span));
        let (plain, may_be_not) = match (plain, not) {
            (None, None) => (emptied(names[0]), emptied(names[1])),
            _ => (plain, None),
        };
        out.extend(may_be_not.map(|e| possible_entry(e.key_span, &e.value)));
        let (skip_plain, skip_not) = match (plain, not) {
            (Some(p), Some(n)) => choose_form(may_be_absent(&p.value), may_be_absent(&n.value)),
            _ => (false, false),
        };
        for (e, element, skip) in [(plain, elements[0], skip_plain), (not, elements[1], skip_not)] {
            let Some(e) = e else { continue };
            if skip {
                out.push(possible_entry(e.key_span, &e.value));
                continue;
            }
            let value = as_set(&e.value);
            let value = if variables { with_variables(&value) } else { value };
            out.push(MapEntry::synthetic(element, e.key_span, value));
        }
    }
    let both =
        [("principals", "Principal"), ("not_principals", "NotPrincipal")].map(|(n, e)| (nested_blocks(entries, n), e));
    for (blocks, element) in &both {
        let Some(first) = blocks.first() else { continue };
        // A statement with and one without a principal are policies of different kinds: where no one knows whether it has
        // one, nothing is said of it.
        let maybe = blocks.iter().all(|b| b.2.is_some() || b.1.is_unknown());
        out.push(match (maybe, alternatives(blocks)) {
            (false, _) => MapEntry::synthetic(element, first.0, principals(blocks)),
            (true, Some(value)) => MapEntry::synthetic(element, first.0, value),
            (true, None) => possible_entry(first.0, &conditioned(first.1.clone(), first.2.as_ref())),
        });
    }
    let conditions = nested_blocks(entries, "condition");
    if let Some(first) = conditions.first() {
        out.push(MapEntry::synthetic("Condition", first.0, condition(&conditions)));
    }
    out.extend(lost_entry(value, 0));
    Value {
        kind: ValueKind::Map(out.into()),
        ..value.clone()
    }
}

/// An effect that is left out is Allow, in an alternative too.
fn default_to_allow(value: &Value, key: Span) -> Value {
    match &value.kind {
        ValueKind::OneOf(branches) => {
            let branches = branches.iter().map(|b| Branch {
                when: b.when.clone(),
                value: default_to_allow(&b.value, key),
            });
            Value {
                kind: ValueKind::OneOf(branches.collect()),
                ..value.clone()
            }
        }
        _ if is_absent(value) => Value::synthetic("Allow", key),
        _ => value.clone(),
    }
}

/// A list as the set that the argument is: what comes together in it twice is there once, and a set of one is written as its
/// value. What a person wrote twice in this very list stays, to be reported.
pub(crate) fn as_set(value: &Value) -> Value {
    let ValueKind::Seq(items) = &value.kind else {
        return value.clone();
    };
    let here =
        |span: Span| span.file == value.span.file && value.span.start <= span.start && span.end <= value.span.end;
    let mut seen: HashMap<String, Span> = HashMap::new();
    let first = |item: &&Value| {
        let Some(text) = item.as_str() else { return true };
        match seen.get(&*text) {
            Some(before) => *before != item.span && item.via.is_none() && here(*before) && here(item.span),
            None => {
                seen.insert(text.into_owned(), item.span);
                true
            }
        }
    };
    let kept: Vec<Value> = items.iter().filter(first).cloned().collect();
    if let [only] = kept.as_slice()
        && only.as_str().is_some()
    {
        return inherit(only, &value.via);
    }
    if kept.len() == items.len() {
        return value.clone();
    }
    Value {
        kind: ValueKind::Seq(kept.into()),
        ..value.clone()
    }
}

/// The entry that stands for what is lost, of a block that is broken or holds one that is.
pub(crate) fn lost_entry(value: &Value, depth: u32) -> Option<MapEntry> {
    let entries = value.entries().filter(|_| depth < 3)?;
    let here = entries.iter().find(|e| e.key.is_broken()).cloned();
    here.or_else(|| entries.iter().find_map(|e| lost_entry(&e.value, depth + 1)))
}

/// Of an element and its `Not` form only one can be there: which of them to leave out, given which may be absent.
fn choose_form(plain_may_be_absent: bool, not_may_be_absent: bool) -> (bool, bool) {
    (plain_may_be_absent && !not_may_be_absent, not_may_be_absent)
}

/// Unknown, or null in one alternative.
fn may_be_absent(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Unknown(_) => true,
        ValueKind::OneOf(branches) => {
            branches.len() == 1 || branches.iter().any(|b| may_be_absent(&b.value) || is_absent(&b.value))
        }
        _ => false,
    }
}

/// An element that may be there: no one can say which.
fn possible_entry(at: Span, value: &Value) -> MapEntry {
    let hole = match &value.kind {
        ValueKind::Unknown(hole) => Hole {
            span: at,
            ..(**hole).clone()
        },
        ValueKind::OneOf(branches) => {
            let labels: Vec<&str> = branches.iter().map(|b| b.when.label()).collect();
            Hole::new(HoleKind::Other, labels.join(" | "), at)
        }
        _ => Hole::new(HoleKind::Other, "…", at),
    };
    MapEntry {
        key: Text::hole(hole.clone()),
        key_span: at,
        value: Value {
            span: value.span,
            ..Value::unknown(hole)
        },
    }
}
