//! Conditions that do not do what they look like.

use super::{ConditionLine, lines};
use crate::finding::Finding;
use crate::iam::condition::dead::DeadReason;
use crate::iam::condition::{
    Facet, Grade, Operator, OperatorFamily, StatementCallers, Weakness, WeighedCondition, is_pass_role, needs_key,
    strength,
};
use crate::iam::{DocumentOrigin, pattern};
use crate::rules::{Context, FindingSink, RuleId, ids};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for line in lines(cx) {
        let Some(operator) = line.operator else { continue };
        let at =
            |rule: RuleId, message: String| cx.at_statement(rule, line.statement, message).other_evidence(line.key);
        mfa(&line, operator, &at, out);
        star(&line, operator, &at, out);
        age(&line, operator, &at, out);
        passed_role(&line, &at, out);
    }
    contradiction(cx, out);
    spoofable(cx, out);
}

type ReportEffect<'a> = &'a dyn Fn(RuleId, String) -> Finding;

/// IAM User Guide, "Configuring MFA-protected API access": the key is absent for long-term keys.
fn mfa(line: &ConditionLine<'_>, operator: Operator, at: ReportEffect<'_>, out: &mut FindingSink<'_>) {
    if line.key != "aws:multifactorauthpresent" {
        return;
    }
    let c = line.condition;
    let Some(value) = c.values.first() else { return };
    let says = value.text.known().map(|t| t.to_ascii_lowercase());
    let (allows, denies) = (line.statement.allows(), line.statement.denies());
    let label = match (operator.family, operator.if_exists, says.as_deref()) {
        (OperatorFamily::Bool, false, Some("false")) if denies => "false for long-term keys, which lack this key",
        (OperatorFamily::Bool, _, Some("false")) if allows => "allows callers without MFA",
        (OperatorFamily::Bool, true, Some("true")) if allows => "true for long-term keys, which lack this key",
        (OperatorFamily::Null, _, Some("false")) if allows => "the key is also present without MFA",
        (OperatorFamily::Null, _, Some("true")) if allows => "allows callers without MFA",
        _ => return,
    };
    out.push(
        at(
            ids::CONDITION_MFA_ANTIPATTERN,
            "this condition does not require MFA".to_owned(),
        )
        .primary(value.span, label)
        .secondary(c.operator.span, "this operator"),
    );
}

/// `*` as the value of a key that was meant to keep someone out.
fn star(line: &ConditionLine<'_>, operator: Operator, at: ReportEffect<'_>, out: &mut FindingSink<'_>) {
    let c = line.condition;
    if !line.statement.allows() || !operator.wildcards || operator.negated {
        return;
    }
    let facet = strength(&line.statement)
        .bounds_of(line.key)
        .next()
        .map_or(Facet::Other, |b| b.facet);
    if !matches!(facet, Facet::Who | Facet::From | Facet::Resource)
        || line.key.contains("tag/")
        || line.key.ends_with(":sub")
    {
        return;
    }
    if let Some(value) = c.values.iter().find(|v| pattern::is_star(&v.text)) {
        out.push(
            at(
                ids::CONDITION_LIKE_STAR_ONLY,
                format!("`{}` can have any value", c.key.display()),
            )
            .primary(value.span, "matches every value")
            .secondary(c.operator.span, "expands wildcards"),
        );
    }
}

/// The same key asked to be a value and not to be it.
fn contradiction(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        let dead = s.dead.as_ref().filter(|dead| dead.why == DeadReason::Contradiction);
        let (Some(dead), DocumentOrigin::Written) = (dead, &s.document.origin) else {
            continue;
        };
        let mut f = cx
            .at_statement(
                ids::CONDITION_CONTRADICTION,
                s,
                format!(
                    "contradictory conditions on `{}`: the statement never applies",
                    dead.key
                ),
            )
            .primary(dead.span, "requires this value")
            .other_evidence(dead.key.to_lowercase());
        if let Some(other) = dead.other {
            f = f.secondary(other, "excludes the same value");
        }
        out.push(f);
    }
}

