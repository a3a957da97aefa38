//! Subjects and audiences of tokens, provider by provider.

use crate::checks::allow_statements::writing_actions;
use crate::checks::narrowing;
use crate::finding::{Confidence, Severity};
use crate::iam::arn::Breadth;
use crate::iam::class::class;
use crate::iam::condition::{Grade, OperatorFamily, strength};
use crate::iam::principal::{Oidc, PrincipalOrigin, origin_of};
use crate::iam::{ActionSet, Clause, ClauseItem, Condition, PolicyKind, PrincipalItem, pattern};
use crate::project::{DocumentId, StatementRef};
use crate::rules::{Context, FindingSink, ids};
use crate::value::Value;

/// Providers that run other people's builds, the claims that say whose, and how a subject that is no one's in particular
/// begins. The providers' own guides to OIDC with AWS.
const BUILDERS: &[(Oidc, &[&str], &[&str])] = &[
    (
        Oidc::GitLab,
        &["sub", "project_path", "namespace_path", "project_id", "namespace_id"],
        &["project_path:"],
    ),
    (
        Oidc::CircleCi,
        &["sub", "oidc.circleci.com/project-id", "aud"],
        &["org/"],
    ),
    (
        Oidc::Bitbucket,
        &["sub", "aud", "workspaceuuid", "repositoryuuid"],
        &["{"],
    ),
    (
        Oidc::TerraformCloud,
        &["sub", "terraform_organization_id", "terraform_workspace_id"],
        &["organization:"],
    ),
    (
        Oidc::Buildkite,
        &["sub", "organization_slug", "pipeline_slug"],
        &["organization:"],
    ),
    (Oidc::Spacelift, &["sub", "aud", "spaceid"], &["space:"]),
];

/// No condition on the audience: a token that was made for another service is accepted.
pub(super) fn audience(
    cx: &Context<'_>,
    out: &mut FindingSink<'_>,
    s: StatementRef<'_>,
    (item, url): (&PrincipalItem, &str),
    keys: &[(&Condition, String)],
) {
    let has = |claim: &str| keys.iter().any(|(_, c)| c == claim);
    if keys.is_empty() || has("aud") || has("azp") || s.open || keys.iter().any(|(_, c)| c.contains("${")) {
        return;
    }
    if has_one_client(cx, item, url) || is_google_account(url, keys) {
        return;
    }
    out.push(
        cx.at_statement(
            ids::OIDC_MISSING_AUD,
            s,
            "tokens for every client ID of the provider are accepted",
        )
        .primary(item.value.span, "no condition on `aud`")
        .principals([item.value.display()])
        .remedies(narrowing::github_audience(cx, &s, url)),
    );
}

/// Whether the provider is one of the repository with a single client ID: STS rejects tokens for any other audience.
/// IAM API Reference, `CreateOpenIDConnectProvider`, `ClientIDList`.
fn has_one_client(cx: &Context<'_>, item: &PrincipalItem, url: &str) -> bool {
    let target = item.value.text.holes().find_map(|h| h.target.as_ref());
    let mut providers = cx
        .project
        .resources
        .iter()
        .filter(|r| &*r.kind == "AWS::IAM::OIDCProvider");
    let provider = providers.find(|r| {
        let referred = target.is_some_and(|t| t.scope == r.address.scope && t.address == r.address.name);
        let text = r.get("Url").and_then(Value::as_str).unwrap_or_default();
        let host = text.trim_start_matches("https://");
        referred || !host.is_empty() && host == url
    });
    let clients = provider.and_then(|r| r.get("ClientIdList"));
    clients.is_some_and(|c| matches!(c.items(), [one] if one.as_text().is_some()))
}

/// Whether the subject is one service account of Google, by its number, which Google's services are trusted by alone.
/// Google Cloud, Storage Transfer Service, "Configure access to a source: Amazon S3", "Federated identity".
fn is_google_account(url: &str, keys: &[(&Condition, String)]) -> bool {
    let number = |i: &ClauseItem| {
        let text = i.text.known();
        text.is_some_and(|t| t.len() >= 15 && t.bytes().all(|b| b.is_ascii_digit()))
    };
    let one = |c: &Condition| {
        let operator = c
            .parsed
            .is_some_and(|o| !o.if_exists && !o.is_for_all_values() && !o.negated);
        operator && c.complete && matches!(&*c.values, [value] if number(value))
    };
    url == "accounts.google.com" && keys.iter().any(|(c, claim)| claim == "sub" && one(c))
}

