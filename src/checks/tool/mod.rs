//! Checks of the family `tool`: inputs that could not be read. Findings about suppressions are made when settling, which
//! alone knows what was used.

use crate::finding::{Cause, Finding};
use crate::rules::{CodeCheck, Context, FindingSink};
use crate::source::{Problem, ProblemKind};

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("unreadable-input", unreadable_input),
    ("json-syntax-error", json_syntax_error),
    ("suppressions", |_, _| {}),
];

/// More broken places of one file than this tell nothing new.
const MAX_PLACES: usize = 3;

fn unreadable_input(ctx: &Context<'_>, out: &mut FindingSink<'_>) {
    let is = |kind: ProblemKind| matches!(kind, ProblemKind::Syntax | ProblemKind::Input);
    by_file(ctx, is, out, |first| {
        let message = match first.kind {
            ProblemKind::Input => "this file cannot be read: policies in it were not checked",
            _ => "this file cannot be read whole: policies in the broken part were not checked",
        };
        Finding::new("unreadable-input", message).note("the credential rules still ran on its text")
    });
    by_file(
        ctx,
        |kind| kind == ProblemKind::Rule,
        out,
        |_| {
            Finding::new(
                "unreadable-input",
                "this rule cannot be used: what it looks for was not looked for",
            )
            .help("mend the rule; `overgrant test-rules` on its folder runs its examples")
        },
    );
    by_file(
        ctx,
        |kind| kind == ProblemKind::Settings,
        out,
        |_| {
            let message = "the settings link code to a role and one of them was not found: they were not compared";
            Finding::new("unreadable-input", message).help("name what is there, or take the `[[workload]]` out")
        },
    );
}

fn json_syntax_error(ctx: &Context<'_>, out: &mut FindingSink<'_>) {
    let is = |kind: ProblemKind| kind == ProblemKind::PolicyJson;
    by_file(ctx, is, out, |_| {
        Finding::new("json-syntax-error", "the JSON of this policy is broken: AWS rejects it")
            .note("what could be understood of it was checked")
    });
}

/// One finding for each file with problems of such a kind, at the first of them.
fn by_file(
    ctx: &Context<'_>,
    is: impl Fn(ProblemKind) -> bool,
    out: &mut FindingSink<'_>,
    finding: impl Fn(&Problem) -> Finding,
) {
    let mut problems: Vec<&Problem> = ctx.project.problems.iter().filter(|p| is(p.kind)).collect();
    problems.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
    problems.dedup_by_key(|p| p.span);
    for of_file in problems.chunk_by(|a, b| a.span.file == b.span.file) {
        let Some(first) = of_file.first() else { continue };
        let mut f = finding(first)
            .primary(first.span, first.message.clone())
            .cause(Cause::Place(first.span))
            .other(first.message.clone());
        for p in of_file.iter().skip(1).take(MAX_PLACES - 1) {
            f = f.secondary(p.span, p.message.clone());
        }
        out.push(f);
    }
}
