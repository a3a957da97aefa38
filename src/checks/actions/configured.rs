//! What a repository itself forbids or demands of Allow statements: actions, conditions for actions, bare `*` for actions.
//! Nothing is configured, nothing is said.

use std::collections::BTreeMap;

use crate::checks::allow_statements::names;
use crate::iam::condition::{Weakness, WeighedCondition, strength};
use crate::iam::{ActionSet, ClauseItem, Document, PolicyKind, Statement, pattern};
use crate::phrase;
use crate::project::{IdentityId, PolicyRef, PolicySource, StatementRef};
use crate::rules::options::FileOptions;
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::Span;
use crate::value::Guard;

const FORBIDDEN: RuleId = ids::FORBIDDEN_ACTION;
const CONDITION: RuleId = ids::REQUIRED_CONDITION_FOR_ACTION;
const BARE: RuleId = ids::BARE_WILDCARD_RESOURCE_FORBIDDEN;

/// Each pattern is expanded once.
#[derive(Default)]
struct ExpandedPatterns<'a>(BTreeMap<&'a [String], ActionSet>);

impl<'a> ExpandedPatterns<'a> {
    fn expand(&mut self, patterns: &'a [String]) -> &ActionSet {
        let expand = || ActionSet::expand_all(patterns.iter().map(String::as_str));
        self.0.entry(patterns).or_insert_with(expand)
    }
}

pub(super) fn forbidden(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let mut expanded = ExpandedPatterns::default();
    for (id, d) in cx.documents().filter(|(_, d)| d.kind.grants()) {
        let patterns = cx.options(FORBIDDEN, d.span.file).words("actions");
        if patterns.is_empty() {
            continue;
        }
        let forbidden = expanded.expand(patterns);
        for allowed in &cx.project.granted(id).allowed {
            let mut hits = allowed.actions.clone();
            hits.intersect(forbidden);
            hits.subtract(cx.project.withheld(id).for_statement(allowed.statement));
            let statement = cx.project.statement(id, allowed.statement);
            for (span, written, hits) in granting_items(&statement, &hits) {
                let what = match &written {
                    Some(written) => format!("`{written}`"),
                    None => "this `NotAction`".to_owned(),
                };
                let f = cx.at_statement(FORBIDDEN, statement, forbids(&what, &hits));
                out.push(f.primary(span, "forbidden by the configuration").actions(written));
            }
        }
    }
    for (id, identity) in cx.project.identities.iter_enumerated() {
        let by_aws = |u: &_| matches!(u, PolicyRef::AwsManaged(_));
        if identity.policies.iter().any(|u| by_aws(&u.policy)) {
            managed(cx, out, id, &mut expanded);
        }
    }
}

/// AWS's own policies, at the place that attaches them.
fn managed<'a>(cx: &Context<'a>, out: &mut FindingSink<'_>, id: IdentityId, expanded: &mut ExpandedPatterns<'a>) {
    let identity = &cx.project.identities[id];
    let patterns = cx.options(FORBIDDEN, identity.header.file).words("actions");
    if patterns.is_empty() {
        return;
    }
    let forbidden = expanded.expand(patterns);
    let mut by_place: BTreeMap<Span, (&str, ActionSet)> = BTreeMap::new();
    for grant in &cx.effects.of(id).grants {
        // What comes through a group is reported where the group is.
        let (PolicySource::AwsManaged(name), None) = (grant.source, grant.group) else {
            continue;
        };
        let mut hits = grant.actions.clone().into_owned();
        hits.intersect(forbidden);
        let (_, all) = by_place
            .entry(grant.through.span)
            .or_insert_with(|| (name, ActionSet::empty()));
        all.union_with(&hits);
    }
    for (span, (name, hits)) in by_place {
        if !hits.is_empty() {
            let f = cx.at_resource(FORBIDDEN, identity.resource, forbids(&format!("`{name}`"), &hits));
            out.push(
                f.primary(span, "forbidden by the configuration")
                    .other_evidence(name.to_lowercase()),
            );
        }
    }
}