/// A subject that is compared in a way that lets through more, or nothing.
pub(super) fn check_comparison(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, c: &Condition) {
    let Some(operator) = c.parsed else {
        return;
    };
    let guarded = s
        .conditions
        .iter()
        .any(|o| o.operator.text.display().eq_ignore_ascii_case("Null") && o.lower_key == c.lower_key);
    if (operator.is_for_all_values() || operator.if_exists) && !guarded {
        out.push(
            cx.at_statement(
                ids::OIDC_FORALLVALUES_SUB,
                s,
                "a token without a subject passes this condition",
            )
            .primary(c.operator.span, "true when the claim is absent")
            .secondary(c.key.span, "the subject")
            .other_evidence(operator.name.to_lowercase())
            .remedies(narrowing::strict_operator(cx, &s, c)),
        );
    }
    if !operator.wildcards && !operator.negated {
        for value in c.values.iter().filter(|v| pattern::has_wildcard(&v.text)) {
            out.push(
                cx.at_statement(
                    ids::OIDC_SUB_STRINGEQUALS_WITH_STAR,
                    s,
                    "no subject contains `*`: this never matches",
                )
                .primary(value.span, "treated literally")
                .secondary(c.operator.span, "does not expand wildcards")
                .other_evidence(value.display())
                .remedies(narrowing::like_operator(cx, &s, c)),
            );
        }
    }
}

/// Providers other than GitHub.
pub(super) fn check_other_provider(
    cx: &Context<'_>,
    out: &mut FindingSink<'_>,
    s: StatementRef<'_>,
    item: &PrincipalItem,
    (provider, url): (Oidc, &str),
    keys: &[(&Condition, String)],
) {
    if keys.iter().any(|(_, c)| c.contains("${")) || s.open {
        return;
    }
    let names = |c: &Condition| c.parsed.is_none_or(|o| !o.negated && o.family != OperatorFamily::Null);
    let subject = keys
        .iter()
        .find(|(c, claim)| claim == "sub" && names(c))
        .map(|(c, _)| *c);
    // The URL of the provider is of one organization. CircleCI Docs, "Using OpenID Connect tokens in jobs".
    if provider == Oidc::CircleCi && url.contains("/org/") {
        return;
    }
    if provider == Oidc::Eks {
        eks(cx, out, s, item, subject);
        return;
    }
    let Some((_, claims, starts)) = BUILDERS.iter().find(|(p, _, _)| *p == provider) else {
        return;
    };
    let Some(subject) = subject else {
        if !keys
            .iter()
            .any(|(c, claim)| claims.contains(&claim.as_str()) && names(c))
        {
            out.push(
                cx.at_statement(
                    ids::OIDC_OTHER_CI_SUB,
                    s,
                    format!("any project on {} can assume this role", provider.name()),
                )
                .primary(item.value.span, "no condition on `sub`")
                .principals([item.value.display()]),
            );
        }
        return;
    };
    for value in &subject.values {
        let text = value.text.display();
        let rest = starts.iter().find_map(|p| text.strip_prefix(p)).unwrap_or(&text);
        // A star before the first name of anything leaves it to anyone who makes a name that fits.
        let first = rest.split([':', '/']).next().unwrap_or_default();
        if first.contains(['*', '?']) && wildcards(subject) {
            out.push(
                cx.at_statement(
                    ids::OIDC_OTHER_CI_SUB,
                    s,
                    format!("projects of other {} users can assume this role", provider.name()),
                )
                .primary(value.span, "matches other projects")
                .other_evidence(text.clone()),
            );
        }
    }
}

fn wildcards(c: &Condition) -> bool {
    c.parsed.is_some_and(|o| o.wildcards && !o.negated)
}

/// Amazon EKS User Guide, "IAM roles for service accounts".
fn eks(
    cx: &Context<'_>,
    out: &mut FindingSink<'_>,
    s: StatementRef<'_>,
    item: &PrincipalItem,
    subject: Option<&Condition>,
) {
    let at = |message: &str| cx.at_statement(ids::EKS_IRSA_SUB_WILDCARD, s, message.to_owned());
    let Some(subject) = subject else {
        out.push(
            at("any pod of the cluster can assume this role")
                .primary(item.value.span, "no condition on `sub`")
                .principals([item.value.display()]),
        );
        return;
    };
    for value in subject.values.iter().filter(|_| wildcards(subject)) {
        let text = value.text.display();
        let namespace = text.strip_prefix("system:serviceaccount:").unwrap_or(&text);
        if namespace.split(':').next().is_some_and(|n| n.starts_with('*')) {
            out.push(
                at("service accounts of every namespace can assume this role")
                    .primary(value.span, "matches every namespace")
                    .other_evidence(text.clone()),
            );
        }
    }
}

