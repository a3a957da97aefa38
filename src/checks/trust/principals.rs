//! Principals in trust and resource-based policies that AWS rejects, or that do not mean what they appear to.
//! IAM User Guide, "AWS JSON policy elements: Principal".

use crate::finding::{Finding, Remedy, Severity};
use crate::iam::catalogue::catalogue;
use crate::iam::principal::{IdentityType, PrincipalOrigin, is_public, origin_of};
use crate::iam::variables::may_be_template;
use crate::iam::{DocumentOrigin, PolicyKind, PrincipalClause, PrincipalItem, PrincipalType, Statement, pattern};
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, RuleId, ids};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if s.document.origin != DocumentOrigin::Written
            || !s.document.kind.has_principal()
            || s.document.kind == PolicyKind::Rcp
        {
            continue;
        }
        let Some(clause) = &s.principal else { continue };
        for item in &clause.items {
            let f = match item.kind {
                PrincipalType::Aws => aws(cx, s, item),
                PrincipalType::Service => service(cx, s, item),
                PrincipalType::CanonicalUser => canonical_user(cx, s, item),
                PrincipalType::Everyone | PrincipalType::Federated | PrincipalType::Unknown => None,
            };
            if let Some(f) = f {
                out.push(f.principals([item.value.display()]));
            }
        }
        if s.denies() {
            deny(cx, out, s);
        }
    }
}

/// A canonical user ID has 64 hexadecimal digits; those of CloudFront origin access identities have more. Amazon S3
/// User Guide, "Finding the canonical user ID for your AWS account".
fn canonical_user(cx: &Context<'_>, s: StatementRef<'_>, item: &PrincipalItem) -> Option<Finding> {
    let text = item.value.text.known()?;
    let hex = text.len() >= 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    (!hex && !text.is_empty() && !text.contains('*') && !may_be_template(&text)).then(|| {
        cx.at_statement(
            ids::PRINCIPAL_INVALID_FORMAT,
            s,
            format!("`{text}` is not a canonical user ID"),
        )
        .primary(item.value.span, "must have 64 hexadecimal digits")
    })
}

fn aws(cx: &Context<'_>, s: StatementRef<'_>, item: &PrincipalItem) -> Option<Finding> {
    let text = item.value.text.known()?;
    let at = |rule: RuleId, message: String| cx.at_statement(rule, s, message);
    match origin_of(item, cx.project.own, None) {
        PrincipalOrigin::Unknown => {
            // Other forms are mistakes, or placeholders of templates.
            (!text.is_empty() && !may_be_template(&text)).then(|| {
                at(
                    ids::PRINCIPAL_INVALID_FORMAT,
                    format!("`{text}` is not a valid principal"),
                )
                .primary(item.value.span, "must be an ARN, an account ID, or `*`")
            })
        }
        PrincipalOrigin::OwnAccount { .. } | PrincipalOrigin::OtherAccount { .. }
            if pattern::has_wildcard(&item.value.text) =>
        {
            None
        }
        // IAM identifiers, "IAM ARNs": a session ARN has the role name without its path, and the session name.
        PrincipalOrigin::OwnAccount {
            who: IdentityType::AssumedRole,
            ..
        }
        | PrincipalOrigin::OtherAccount {
            who: IdentityType::AssumedRole,
            ..
        } if !may_be_template(&text) => {
            let parts: Vec<&str> = text.split(":assumed-role/").nth(1)?.split('/').collect();
            let label = match parts.len() {
                2 if parts.iter().all(|p| !p.is_empty()) => return None,
                0..=2 => "no session name: use `assumed-role/ROLE/SESSION`",
                _ => "contains a path: use `assumed-role/ROLE/SESSION`",
            };
            Some(
                at(
                    ids::PRINCIPAL_INVALID_FORMAT,
                    format!("`{text}` is not a valid principal"),
                )
                .primary(item.value.span, label),
            )
        }
        // Groups, policies, and other resources cannot be principals.
        PrincipalOrigin::OwnAccount {
            who: IdentityType::Other,
            ..
        }
        | PrincipalOrigin::OtherAccount {
            who: IdentityType::Other,
            ..
        } if !may_be_template(&text) => {
            let kind = text.splitn(6, ':').nth(5)?.split('/').next()?;
            let label = match kind {
                "assumed-role" | "federated-user" => "the service in a session ARN must be `sts`",
                "role" | "user" | "root" => "the service in a role, user, or root ARN must be `iam`",
                _ => "not a role, user, session, or account root",
            };
            Some(
                at(
                    ids::PRINCIPAL_INVALID_FORMAT,
                    format!("`{text}` is not a valid principal"),
                )
                .primary(item.value.span, label),
            )
        }
        _ => None,
    }
}

