//! Keys that say little or nothing where they stand, or that want another one beside them.
//! IAM User Guide, "AWS global condition context keys"; IAM Access Analyzer, "Policy check reference".

use std::collections::HashMap;

use super::{ConditionLine, lines};
use crate::finding::{Confidence, Finding};
use crate::iam::condition::{Operator, OperatorFamily, compared_owner_key, is_owner_key};
use crate::iam::glob::CaseSensitivity;
use crate::iam::variables::has_variable;
use crate::iam::{Document, PolicyKind, Statement, pattern};
use crate::project::DocumentId;
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::Span;
use crate::value::{Value, ValueKind};

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

/// What was found out of whole documents: each is asked once, however many lines ask.
#[derive(Default)]
struct KnownDocuments<'a> {
    /// Whether another statement of the document, of which a Deny counts for Denies only, has a key that goes with this one.
    paired: HashMap<(DocumentId, bool, &'static str), bool>,
    allowed: HashMap<(DocumentId, &'static str), bool>,
    /// The lists of a document's value, by where they are written.
    lists: HashMap<DocumentId, HashMap<Span, &'a [Value]>>,
}

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let mut known = KnownDocuments::default();
    for line in lines(cx) {
        let at =
            |rule: RuleId, message: String| cx.at_statement(rule, line.statement, message).other_evidence(line.key);
        irrelevant(&line, &at, out);
        mixed(&line, &mut known, &at, out);
        let Some(operator) = line.operator else { continue };
        unpaired(&line, operator, &mut known, &at, out);
        missing_action(&line, operator, &mut known, &at, out);
        case(&line, operator, &at, out);
    }
}

type ReportKey<'a> = &'a dyn Fn(RuleId, String) -> Finding;

fn irrelevant(line: &ConditionLine<'_>, at: ReportKey<'_>, out: &mut FindingSink<'_>) {
    // An endpoint's policy is on the way to resources of many owners.
    let on_resource = line.statement.document.kind == PolicyKind::Resource
        && line
            .statement
            .document
            .service
            .as_deref()
            .is_some_and(|service| service != "ec2");
    let c = line.condition;
    if !on_resource || !is_owner_key(line.key) || compared_owner_key(c, line.key).is_some() {
        return;
    }
    out.push(
        at(
            ids::CONDITION_IRRELEVANT_KEY,
            format!("`{}` is always the owner of this resource", c.key.display()),
        )
        .primary(c.key.span, "constant for this resource"),
    );
}

fn unpaired(
    line: &ConditionLine<'_>,
    operator: Operator,
    known: &mut KnownDocuments<'_>,
    at: ReportKey<'_>,
    out: &mut FindingSink<'_>,
) {
    let Some((key, with, name)) = PAIRS.iter().find(|(key, ..)| *key == line.key) else {
        return;
    };
    if operator.family == OperatorFamily::Null {
        return;
    }
    // Conditions of one Allow hold together; a Deny is helped by the other Denies.
    let has_pair = |s: &Statement| s.open || s.conditions.iter().any(|c| with.contains(&c.lower_key.as_str()));
    let denies = line.statement.denies();
    let beside = |s: &&Statement| (denies && s.denies()) || s.effect.is_none();
    let asked = known.paired.entry((line.statement.document_id, denies, *key));
    let mut statements = line.statement.document.statements.iter().filter(beside);
    if *asked.or_insert_with(|| statements.any(has_pair)) || has_pair(&line.statement) {
        return;
    }
    let c = line.condition;
    out.push(
        at(
            ids::CONDITION_PAIRED_KEYS,
            format!("`{}` without `{name}` matches machines in any VPC", c.key.display()),
        )
        .primary(c.key.span, "private addresses are not unique across VPCs"),
    );
}

