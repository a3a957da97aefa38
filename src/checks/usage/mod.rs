//! Compares what a role grants with what the code that runs with it calls.
//!
//! **Invariant:** nothing is reported if the code or the policies are not completely known. AWS Lambda Developer Guide,
//! "Defining Lambda function permissions with an execution role".

mod comparison;
mod counted;
mod handed_on;
mod missing;
mod obstacle;
mod platform;
mod recorded;
mod references;
mod resource_grants;
mod roles;
mod shared_text;
mod silence;
mod sources;
mod templates;
mod unused;
mod unused_managed;
mod words;

use std::collections::BTreeSet;

pub use comparison::{ComparedFigures, ComparedWorkload, RoleComparison};
pub use counted::CountedActions;
pub use obstacle::Obstacle;

use crate::project::{CodePlace, Codebase, Effects, Project, Workload, WorkloadCode};
use crate::python::calls::Calls;
use crate::python::{BindingValue, Program, ScopeId};
use crate::rules::{CodeCheck, Context, FindingSink};
use crate::source::is_within;

pub(super) const TABLE: &[(&str, CodeCheck)] = &[("code-against-role", check)];

fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    sources::check(cx, out);
    compare(cx.project, cx.effects, |comparison| {
        silence::check(comparison, out);
        unused::check(cx, comparison, out);
        missing::check(cx, comparison, out);
        recorded::check(cx, comparison, out);
    });
}

/// Compares everything that runs with its roles.
pub fn compare<'p, T>(
    project: &'p Project<'p>,
    effects: &Effects<'p>,
    then: impl FnOnce(&RoleComparison<'_, 'p>) -> T,
) -> T {
    let with_role = project.workloads.iter().filter(|w| !w.roles.is_empty());
    let code: Vec<&WorkloadCode> = with_role.filter_map(Workload::code).collect();
    let program = match code.is_empty() {
        true => Program::new(project.sources, &[]),
        false => project.program(),
    };
    let calls = Calls::of(&program, &modules_of(&program, &code));
    let programs = match code.is_empty() {
        true => Vec::new(),
        false => project.inline_programs(),
    };
    let inline: Vec<Calls<'_>> = programs.iter().map(Calls::new).collect();
    let codebase = Codebase::new(&calls, &inline);
    then(&RoleComparison::new(project, effects, &codebase))
}

/// The modules of which anything may run: those that hold the code of these workloads, and what they import.
fn modules_of(program: &Program<'_>, code: &[&WorkloadCode]) -> Vec<usize> {
    let mut start: BTreeSet<usize> = BTreeSet::new();
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for code in code {
        let CodePlace::Paths(paths) = &code.place else { continue };
        let module = code.handler.as_ref().and_then(|h| program.index_of(h.file));
        start.extend(module);
        start.extend(module.into_iter().flat_map(|module| program.packages_around(module)));
        // Else it may not be the entry point for certain, and everything in the folders counts.
        let is_defined = |function: &str| {
            let names = module.map(|m| &program.modules[m].scope(ScopeId::MODULE).bindings);
            let last = names.and_then(|names| names.get(function)?.last());
            last.is_some_and(|b| matches!(b.bound, BindingValue::Function(_)))
        };
        let function = code.handler.as_ref().and_then(|h| h.function.as_deref());
        if !function.is_some_and(is_defined) {
            folders.extend(paths.iter().map(String::as_str));
        }
    }
    for (module, m) in program.modules.iter().enumerate() {
        let path = program.sources.path(m.file);
        if folders.iter().any(|folder| is_within(path, folder)) {
            start.insert(module);
        }
    }
    program.with_imported(start)
}
