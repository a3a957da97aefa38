//! Compares what a role grants with what the code that runs with it calls.
//!
//! **Invariant:** nothing is reported if the code or the policies are not completely known. AWS Lambda Developer Guide,
//! "Defining Lambda function permissions with an execution role".

mod missing;
mod platform;
mod roles;
mod silence;
mod sources;
mod templates;
mod unused;

use crate::project::Codebase;
use crate::python::Program;
use crate::python::calls::Calls;
use crate::rules::{CodeCheck, Context, FindingSink};

pub(super) const TABLE: &[(&str, CodeCheck)] = &[("code-against-role", check)];

fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let project = cx.project;
    sources::check(cx, out);
    let any = |w: &crate::project::Workload| !w.roles.is_empty() && w.code.is_some();
    if !project.workloads.iter().any(any) {
        silence::check(cx, None, out);
        return;
    }
    let program = project.program();
    let calls = Calls::new(&program);
    let programs: Vec<Program<'_>> = project
        .inline
        .iter()
        .map(|code| Program::new(project.sources, std::slice::from_ref(&code.module)))
        .collect();
    let inline: Vec<Calls<'_>> = programs.iter().map(Calls::new).collect();
    let roles = roles::UsedRoles::new(project, &Codebase::new(&calls, &inline));
    silence::check(cx, Some(&roles), out);
    unused::check(cx, &roles, out);
    missing::check(cx, &roles, out);
}
