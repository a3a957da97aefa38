//! Keys that say little or nothing where they stand, or that want another one beside them.
//! IAM User Guide, "AWS global condition context keys"; IAM Access Analyzer, "Policy check reference".

use super::{Line, lines};
use crate::finding::{Confidence, Finding};
use crate::iam::condition::{Family, Operator};
use crate::iam::glob::Case;
use crate::iam::variables::has_variable;
use crate::iam::{Document, PolicyKind, pattern};
use crate::rules::{Context, Out};
use crate::source::Span;
use crate::value::{Kind, Value};

/// Whose resource it is: in a policy on the resource itself, always the same answer.
const OWNERS: [&str; 4] = [
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "s3:resourceaccount",
];

/// A private address says which machine only together with its network.
const PAIRS: &[(&str, &[&str], &str)] = &[
    (
        "aws:vpcsourceip",
        &[
            "aws:sourcevpc",
            "aws:sourcevpce",
            "aws:sourcevpcarn",
            "aws:vpceaccount",
            "aws:vpceorgid",
            "aws:vpceorgpaths",
        ],
        "aws:SourceVpc",
    ),
    (
        "aws:ec2instancesourceprivateipv4",
        &["aws:ec2instancesourcevpc"],
        "aws:Ec2InstanceSourceVpc",
    ),
];

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for line in lines(cx) {
        let at = |rule: &'static str, message: String| {
            cx.at_statement(rule, line.document, line.index, message)
                .other(line.key.clone())
        };
        irrelevant(&line, &at, out);
        mixed(&line, &at, out);
        let Some(operator) = line.operator else { continue };
        unpaired(&line, operator, &at, out);
        missing_action(&line, operator, &at, out);
        case(&line, operator, &at, out);
    }
}

