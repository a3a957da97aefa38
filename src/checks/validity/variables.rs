//! Policy variables. IAM User Guide, "IAM policy elements: Variables and tags".

use super::elements;
use crate::finding::{Confidence, Edit, Remedy, RemedyStep, Severity};
use crate::iam::catalogue::catalogue;
use crate::iam::variables::{Variable, VariableProblem, variables};
use crate::iam::{ClauseItem, Document, DocumentOrigin, SourceFormat};
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};
use crate::source::{Hole, Span};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if s.document.origin != DocumentOrigin::Written {
            continue;
        }
        let old = s
            .document
            .version
            .as_ref()
            .is_none_or(|v| v.text.known().as_deref() == Some("2008-10-17"))
            && !s.document.keys.iter().any(|k| k.value.contains("${"));
        let resources = s.written_resources();
        let values = s.conditions.iter().flat_map(|c| &c.values);
        for item in resources.chain(values) {
            check_item(cx, out, s, item, old);
            ampersand(cx, out, s, item);
            unescaped(cx, out, s, item);
        }
        let actions = s.written_actions();
        let principals = s.principal.iter().flat_map(|c| c.items.iter().map(|p| &p.value));
        for item in actions.chain(principals).chain(&s.sid) {
            let Some(text) = item.text.known() else { continue };
            if text.contains("${") && variables(&text).iter().any(|v| v.problem.is_none()) {
                out.push(
                    cx.at_statement(
                        ids::VARIABLE_IN_UNSUPPORTED_ELEMENT,
                        s,
                        format!("policy variables are not supported here: `{text}`"),
                    )
                    .primary(item.span, "supported only in resources and condition values")
                    .other_evidence(text.into_owned()),
                );
            }
        }
    }
}

fn check_item(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, item: &ClauseItem, old: bool) {
    let Some(text) = item.text.known() else { return };
    if !text.contains("${") {
        return;
    }
    for v in variables(&text) {
        let shown = text.get(v.range.clone()).unwrap_or(&text);
        let span = item.text.span_of(v.range.clone()).unwrap_or(item.span);
        let rule = match v.problem {
            Some(VariableProblem::NotClosed) => ids::VARIABLE_MISSING_BRACE,
            Some(VariableProblem::Empty) => ids::VARIABLE_EMPTY,
            Some(VariableProblem::Space) => ids::VARIABLE_SPACE,
            Some(VariableProblem::Default) => ids::VARIABLE_MISSING_QUOTE,
            Some(_) => continue,
            None => {
                if old {
                    out.push(
                        cx.at_statement(
                            ids::OLD_VERSION_WITH_VARIABLES,
                            s,
                            format!("`{shown}` is literal text in this policy version"),
                        )
                        .primary(span, "requires version `2012-10-17`")
                        .severity(Severity::High)
                        .other_evidence(v.name.to_lowercase())
                        .remedies(elements::current_version(cx, s.document)),
                    );
                } else {
                    unknown(cx, out, s, item, &v, span);
                }
                continue;
            }
        };
        let what = v.problem.map_or("", VariableProblem::text);
        out.push(
            cx.at_statement(rule, s, format!("the variable `{shown}` {what}"))
                .primary(span, what)
                .other_evidence(shown.to_lowercase())
                .remedies(repaired(&v, shown).and_then(|new| rewritten(cx, item, v.range.clone(), &new))),
        );
    }
}

/// A variable as it was meant, where its spelling alone says so.
fn repaired(v: &Variable, shown: &str) -> Option<String> {
    match v.problem? {
        VariableProblem::Space => {
            let new: String = shown.split_whitespace().collect();
            (!new.contains(',')).then_some(new)
        }
        VariableProblem::Default => {
            let (name, value) = shown.strip_prefix("${")?.strip_suffix('}')?.split_once(',')?;
            let value = value.trim().trim_matches(['"', '\'']);
            Some(format!("${{{}, '{value}'}}", name.trim())).filter(|_| !value.contains('\''))
        }
        _ => None,
    }
}

/// The item with a part of it rewritten.
fn rewritten(cx: &Context<'_>, item: &ClauseItem, range: std::ops::Range<usize>, new: &str) -> Option<Remedy> {
    let mut text = item.text.known().filter(|_| cx.is_literal(item))?.into_owned();
    text.get(range.clone())?;
    text.replace_range(range, new);
    Some(Remedy::granting(format!("write `{new}`")).replace(item.span, [text]))
}

