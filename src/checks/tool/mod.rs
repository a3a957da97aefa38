//! Checks of the family `tool`: input that could not be read. Findings about suppressions are produced in `triage`,
//! where it is known which suppressions were used.

use crate::finding::{Cause, Finding};
use crate::rules::{CodeCheck, Context, FindingSink, ids};
use crate::source::{Problem, ProblemKind};

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("unreadable-input", unreadable_input),
    ("json-syntax-error", json_syntax_error),
    ("suppressions", |_, _| {}),
];

/// Maximum number of broken places reported for one file.
const MAX_PLACES: usize = 3;

fn unreadable_input(ctx: &Context<'_>, out: &mut FindingSink<'_>) {
    let is = |kind: ProblemKind| matches!(kind, ProblemKind::Syntax | ProblemKind::Input);
    by_file(ctx, is, out, |first| {
        let message = match first.kind {
            ProblemKind::Input => "the file cannot be read: its policies were not checked",
            _ => "the file cannot be parsed completely: policies in the broken part were not checked",
        };
        Finding::new(ids::UNREADABLE_INPUT, message).note("the text was still searched for credentials")
    });
    by_file(
        ctx,
        |kind| kind == ProblemKind::Rule,
        out,
        |_| {
            Finding::new(ids::UNREADABLE_INPUT, "invalid rule file: the rule did not run")
                .help("Fix the rule file, and run `overgrant test-rules` on its folder.")
        },
    );
    by_file(
        ctx,
        |kind| kind == ProblemKind::Settings,
        out,
        |_| {
            let message = "workload not checked: code or role not found";
            Finding::new(ids::UNREADABLE_INPUT, message)
                .help("Correct the code path or the role, or remove the `[[workload]]`.")
        },
    );
}

fn json_syntax_error(ctx: &Context<'_>, out: &mut FindingSink<'_>) {
    let is = |kind: ProblemKind| kind == ProblemKind::PolicyJson;
    by_file(ctx, is, out, |_| {
        Finding::new(ids::JSON_SYNTAX_ERROR, "invalid JSON: AWS rejects this policy")
            .note("the parts that could be parsed were checked")
    });
}

/// Reports one finding for each file with problems of the given kind, at the first of them.
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
            .other_evidence(first.message.clone());
        for p in of_file.iter().skip(1).take(MAX_PLACES - 1) {
            f = f.secondary(p.span, p.message.clone());
        }
        out.push(f);
    }
}
