//! Functions that were not compared with their roles, and the reasons.

use std::collections::BTreeSet;

use super::roles::UsedRoles;
use crate::project::{Project, Uncertainty, Workload, WorkloadKind};
use crate::rules::{Context, FindingSink};
use crate::unjudged::{Doubt, NotComparedReason, Unjudged, UnjudgedCause, UnjudgedKind, UnjudgedReason};
use crate::value::Value;

/// Lists each function that was not compared. `roles` is `None` if the code of none of them was found.
pub(super) fn check(cx: &Context<'_>, roles: Option<&UsedRoles<'_, '_>>, out: &mut FindingSink<'_>) {
    let project = cx.project;
    for (id, w) in project.workloads.iter().enumerate() {
        let r = &project.resources[w.resource];
        if w.kind != WorkloadKind::Function || !project.sources.file(r.header.file).in_scope {
            continue;
        }
        let not_linked = reason_not_linked(project, w).map(|why| (why, Vec::new()));
        if let Some((why, causes)) = not_linked.or_else(|| reason_not_compared(cx, roles?, id, w)) {
            let name = r.address.name.clone();
            let why = UnjudgedReason::Function(why);
            out.unjudged.push(Unjudged {
                causes,
                ..Unjudged::at(project.sources, r.header, UnjudgedKind::Workload, name, why)
            });
        }
    }
}

/// Why a function's code or role was not found.
fn reason_not_linked(project: &Project<'_>, w: &Workload) -> Option<NotComparedReason> {
    let r = &project.resources[w.resource];
    if w.roles.is_empty() {
        return Some(NotComparedReason::NoRole);
    }
    let runtime = r.get("Runtime").and_then(Value::as_str);
    // `package.Class::method` of Java and `Assembly::Class::Method` of .NET.
    let handler = r.get("Handler").and_then(Value::as_str);
    let other = runtime.is_some_and(|name| !name.starts_with("python")) || handler.is_some_and(|h| h.contains("::"));
    if w.code.is_none() && other {
        return Some(NotComparedReason::NotPython);
    }
    match (&w.code, r.get("CodePaths")) {
        (Some(_), _) => None,
        (None, Some(_)) => Some(NotComparedReason::NoHandler),
        (None, None) => Some(NotComparedReason::NoCode),
    }
}

/// Why a function with known code and role was not compared.
fn reason_not_compared(
    cx: &Context<'_>,
    roles: &UsedRoles<'_, '_>,
    id: usize,
    w: &Workload,
) -> Option<(NotComparedReason, Vec<UnjudgedCause>)> {
    let users = || w.roles.iter().filter_map(|r| roles.users.get(&r.role)).flatten();
    match users().find(|u| u.workload == id).map(|u| &u.required) {
        None => return None,
        Some(None) => return Some((NotComparedReason::NoHandler, Vec::new())),
        Some(Some(required)) => {
            // What starts other code concerns all of its file.
            let order = |u: &&Uncertainty| (u.span.file, u.doubt != Doubt::Hidden, u.span);
            if let Some(first) = required.doubts.iter().min_by_key(order) {
                let causes = causes(cx.project, &required.doubts, first.doubt);
                return Some((NotComparedReason::Doubt(first.doubt), causes));
            }
        }
    }
    let why = w.roles.iter().find_map(|r| roles.used_actions(cx, r.role).err())?;
    Some((why, Vec::new()))
}

/// The places of one kind of doubt, each name once.
fn causes(project: &Project<'_>, doubts: &[Uncertainty], doubt: Doubt) -> Vec<UnjudgedCause> {
    let mut seen = BTreeSet::new();
    let doubts = doubts.iter().filter(|u| u.doubt == doubt);
    let doubts = doubts.filter(|u| u.name.is_empty() || seen.insert(&u.name));
    let cause = |u: &Uncertainty| UnjudgedCause {
        span: u.span,
        name: u.name.clone(),
        location: format!(
            "{}:{}",
            project.sources.path(u.span.file),
            project.sources.positions(u.span).0.line
        ),
    };
    doubts.map(cause).collect()
}
