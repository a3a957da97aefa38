//! How principals assume a role: actions, services, external IDs, and sessions.
//! IAM User Guide, "Roles terms and concepts"; AWS STS API Reference.

use std::collections::BTreeSet;

use crate::finding::Remedy;
use crate::iam::arn::Arn;
use crate::iam::principal::{IdentityType, PrincipalOrigin, origin_of};
use crate::iam::{ClauseItem, Condition, DocumentOrigin, PolicyKind, PrincipalItem, PrincipalType, Statement, pattern};
use crate::phrase;
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};
use crate::value::Guard;

/// Services that are commonly used together, so that one role for them has one purpose.
const RELATED: &[&[&str]] = &[
    &["lambda.amazonaws.com", "edgelambda.amazonaws.com"],
    &[
        "events.amazonaws.com",
        "scheduler.amazonaws.com",
        "states.amazonaws.com",
        "pipes.amazonaws.com",
    ],
    &[
        "ecs.amazonaws.com",
        "ecs-tasks.amazonaws.com",
        "ec2.amazonaws.com",
        "spotfleet.amazonaws.com",
    ],
    &[
        "codebuild.amazonaws.com",
        "codepipeline.amazonaws.com",
        "codedeploy.amazonaws.com",
        "cloudformation.amazonaws.com",
    ],
    &[
        "eks.amazonaws.com",
        "pods.eks.amazonaws.com",
        "eks-fargate-pods.amazonaws.com",
        "ec2.amazonaws.com",
    ],
    &[
        "sagemaker.amazonaws.com",
        "glue.amazonaws.com",
        "elasticmapreduce.amazonaws.com",
        "ec2.amazonaws.com",
    ],
    &["ssm.amazonaws.com", "ec2.amazonaws.com"],
    &["backup.amazonaws.com", "restore-testing.backup.amazonaws.com"],
    &[
        "apigateway.amazonaws.com",
        "ops.apigateway.amazonaws.com",
        "lambda.amazonaws.com",
    ],
    &[
        "bedrock.amazonaws.com",
        "bedrock-agentcore.amazonaws.com",
        "lambda.amazonaws.com",
    ],
];

/// Services that run customer code, which gets the credentials of the role.
const COMPUTE: [&str; 7] = [
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "edgelambda.amazonaws.com",
    "eks.amazonaws.com",
    "eks-fargate-pods.amazonaws.com",
    "lambda.amazonaws.com",
    "pods.eks.amazonaws.com",
];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if s.document.kind != PolicyKind::Trust || s.document.origin != DocumentOrigin::Written || !s.allows() {
            continue;
        }
        actions(cx, out, s);
        services(cx, out, s);
        external_id(cx, out, s);
        sessions(cx, out, s);
    }
}

fn principals(s: &Statement) -> impl Iterator<Item = &PrincipalItem> {
    s.principal.iter().filter(|c| !c.negated).flat_map(|c| &c.items)
}

fn item_naming<'a>(s: &'a Statement, action: &str) -> Option<&'a ClauseItem> {
    s.action
        .as_ref()
        .filter(|a| !a.negated)?
        .items
        .iter()
        .find(|i| i.text.known().is_some_and(|t| t.eq_ignore_ascii_case(action)))
}