type At<'a> = &'a dyn Fn(&'static str, String) -> Finding;

fn irrelevant(line: &Line<'_>, at: At<'_>, out: &mut Out<'_>) {
    // An endpoint's policy is on the way to resources of many owners.
    let on_resource =
        line.kind.kind == PolicyKind::Resource && line.kind.service.as_deref().is_some_and(|service| service != "ec2");
    if !on_resource || !OWNERS.contains(&line.key.as_str()) {
        return;
    }
    let c = line.condition;
    out.push(
        at(
            "condition-irrelevant-key",
            format!("`{}` is always the owner of what the policy is on", c.key.display()),
        )
        .primary(c.key.span, "the same in every request"),
    );
}

fn unpaired(line: &Line<'_>, operator: Operator, at: At<'_>, out: &mut Out<'_>) {
    let Some((_, with, name)) = PAIRS.iter().find(|(key, ..)| *key == line.key) else {
        return;
    };
    if operator.family == Family::Null {
        return;
    }
    // Conditions of one Allow hold together; a Deny is helped by the other Denies.
    let mut beside = line
        .kind
        .statements
        .iter()
        .enumerate()
        .filter(|(i, s)| *i == line.index || (line.statement.denies() && s.denies()) || s.effect.is_none());
    let paired = beside.any(|(_, s)| {
        s.open
            || s.conditions
                .iter()
                .any(|c| with.contains(&c.key.text.display().to_lowercase().as_str()))
    });
    if paired {
        return;
    }
    let c = line.condition;
    out.push(
        at(
            "condition-paired-keys",
            format!("`{}` without `{name}` fits machines in any network", c.key.display()),
        )
        .primary(c.key.span, "private addresses repeat from network to network"),
    );
}

/// Session tags and source identities are set by an action of their own, which the role must allow beside `AssumeRole`.
/// IAM User Guide, "Pass session tags in AWS STS" and "Monitor and control actions taken with assumed roles".
fn missing_action(line: &Line<'_>, operator: Operator, at: At<'_>, out: &mut Out<'_>) {
    let demanded = if operator.family == Family::Null {
        line.condition
            .values
            .iter()
            .any(|v| v.text.known().as_deref() == Some("false"))
    } else {
        !operator.negated && !operator.if_exists && !operator.is_for_all_values()
    };
    if line.kind.kind != PolicyKind::Trust || !line.statement.allows() || !demanded {
        return;
    }
    let needed = match line.key.as_str() {
        "sts:sourceidentity" => "sts:SetSourceIdentity",
        "sts:transitivetagkeys" | "aws:tagkeys" => "sts:TagSession",
        key if key.starts_with("aws:requesttag/") => "sts:TagSession",
        _ => return,
    };
    if may_allow(line.kind, needed) {
        return;
    }
    let c = line.condition;
    let mut f = at(
        "condition-missing-action-for-key",
        format!(
            "nobody can set `{}`: the role does not allow `{needed}`",
            c.key.display()
        ),
    )
    .primary(c.key.span, "never in a request that is allowed");
    if let Some(clause) = &line.statement.action {
        f = f.secondary(clause.span, format!("without `{needed}`"));
    }
    out.push(f);
}

/// Whether some Allow of the document may take `action` in.
fn may_allow(d: &Document, action: &str) -> bool {
    d.statements.iter().any(|s| {
        s.open
            || s.allows()
                && s.action.as_ref().is_none_or(|clause| {
                    let hit = clause
                        .items
                        .iter()
                        .any(|i| pattern::matches(&i.text, action, Case::Insensitive).may_be());
                    !clause.complete || hit != clause.negated
                })
    })
}

/// Values of one key as JSON of several types.
fn mixed(line: &Line<'_>, at: At<'_>, out: &mut Out<'_>) {
    let c = line.condition;
    if !c.list || c.values.len() < 2 {
        return;
    }
    let Some(list) = find(&line.kind.value, c.span, 0).and_then(Value::as_seq) else {
        return;
    };
    let typed = |v: &Value| match v.kind {
        Kind::Str(_) => Some("a string"),
        Kind::Num(_) => Some("a number"),
        Kind::Bool(_) => Some("a truth value"),
        _ => None,
    };
    let Some((first, one)) = list.iter().find_map(|v| Some((v, typed(v)?))) else {
        return;
    };
    if let Some((other, two)) = list
        .iter()
        .filter_map(|v| Some((v, typed(v)?)))
        .find(|(_, t)| *t != one)
    {
        out.push(
            at(
                "condition-mixed-types",
                format!("the values of `{}` are {one} and {two}", c.key.display()),
            )
            .primary(other.span, two)
            .secondary(first.span, one),
        );
    }
}

/// The value that is written at `span`.
fn find(value: &Value, span: Span, depth: usize) -> Option<&Value> {
    const DEEP: usize = 12;
    if value.span == span && matches!(value.kind, Kind::Seq(_)) {
        return Some(value);
    }
    if depth > DEEP {
        return None;
    }
    match &value.kind {
        Kind::Json(inner) => find(inner, span, depth + 1),
        Kind::Map(entries) => entries.iter().find_map(|e| find(&e.value, span, depth + 1)),
        Kind::Seq(items) => items.iter().find_map(|v| find(v, span, depth + 1)),
        _ => None,
    }
}

/// Tags are typed by people: `Admin` and `admin` differ.
fn case(line: &Line<'_>, operator: Operator, at: At<'_>, out: &mut Out<'_>) {
    let typed = line.key.starts_with("aws:principaltag/") || line.key.starts_with("aws:requesttag/");
    if !typed || operator.family != Family::String || operator.name.contains("IgnoreCase") {
        return;
    }
    let c = line.condition;
    let lettered = c.values.iter().find(|v| {
        v.text
            .known()
            .is_some_and(|t| t.bytes().any(|b| b.is_ascii_alphabetic()) && !has_variable(&t))
    });
    if let Some(value) = lettered {
        out.push(
            at(
                "condition-case-sensitive-value",
                format!("`{}` must be spelled exactly so in the tag", value.display()),
            )
            .primary(value.span, "another case is another value")
            .secondary(c.operator.span, "compares case")
            .confidence(Confidence::Low),
        );
    }
}
