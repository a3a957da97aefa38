//! Condition keys and service principals: keys that a service never sends, and keys that limit its source.
//! IAM User Guide, "AWS global condition context keys"; IAM Access Analyzer, "Policy check reference".

use std::collections::BTreeSet;

use super::source::{SILENT, only_adds_objects, only_describes};
use crate::checks::narrowing;
use crate::finding::Severity;
use crate::iam::access::{Audience, Limit, audience, strength_for_others};
use crate::iam::condition::{Grade, OperatorFamily};
use crate::iam::principal::{PrincipalOrigin, origin_of};
use crate::iam::{PolicyKind, PrincipalItem, Statement};
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if !s.allows() || !matches!(s.document.kind, PolicyKind::Resource | PolicyKind::Trust) {
            continue;
        }
        if let Some((item, name)) = services_only(cx, &s) {
            unsupported(cx, out, s, &name);
            if s.document.kind == PolicyKind::Resource {
                recommended(cx, out, s, item, &name);
            }
        } else if s.document.kind == PolicyKind::Resource && s.document.service.as_deref() != Some("ec2") {
            perimeter(cx, out, s);
        }
    }
}

/// The first principal and its name, if all principals are services.
fn services_only<'s>(cx: &Context<'_>, s: &'s Statement) -> Option<(&'s PrincipalItem, String)> {
    let clause = s.principal.as_ref().filter(|c| !c.negated && c.complete)?;
    let names: Option<Vec<String>> = clause
        .items
        .iter()
        .map(|p| match origin_of(p, cx.project.own, None) {
            PrincipalOrigin::Service { name } => Some(name),
            _ => None,
        })
        .collect();
    Some((clause.items.first()?, names?.into_iter().next()?))
}

/// Keys about a principal's organization, tags, or sign-in, which a service principal does not have.
fn is_user_principal_key(key: &str) -> bool {
    matches!(
        key,
        "aws:principalorgid"
            | "aws:principalorgpaths"
            | "aws:username"
            | "aws:multifactorauthpresent"
            | "aws:multifactorauthage"
    ) || key.starts_with("aws:principaltag/")
}

fn unsupported(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, service: &str) {
    for c in &s.conditions {
        let key = c.key.display().to_lowercase();
        let Some(operator) = c.parsed else {
            continue;
        };
        let demanded = operator.family != OperatorFamily::Null
            && !operator.negated
            && !operator.if_exists
            && !operator.is_for_all_values();
        if !demanded || !is_user_principal_key(&key) {
            continue;
        }
        out.push(
            cx.at_statement(
                ids::SERVICE_KEY_UNSUPPORTED,
                s,
                format!("`{service}` never sends `{}`: no request matches", c.key.display()),
            )
            .primary(c.key.span, "not in requests from AWS services")
            .principals([service.to_owned()])
            .other_evidence(key),
        );
    }
}

/// A service principal whose conditions do not limit the source.
fn recommended(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, item: &PrincipalItem, service: &str) {
    let strength = strength_for_others(s.document, &s);
    let held = strength.bounds.iter().find(|b| b.grade >= Grade::Narrows);
    let Some(held) = held else { return };
    let binding = |key: &str| {
        is_user_principal_key(key)
            || key.starts_with("kms:encryptioncontext")
            || key.starts_with("lambda:")
            || key.contains("${")
    };
    if SILENT.contains(&service)
        || service.contains("${")
        || strength.unknown
        || strength.pins_caller()
        || strength.source() >= Grade::Narrows
        || strength.bounds.iter().any(|b| binding(&b.key))
        || only_describes(&s)
    {
        return;
    }
    let f = cx
        .at_statement(
            ids::SERVICE_RECOMMENDED_KEY,
            s,
            format!("`{}` does not limit who `{service}` acts for", held.key),
        )
        .primary(held.key_span, "add `aws:SourceArn` or `aws:SourceAccount`")
        .secondary(item.value.span, "acts for every AWS customer")
        .principals([service.to_owned()])
        .other_evidence(held.key.clone());
    let alone = s.principal.as_ref().is_some_and(|p| p.items.len() == 1);
    let remedy = narrowing::source_account(cx, s.document_id, &s);
    let f = f.remedies(remedy.filter(|_| alone));
    // Every log delivery sends this ACL, so the condition limits nothing.
    let only_acl = strength
        .bounds
        .iter()
        .all(|b| b.grade < Grade::Narrows || b.key == "s3:x-amz-acl");
    out.push(
        match only_acl && only_adds_objects(&s) && s.document.service.as_deref() == Some("s3") {
            true => f.severity(Severity::Medium),
            false => f,
        },
    );
}

/// Every principal or several accounts, without a condition on the organization.
fn perimeter(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    const KEYS: [&str; 6] = [
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalaccount",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceaccount",
    ];
    let Some(clause) = s.principal.as_ref().filter(|c| !c.negated) else {
        return;
    };
    let bound = s
        .conditions
        .iter()
        .any(|c| KEYS.contains(&c.key.display().to_lowercase().as_str()));
    if bound || s.condition_key.is_some() && s.conditions.is_empty() {
        return;
    }
    let mut accounts = BTreeSet::new();
    let mut wide = None;
    for p in &clause.items {
        match audience(s.document, &s, p, cx.project.own) {
            Audience::Everyone(limit) if limit < Limit::Named => wide = Some(p),
            Audience::Account {
                place: PrincipalOrigin::OtherAccount { id, trusted: false, .. },
                limit,
            } if limit < Limit::Named => {
                accounts.insert(id);
                if accounts.len() > 1 {
                    wide.get_or_insert(p);
                }
            }
            _ => {}
        }
    }
    if let Some(p) = wide {
        out.push(
            cx.at_statement(
                ids::ORG_PERIMETER_MISSING,
                s,
                "access is not limited to your organization",
            )
            .primary(p.value.span, "no condition on `aws:PrincipalOrgID`")
            .principals([p.value.display()])
            .remedies(narrowing::own_organization(cx, &s)),
        );
    }
}
