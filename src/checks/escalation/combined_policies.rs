//! Privilege escalation that requires several policies of one identity.

use std::collections::BTreeMap;

use super::methods::limited_services_help;
use crate::finding::{Cause, Confidence, Finding, Severity};
use crate::iam::{Action, ActionSet};
use crate::paths::methods::{Danger, Technique, grants_technique, techniques};
use crate::phrase::{self, MAX_LABEL};
use crate::project::{Effective, EffectiveGrant, PolicySource};
use crate::rules::{Context, FindingSink, ids};
use crate::source::Span;

/// One action of a method and the grants that allow it widely enough.
type GrantedAction<'e, 'a> = (Action, Vec<&'e EffectiveGrant<'a>>);

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    // Identities with the same policies share one finding.
    let mut found: BTreeMap<Vec<Span>, (Finding, usize)> = BTreeMap::new();
    for (id, identity) in cx.project.identities.iter_enumerated() {
        if identity.policies.len() + identity.groups.len() < 2 {
            continue;
        }
        let effective = cx.effects.of(id);
        if effective.admin_power().is_some() {
            continue;
        }
        let (granted, withheld) = (effective.actions(), effective.withheld());
        let open: Vec<_> = techniques()
            .iter()
            .filter(|technique| technique.is_granted_by(&granted))
            .filter_map(|technique| Some((technique, combined_steps(effective, &withheld, technique)?)))
            .collect();
        let best = open
            .iter()
            .find(|(technique, _)| technique.how != Danger::Target)
            .or_else(|| open.first());
        let Some((technique, steps)) = best else { continue };
        let Some(f) = report(cx, identity.kind.name(), identity.header, technique, steps) else {
            continue;
        };
        let others: Vec<_> = open
            .iter()
            .filter(|(other, _)| !std::ptr::eq(*other, *technique))
            .map(|(other, _)| format!("`{}`", other.actions.join("` + `")))
            .collect();
        let f = if others.is_empty() {
            f
        } else {
            f.note(format!("also possible: {}", others.join("; ")))
        };
        let places = f
            .labels
            .iter()
            .map(|l| l.span)
            .filter(|s| *s != identity.header)
            .collect();
        found.entry(places).or_insert((f, 0)).1 += 1;
    }
    for (f, holders) in found.into_values() {
        out.push(match holders {
            1 => f,
            n => f.note(match n - 1 {
                1 => "1 other identity has the same policies".to_owned(),
                others => format!("{others} other identities have the same policies"),
            }),
        });
    }
}

/// The steps of a method that all policies together allow, but no single document does.
fn combined_steps<'e, 'a>(
    effective: &'e Effective<'a>,
    withheld: &ActionSet,
    technique: &Technique,
) -> Option<Vec<GrantedAction<'e, 'a>>> {
    if technique.actions.len() < 2 {
        return None;
    }
    let steps: Option<Vec<GrantedAction<'e, 'a>>> = technique
        .ids
        .iter()
        .map(|&action| {
            if withheld.contains(action.id()) {
                return None;
            }
            if let Some(b) = &effective.boundary
                && !(b.complete && b.everywhere.contains(action.id()))
            {
                return None;
            }
            let grants: Vec<_> = effective
                .grants_of(action)
                .filter(|g| grants_technique(g.statement, action, technique))
                .collect();
            (!grants.is_empty()).then_some((action, grants))
        })
        .collect();
    let steps = steps?;
    let (_, first) = steps.first()?;
    let alone = first.iter().any(|g| {
        steps
            .iter()
            .all(|(_, grants)| grants.iter().any(|other| other.source == g.source))
    });
    // Grants in different alternatives of a deployment never apply together.
    let mut branches = steps
        .iter()
        .filter_map(|(_, grants)| grants.first())
        .filter_map(|g| g.statement.branch.as_ref().or(g.document.branch.as_ref()));
    let first = branches.next();
    let together = branches.all(|b| Some(b) == first);
    (!alone && together).then_some(steps)
}

fn report(
    cx: &Context<'_>,
    kind: &str,
    header: Span,
    technique: &Technique,
    steps: &[GrantedAction<'_, '_>],
) -> Option<Finding> {
    // A step that is written in the repository is the one to edit. `iam:PassRole`, if part of the method, is the
    // first step.
    let written = |(_, grants): &&GrantedAction<'_, '_>| matches!(grants[0].source, PolicySource::Written(_));
    let (action, grants) = steps.iter().find(written).or(steps.first())?;
    let grant = grants[0];
    let primary = grant.span(*action);
    let message = match technique.actions.as_slice() {
        [a, b] => format!("`{a}` and `{b}` let this {kind} use another role"),
        [a, others @ ..] => format!(
            "`{a}` and {} more actions let this {kind} use another role",
            others.len()
        ),
        [] => return None,
    };
    let mut f = match grant.source {
        PolicySource::Written(d) => cx
            .at_statement(
                ids::PRIVESC_ACROSS_POLICIES,
                cx.project.statement(d, grant.index),
                message,
            )
            .cause(Cause::Statement(d, grant.index)),
        PolicySource::AwsManaged(_) => Finding::new(ids::PRIVESC_ACROSS_POLICIES, message),
    }
    .primary(primary, phrase::clip(technique.what, MAX_LABEL));
    for (action, grants) in steps {
        let grant = grants[0];
        let span = grant.span(*action);
        if f.labels.iter().any(|l| l.span == span) {
            continue;
        }
        let label = match grant.source {
            PolicySource::Written(_) => "together with this".to_owned(),
            PolicySource::AwsManaged(_) => phrase::clip(&format!("grants `{}`", action.name()), MAX_LABEL),
        };
        f = f.secondary(span, label);
    }
    f = f.secondary(header, format!("this {kind} has both"));
    let item = |(a, grants): &GrantedAction<'_, '_>| grants[0].item(*a).map(|i| i.display().to_lowercase());
    f = f.actions(
        steps
            .iter()
            .filter(|(_, g)| g[0].source == grant.source)
            .filter_map(item),
    );
    let passing = steps.iter().filter(|(action, _)| action.name() == "iam:PassRole");
    if let Some(help) = limited_services_help(passing.flat_map(|(_, grants)| grants.iter().map(|g| g.statement))) {
        f = f.help(help);
    }
    if technique.how == Danger::Target {
        f = f.severity(Severity::Low).confidence(Confidence::Low);
    } else {
        f.steps_down += u8::from(steps.iter().any(|(_, grants)| grants.iter().all(|g| g.is_narrowed())));
    }
    Some(f)
}