/// `&{aws:username}` outside `aws_iam_policy_document`, the only place that turns it into `${aws:username}`.
/// AWS provider documentation, "Data Source: aws_iam_policy_document", "Context Variable Interpolation".
fn ampersand(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, item: &ClauseItem) {
    let Some(text) = item.text.known() else { return };
    let found = memchr::memmem::find_iter(text.as_bytes(), "&{");
    let names = found.filter_map(|at| Some((at, text.get(at + 2..)?.split_once('}')?.0)));
    for (at, name) in names.filter(|(_, name)| is_variable(name)) {
        let end = at + 2 + name.len() + 1;
        let span = item.text.span_of(at..end).unwrap_or(item.span);
        out.push(
            cx.at_statement(
                ids::VARIABLE_AMPERSAND,
                s,
                format!("`&{{{name}}}` is literal text here, not a policy variable"),
            )
            .primary(span, "matches only exactly this text")
            .other_evidence(name.to_lowercase())
            .remedies(rewritten(cx, item, at..end, &format!("${{{name}}}"))),
        );
    }
}

/// Policy variables are condition keys. Only those with the prefix `aws:` are all known: services and identity
/// providers have more keys than the reference lists.
fn unknown(
    cx: &Context<'_>,
    out: &mut FindingSink<'_>,
    s: StatementRef<'_>,
    item: &ClauseItem,
    v: &Variable,
    span: Span,
) {
    let name = v.name.to_lowercase();
    if !name.starts_with("aws:") || catalogue().global_condition_key(&name).is_some() {
        return;
    }
    let f = cx
        .at_statement(
            ids::VARIABLE_UNKNOWN,
            s,
            format!("`{}` is not a policy variable", v.name),
        )
        .primary(span, "has no value and never matches")
        .other_evidence(name.clone());
    out.push(match catalogue().did_you_mean_global_key(&name) {
        Some(near) => f.help(format!("Did you mean `${{{near}}}`?")).remedies(rewritten(
            cx,
            item,
            v.range.clone(),
            &format!("${{{near}}}"),
        )),
        None => f
            .confidence(Confidence::Medium)
            .note(format!("the key list is from {}", catalogue().data_date())),
    });
}

/// A policy variable that Terraform or CloudFormation evaluates as its own expression, and rejects.
/// Terraform, "Strings and Templates"; CloudFormation User Guide, "Fn::Sub".
fn unescaped(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, item: &ClauseItem) {
    let (tool, write) = match s.document.format {
        SourceFormat::Terraform if is_policy_document(s.document) => ("Terraform", "&"),
        SourceFormat::Terraform => ("Terraform", "$$"),
        SourceFormat::Cloudformation | SourceFormat::Sam => ("`Fn::Sub`", "!"),
        _ => return,
    };
    for hole in item.text.holes().filter(|h| h.target.is_none() && is_variable(&h.name)) {
        let instead = match write {
            "!" => format!("${{!{}}}", hole.name),
            sign => format!("{sign}{{{}}}", hole.name),
        };
        out.push(
            cx.at_statement(
                ids::VARIABLE_TERRAFORM_UNESCAPED,
                s,
                format!("`${{{}}}` is evaluated by {tool}, not by IAM", hole.name),
            )
            .primary(hole.span, format!("write `{instead}`"))
            .other_evidence(hole.name.to_lowercase())
            .remedies(escaped(cx, hole, &instead)),
        );
    }
}

fn escaped(cx: &Context<'_>, hole: &Hole, instead: &str) -> Option<Remedy> {
    let written = cx.project.sources.slice(hole.span);
    let edit = Edit {
        span: hole.span,
        text: instead.to_owned(),
    };
    let is_whole = written == format!("${{{}}}", hole.name);
    is_whole.then(|| Remedy::granting(format!("write `{instead}`")).change(RemedyStep::Bytes(edit)))
}

fn is_policy_document(d: &Document) -> bool {
    d.owner
        .as_ref()
        .is_some_and(|o| o.type_name.contains("aws_iam_policy_document"))
}

/// Whether a name is a condition key, such as `aws:username` or `s3:prefix`, rather than a name in a template.
fn is_variable(name: &str) -> bool {
    let Some((prefix, rest)) = name.split_once(':') else {
        return false;
    };
    if rest.starts_with(':') || name.contains(char::is_whitespace) {
        return false;
    }
    catalogue().global_condition_key(&name.to_lowercase()).is_some()
        || catalogue()
            .service(prefix)
            .is_some_and(|s| s.condition_key(name).is_some())
}
