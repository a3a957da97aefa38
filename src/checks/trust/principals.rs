//! Principals that IAM rejects, or that are not what they seem. In trust and resource policies alike.
//! IAM User Guide, "AWS JSON policy elements: Principal".

use crate::finding::{Finding, Severity};
use crate::iam::arn::{Arn, ArnField};
use crate::iam::catalogue::catalogue;
use crate::iam::condition::{Operator, strength};
use crate::iam::principal::{IdentityType, PrincipalOrigin, is_public, place};
use crate::iam::variables::may_be_template;
use crate::iam::{DocumentOrigin, PolicyKind, PrincipalClause, PrincipalItem, PrincipalType, Statement, pattern};
use crate::project::DocumentId;
use crate::rules::{Context, FindingSink};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, d, i, s) in cx.statements() {
        if d.origin != DocumentOrigin::Written || !d.kind.has_principal() || d.kind == PolicyKind::Rcp {
            continue;
        }
        let Some(clause) = &s.principal else { continue };
        for item in &clause.items {
            let f = match item.kind {
                PrincipalType::Aws => aws(cx, id, (i, s), item, d.kind),
                PrincipalType::Service => service(cx, id, i, item),
                PrincipalType::Federated => federated(cx, id, i, item, d.kind),
                PrincipalType::CanonicalUser => canonical_user(cx, id, i, item),
                PrincipalType::Everyone | PrincipalType::Unknown => None,
            };
            if let Some(f) = f {
                out.push(f.principals([item.value.display()]));
            }
        }
        if s.denies() {
            deny(cx, out, id, (i, s));
        }
    }
}

/// Amazon S3 User Guide, "Finding the canonical user ID for your AWS account": hexadecimal digits, as CloudFront's identities
/// have longer ones.
fn canonical_user(cx: &Context<'_>, id: DocumentId, i: usize, item: &PrincipalItem) -> Option<Finding> {
    let text = item.value.text.known()?;
    let hex = text.len() >= 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    (!hex && !text.is_empty() && !text.contains('*') && !may_be_template(&text)).then(|| {
        cx.at_statement(
            "principal-invalid-format",
            id,
            i,
            format!("`{text}` is no canonical user id"),
        )
        .primary(item.value.span, "64 hexadecimal digits")
    })
}

fn aws(
    cx: &Context<'_>,
    id: DocumentId,
    (i, s): (usize, &Statement),
    item: &PrincipalItem,
    kind: PolicyKind,
) -> Option<Finding> {
    let text = item.value.text.known()?;
    let at = |rule: &'static str, message: String| cx.at_statement(rule, id, i, message);
    match place(item, cx.project.own, None) {
        PrincipalOrigin::UniqueId(IdentityType::User) => Some(
            at(
                "invalid-user-reference",
                format!("`{text}` is what is left of a user that was deleted"),
            )
            .primary(item.value.span, "names nobody any more"),
        ),
        PrincipalOrigin::UniqueId(_) => Some(
            at(
                "invalid-role-reference",
                format!("`{text}` is what is left of a role that was deleted"),
            )
            .primary(item.value.span, "names nobody any more"),
        ),
        PrincipalOrigin::Unknown => {
            // Shapes that the place does not know: CloudFront's identities, or plain mistakes.
            (!text.is_empty() && !may_be_template(&text)).then(|| {
                at("principal-invalid-format", format!("`{text}` is no principal"))
                    .primary(item.value.span, "an ARN, an account id or `*`")
            })
        }
        PrincipalOrigin::OwnAccount { .. } | PrincipalOrigin::OtherAccount { .. }
            if pattern::has_wildcard(&item.value.text) =>
        {
            Some(
                at(
                    "principal-partial-wildcard",
                    "a wildcard in a principal's ARN matches nothing".to_owned(),
                )
                .primary(item.value.span, "taken to the letter, or rejected")
                .help("use the account's root, with a condition `ArnLike` on `aws:PrincipalArn`"),
            )
        }
        // IAM identifiers, "IAM ARNs": a session has the role's name without its path, and its own name.
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
                0..=2 => "names no session: `assumed-role/ROLE/SESSION`",
                _ => "has a path: write `assumed-role/ROLE/SESSION`",
            };
            Some(at("principal-invalid-format", format!("`{text}` is no principal")).primary(item.value.span, label))
        }
        // Groups, policies and what is no identity at all cannot act.
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
                "assumed-role" | "federated-user" => "the ARN of a session has the service `sts`",
                "role" | "user" | "root" => "the ARN of a role, user or account has the service `iam`",
                _ => "neither a role nor a user, nor an account's root",
            };
            Some(at("principal-invalid-format", format!("`{text}` is no principal")).primary(item.value.span, label))
        }
        PrincipalOrigin::OwnAccount {
            who: IdentityType::User,
            ..
        }
        | PrincipalOrigin::OtherAccount {
            who: IdentityType::User,
            ..
        } if kind == PolicyKind::Trust && s.allows() && s.principal.as_ref().is_some_and(|p| !p.negated) => {
            let mut f = at(
                "role-trusts-user",
                "a user, with keys that last, may assume this role".to_owned(),
            )
            .primary(item.value.span, "a user");
            if strength(s).mfa() {
                f.steps_down += 1;
            }
            Some(f)
        }
        _ => None,
    }
}

