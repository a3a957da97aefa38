//! Calls that AWS denied, and that the policies of the repository do not allow either.

use std::collections::BTreeMap;

use super::statements::single;
use crate::checks::usage::comparison::RoleComparison;
use crate::checks::usage::missing;
use crate::checks::usage::resource_grants::ResourceGrants;
use crate::checks::usage::roles::calls_requiring;
use crate::finding::{Confidence, Finding};
use crate::iam::{Action, ActionSet, DocumentOrigin, PrincipalType, Truth};
use crate::phrase;
use crate::project::{
    AccessLimit, Effective, IdentityId, IdentityKind, IdentityUse, PolicyRef, PolicySource, Project, UseCount, times,
    used_list,
};
use crate::python::calls::ApiCall;
use crate::rules::{Context, FindingSink, ids};
use crate::source::Span;

/// Maximum number of calls with a label.
const MAX_CALLS: usize = 3;

/// Why a call is denied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DeniedBy {
    /// A statement of a policy.
    Statement(Span),
    Boundary(Span),
    Nothing,
}

pub(super) fn check(cx: &Context<'_>, comparison: &RoleComparison<'_, '_>, out: &mut FindingSink<'_>) {
    if !out.is_selected(ids::DENIED_CALL) {
        return;
    }
    let by_resources = ResourceGrants::new(cx.project);
    for (id, record) in cx.project.recorded().all() {
        // Roles of several accounts that have one name may be different ones; what people try is no reason to grant it.
        if record.denied.is_empty() || record.names.len() != 1 || !is_for_workloads(cx.project, id) {
            continue;
        }
        let effective = cx.effects.of(id);
        if effective.is_complete() {
            check_role(cx, comparison, (id, record, effective), &by_resources, out);
        }
    }
}

/// Whether only services and workloads can assume a role.
fn is_for_workloads(project: &Project<'_>, id: IdentityId) -> bool {
    let identity = &project.identities[id];
    let statements = identity.trust.iter().flat_map(|d| &project.documents[*d].statements);
    let mut allowing = statements.filter(|s| !s.denies()).peekable();
    let is_known = identity.kind == IdentityKind::Role && allowing.peek().is_some();
    is_known
        && allowing.all(|s| {
            let principals = s.principal.as_ref().filter(|p| p.complete && !p.negated);
            principals.is_some_and(|p| {
                p.items.iter().all(|i| {
                    let is_saml = || i.value.text.display().contains(":saml-provider/");
                    i.kind == PrincipalType::Service || i.kind == PrincipalType::Federated && !is_saml()
                })
            })
        })
}

