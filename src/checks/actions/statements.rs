//! Statements that another statement of the document takes in.

use std::collections::BTreeSet;

use crate::iam::glob::Case;
use crate::iam::pattern::Pattern;
use crate::iam::{Clause, Condition, Origin, PrincipalClause, Statement};
use crate::rules::{Context, Out};
use crate::source::{FileId, ProblemKind};

/// Documents with more statements are not compared.
const MAX_STATEMENTS: usize = 200;
/// Pairs of items that are compared for two statements.
const MAX_PAIRS: usize = 4_000;

pub(super) fn redundant(cx: &Context<'_>, out: &mut Out<'_>) {
    // Of what the directives of a template hold, one or the other may be left out.
    let problems = cx.project.problems.iter();
    let templates: BTreeSet<FileId> = problems
        .filter(|p| p.kind == ProblemKind::NotEvaluated)
        .map(|p| p.span.file)
        .collect();
    for (id, d) in cx.documents() {
        if d.origin != Origin::Written || d.statements.len() > MAX_STATEMENTS || templates.contains(&d.span.file) {
            continue;
        }
        for (i, s) in d.statements.iter().enumerate() {
            let other = d
                .statements
                .iter()
                .enumerate()
                .find(|(j, o)| *j != i && takes_in(o, s) && (*j < i || !takes_in(s, o)));
            let Some((_, other)) = other else { continue };
            out.push(
                cx.at_statement("redundant-statement", id, i, "another statement says this already")
                    .primary(head(s), "changes nothing")
                    .secondary(head(other), "takes it in"),
            );
        }
    }
}

/// What a person points at to name a statement.
fn head(s: &Statement) -> crate::source::Span {
    let sid = s.sid.as_ref().filter(|x| s.span.contains(x.span)).map(|x| x.span);
    let action = s.action.as_ref().map(|a| a.span);
    sid.or(action).unwrap_or(s.span)
}

/// Whether all that `s` says follows from `o`.
fn takes_in(o: &Statement, s: &Statement) -> bool {
    // Statements of one place are one written statement, made several times.
    if o.span == s.span || !o.is_beside(s) || o.open || s.open {
        return false;
    }
    let effect =
        matches!((&o.effect, &s.effect), (Some(a), Some(b)) if a.value == b.value) && (s.allows() || s.denies());
    effect
        && principals(o.principal.as_ref(), s.principal.as_ref())
        && conditions(o, s)
        && clause(o.action.as_ref(), s.action.as_ref(), Case::Insensitive)
        && clause(o.resource.as_ref(), s.resource.as_ref(), Case::Sensitive)
}

fn clause(o: Option<&Clause>, s: Option<&Clause>, case: Case) -> bool {
    let (o, s) = match (o, s) {
        (None, None) => return true,
        (Some(o), Some(s)) => (o, s),
        _ => return false,
    };
    if o.negated != s.negated || !o.complete || !s.complete || s.items.is_empty() || o.items.is_empty() {
        return false;
    }
    if o.items.len() * s.items.len() > MAX_PAIRS {
        return false;
    }
    // Of what is excluded, the other excludes no more.
    let (wide, narrow) = if s.negated { (s, o) } else { (o, s) };
    let wide: Vec<Pattern> = wide
        .items
        .iter()
        .filter(|i| i.branch.is_none())
        .map(|i| Pattern::new(&i.text, case))
        .collect();
    narrow.items.iter().all(|i| {
        let one = Pattern::new(&i.text, case);
        wide.iter().any(|w| w.covers(&one).is_yes())
    })
}

fn principals(o: Option<&PrincipalClause>, s: Option<&PrincipalClause>) -> bool {
    let (o, s) = match (o, s) {
        (None, None) => return true,
        (Some(o), Some(s)) => (o, s),
        _ => return false,
    };
    if o.negated || s.negated || !o.complete || !s.complete {
        return false;
    }
    s.items.iter().all(|p| {
        p.value.text.is_known()
            && o.items
                .iter()
                .any(|q| q.kind == p.kind && q.value.text.known() == p.value.text.known())
    })
}

/// No condition takes in any; else they must be the same, as written.
fn conditions(o: &Statement, s: &Statement) -> bool {
    if o.condition_key.is_none() && o.conditions.is_empty() {
        return true;
    }
    let lines = |s: &Statement| -> Option<Vec<String>> {
        let mut out: Vec<String> = s.conditions.iter().map(line).collect::<Option<_>>()?;
        out.sort();
        Some(out)
    };
    !o.conditions.is_empty() && lines(o).is_some_and(|l| Some(l) == lines(s))
}

/// `None` where a part is not known.
fn line(c: &Condition) -> Option<String> {
    let mut out = format!("{} {}", c.operator.text.known()?, c.key.text.known()?).to_lowercase();
    for v in &c.values {
        out.push('\n');
        out.push_str(&v.text.known()?);
    }
    c.complete.then_some(out)
}