/// Session tags and source identities are set by an action of their own, which the role must allow beside `AssumeRole`.
/// IAM User Guide, "Pass session tags in AWS STS" and "Monitor and control actions taken with assumed roles".
fn missing_action(
    line: &ConditionLine<'_>,
    operator: Operator,
    known: &mut KnownDocuments<'_>,
    at: ReportKey<'_>,
    out: &mut FindingSink<'_>,
) {
    let demanded = if operator.family == OperatorFamily::Null {
        line.condition
            .values
            .iter()
            .any(|v| v.text.known().as_deref() == Some("false"))
    } else {
        !operator.negated && !operator.if_exists && !operator.is_for_all_values()
    };
    if line.statement.document.kind != PolicyKind::Trust || !line.statement.allows() || !demanded {
        return;
    }
    let needed = match line.key {
        "sts:sourceidentity" => "sts:SetSourceIdentity",
        "sts:transitivetagkeys" | "aws:tagkeys" => "sts:TagSession",
        key if key.starts_with("aws:requesttag/") => "sts:TagSession",
        _ => return,
    };
    let asked = known.allowed.entry((line.statement.document_id, needed));
    if *asked.or_insert_with(|| may_allow(line.statement.document, needed)) {
        return;
    }
    let c = line.condition;
    let mut f = at(
        ids::CONDITION_MISSING_ACTION_FOR_KEY,
        format!(
            "`{}` cannot be set: the role does not allow `{needed}`",
            c.key.display()
        ),
    )
    .primary(c.key.span, "no request that the role allows has this key");
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
                        .any(|i| pattern::matches(&i.text, action, CaseSensitivity::Insensitive).may_be());
                    !clause.complete || hit != clause.negated
                })
    })
}

/// Values of one key as JSON of several types.
fn mixed<'a>(line: &ConditionLine<'a>, known: &mut KnownDocuments<'a>, at: ReportKey<'_>, out: &mut FindingSink<'_>) {
    let c = line.condition;
    if !c.list || c.values.len() < 2 {
        return;
    }
    let lists = known.lists.entry(line.statement.document_id).or_insert_with(|| {
        let mut lists = HashMap::new();
        collect_lists(&line.statement.document.value, 0, &mut lists);
        lists
    });
    let Some(list) = lists.get(&c.span).copied() else {
        return;
    };
    let typed = |v: &Value| match v.kind {
        ValueKind::Str(_) => Some("a string"),
        ValueKind::Num(_) => Some("a number"),
        ValueKind::Bool(_) => Some("a Boolean"),
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
                ids::CONDITION_MIXED_TYPES,
                format!("the values of `{}` mix types: {one} and {two}", c.key.display()),
            )
            .primary(other.span, two)
            .secondary(first.span, one),
        );
    }
}

/// The lists in `value`, the outer before the inner.
fn collect_lists<'a>(value: &'a Value, depth: usize, lists: &mut HashMap<Span, &'a [Value]>) {
    const DEEP: usize = 12;
    if let ValueKind::Seq(items) = &value.kind {
        lists.entry(value.span).or_insert(items);
    }
    if depth > DEEP {
        return;
    }
    match &value.kind {
        ValueKind::Json(inner) => collect_lists(inner, depth + 1, lists),
        ValueKind::Map(entries) => entries.iter().for_each(|e| collect_lists(&e.value, depth + 1, lists)),
        ValueKind::Seq(items) => items.iter().for_each(|v| collect_lists(v, depth + 1, lists)),
        _ => {}
    }
}

/// Tags are typed by people: `Admin` and `admin` differ.
fn case(line: &ConditionLine<'_>, operator: Operator, at: ReportKey<'_>, out: &mut FindingSink<'_>) {
    let typed = line.key.starts_with("aws:principaltag/") || line.key.starts_with("aws:requesttag/");
    if !typed || operator.family != OperatorFamily::String || operator.name.contains("IgnoreCase") {
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
                ids::CONDITION_CASE_SENSITIVE_VALUE,
                format!("`{}` is compared case-sensitively with the tag", value.display()),
            )
            .primary(value.span, "a value in a different case does not match")
            .secondary(c.operator.span, "case-sensitive")
            .confidence(Confidence::Low),
        );
    }
}