/// A grant to everyone that only keys limit which any caller can meet.
fn spoofable(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if !s.allows() || !s.document.kind.has_principal() || StatementCallers::new(&s) != StatementCallers::Open {
            continue;
        }
        let strength = strength(&s);
        let chosen = |b: &WeighedCondition| matches!(b.weakness, Some(Weakness::Spoofable | Weakness::AnyCaller));
        if strength.strongest() >= Grade::Narrows || !strength.bounds.iter().all(chosen) {
            continue;
        }
        let Some(b) = strength.bounds.first() else { continue };
        let key = s
            .conditions
            .get(b.index)
            .map_or_else(|| b.key.clone(), |c| c.key.display());
        let (message, label) = match b.weakness {
            Some(Weakness::Spoofable) => (
                format!("only `{}` restricts access, and callers choose its value", key),
                "chosen by the caller",
            ),
            _ => (
                format!("only `{}` restricts access, and any account can meet it", key),
                "can be met from any account",
            ),
        };
        let mut f = cx
            .at_statement(ids::CONDITION_SPOOFABLE_ONLY, s, message)
            .primary(b.key_span, label)
            .other_evidence(b.key.clone());
        if let Some(p) = s.principal.as_ref() {
            f = f.secondary(p.key, "allows every account");
        }
        out.push(f);
    }
}

/// How long ago MFA was used: absent without MFA.
/// IAM User Guide, "AWS global condition context keys", `aws:MultiFactorAuthAge`.
fn age(line: &ConditionLine<'_>, operator: Operator, at: ReportEffect<'_>, out: &mut FindingSink<'_>) {
    let mfa = |key: &str| key.starts_with("aws:multifactorauth");
    if !mfa(line.key) {
        return;
    }
    let c = line.condition;
    let Some(value) = c.values.first() else { return };
    let says = value.text.known().map(|t| t.to_ascii_lowercase());
    let (allows, denies) = (line.statement.allows(), line.statement.denies());
    let age = line.key == "aws:multifactorauthage";
    let (message, label) = match (operator.family, says.as_deref()) {
        (OperatorFamily::Null, Some("true")) if allows && age => (
            "this condition allows only requests without MFA",
            "the key is absent without MFA",
        ),
        (OperatorFamily::Null, Some("false")) if denies && age => {
            ("this condition denies requests with MFA", "present only with MFA")
        }
        (OperatorFamily::Bool, Some("true")) if denies && !age => {
            ("this condition denies requests with MFA", "true with MFA")
        }
        // Another line may ask for MFA.
        (OperatorFamily::Numeric, _) if allows && age && operator.if_exists && !strength(&line.statement).mfa() => {
            ("requests without MFA are allowed", "true when the key is absent")
        }
        (OperatorFamily::Numeric, _) if denies && age && !operator.if_exists && !operator.is_upper_bound() => {
            // Another Deny may be for requests without MFA.
            let without = line
                .statement
                .document
                .statements
                .iter()
                .filter(|s| s.denies())
                .any(|s| {
                    s.conditions.iter().any(|o| {
                        let operator = o.parsed;
                        let null = operator.is_some_and(|o| o.family == OperatorFamily::Null);
                        mfa(&o.lower_key) && (null || operator.is_some_and(|o| o.if_exists) || !needs_key(o))
                    })
                });
            if without {
                return;
            }
            ("requests without MFA are not denied", "false when the key is absent")
        }
        _ => return,
    };
    out.push(
        at(ids::CONDITION_MFA_ANTIPATTERN, message.to_owned())
            .primary(value.span, label)
            .secondary(c.operator.span, "this operator"),
    );
}

/// IAM User Guide, "Grant a user permissions to pass a role to an AWS service": tags of the role are not reliable there.
fn passed_role(line: &ConditionLine<'_>, at: ReportEffect<'_>, out: &mut FindingSink<'_>) {
    let tag = line.key.starts_with("iam:resourcetag/") || line.key.starts_with("aws:resourcetag/");
    let identity = line.statement.principal.is_none() && line.statement.allows();
    let named = line
        .statement
        .action
        .iter()
        .filter(|c| !c.negated)
        .flat_map(|c| &c.items);
    let Some(pass) = named.filter(|_| tag && identity).find(|a| is_pass_role(a)) else {
        return;
    };
    out.push(
        at(
            ids::CONDITION_TAG_ON_PASS_ROLE,
            format!(
                "`{}` does not limit which roles can be passed",
                line.condition.key.display()
            ),
        )
        .primary(line.condition.key.span, "not reliable for `iam:PassRole`")
        .secondary(pass.span, "passes a role"),
    );
}
