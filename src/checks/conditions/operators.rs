//! Operators, their prefixes and suffixes.
//! IAM User Guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or values".

use super::{ConditionLine, lines};
use crate::checks::narrowing;
use crate::edit_distance::nearest_word;
use crate::finding::{Finding, Remedy};
use crate::iam::condition::{
    Facet, OPERATORS, Operator, OperatorFamily, SetOperator, Verdict, always_present, is_multivalued, strength,
};
use crate::iam::principal::is_open;
use crate::iam::{Condition, Statement};
use crate::project::DocumentId;
use crate::rules::{Context, FindingSink, RuleId, ids};

/// Multivalued keys whose absence is harmless: without tags, or without a service in between, there is nothing to limit.
const HARMLESS: [&str; 4] = [
    "aws:tagkeys",
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
];

/// Multivalued keys that every request has whose action takes them, since they are of a parameter that must be there.
/// AWS KMS Developer Guide, "kms:GrantOperations"; Route 53 Developer Guide, "Using IAM policy conditions for fine-grained
/// access control"; Systems Manager, `PutInventory`; CloudWatch Observability Access Manager, `CreateLink`. Beside each are
/// the actions whose requests may lack it: Amazon DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained
/// access control", a scan names no key of an item.
const DEMANDED: [(&str, &[&str]); 7] = [
    ("dynamodb:leadingkeys", &["dynamodb:Scan", "dynamodb:PartiQLSelect"]),
    ("kms:grantoperations", &[]),
    ("oam:resourcetypes", &[]),
    ("route53:changeresourcerecordsetsactions", &[]),
    ("route53:changeresourcerecordsetsnormalizedrecordnames", &[]),
    ("route53:changeresourcerecordsetsrecordtypes", &[]),
    ("ssm:inventorytypename", &[]),
];

/// Multivalued keys, and the keys (or how they begin) whose presence brings them: a tag of the object that is put, a pair of
/// the encryption context. Amazon S3 User Guide, "Tagging and access control policies"; AWS KMS Developer Guide, "AWS KMS
/// condition keys".
const BROUGHT: [(&str, &str); 3] = [
    ("s3:requestobjecttagkeys", "s3:requestobjecttag/"),
    ("kms:encryptioncontextkeys", "kms:encryptioncontext:"),
    ("kms:encryptioncontextkeys", "kms:grantconstrainttype"),
];

/// Multivalued keys, and a key beside which they are of use, whatever its operator: the page of DynamoDB wants
/// `"dynamodb:Select": "SPECIFIC_ATTRIBUTES"` of the requests that can ask for all attributes.
const BESIDE: [(&str, &str); 1] = [("dynamodb:attributes", "dynamodb:select")];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    // The lines of one statement come one after the other.
    let mut last_statement: Option<(&Statement, bool)> = None;
    let mut needless: Option<(DocumentId, Finding)> = None;
    for line in lines(cx) {
        let c = line.condition;
        let at =
            |rule: RuleId, message: String| cx.at_statement(rule, line.statement, message).other_evidence(line.key);
        let Some(operator) = line.operator else {
            if let Some(f) = unknown(cx, &line, &at) {
                out.push(f);
            }
            continue;
        };
        if operator.family == OperatorFamily::Null {
            continue;
        }
        let all = match last_statement {
            Some((statement, all)) if std::ptr::eq(statement, line.statement.statement) => all,
            _ => allows_everyone(&line),
        };
        last_statement = Some((line.statement.statement, all));
        sets(cx, &line, operator, all, &at, out);
        if operator.if_exists && always_present(line.key) {
            if !is_needless(&line, operator) {
                continue;
            }
            let f = match needless.take() {
                Some((document, f)) if document == line.statement.document_id => label_other_operator(f, &line),
                before => {
                    if let Some((_, f)) = before {
                        out.push(f);
                    }
                    let message = format!("every request has `{}`: `IfExists` changes nothing", c.key.display());
                    at(ids::CONDITION_IFEXISTS_ALWAYS_PRESENT, message).primary(c.operator.span, "not needed")
                }
            };
            needless = Some((line.statement.document_id, f));
        } else if operator.if_exists {
            if_exists(cx, &line, operator, all, &at, out);
        }
    }
    if let Some((_, f)) = needless {
        out.push(f);
    }
}

/// Whether `IfExists` can be removed: every request has each key of the operator. A negated operator is true without the
/// key as well, and a Deny that always says `IfExists` is written so on purpose.
fn is_needless(line: &ConditionLine<'_>, operator: Operator) -> bool {
    let beside = |o: &&Condition| o.operator.display() == line.condition.operator.display();
    let always = |o: &Condition| always_present(&o.lower_key);
    let on_purpose = line.statement.denies() && operator.negated;
    !on_purpose && line.statement.conditions.iter().filter(beside).all(always)
}

/// Another operator of the same policy.
fn label_other_operator(f: Finding, line: &ConditionLine<'_>) -> Finding {
    let span = line.condition.operator.span;
    match f.labels.iter().any(|l| l.span == span) {
        true => f,
        false => f.secondary(span, "also not needed here"),
    }
}

