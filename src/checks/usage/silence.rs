//! What runs and was not compared with its role, and the reasons.

use std::collections::BTreeSet;

use super::comparison::RoleComparison;
use super::obstacle::Obstacle;
use crate::model::Resource;
use crate::project::{ContentGap, Project, Uncertainty, WorkloadKind};
use crate::rules::FindingSink;
use crate::unjudged::{Doubt, NotComparedReason, Unjudged, UnjudgedCause, UnjudgedKind, UnjudgedReason};
use crate::value::Value;

/// Lists each function, task, job, state machine, and build that was not compared.
pub(super) fn check(comparison: &RoleComparison<'_, '_>, out: &mut FindingSink<'_>) {
    let project = comparison.project;
    for (id, w) in project.workloads.iter().enumerate() {
        let r = &project.resources[w.resource];
        // What has no role of the repository is not its part that grants; of a function, it may be made elsewhere.
        let is_asked = match w.kind {
            WorkloadKind::Function => true,
            WorkloadKind::Task
            | WorkloadKind::Job
            | WorkloadKind::BatchJob
            | WorkloadKind::Machine
            | WorkloadKind::Build
            | WorkloadKind::Instance
            | WorkloadKind::Hosted(_) => !w.roles.is_empty(),
            _ => false,
        };
        if !is_asked || !project.sources.file(r.header.file).in_scope {
            continue;
        }
        let obstacle = comparison.unused_obstacle(id);
        if let Some(obstacle) = obstacle.filter(|o| !matches!(o, Obstacle::Rendered(_))) {
            let why = reason(r, &obstacle);
            let causes = match &obstacle {
                Obstacle::Doubts(doubts) => causes(project, doubts),
                _ => Vec::new(),
            };
            let name = r.address.name.clone();
            let why = UnjudgedReason::Function(why);
            out.unjudged.push(Unjudged {
                causes,
                ..Unjudged::at(project.sources, r.header, UnjudgedKind::Workload, name, why)
            });
        }
    }
}

/// The reason in short.
fn reason(r: &Resource, obstacle: &Obstacle) -> NotComparedReason {
    // `package.Class::method` of Java and `Assembly::Class::Method` of .NET.
    let handler = r.get("Handler").and_then(Value::as_str);
    let is_other = handler.is_some_and(|h| h.contains("::"));
    match obstacle {
        Obstacle::Role(_) | Obstacle::SeveralRoles => NotComparedReason::NoRole,
        Obstacle::Content(ContentGap::Runtime(_)) => NotComparedReason::NotPython,
        Obstacle::Content(_) if is_other => NotComparedReason::NotPython,
        Obstacle::Content(_) if r.get("CodePaths").is_some() => NotComparedReason::NoHandler,
        Obstacle::Content(_) => NotComparedReason::NoCode,
        Obstacle::CodeNotRead => NotComparedReason::NoHandler,
        Obstacle::Doubts(doubts) => NotComparedReason::Doubt(doubts.first().map_or(Doubt::Hidden, |u| u.doubt)),
        Obstacle::Neighbor(_) => NotComparedReason::Neighbor,
        Obstacle::Broken(_) => NotComparedReason::Broken,
        Obstacle::AnyAction(..) => NotComparedReason::AnyAction,
        _ => NotComparedReason::SharedRole,
    }
}

/// The places of doubts of one kind, each name once.
fn causes(project: &Project<'_>, doubts: &[Uncertainty]) -> Vec<UnjudgedCause> {
    let mut seen = BTreeSet::new();
    let doubts = doubts.iter();
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
