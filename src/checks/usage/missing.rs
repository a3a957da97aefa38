//! Calls that fail for want of permission.

use std::collections::BTreeMap;

use super::roles::{Roles, User};
use crate::finding::{Cause, Confidence, Remedy};
use crate::iam::{Action, ActionSet, Item, Origin, PolicyKind, Truth, catalogue};
use crate::model::Resource;
use crate::project::calls::Call;
use crate::project::{Effective, Handler, IdentityId, PolicySource, Project, Workload, WorkloadKind};
use crate::rules::{Context, Out};
use crate::value::Value;

pub(super) fn check(cx: &Context<'_>, roles: &Roles<'_>, out: &mut Out<'_>) {
    if !out.wants("missing-grant") {
        return;
    }
    let by_resources = by_resources(cx.project);
    for (role, users) in &roles.users {
        let effective = Effective::of(cx.project, *role);
        if !effective.complete() {
            continue;
        }
        for user in users {
            of_user(cx, *role, user, &effective, &by_resources, out);
        }
    }
}

fn of_user(
    cx: &Context<'_>,
    role: IdentityId,
    user: &User<'_>,
    effective: &Effective<'_>,
    by_resources: &ActionSet,
    out: &mut Out<'_>,
) {
    let project = cx.project;
    let w = &project.workloads[user.workload];
    // In another role's place, or as somebody else, all may be well.
    let Some(required) = user.required.as_ref().filter(|r| r.exact && !r.other_identity) else {
        return;
    };
    if w.roles.len() != 1 {
        return;
    }
    let mut missing: BTreeMap<&'static str, Vec<&Call>> = BTreeMap::new();
    for call in required
        .named
        .iter()
        .filter(|c| c.certain && runs_deployed(project, w, c))
    {
        for action in lacking(effective, by_resources, call) {
            missing.entry(action.name()).or_default().push(call);
        }
    }
    let identity = &project.identities[role as usize];
    for (action, calls) in missing {
        let Some((first, others)) = calls.split_first() else {
            continue;
        };
        let denied = catalogue()
            .action(action)
            .is_some_and(|a| effective.denied.contains(a.id()));
        let what = if denied { "denies it" } else { "does not grant it" };
        let from = match w.kind {
            WorkloadKind::Function => format!("the handler of `{}`", w.name(project)),
            _ => format!("the entry of `{}`", w.name(project)),
        };
        let mut f = cx
            .at_resource(
                "missing-grant",
                w.resource,
                format!("`{action}` is needed here and the role {what}"),
            )
            .cause(Cause::Place(first.span))
            .primary(first.span, format!("needs `{action}`"))
            .confidence(Confidence::High)
            .actions([action.to_lowercase()]);
        for call in others.iter().filter(|c| c.span != first.span).take(2) {
            f = f.secondary(call.span, "and here");
        }
        f = f.secondary(user.runs_as.span, "the role that it runs with");
        if !identity.header.touches(user.runs_as.span) {
            f = f.secondary(identity.header, "nothing on this role grants it");
        }
        if !denied {
            f.remedies.extend(remedy(effective, action));
        }
        out.push(f.note(format!("reached from {from}")));
    }
}

/// Calls of the first that the second may be for, as their parameters say. Amazon SES Developer Guide, "Sending raw email".
const ALTERNATIVES: &[(&str, &str)] = &[("ses:SendEmail", "ses:SendRawEmail")];

/// Whether a call is not one of those that a script makes when a person starts it.
fn runs_deployed(project: &Project<'_>, w: &Workload, call: &Call) -> bool {
    let script = |h: &Handler| h.function.is_none() && h.file == call.span.file;
    call.at.scope != 0
        || w.code.as_ref().and_then(|c| c.handler.as_ref()).is_some_and(script)
        || !project.sources.text(call.span.file).contains("__main__")
}

/// The action added to the statement of the role that grants others of its service, where there is just one.
fn remedy(effective: &Effective<'_>, action: &str) -> Option<Remedy> {
    let prefix = action.split(':').next()?;
    let of_service = |item: &Item| {
        let text = item.text.known()?;
        let (service, _) = text.split_once(':')?;
        (service.eq_ignore_ascii_case(prefix) && item.via.is_none()).then_some(item.span)
    };
    let mut places = effective.grants.iter().filter_map(|grant| {
        let written = matches!(grant.source, PolicySource::Written(_)) && grant.document.origin == Origin::Written;
        let clause = grant.statement.action.as_ref().filter(|c| written && !c.negated)?;
        clause.items.iter().rev().find_map(of_service)
    });
    let (place, None) = (places.next()?, places.next()) else {
        return None;
    };
    Some(Remedy::risky(format!("allow `{action}` here too")).add(place, [action]))
}

/// The actions of a call that nothing grants for certain.
fn lacking(effective: &Effective<'_>, by_resources: &ActionSet, call: &Call) -> Vec<Action> {
    let refused = |name: &&'static str| {
        let action = catalogue().action(name)?;
        let enough = ALTERNATIVES.iter().find(|(a, _)| a == name);
        if enough.is_some_and(|(_, other)| {
            catalogue()
                .action(other)
                .is_some_and(|o| effective.allows(o) != Truth::No)
        }) {
            return Some((action, false));
        }
        let no = !action.is_gone() && effective.allows(action) == Truth::No && !by_resources.contains(action.id());
        Some((action, no))
    };
    let mut out: Vec<Action> = call
        .actions
        .required
        .iter()
        .filter_map(refused)
        .filter_map(|(action, no)| no.then_some(action))
        .collect();
    let any: Option<Vec<(Action, bool)>> = call.actions.any_of.iter().map(refused).collect();
    if let Some(any) = any.filter(|any| !any.is_empty() && any.iter().all(|(_, no)| *no)) {
        out.extend(any.first().map(|(action, _)| *action));
    }
    out
}

/// What the policies of resources in the repository may grant: within an account either policy is enough. IAM User Guide,
/// "Identity-based policies and resource-based policies".
fn by_resources(project: &Project<'_>) -> ActionSet {
    let mut set = ActionSet::empty();
    for (id, d) in (0u32..)
        .zip(&project.documents)
        .filter(|(_, d)| d.kind == PolicyKind::Resource)
    {
        let granted = project.granted(id);
        granted.allowed.iter().for_each(|a| set.union_with(&a.actions));
        if let Some(service) = d.service.as_deref().filter(|_| !granted.unclear.is_empty()) {
            set.expand_into(&format!("{service}:*"));
        }
    }
    let to_roles = |r: &Resource| {
        &*r.kind == "AWS::Lambda::Permission"
            && !r
                .get("Principal")
                .and_then(Value::as_str)
                .is_some_and(|p| p.ends_with(".amazonaws.com"))
    };
    if project.resources.iter().any(to_roles) {
        set.expand_into("lambda:Invoke*");
    }
    set
}