fn service(cx: &Context<'_>, id: DocumentId, i: usize, item: &PrincipalItem) -> Option<Finding> {
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
    let at = |message: String| cx.at_statement("service-principal-invalid", id, i, message);
    if !shaped {
        return Some(
            at(format!("`{text}` is no service principal"))
                .primary(item.value.span, "not of the form `service.amazonaws.com`"),
        );
    }
    if catalogue().is_service_principal(&lower) {
        return None;
    }
    // The list of principals is not complete: only what is nearly one of them is called wrong.
    let near = catalogue().did_you_mean_service_principal(&lower)?;
    Some(
        at(format!("`{text}` is no service principal that is known"))
            .primary(item.value.span, format!("did you mean `{near}`?"))
            .severity(Severity::Medium),
    )
}

fn federated(cx: &Context<'_>, id: DocumentId, i: usize, item: &PrincipalItem, kind: PolicyKind) -> Option<Finding> {
    let text = item.value.text.known()?;
    if kind == PolicyKind::Resource {
        return Some(
            cx.at_statement(
                "federated-in-resource-policy",
                id,
                i,
                "a resource policy takes no federated principal",
            )
            .primary(item.value.span, "works in trust policies only"),
        );
    }
    let legacy = [
        "cognito-identity.amazonaws.com",
        "graph.facebook.com",
        "accounts.google.com",
        "www.amazon.com",
    ];
    if legacy.contains(&&*text) || pattern::is_star(&item.value.text) {
        return None;
    }
    let fine = Arn::parse(&item.value.text).is_some_and(|arn| {
        matches!(arn.account(), ArnField::Literal(_))
            && matches!(&*arn.resource_type(), "saml-provider" | "oidc-provider")
    });
    (!fine).then(|| {
        cx.at_statement(
            "federated-provider-format",
            id,
            i,
            format!("`{text}` is no identity provider"),
        )
        .primary(item.value.span, "the ARN of a SAML or OIDC provider")
    })
}

/// Who is denied in spite of the exception, by what it names. IAM User Guide, "AWS JSON policy elements: NotPrincipal": the
/// role, its session and the account are each to be named.
fn left_out(cx: &Context<'_>, clause: &PrincipalClause) -> &'static str {
    let places: Vec<PrincipalOrigin> = clause.items.iter().map(|p| place(p, cx.project.own, None)).collect();
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
        "excepts the service only: users and roles are denied"
    } else if is(IdentityType::AssumedRole) && !is(IdentityType::Role) {
        "names the session, not its role"
    } else if is(IdentityType::Role) && !is(IdentityType::AssumedRole) {
        "names the role, not its sessions"
    } else if is(IdentityType::User) && !is(IdentityType::Root) {
        "names the user, not its account"
    } else if is(IdentityType::Root) && !is(IdentityType::User) && !is(IdentityType::Role) {
        "excepts the root user only: other users and roles are denied"
    } else {
        "denied unless role, session and account are all named"
    }
}

const EXCEPTS_EVERYBODY: &str = "this Deny excepts everybody, and denies nobody";

/// Deny statements that except somebody, and by that deny nobody.
fn deny(cx: &Context<'_>, out: &mut FindingSink<'_>, id: DocumentId, (i, s): (usize, &Statement)) {
    let Some(clause) = &s.principal else { return };
    // Where another case of the statement excepts somebody, this one switches it off on purpose.
    let on_purpose = cx.project.documents.get(id as usize).is_some_and(|d| {
        let other = |o: &Statement| o.span == s.span && o.branch.is_some() && o.branch != s.branch;
        d.statements.iter().any(other)
    });
    let graded = |f: Finding| match on_purpose {
        true => f.severity(Severity::Low),
        false => f,
    };
    let everybody = clause.items.iter().find(|p| is_public(&place(p, cx.project.own, None)));
    if clause.negated {
        out.push(match everybody {
            Some(star) => graded(
                cx.at_statement("deny-carve-out-ineffective", id, i, EXCEPTS_EVERYBODY)
                    .primary(star.value.span, "everybody is excepted")
                    .secondary(clause.key, "denied to all but these")
                    .principals([star.value.display()]),
            ),
            None => cx
                .at_statement(
                    "deny-not-principal-deprecated",
                    id,
                    i,
                    "a Deny with `NotPrincipal` denies more than it seems to",
                )
                .primary(clause.key, left_out(cx, clause))
                .principals(clause.items.iter().map(|p| p.value.display())),
        });
        return;
    }
    if everybody.is_none() {
        return;
    }
    for c in &s.conditions {
        let Some(operator) = c.operator.text.known().and_then(|o| Operator::parse(&o)) else {
            continue;
        };
        let key = c.key.text.display().to_lowercase();
        if !operator.negated || !operator.wildcards || !key.starts_with("aws:principal") {
            continue;
        }
        if let Some(star) = c.values.iter().find(|v| pattern::is_star(&v.text)) {
            out.push(graded(
                cx.at_statement("deny-carve-out-ineffective", id, i, EXCEPTS_EVERYBODY)
                    .primary(star.span, "matches every principal")
                    .secondary(c.operator.span, "denied unless this matches")
                    .other(key),
            ));
        }
    }
}
