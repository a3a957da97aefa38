//! What uses a role, in the words of findings.

use super::roles::UsedActions;
use crate::project::{Project, WorkloadKind};

/// What uses a role, for a sentence.
pub(super) fn actor(project: &Project<'_>, used: &UsedActions<'_>) -> &'static str {
    let mut actors = used.workloads.iter().map(|w| match project.workloads[*w].kind {
        WorkloadKind::Machine => "the definition",
        WorkloadKind::Schedule => "the schedule",
        WorkloadKind::Rule => "the rule",
        WorkloadKind::Pipe => "the pipe",
        WorkloadKind::DataSource => "the data source",
        WorkloadKind::Integration => "the integration",
        WorkloadKind::Build => "the build",
        _ => "the code",
    });
    let first = actors.next().unwrap_or("the definition");
    match (first, actors.next()) {
        (first, None) => first,
        ("the code" | "the definition", Some(second)) if first == second && actors.all(|other| other == first) => first,
        ("the integration", Some(_)) if is_of_one_resource(project, used) => "the API",
        _ => "what runs with the role",
    }
}

fn is_of_one_resource(project: &Project<'_>, used: &UsedActions<'_>) -> bool {
    let mut resources = used.workloads.iter().map(|w| project.workloads[*w].resource);
    let first = resources.next();
    resources.all(|r| Some(r) == first)
}

/// What a label says of what has the role.
pub(super) fn role_label(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::Machine => "the state machine that runs with this role",
        WorkloadKind::Schedule => "the target of the schedule that has this role",
        WorkloadKind::Rule => "the target of the rule that has this role",
        WorkloadKind::Pipe => "the source of the pipe that has this role",
        WorkloadKind::DataSource => "the data source that has this role",
        WorkloadKind::Integration => "the integration that has this role",
        _ => "the build that runs with this role",
    }
}

/// What a label says of the role of something without code or states.
pub(super) fn has_role(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::Schedule => "the schedule has this role",
        WorkloadKind::Rule => "the rule has this role for the target",
        WorkloadKind::Pipe => "the pipe has this role",
        WorkloadKind::DataSource => "the data source has this role",
        WorkloadKind::Integration => "the integration has this role",
        _ => "the build has this role",
    }
}