fn service(cx: &Context<'_>, statement: StatementRef<'_>, item: &PrincipalItem) -> Option<Finding> {
    let text = item.value.text.known()?;
    if pattern::is_star(&item.value.text) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let shaped = [
        ".amazonaws.com",
        ".amazonaws.com.cn",
        ".amazon.com",
        ".aws.internal",
        ".api.aws",
        ".aws",
    ]
    .iter()
    .any(|s| lower.ends_with(s) || lower.contains(".amazonaws."));
    let at = |message: String| cx.at_statement(ids::SERVICE_PRINCIPAL_INVALID, statement, message);
    if !shaped {
        return Some(
            at(format!("`{text}` is not a service principal"))
                .primary(item.value.span, "must have the form `service.amazonaws.com`"),
        );
    }
    if catalogue().is_service_principal(&lower) {
        return None;
    }
    // The list of service principals is incomplete: only names close to a known one are reported.
    let near = catalogue().did_you_mean_service_principal(&lower)?;
    Some(
        at(format!("`{text}` is not a known service principal"))
            .primary(item.value.span, format!("did you mean `{near}`?"))
            .severity(Severity::Medium)
            .remedies(
                cx.is_literal(&item.value)
                    .then(|| Remedy::granting(format!("write `{near}`")).replace(item.value.span, [near.to_string()])),
            ),
    )
}

/// Which principals are denied despite the exception. The account, the role, and each session must be named. IAM User
/// Guide, "AWS JSON policy elements: NotPrincipal".
fn missing_principals(cx: &Context<'_>, clause: &PrincipalClause) -> &'static str {
    let places: Vec<PrincipalOrigin> = clause
        .items
        .iter()
        .map(|p| origin_of(p, cx.project.own, None))
        .collect();
    let is = |kind: IdentityType| {
        places.iter().any(|p| match p {
            PrincipalOrigin::OwnAccount { who, .. }
            | PrincipalOrigin::OtherAccount { who, .. }
            | PrincipalOrigin::SomeAccount { who, .. } => who == &kind,
            _ => false,
        })
    };
    if places
        .iter()
        .all(|p| matches!(p, PrincipalOrigin::Service { .. } | PrincipalOrigin::AnyService))
    {
        "exempts only the service: users and roles are denied"
    } else if is(IdentityType::AssumedRole) && !is(IdentityType::Role) {
        "names the session, not its role"
    } else if is(IdentityType::Role) && !is(IdentityType::AssumedRole) {
        "names the role, not its sessions"
    } else if is(IdentityType::User) && !is(IdentityType::Root) {
        "names the user, not its account"
    } else if is(IdentityType::Root) && !is(IdentityType::User) && !is(IdentityType::Role) {
        "exempts only the root user: users and roles are denied"
    } else {
        "denied unless account, role, and session are all named"
    }
}

const EXCEPTS_EVERYBODY: &str = "this Deny exempts everyone, so it blocks no one";

/// Deny statements whose exception covers everyone, or uses `NotPrincipal`.
fn deny(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let Some(clause) = &s.principal else { return };
    // If another branch of the statement exempts only some principals, this one disables the Deny on purpose.
    let other = |o: &Statement| o.span == s.span && o.branch.is_some() && o.branch != s.branch;
    let on_purpose = s.document.statements.iter().any(other);
    let graded = |f: Finding| match on_purpose {
        true => f.severity(Severity::Low),
        false => f,
    };
    let everybody = clause
        .items
        .iter()
        .find(|p| is_public(&origin_of(p, cx.project.own, None)));
    if clause.negated {
        out.push(match everybody {
            Some(star) => graded(
                cx.at_statement(ids::DENY_CARVE_OUT_INEFFECTIVE, s, EXCEPTS_EVERYBODY)
                    .primary(star.value.span, "everyone is exempt")
                    .secondary(clause.key, "denied to everyone except these")
                    .principals([star.value.display()]),
            ),
            None => cx
                .at_statement(
                    ids::DENY_NOT_PRINCIPAL_DEPRECATED,
                    s,
                    "a Deny with `NotPrincipal` denies more principals than it appears to",
                )
                .primary(clause.key, missing_principals(cx, clause))
                .principals(clause.items.iter().map(|p| p.value.display())),
        });
        return;
    }
    if everybody.is_none() {
        return;
    }
    for c in &s.conditions {
        let Some(operator) = c.parsed else {
            continue;
        };
        let key = &c.lower_key;
        if !operator.negated || !operator.wildcards || !key.starts_with("aws:principal") {
            continue;
        }
        if let Some(star) = c.values.iter().find(|v| pattern::is_star(&v.text)) {
            out.push(graded(
                cx.at_statement(ids::DENY_CARVE_OUT_INEFFECTIVE, s, EXCEPTS_EVERYBODY)
                    .primary(star.span, "matches every principal")
                    .secondary(c.operator.span, "denies the principals that do not match")
                    .other_evidence(key),
            ));
        }
    }
}
