//! Known privilege escalation methods that one document allows.
//!
//! What the methods are: `paths/method_table.rs`. All actions of a method must be granted, in any of the statements. Actions
//! under an unconditional Deny are not granted. A narrowing condition lowers the severity.

use std::collections::BTreeSet;

use super::pass_role::PassRoleGrant;
use super::self_mutation;
use crate::finding::{Confidence, Severity};
use crate::iam::arn::Breadth;
use crate::iam::condition::{Grade, strength};
use crate::iam::pattern;
use crate::iam::{Action, ActionSet, ClauseItem, Document, PolicyKind, Statement};
use crate::paths::methods::{self as techniques, Danger, Technique};
use crate::phrase::{self, MAX_LABEL};
use crate::project::{DocumentId, StatementRef};
use crate::rules::{Context, FindingSink, ids};
use crate::source::Span;

/// A granted action of a method.
struct GrantedStep<'a> {
    statement: usize,
    span: Span,
    action: Action,
    item: Option<&'a ClauseItem>,
    /// Its statement has a narrowing condition.
    narrowed: bool,
}

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    self_mutation::check_similar_users(cx, out);
    for (id, d) in cx.documents() {
        if !matches!(d.kind, PolicyKind::Identity | PolicyKind::Session) {
            continue;
        }
        let granting = GrantingStatement::all(d);
        let mut granted = ActionSet::empty();
        granting
            .iter()
            .filter_map(|s| s.actions.as_ref())
            .for_each(|set| granted.union_with(set));
        let most = granting.iter().all(|s| s.actions.is_some()).then_some(granted);
        if most.as_ref().is_some_and(ActionSet::is_empty) {
            continue;
        }
        let withheld = cx.project.withheld(id);
        let open = |m: &&Technique| {
            most.as_ref().is_none_or(|granted| m.is_granted_by(granted))
                && !m.ids.iter().any(|a| withheld.for_all_statements().contains(a.id()))
        };
        let grant = |s: &GrantingStatement, action: Action, m: &Technique| {
            let named = s.actions.as_ref().is_none_or(|set| set.contains(action.id()));
            let step = named.then(|| grant(d, s.index, action, m)).flatten();
            step.filter(|_| !withheld.for_statement(s.index).contains(action.id()))
        };
        let (singles, several): (Vec<&Technique>, Vec<&Technique>) = techniques::techniques()
            .iter()
            .filter(open)
            .partition(|m| m.ids.len() == 1);
        let mut combined: Vec<(Vec<GrantedStep<'_>>, &Technique)> = Vec::new();
        for m in several {
            // Prefers a statement without a narrowing condition.
            let widest = |action: &Action| {
                let mut grants = granting.iter().filter_map(|s| grant(s, *action, m));
                let first = grants.next()?;
                match first.narrowed {
                    true => grants.find(|g| !g.narrowed).or(Some(first)),
                    false => Some(first),
                }
            };
            let found: Option<Vec<_>> = m.ids.iter().map(widest).collect();
            combined.extend(found.map(|f| (f, m)));
        }
        // A method that is part of one that also passes a role is not reported separately.
        let passing: Vec<&Technique> = combined
            .iter()
            .map(|(_, m)| *m)
            .filter(|m| m.how == Danger::Pass)
            .collect();
        let again = |m: &Technique| {
            let within = |p: &&Technique| m.ids.iter().all(|a| p.ids.contains(a));
            m.how == Danger::Target && passing.iter().any(within)
        };
        combined.retain(|(_, m)| !again(m));
        for statement in &granting {
            let granted = |m: &&'static Technique| Some((grant(statement, *m.ids.first()?, m)?, *m));
            let found: Vec<_> = singles.iter().filter(|m| !again(m)).filter_map(granted).collect();
            report_single(cx, out, cx.project.statement(id, statement.index), &found);
        }
        report_combination(cx, out, id, &combined);
    }
}

/// A statement that allows something. Most of them grant no action of any method, which need not be asked of each.
struct GrantingStatement {
    index: usize,
    /// What it grants; `None` for a `NotAction`.
    actions: Option<ActionSet>,
}

