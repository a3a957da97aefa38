//! Conditions that do not do what they look like.

use super::{Line, lines};
use crate::finding::Finding;
use crate::iam::condition::{Facet, Family, Grade, Operator, Weakness, strength};
use crate::iam::pattern;
use crate::iam::principal::{is_public, place};
use crate::rules::{Context, Out};

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for line in lines(cx) {
        let Some(operator) = line.operator else { continue };
        let at = |rule: &'static str, message: String| {
            cx.at_statement(rule, line.document, line.index, message)
                .other(line.key.clone())
        };
        mfa(&line, operator, &at, out);
        star(&line, operator, &at, out);
        contradiction(&line, operator, &at, out);
    }
    spoofable(cx, out);
}

type At<'a> = &'a dyn Fn(&'static str, String) -> Finding;

/// IAM User Guide, "Configuring MFA-protected API access": the key is absent for long-term keys.
fn mfa(line: &Line<'_>, operator: Operator, at: At<'_>, out: &mut Out<'_>) {
    if line.key != "aws:multifactorauthpresent" {
        return;
    }
    let c = line.condition;
    let Some(value) = c.values.first() else { return };
    let says = value.text.known().map(|t| t.to_ascii_lowercase());
    let (allows, denies) = (line.statement.allows(), line.statement.denies());
    let label = match (operator.family, operator.if_exists, says.as_deref()) {
        (Family::Bool, false, Some("false")) if denies => "false for long-term keys, which have no such key",
        (Family::Bool, _, Some("false")) if allows => "allows those without MFA",
        (Family::Bool, true, Some("true")) if allows => "true for long-term keys, which have no such key",
        (Family::Null, _, Some("false")) if allows => "the key is there without MFA too",
        (Family::Null, _, Some("true")) if allows => "allows those without MFA",
        _ => return,
    };
    out.push(
        at(
            "condition-mfa-antipattern",
            "this condition does not ask for MFA".to_owned(),
        )
        .primary(value.span, label)
        .secondary(c.operator.span, "compared by this"),
    );
}

/// `*` as the value of a key that was meant to keep somebody out.
fn star(line: &Line<'_>, operator: Operator, at: At<'_>, out: &mut Out<'_>) {
    let c = line.condition;
    if !line.statement.allows() || !operator.wildcards || operator.negated {
        return;
    }
    let facet = strength(line.statement)
        .of_key(&line.key)
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
                "condition-like-star-only",
                format!("`{}` may be anything", c.key.display()),
            )
            .primary(value.span, "matches every value")
            .secondary(c.operator.span, "compares with wildcards"),
        );
    }
}

/// The same key asked to be a value and not to be it.
fn contradiction(line: &Line<'_>, operator: Operator, at: At<'_>, out: &mut Out<'_>) {
    let c = line.condition;
    if operator.negated || operator.set.is_some() || operator.if_exists || operator.wildcards || c.values.len() != 1 {
        return;
    }
    let Some(value) = c.values.first().and_then(|v| v.text.known()) else {
        return;
    };
    let mut others = strength(line.statement)
        .of_key(&line.key)
        .map(|b| &line.statement.conditions[b.index]);
    let other = others.find(|o| {
        o.values.iter().any(|v| v.text.known().as_deref() == Some(&*value))
            && o.operator
                .text
                .known()
                .and_then(|t| Operator::parse(&t))
                .is_some_and(|p| p.negated && p.family == operator.family && p.set.is_none())
    });
    if let Some(other) = other {
        out.push(
            at(
                "condition-contradiction",
                format!("`{}` cannot be `{value}` and not be it", c.key.display()),
            )
            .primary(c.span, "must be this")
            .secondary(other.span, "must not be this"),
        );
    }
}

/// A grant to everybody that only keys hold which the caller chooses.
fn spoofable(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, d, i, s) in cx.statements() {
        if !s.allows() || !d.kind.has_principal() {
            continue;
        }
        let public = s
            .principal
            .as_ref()
            .is_some_and(|p| !p.negated && p.items.iter().any(|x| is_public(&place(x, cx.project.own, None))));
        let strength = strength(s);
        let own = strength.bounds.iter().all(|b| b.weakness == Some(Weakness::Spoofable));
        if !public || strength.bounds.is_empty() || !own || strength.best() >= Grade::Narrows {
            continue;
        }
        if let Some(b) = strength.bounds.first() {
            out.push(
                cx.at_statement(
                    "condition-spoofable-only",
                    id,
                    i,
                    format!("only `{}` keeps everybody out, and callers choose it", b.key),
                )
                .primary(b.key_span, "sent by the caller")
                .other(b.key.clone()),
            );
        }
    }
}