fn check_role(
    cx: &Context<'_>,
    comparison: &RoleComparison<'_, '_>,
    (id, record, effective): (IdentityId, &IdentityUse, &Effective<'_>),
    by_resources: &ResourceGrants<'_>,
    out: &mut FindingSink<'_>,
) {
    let project = cx.project;
    let role = &project.resources[project.identities[id].resource];
    let reported = reported_by_missing(comparison, id);
    let mut found: BTreeMap<(DeniedBy, &str), Vec<(Action, UseCount)>> = BTreeMap::new();
    for (action, count) in record.denied.iter().map(|(id, count)| (id.action(), *count)) {
        let used_later = record
            .used
            .get(&action.id())
            .is_some_and(|used| used.last >= count.last);
        let by_resource = by_resources.may_grant(id, role, action, (&comparison.roles.places, &[]));
        if used_later || by_resource || action.is_retired() || reported.contains(action.id()) {
            continue;
        }
        if effective.allows(action) == Truth::No
            && let Some(why) = denied_by(project, id, effective, action)
        {
            found
                .entry((why, action.service().prefix()))
                .or_default()
                .push((action, count));
        }
    }
    let users = comparison.roles.users.get(&id).into_iter().flatten();
    let mut calls: Vec<&ApiCall> = users
        .flat_map(|u| u.required.iter().flat_map(|r| r.calls.iter().copied()))
        .collect();
    calls.sort_by_key(|call| call.span);
    calls.dedup_by_key(|call| call.span);
    for ((why, _), mut denied) in found {
        denied.sort_by_key(|(action, count)| (std::cmp::Reverse(count.calls), action.name()));
        let f = finding(cx, id, effective, why, &denied);
        let wanted: ActionSet = denied.iter().map(|(action, _)| *action).collect();
        let calls = calls_requiring(&calls, &wanted);
        let f = calls.into_iter().take(MAX_CALLS).fold(f, |f, (call, action)| {
            f.secondary(call.span, format!("calls `{action}`"))
        });
        out.push(match record.exact {
            true => f,
            false => f.confidence(Confidence::Medium),
        });
    }
}

/// Actions that code certainly calls, and whose absence another rule reports at the call.
fn reported_by_missing(comparison: &RoleComparison<'_, '_>, id: IdentityId) -> ActionSet {
    let mut out = ActionSet::empty();
    let users = comparison.roles.users.get(&id).into_iter().flatten();
    for user in users.filter(|user| comparison.missing_obstacle(user).is_none()) {
        let certain = user
            .required
            .iter()
            .flat_map(|r| r.named.iter())
            .filter(|call| call.certain);
        for name in certain.flat_map(|call| &call.actions.required) {
            out.union_with(&single(name));
        }
    }
    out
}

/// `None` where a control policy above the account denies it.
fn denied_by(project: &Project<'_>, id: IdentityId, effective: &Effective<'_>, action: Action) -> Option<DeniedBy> {
    if effective.is_outside_account(action) {
        return None;
    }
    if effective.denied.contains(action.id()) {
        let documents = project
            .policies_of(&project.identities[id])
            .filter_map(|used| match &used.policy {
                PolicyRef::Documents(ids) => Some(ids),
                _ => None,
            });
        let statements = documents.flatten().flat_map(|d| &project.documents[*d].statements);
        let mut denies = statements.filter(|s| s.denies());
        return denies.find_map(|s| {
            let clause = s.action.as_ref()?;
            let span = match clause.negated {
                true => Some(clause.key),
                false => clause.item_naming(action).map(|item| item.span),
            };
            span.map(DeniedBy::Statement)
        });
    }
    let boundary = project.identities[id].boundary.as_ref();
    let without = Effective::without(project, id, AccessLimit::Boundary);
    match boundary {
        Some(boundary) if without.allows(action) == Truth::Yes => Some(DeniedBy::Boundary(boundary.span)),
        _ => Some(DeniedBy::Nothing),
    }
}

fn finding(
    cx: &Context<'_>,
    id: IdentityId,
    effective: &Effective<'_>,
    why: DeniedBy,
    denied: &[(Action, UseCount)],
) -> Finding {
    let identity = &cx.project.identities[id];
    let calls = denied
        .iter()
        .fold(0u64, |sum, (_, count)| sum.saturating_add(count.calls));
    let names: Vec<&'static str> = denied.iter().map(|(action, _)| action.name()).collect();
    let first = names.first().copied().unwrap_or_default();
    let also = match names.len() {
        0 | 1 => String::new(),
        2 => format!("; also `{}`", names[1]),
        n => format!("; also {} more actions", n - 1),
    };
    let what = match why {
        DeniedBy::Statement(_) => "a policy of the role denies it",
        DeniedBy::Boundary(_) => "the permissions boundary does not allow it",
        DeniedBy::Nothing => "no policy of the role allows it",
    };
    let message = format!("`{first}` was called {} and denied: {what}{also}", times(calls));
    let f = cx
        .at_resource(ids::DENIED_CALL, identity.resource, message)
        .actions(names.iter().map(|name| name.to_lowercase()))
        .note(format!("in the logs: {}", used_list(denied.to_vec())));
    match why {
        DeniedBy::Statement(span) => f
            .primary(span, "denies what is called")
            .in_resource(identity.header)
            .lower_severity()
            .help("Take the action out of the Deny, or remove the call."),
        DeniedBy::Boundary(span) => f
            .primary(span, "does not allow what is called")
            .in_resource(identity.header)
            .help(format!(
                "Allow {} in the boundary, or remove the call.",
                phrase::all_of(&names)
            )),
        DeniedBy::Nothing => {
            let prefix = first.split(':').next().unwrap_or_default();
            let place = place_of_service(effective, prefix);
            let f = match place {
                Some(span) => f
                    .primary(span, "the missing grant belongs here")
                    .in_resource(identity.header),
                None => f.primary(identity.header, "no policy of this role allows the action"),
            };
            f.remedies(missing::remedy(effective, &names))
        }
    }
}

/// The last item of `Action` of a service in the policies that are written, where one statement has such.
fn place_of_service(effective: &Effective<'_>, prefix: &str) -> Option<Span> {
    let mut places = effective.grants.iter().filter_map(|grant| {
        let written =
            matches!(grant.source, PolicySource::Written(_)) && grant.document.origin == DocumentOrigin::Written;
        let clause = grant.statement.action.as_ref().filter(|c| written && !c.negated)?;
        let mut items = clause.items.iter().rev();
        let of_service = items.find(|item| {
            let text = item.text.known();
            text.is_some_and(|t| t.split_once(':').is_some_and(|(s, _)| s.eq_ignore_ascii_case(prefix)))
        });
        of_service.map(|item| item.span)
    });
    let first = places.next()?;
    places.next().is_none().then_some(first)
}