impl GrantingStatement {
    fn all(d: &Document) -> Vec<Self> {
        let allowing = d.statements.iter().enumerate().filter(|(_, s)| s.allows());
        allowing
            .filter_map(|(index, s)| {
                let clause = s.action.as_ref()?;
                let actions = if clause.negated { None } else { clause.actions() };
                Some(Self { index, actions })
            })
            .collect()
    }
}

impl GrantedStep<'_> {
    /// As written, in lower case: a pattern, or the action.
    fn lowercase_pattern(&self) -> String {
        let written = self.item.map(ClauseItem::display);
        written
            .unwrap_or_else(|| format!("not {}", self.action.name()))
            .to_lowercase()
    }
}

/// The grant of `action` in a statement, if it is wide enough for the method.
fn grant<'a>(d: &'a Document, statement: usize, action: Action, technique: &Technique) -> Option<GrantedStep<'a>> {
    let s = d.statements.get(statement).filter(|s| s.allows())?;
    let grant = PassRoleGrant::new(s, action).filter(|_| techniques::grants_technique(s, action, technique))?;
    Some(GrantedStep {
        statement,
        span: grant.span(),
        action,
        item: grant.item(),
        narrowed: strength(s).narrows(),
    })
}

fn report_single(
    cx: &Context<'_>,
    out: &mut FindingSink<'_>,
    s: StatementRef<'_>,
    found: &[(GrantedStep<'_>, &Technique)],
) {
    for target in [false, true] {
        let here: Vec<_> = found
            .iter()
            .filter(|(_, m)| (m.how == Danger::Target) == target)
            .collect();
        let Some((first, m)) = here.first() else { continue };
        let action = m.actions[0];
        let message = match (here.len(), target) {
            (1, false) => format!("`{action}` allows privilege escalation"),
            (1, true) => format!("`{action}` may let the holder use another role"),
            (n, false) => format!("{n} actions allow privilege escalation, such as `{action}`"),
            (n, true) => format!("{n} actions may let the holder use another role, such as `{action}`"),
        };
        let mut f = cx
            .at_statement(ids::PRIVESC_SINGLE_ACTION, s, message)
            .primary(first.span, phrase::clip(m.what, MAX_LABEL))
            .help(limits(here.iter().flat_map(|(_, m)| &m.ids)))
            .actions(here.iter().map(|(g, _)| g.lowercase_pattern()).collect::<BTreeSet<_>>());
        if let Some((span, label)) = wide_resource(&s) {
            f = f.secondary(span, label);
        }
        let mut seen = vec![first.span];
        for (g, m) in here.iter().skip(1) {
            if !seen.contains(&g.span) && seen.len() < 5 {
                seen.push(g.span);
                f = f.secondary(g.span, phrase::clip(m.what, MAX_LABEL));
            }
        }
        if here.len() > 1 {
            let all: Vec<_> = here
                .iter()
                .map(|(_, m)| format!("`{}` {}", m.actions[0], m.what))
                .collect();
            f = f.note(all.join("; "));
        }
        if target {
            // Among all functions, at least one is likely to have a role with more permissions.
            let every = |m: &Technique| m.actions.contains(&"lambda:UpdateFunctionCode");
            let every = here.iter().any(|(_, m)| every(m)) && wide_resource(&s).is_some();
            let severity = if every && !first.narrowed {
                Severity::Medium
            } else {
                Severity::Low
            };
            f = f.severity(severity).confidence(Confidence::Low);
        } else if first.narrowed {
            f.steps_down += 1;
        }
        out.push(f);
    }
}

/// The item of `Resource` that makes a statement wide enough, and its label.
fn wide_resource(s: &Statement) -> Option<(Span, &'static str)> {
    let items = &s.resource.as_ref().filter(|clause| !clause.negated)?.items;
    let star = items.iter().find(|r| pattern::is_star(&r.text));
    let whole = || items.iter().find(|r| r.breadth() <= Breadth::WholeType);
    match star {
        Some(item) => Some((item.span, "on every resource")),
        None => Some((whole()?.span, "on every resource of its type")),
    }
}

/// The help for some actions: limit the resource, or use a condition key that all of them support.
/// Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access Management".
fn limits<'a>(actions: impl IntoIterator<Item = &'a Action>) -> String {
    let actions: Vec<&Action> = actions.into_iter().collect();
    let keys: Vec<String> = ["iam:PolicyARN", "iam:PermissionsBoundary"]
        .iter()
        .filter(|key| actions.iter().all(|a| a.supports_key(key)))
        .map(|key| format!("`{key}`"))
        .collect();
    let names: BTreeSet<&str> = actions.iter().map(|a| a.name()).collect();
    let of = match Vec::from_iter(names).as_slice() {
        [one] => format!("`{one}`"),
        _ => "these actions".to_owned(),
    };
    match keys.is_empty() {
        true => format!("Restrict `Resource` for {of} to what the task needs."),
        false => format!(
            "Restrict `Resource` for {of} to what the task needs, or add a condition on {}.",
            keys.join(" or ")
        ),
    }
}

fn report_combination(
    cx: &Context<'_>,
    out: &mut FindingSink<'_>,
    id: DocumentId,
    found: &[(Vec<GrantedStep<'_>>, &Technique)],
) {
    for target in [false, true] {
        let mut here = found.iter().filter(|(_, m)| (m.how == Danger::Target) == target);
        let Some((grants, m)) = here.next() else { continue };
        // The first action is the primary label; `iam:PassRole` also has rules of its own.
        let Some(first) = grants.first() else { continue };
        let names: Vec<_> = m.actions.iter().map(|a| format!("`{a}`")).collect();
        let verb = if target { "may let" } else { "let" };
        let message = match names.as_slice() {
            [a, b] => format!("{a} and {b} together {verb} the holder use another role"),
            [a, b, ..] => format!("{a}, {b}, and more together {verb} the holder use another role"),
            _ => continue,
        };
        let mut f = cx
            .at_statement(
                ids::PRIVESC_ACTION_COMBINATION,
                cx.project.statement(id, first.statement),
                message,
            )
            .primary(first.span, phrase::clip(m.what, MAX_LABEL))
            .actions(
                grants
                    .iter()
                    .map(GrantedStep::lowercase_pattern)
                    .collect::<BTreeSet<_>>(),
            );
        let mut seen = vec![first.span];
        for g in grants.iter().skip(1) {
            if !seen.contains(&g.span) {
                seen.push(g.span);
                let label = if g.item.is_some() {
                    "together with this"
                } else {
                    "together with the actions that this allows"
                };
                f = f.secondary(g.span, label);
            }
        }
        let others: Vec<_> = here.map(|(_, m)| format!("`{}`", m.actions.join("` + `"))).collect();
        if !others.is_empty() {
            f = f.note(format!("also possible: {}", others.join("; ")));
        }
        if target {
            f = f
                .help(limits(&m.ids))
                .severity(Severity::Low)
                .confidence(Confidence::Low);
        } else {
            let passing = grants.iter().filter(|g| g.action.name() == "iam:PassRole");
            let statements = &cx.project.documents[id].statements;
            if let Some(help) = limited_services_help(passing.map(|g| &statements[g.statement])) {
                f = f.help(help);
            }
            f.steps_down += u8::from(grants.iter().any(|g| g.narrowed));
        }
        out.push(f);
    }
}

/// The help if the services that get the role are already limited.
pub(super) fn limited_services_help<'s>(passing: impl Iterator<Item = &'s Statement>) -> Option<&'static str> {
    let mut passing = passing.peekable();
    passing.peek()?;
    passing
        .all(|s| strength(s).is_bound("iam:PassedToService", Grade::Narrows) || restricts_passed_services(s))
        .then_some("Name the roles in the statement that grants `iam:PassRole`.")
}

/// `IfExists` does not matter: the key is in every request that passes a role.
fn restricts_passed_services(s: &Statement) -> bool {
    let mut of_key = (s.conditions.iter()).filter(|c| c.lower_key == "iam:passedtoservice");
    of_key.any(|c| !c.values.is_empty() && !c.values.iter().any(|v| pattern::is_star(&v.text)))
}