/// Amazon Cognito Developer Guide, "Role trust and permissions".
pub(super) fn cognito(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if s.document.kind != PolicyKind::Trust || !s.allows() || s.open {
            continue;
        }
        for item in s.principal.iter().filter(|c| !c.negated).flat_map(|c| &c.items) {
            if origin_of(item, cx.project.own, None) != PrincipalOrigin::Cognito {
                continue;
            }
            if !s.conditions.is_empty() && strength(&s).unknown {
                continue;
            }
            let key = |name: &str| {
                s.conditions.iter().find(|c| {
                    c.key
                        .text
                        .display()
                        .eq_ignore_ascii_case(&format!("cognito-identity.amazonaws.com:{name}"))
                })
            };
            let guest = key("amr").and_then(|c| {
                c.values
                    .iter()
                    .find(|v: &&ClauseItem| v.display().contains("unauthenticated"))
            });
            let f = cx.at_statement(ids::COGNITO_WEB_IDENTITY_UNAUTH, s, "");
            let Some(pool) = key("aud") else {
                let mut f = f
                    .primary(item.value.span, "no condition on `aud`")
                    .principals([item.value.display()]);
                f.message = "identities of any identity pool can assume this role".to_owned();
                out.push(f);
                continue;
            };
            let guests = identity_pool_guests(cx, pool);
            if guests == GuestAccess::No {
                continue;
            }
            let mut f = if let Some(guest) = guest {
                // Made for guests on purpose: what they get decides, and that the pool has some is its own finding.
                let narrow = grants_nothing_sensitive(cx, s.document_id);
                if narrow && guests == GuestAccess::Yes {
                    continue;
                }
                let f = f
                    .primary(guest.span, "anyone who opens the app")
                    .other_evidence("unauthenticated");
                match narrow {
                    true => f.severity(Severity::Low).help(
                        "Grant the role only what any guest may do. If the app has no guests, remove the role and turn guest access off.",
                    ),
                    false => f,
                }
            } else if key("amr").is_none() && strength(&s).strongest() < Grade::Pins {
                f.primary(item.value.span, "no condition on `amr`")
                    .principals([item.value.display()])
            } else {
                continue;
            };
            f.steps_down += 1;
            f.message = match guests {
                GuestAccess::Yes => "guests of the identity pool can assume this role",
                _ => "guests can assume this role if the identity pool allows them",
            }
            .to_owned();
            out.push(match guests {
                GuestAccess::Yes => f,
                _ => f.confidence(Confidence::Low),
            });
        }
    }
}

/// Whether identity pools have guests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GuestAccess {
    No,
    Yes,
    /// A pool is not one of the repository's, or a value decides that is not known.
    Unknown,
}

/// Amazon Cognito API, `CreateIdentityPool`.
fn identity_pool_guests(cx: &Context<'_>, pools: &Condition) -> GuestAccess {
    let of_pool = |v: &ClauseItem| {
        let target = v.text.as_hole().and_then(|h| h.target.as_ref());
        let pool = target.and_then(|t| cx.project.resource_at(t)).map(|(_, r)| r);
        let Some(pool) = pool.filter(|r| &*r.kind == "AWS::Cognito::IdentityPool") else {
            return GuestAccess::Unknown;
        };
        match pool.get("AllowUnauthenticatedIdentities").map(Value::as_bool) {
            None | Some(Some(false)) => GuestAccess::No,
            Some(Some(true)) => GuestAccess::Yes,
            Some(None) => GuestAccess::Unknown,
        }
    };
    let each: Vec<GuestAccess> = pools.values.iter().map(of_pool).collect();
    match each.as_slice() {
        [] => GuestAccess::Unknown,
        all if all.contains(&GuestAccess::Yes) => GuestAccess::Yes,
        all if all.contains(&GuestAccess::Unknown) => GuestAccess::Unknown,
        _ => GuestAccess::No,
    }
}

/// Whether all that the roles with this trust policy grant can be seen, and nothing of it changes or reads what is kept on
/// every resource of a type.
fn grants_nothing_sensitive(cx: &Context<'_>, trust: DocumentId) -> bool {
    let mut roles = cx
        .project
        .identities
        .iter_enumerated()
        .filter(|(_, identity)| identity.trust.contains(&trust))
        .peekable();
    let wide = |clause: &Clause| clause.negated || clause.items.iter().any(|r| r.breadth() <= Breadth::WholeType);
    let harmful = |actions: &ActionSet| {
        let actions = actions.scopable();
        !writing_actions(&actions).is_empty()
            || ["data", "secrets", "credentials"]
                .iter()
                .any(|c| class(c).intersects(&actions))
    };
    roles.peek().is_some()
        && roles.all(|(role, _)| {
            let effective = cx.effects.of(role);
            let mut grants = effective.grants.iter();
            effective.is_complete()
                && !grants.any(|g| g.statement.resource.as_ref().is_some_and(wide) && harmful(&g.actions))
        })
}