fn forbids(what: &str, hits: &ActionSet) -> String {
    match hits.len() {
        1 if names(hits, 1) == what => format!("{what} is allowed but the configuration forbids it"),
        _ => format!("{what} matches {}, which the configuration forbids", names(hits, 1)),
    }
}

/// The items of `Action` that grant some of `set`, each with its share; for a `NotAction` its key and all of it.
fn granting_items(s: &Statement, set: &ActionSet) -> Vec<(Span, Option<String>, ActionSet)> {
    let Some(clause) = s.action.as_ref().filter(|_| !set.is_empty()) else {
        return Vec::new();
    };
    if clause.negated {
        return vec![(clause.key, None, set.clone())];
    }
    let items = clause.items.iter().zip(clause.item_actions());
    let mut found = Vec::new();
    for (item, granted) in items.filter(|(_, granted)| granted.intersects(set)) {
        let mut share = granted.clone();
        share.intersect(set);
        found.push((item.span, Some(item.display()), share));
    }
    found
}

/// Allow statements of the kinds of document that the option `in` names.
fn allowing<'a>(cx: &Context<'a>, rule: RuleId) -> impl Iterator<Item = (StatementRef<'a>, FileOptions<'a>)> {
    let cx = *cx;
    cx.statements().filter_map(move |s| {
        let options = cx.options(rule, s.document.span.file);
        let asked = options.words("in").iter().any(|k| k == s.document.kind.name());
        (asked && s.allows()).then_some((s, options))
    })
}

/// The first item of `Action` that grants some of `set`.
fn granting_item<'a>(s: &'a Statement, set: &ActionSet) -> Option<&'a ClauseItem> {
    let clause = s.action.as_ref().filter(|c| !c.negated)?;
    let mut items = clause.items.iter().zip(clause.item_actions());
    items.find(|(_, granted)| granted.intersects(set)).map(|(item, _)| item)
}

pub(super) fn conditions(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (s, options) in allowing(cx, CONDITION) {
        let strength = strength(&s);
        let open = strength.unknown || s.open || strength.bounds.iter().any(|b| b.key.contains("${"));
        let rows = ["all-of", "any-of", "none-of"];
        for (row, (action, keys)) in rows.iter().flat_map(|r| options.table(r).map(move |row| (*r, row))) {
            let Some(item) = granting_item(&s, &ActionSet::expand(action)) else {
                continue;
            };
            let is_bound = |key: &str| strength.bounds_of(key).any(can_fail);
            let written = item.display();
            let about = |message: String, key: &str| {
                let f = cx.at_statement(CONDITION, s, message);
                f.actions([written.to_lowercase()]).other_evidence(key.to_lowercase())
            };
            if row == "none-of" {
                for key in keys {
                    if let Some(b) = strength.bounds_of(key).next() {
                        let message =
                            format!("`{written}` has a condition on `{key}`, which the configuration forbids");
                        out.push(
                            about(message, key)
                                .primary(b.key_span, "forbidden by the configuration")
                                .secondary(item.span, "for this action"),
                        );
                    }
                }
                continue;
            }
            if open {
                continue;
            }
            let missing: Vec<&String> = keys.iter().filter(|k| !is_bound(k)).collect();
            if missing.is_empty() || (row == "any-of" && missing.len() < keys.len()) {
                continue;
            }
            let and = if row == "any-of" { " or " } else { " and " };
            let mut shown = phrase::quoted(missing.iter().take(2), and);
            if missing.len() > 2 {
                shown += and;
                shown += "others";
            }
            let message = format!("`{written}` is allowed without a condition on {shown}");
            let mut f = about(message, missing[0]).primary(item.span, "the configuration requires a condition");
            for b in missing.iter().flat_map(|k| strength.bounds_of(k)) {
                f = f.secondary(b.span, b.weakness.map_or("restricts nothing", Weakness::text));
            }
            out.push(f);
        }
    }
}