fn actions(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let federated = principals(&s).find(|p| p.kind == PrincipalType::Federated);
    let other = principals(&s).find(|p| p.kind != PrincipalType::Federated && p.kind != PrincipalType::Unknown);
    let provider =
        |kind: &str| federated.filter(|p| Arn::parse(&p.value.text).is_some_and(|a| a.resource_type() == kind));
    let (saml, oidc) = (provider("saml-provider"), provider("oidc-provider"));
    let mismatch = [
        ("sts:AssumeRoleWithSAML", other.or(oidc), "requires a SAML provider"),
        (
            "sts:AssumeRoleWithWebIdentity",
            other.or(saml),
            "requires an OIDC or web identity provider",
        ),
        ("sts:AssumeRole", federated, "requires an account, role, or service"),
    ];
    for (action, principal, label) in mismatch {
        // With both types of principals in one statement, each action has a principal that it works for.
        if federated.is_some() && other.is_some() {
            break;
        }
        let (Some(item), Some(principal)) = (item_naming(&s, action), principal) else {
            continue;
        };
        if pattern::is_star(&principal.value.text) || principal.value.text.as_hole().is_some() {
            continue;
        }
        out.push(
            cx.at_statement(
                ids::TRUST_ACTION_PRINCIPAL_MISMATCH,
                s,
                format!("this type of principal cannot use `{action}`"),
            )
            .primary(item.span, label)
            .secondary(principal.value.span, "the principal")
            .actions([action.to_lowercase()])
            .principals([principal.value.display()]),
        );
    }
}

fn services(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let mut found: Vec<(String, Option<&Guard>)> = Vec::new();
    for p in principals(&s) {
        if let PrincipalOrigin::Service { name } = origin_of(p, cx.project.own, None) {
            if COMPUTE.contains(&name.as_str()) {
                out.push(
                    cx.at_statement(
                        ids::TRUST_COMPUTE_SERVICE,
                        s,
                        format!("code that runs on `{name}` can use this role"),
                    )
                    .primary(p.value.span, "compute service")
                    .principals([name.clone()]),
                );
            }
            if name == "rolesanywhere.amazonaws.com" {
                roles_anywhere(cx, out, s, p);
            }
            // The placeholder may stand for one of the other services, or for no service.
            if !name.contains("${") {
                found.push((name, p.value.branch.as_ref()));
            }
        }
    }
    // Alternatives that exclude each other do not count together.
    let excludes = |a: Option<&Guard>, b: Option<&Guard>| a.zip(b).is_some_and(|(a, b)| a.excludes(b));
    let together = found.iter().map(|(_, when)| {
        let with = found.iter().filter(|(_, other)| !excludes(*when, *other));
        with.map(|(name, _)| name.clone()).collect::<BTreeSet<String>>()
    });
    let names = together.max_by_key(BTreeSet::len).unwrap_or_default();
    // `monitoring.rds.amazonaws.com` is a part of `rds.amazonaws.com`.
    let own = |n: &&String| n.split_once('.').is_none_or(|(_, whole)| !names.contains(whole));
    let mut families: Vec<&str> = Vec::new();
    for name in names.iter().filter(own) {
        let with = |other: &&str| RELATED.iter().any(|g| g.contains(other) && g.contains(&name.as_str()));
        if !families.iter().any(with) {
            families.push(name);
        }
    }
    let unrelated = families.len();
    if unrelated < 2 {
        return;
    }
    let all: Vec<_> = names.iter().map(String::as_str).collect();
    let mut f = cx
        .at_statement(
            ids::TRUST_MULTIPLE_UNRELATED_SERVICES,
            s,
            format!("{unrelated} unrelated services share this role"),
        )
        .note(format!("services: {}", phrase::list(&all)))
        .principals(names.iter().cloned());
    let mut services = principals(&s).filter(|p| p.kind == PrincipalType::Service && p.value.text.is_known());
    if let Some(first) = services.next() {
        f = f.primary(first.value.span, "also gets the permissions for the other services");
    }
    for other in services.take(4) {
        f = f.secondary(other.value.span, "also shares the role");
    }
    out.push(f);
}

