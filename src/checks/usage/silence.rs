//! Functions that were not compared with their roles, and the reasons.

use super::roles::UsedRoles;
use crate::project::{Project, Workload, WorkloadKind};
use crate::rules::{Context, FindingSink};
use crate::unjudged::{NotComparedReason, Unjudged, UnjudgedKind, UnjudgedReason};
use crate::value::Value;

/// Lists each function that was not compared. `roles` is `None` if the code of none of them was found.
pub(super) fn check(cx: &Context<'_>, roles: Option<&UsedRoles<'_, '_>>, out: &mut FindingSink<'_>) {
    let project = cx.project;
    for (id, w) in project.workloads.iter().enumerate() {
        let r = &project.resources[w.resource];
        if w.kind != WorkloadKind::Function || !project.sources.file(r.header.file).in_scope {
            continue;
        }
        let why = reason_not_linked(project, w).or_else(|| reason_not_compared(cx, roles?, id, w));
        if let Some(silence) = why {
            let name = r.address.name.clone();
            let why = UnjudgedReason::Function(silence);
            out.unjudged.push(Unjudged::at(
                project.sources,
                r.header,
                UnjudgedKind::Workload,
                name,
                why,
            ));
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
) -> Option<NotComparedReason> {
    let users = || w.roles.iter().filter_map(|r| roles.users.get(&r.role)).flatten();
    match users().find(|u| u.workload == id).map(|u| &u.required) {
        None => return None,
        Some(None) => return Some(NotComparedReason::NoHandler),
        Some(Some(required)) => {
            if let Some(first) = required.doubts.first() {
                return Some(NotComparedReason::Doubt(first.doubt));
            }
        }
    }
    w.roles.iter().find_map(|r| roles.used_actions(cx, r.role).err())
}