type ReportOperator<'a> = &'a dyn Fn(RuleId, String) -> Finding;

/// The principal is everyone, and no condition limits that.
fn allows_everyone(line: &ConditionLine<'_>) -> bool {
    let s = line.statement;
    let open = s.principal.as_ref().is_some_and(|p| !p.negated && is_open(p));
    open && strength(&s).for_public() == Verdict::Nothing
}

/// What a condition that is true without its key leads to.
fn effect_without_key(all: bool) -> &'static str {
    if all {
        "everyone is allowed: without this key the condition is true"
    } else {
        "a request without this key is also allowed"
    }
}

fn unknown(cx: &Context<'_>, line: &ConditionLine<'_>, at: ReportOperator<'_>) -> Option<Finding> {
    let text = line.condition.operator.text.known()?;
    let f = at(
        ids::CONDITION_UNKNOWN_OPERATOR,
        format!("unknown condition operator `{text}`"),
    )
    .primary(line.condition.operator.span, "IAM rejects the policy");
    let base = text.rsplit(':').next().unwrap_or(&text);
    Some(match nearest_word(base, OPERATORS.iter().copied()) {
        Some(near) if near != base && cx.is_literal(&line.condition.operator) => {
            let title = format!("write `{near}`");
            let remedy = match near.eq_ignore_ascii_case(base) {
                true => Remedy::safe(title),
                false => Remedy::granting(title),
            };
            let meant = format!("{}{near}", &text[..text.len() - base.len()]);
            f.help(format!("Did you mean `{near}`?"))
                .remedy(remedy.replace(line.condition.operator.span, [meant]))
        }
        Some(near) => f.help(format!("Did you mean `{near}`?")),
        None => f,
    })
}

fn sets(
    cx: &Context<'_>,
    line: &ConditionLine<'_>,
    operator: Operator,
    all: bool,
    at: ReportOperator<'_>,
    out: &mut FindingSink<'_>,
) {
    let c = line.condition;
    let is_guarded = |o: &Condition| {
        let key = &o.lower_key;
        if BESIDE.contains(&(line.key, key.as_str())) {
            return true;
        }
        match o.parsed {
            Some(o) if o.family == OperatorFamily::Null => key == line.key,
            Some(o) => {
                let brings = |(what, by): &(&str, &str)| *what == line.key && key.starts_with(by);
                !o.without_key() && BROUGHT.iter().any(brings)
            }
            None => false,
        }
    };
    let guarded = || line.statement.conditions.iter().any(is_guarded);
    let many = is_multivalued(line.key);
    // Whether the actions of the statement are known, and none of these is among them.
    let leaves_out = |names: &[&str]| {
        let mut actions = line.statement.action.iter().filter(|a| !a.negated && a.complete);
        actions.any(|a| {
            !a.item_actions()
                .iter()
                .any(|set| names.iter().any(|name| set.contains_name(name)))
        })
    };
    let mut demanded = DEMANDED.iter().filter(|(key, _)| *key == line.key);
    let harmless =
        HARMLESS.contains(&line.key) || demanded.any(|(_, lacking)| lacking.is_empty() || leaves_out(lacking));
    match operator.set {
        // `IfExists` says the same on purpose, and has a rule of its own.
        Some(SetOperator::ForAllValues)
            if line.statement.allows() && !operator.if_exists && many == Some(true) && !harmless && !guarded() =>
        {
            out.push(
                at(
                    ids::CONDITION_FORALLVALUES_ALLOW_NO_NULL,
                    effect_without_key(all).to_owned(),
                )
                .primary(c.operator.span, "true when the key is absent")
                .secondary(c.key.span, "nothing requires this key")
                .remedies(narrowing::required_key(cx, &line.statement, c)),
            );
        }
        Some(SetOperator::ForAnyValue)
            if line.statement.denies() && !operator.negated && many == Some(true) && !harmless && !guarded() =>
        {
            out.push(
                at(
                    ids::CONDITION_FORANYVALUE_DENY_NO_NULL,
                    "a request without this key is not denied".to_owned(),
                )
                .primary(c.operator.span, "false when the key is absent")
                .secondary(c.key.span, "nothing requires this key"),
            );
        }
        _ => {}
    }
}

fn if_exists(
    cx: &Context<'_>,
    line: &ConditionLine<'_>,
    operator: Operator,
    all: bool,
    at: ReportOperator<'_>,
    out: &mut FindingSink<'_>,
) {
    let c = line.condition;
    if line.statement.allows() && !operator.negated && operator.family != OperatorFamily::Bool {
        let facet = strength(&line.statement)
            .bounds_of(line.key)
            .next()
            .map_or(Facet::Other, |b| b.facet);
        if matches!(facet, Facet::Who | Facet::From) {
            out.push(
                at(
                    ids::CONDITION_IFEXISTS_WEAKENS_ALLOW,
                    effect_without_key(all).to_owned(),
                )
                .primary(c.operator.span, "true when the key is absent")
                .secondary(c.key.span, "may be absent")
                .remedies(narrowing::strict_operator(cx, &line.statement, c)),
            );
        }
    }
}