/// IAM Roles Anywhere User Guide, "Trust model".
fn roles_anywhere(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, p: &PrincipalItem) {
    let wide = s
        .action
        .as_ref()
        .is_some_and(|a| a.items.iter().any(|x| x.text.display().contains('*')));
    let missing: Vec<&str> = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
        .into_iter()
        .filter(|a| item_naming(&s, a).is_none())
        .collect();
    if !missing.is_empty() && !wide {
        out.push(
            cx.at_statement(
                ids::TRUST_ROLES_ANYWHERE_MISSING_ACTIONS,
                s,
                format!("IAM Roles Anywhere also requires `{}`", missing.join("` and `")),
            )
            .primary(p.value.span, "cannot assume the role without it")
            .remedies(s.action.as_ref().and_then(|a| a.items.last()).map(|last| {
                let title = format!("add {}", phrase::list(&missing));
                Remedy::granting(title).add(last.span, missing.clone())
            })),
        );
    }
}

fn external_id(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    for c in &s.conditions {
        if c.lower_key != "sts:externalid" {
            continue;
        }
        for value in &c.values {
            let Some(text) = value.text.known() else { continue };
            let Some(weakness) = weakness_of_id(&text, &s, c) else {
                continue;
            };
            out.push(
                cx.at_statement(
                    ids::TRUST_EXTERNAL_ID_WEAK,
                    s,
                    format!("the external ID {}", weakness.text()),
                )
                .primary(value.span, "others can guess it")
                .other_evidence("sts:externalid"),
            );
        }
    }
}

/// Why an external ID can be guessed.
#[derive(Clone, Copy)]
enum ExternalIdWeakness {
    Pattern,
    Short,
    CommonWord,
    AccountId,
}

impl ExternalIdWeakness {
    /// After "the external ID".
    fn text(self) -> &'static str {
        match self {
            Self::Pattern => "is a wildcard pattern",
            Self::Short => "is shorter than 6 characters",
            Self::CommonWord => "is a common word",
            Self::AccountId => "is the account ID",
        }
    }
}

fn weakness_of_id(text: &str, s: &Statement, c: &Condition) -> Option<ExternalIdWeakness> {
    const COMMON: [&str; 9] = [
        "test",
        "external",
        "externalid",
        "external-id",
        "example",
        "secret",
        "password",
        "changeme",
        "default",
    ];
    if c.parsed.is_some_and(|o| o.wildcards) && text.contains(['*', '?']) {
        return Some(ExternalIdWeakness::Pattern);
    }
    if text.chars().count() < 6 {
        return Some(ExternalIdWeakness::Short);
    }
    let lower = text.to_lowercase();
    if COMMON.contains(&lower.as_str())
        || lower.bytes().all(|b| b == lower.as_bytes()[0])
        || "0123456789".starts_with(&lower)
    {
        return Some(ExternalIdWeakness::CommonWord);
    }
    let account = principals(s).any(|p| p.value.text.known().is_some_and(|t| t.contains(text)));
    (account && crate::iam::arn::is_account_id(text)).then_some(ExternalIdWeakness::AccountId)
}

fn sessions(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let role_of = |text: &str| -> Option<String> {
        let (head, rest) = text.split_once(":assumed-role/")?;
        let role = rest.split('/').next()?;
        Some(format!("{}:role/{role}", head.replacen(":sts:", ":iam:", 1)))
    };
    for p in principals(&s) {
        let (
            Some(text),
            PrincipalOrigin::OwnAccount {
                who: IdentityType::AssumedRole,
                ..
            }
            | PrincipalOrigin::OtherAccount {
                who: IdentityType::AssumedRole,
                ..
            },
        ) = (p.value.text.known(), origin_of(p, cx.project.own, None))
        else {
            continue;
        };
        let Some(role) = role_of(&text) else { continue };
        if let Some(other) = principals(&s).find(|q| q.value.text.known().as_deref() == Some(role.as_str())) {
            out.push(
                cx.at_statement(
                    ids::TRUST_REDUNDANT_ASSUMED_ROLE,
                    s,
                    "the role principal already covers this session",
                )
                .primary(p.value.span, "redundant")
                .secondary(other.value.span, "role of the session")
                .principals([text.into_owned()])
                .remedy(Remedy::risky("remove the session").remove(p.value.span)),
            );
        }
    }
}