/// A condition on a key is one when it can fail.
fn can_fail(b: &WeighedCondition) -> bool {
    !matches!(
        b.weakness,
        Some(
            Weakness::AnyValue
                | Weakness::AnyAddress
                | Weakness::AnyAccount
                | Weakness::PassesWhenAbsent
                | Weakness::ForAllValues
        )
    )
}

pub(super) fn bare_resource(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let mut expanded = ExpandedPatterns::default();
    for (s, options) in allowing(cx, BARE) {
        let patterns = options.words("actions");
        let resource = s.resource.as_ref().filter(|r| !r.negated);
        let Some(star) = resource.and_then(|r| r.items.iter().find(|r| pattern::is_star(&r.text))) else {
            continue;
        };
        if patterns.is_empty() {
            continue;
        }
        if let Some(item) = granting_item(&s, expanded.expand(patterns)) {
            let written = item.display();
            let message = format!("`{written}` is allowed on `*`; the configuration requires named resources");
            let f = cx
                .at_statement(BARE, s, message)
                .primary(star.span, "name the resources");
            out.push(
                f.secondary(item.span, "for this action")
                    .actions([written.to_lowercase()]),
            );
        }
    }
}

/// How much a reader has to keep in mind: one for each statement, Deny, `Not…` element and condition, and for each service
/// that a statement names beside its first.
pub(super) fn complexity(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    const RULE: RuleId = ids::POLICY_TOO_COMPLEX;
    for (id, d) in cx.documents() {
        let most = cx.options(RULE, d.span.file).number("score") as usize;
        let score = score(d);
        if d.origin == crate::iam::DocumentOrigin::Written && score > most {
            let message = format!("complexity score of {score}; the limit is {most}");
            out.push(cx.at_document(RULE, id, message).primary(heading(d), "hard to review"));
        }
    }
}

/// Of statements that stand under different conditions, those of one condition.
fn score(d: &Document) -> usize {
    let (mut certain, mut conditional) = (0, BTreeMap::<&str, usize>::new());
    for s in &d.statements {
        match s.branch.as_ref().map(Guard::label) {
            Some(branch) => *conditional.entry(branch).or_default() += weight(s),
            None => certain += weight(s),
        }
    }
    certain + conditional.into_values().max().unwrap_or(0)
}

fn heading(d: &Document) -> Span {
    d.statement_key.unwrap_or(d.span)
}

fn weight(s: &Statement) -> usize {
    let negated = [&s.action, &s.resource]
        .into_iter()
        .flatten()
        .filter(|c| c.negated)
        .count()
        + usize::from(s.principal.as_ref().is_some_and(|p| p.negated));
    1 + usize::from(s.denies()) + negated + s.conditions.len() + services(s).len().saturating_sub(1)
}

/// The services that an `Action` names, in order.
fn services(s: &Statement) -> Vec<String> {
    let items = s.action.iter().flat_map(|c| &c.items);
    let mut names: Vec<String> = items
        .filter_map(|i| Some(i.text.known()?.split_once(':')?.0.to_ascii_lowercase()))
        .collect();
    names.sort();
    names.dedup();
    names
}

pub(super) fn mixed(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    const RULE: RuleId = ids::ACTIONS_NEVER_USED_BY_SERVICE;
    for s in cx.statements() {
        if !s.allows() || !matches!(s.document.kind, PolicyKind::Identity | PolicyKind::Session) {
            continue;
        }
        let Some(clause) = s.action.as_ref().filter(|c| !c.negated) else {
            continue;
        };
        let services = services(&s);
        if services.len() > cx.options(RULE, s.document.span.file).number("services") as usize {
            let f = cx.at_statement(RULE, s, format!("one statement for {} services", services.len()));
            out.push(
                f.primary(clause.key, "split by service")
                    .note(format!("services: {}", phrase::list(&services))),
            );
        }
    }
}
