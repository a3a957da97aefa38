//! Checks of the family `tool`: inputs that could not be read. Findings about suppressions are made when settling, which
//! alone knows what was used.

use crate::finding::{Cause, Finding};
use crate::rules::{Check, Context, Out};
use crate::source::{Problem, ProblemKind};

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, Check)] = &[("unreadable-input", unreadable_input), ("settle", |_, _| {})];

/// More broken places of one file than this tell nothing new.
const MAX_PLACES: usize = 3;

fn unreadable_input(ctx: &Context<'_>, out: &mut Out<'_>) {
    let mut problems: Vec<&Problem> = ctx
        .project
        .problems
        .iter()
        .filter(|p| matches!(p.kind, ProblemKind::Syntax | ProblemKind::Input))
        .collect();
    problems.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
    problems.dedup();
    for of_file in problems.chunk_by(|a, b| a.span.file == b.span.file) {
        let Some(first) = of_file.first() else { continue };
        let message = match first.kind {
            ProblemKind::Input => "cannot read this file: policies in it were not checked",
            _ => "cannot read all of this file: policies in the broken part were not checked",
        };
        let mut f = Finding::new("unreadable-input", message)
            .primary(first.span, first.message.clone())
            .cause(Cause::Place(first.span))
            .note("the credential rules still ran on its text")
            .other(first.message.clone());
        for p in of_file.iter().skip(1).take(MAX_PLACES - 1) {
            f = f.secondary(p.span, p.message.clone());
        }
        out.push(f);
    }
}
