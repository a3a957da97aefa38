//! OpenID Connect and SAML providers in trust policies.
//! IAM User Guide, "Create a role for OpenID Connect federation" and "Create a role for SAML 2.0 federation".

use super::github::{self, ClaimScope, ClaimValue};
use super::subject::{audience, check_comparison, check_other_provider};
use crate::checks::narrowing;
use crate::finding::Severity;
use crate::iam::principal::{Oidc, PrincipalOrigin, oidc_of_conditions, origin_of};
use crate::iam::{Condition, PolicyKind, PrincipalItem, SourceFormat, Statement};
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};

/// IAM Access Analyzer, "Policy check reference", "Confirm audience claim type".
fn audience_type(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, c: &Condition) {
    if c.parsed.is_some_and(|o| o.set.is_some()) {
        // Of two `condition` blocks with one test, the first one's word is kept.
        let shared = s.document.format == SourceFormat::Terraform
            && s.conditions
                .iter()
                .any(|o| o.operator.span == c.operator.span && o.key.span.start < c.key.span.start);
        let span = if shared { c.key.span } else { c.operator.span };
        out.push(
            cx.at_statement(ids::OIDC_AUD_CLAIM_TYPE, s, "set operator on a single-valued audience")
                .primary(span, "only for a provider that sends a list")
                .secondary(c.key.span, "single-valued for most providers")
                .remedies(narrowing::plain_operator(cx, &s, c)),
        );
    }
}

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    each_federated(cx, &mut |s, item| {
        let (provider, url) = match origin_of(item, cx.project.own, None) {
            PrincipalOrigin::Oidc { provider, url } => (provider, url),
            PrincipalOrigin::Federated(_) if allows_action_literally(&s, "sts:assumerolewithwebidentity") => {
                oidc_of_conditions(&s.conditions).unwrap_or((Oidc::Other, String::new()))
            }
            _ => return,
        };
        if !s.principal.as_ref().is_some_and(|p| p.complete) && s.conditions.is_empty() && s.open {
            return;
        }
        check_provider(cx, out, s, item, provider, &url);
    });
}

fn check_provider(
    cx: &Context<'_>,
    out: &mut FindingSink<'_>,
    s: StatementRef<'_>,
    item: &PrincipalItem,
    provider: Oidc,
    url: &str,
) {
    // Keys of this provider; a key with a hole before the claim is its own too.
    let of_provider: Vec<(&Condition, String)> = s
        .conditions
        .iter()
        .filter_map(|c| {
            let key = &c.lower_key;
            let (host, claim) = key.rsplit_once(':')?;
            (host.starts_with(&url.to_lowercase()) || host.contains("${") || url.is_empty() || url.contains("${"))
                .then(|| (c, claim.to_owned()))
        })
        .collect();
    let unseen = s.open || s.condition_key.is_some() && s.conditions.is_empty() && !s.complete;
    if of_provider.is_empty() && s.conditions.is_empty() {
        if !unseen {
            let whose = if provider == Oidc::Other {
                "this provider"
            } else {
                provider.name()
            };
            out.push(
                cx.at_statement(
                    ids::OIDC_NO_CONDITION,
                    s,
                    format!("any user of {whose} can assume this role"),
                )
                .primary(item.value.span, "no condition on the user")
                .principals([item.value.display()])
                .remedies(narrowing::github_subject(cx, &s, url)),
            );
        }
        return;
    }
    audience(cx, out, s, (item, url), &of_provider);
    for (c, claim) in &of_provider {
        if claim == "aud" {
            audience_type(cx, out, s, c);
        }
        if claim == "sub" {
            check_comparison(cx, out, s, c);
        }
    }
    if provider != Oidc::GitHub {
        check_other_provider(cx, out, s, item, (provider, url), &of_provider);
        return;
    }
    // All claims are compared together: one that names the repository is enough.
    let found: Vec<Vec<ClaimValue>> = of_provider
        .iter()
        .map(|(c, claim)| github::claim_values(c, claim, &cx.project.own.github))
        .collect();
    if found.iter().all(Vec::is_empty) {
        let mut f = cx
            .at_statement(
                ids::OIDC_GITHUB_MISSING_SUB,
                s,
                "any repository on GitHub can assume this role",
            )
            .primary(item.value.span, "no condition on `sub`")
            .principals([item.value.display()]);
        f.remedies.extend(narrowing::github_subject(cx, &s, url));
        if let Some((aud, _)) = of_provider.first() {
            f = f.secondary(aud.key.span, "does not restrict the repository");
        }
        out.push(f);
        return;
    }
    let widest = |values: &Vec<ClaimValue>| values.iter().map(|f| f.binds).min();
    let best = found.iter().filter_map(widest).max().unwrap_or(ClaimScope::Ref);
    for ((c, _), values) in of_provider.iter().zip(&found) {
        if widest(values) != Some(best) {
            continue;
        }
        for found in values {
            report(cx, out, s, c, found);
        }
    }
}

/// What one value of a claim lets in beyond one branch or environment of one repository.
fn report(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, c: &Condition, found: &ClaimValue<'_>) {
    let value = found.value;
    let name = &found.name;
    let (rule, message, label) = match found.binds {
        ClaimScope::Nothing => (
            ids::OIDC_GITHUB_SUB_WILDCARD,
            "any repository on GitHub can assume this role".to_owned(),
            "does not name the repository",
        ),
        ClaimScope::SomeOwners => (
            ids::OIDC_GITHUB_SUB_WILDCARD,
            "repositories of other GitHub owners can assume this role".to_owned(),
            "others can create an owner that matches",
        ),
        ClaimScope::Owner => (
            ids::OIDC_GITHUB_ANY_REPOSITORY,
            format!("any repository of `{name}` can assume this role"),
            "matches more than one repository",
        ),
        ClaimScope::SomeRepositories => (
            ids::OIDC_GITHUB_ANY_REPOSITORY,
            format!("several repositories of `{name}` can assume this role"),
            "matches more than one repository",
        ),
        ClaimScope::Repository => (
            ids::OIDC_GITHUB_ANY_REF,
            format!("any branch or pull request of `{name}` can assume this role"),
            "matches every ref and environment",
        ),
        ClaimScope::Ref => return,
    };
    let mut f = cx
        .at_statement(rule, s, message)
        .primary(value.span, label)
        .other_evidence(value.display());
    // The same as no condition.
    if found.binds == ClaimScope::Nothing {
        f = f.severity(Severity::Critical);
    }
    if matches!(found.binds, ClaimScope::Nothing | ClaimScope::SomeOwners) {
        f.remedies.extend(narrowing::own_repositories(cx, c, value));
    }
    if found.binds != ClaimScope::Repository && c.parsed.is_some_and(|o| o.wildcards) {
        f = f.secondary(c.operator.span, "wildcard comparison");
    }
    out.push(f);
}

pub(super) fn saml(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    each_federated(cx, &mut |s, item| {
        let is_saml = match origin_of(item, cx.project.own, None) {
            PrincipalOrigin::Saml => true,
            PrincipalOrigin::Federated(_) => allows_action_literally(&s, "sts:assumerolewithsaml"),
            _ => false,
        };
        let pinned = s.conditions.iter().any(|c| {
            let key = &c.lower_key;
            key.starts_with("saml:") || key.contains("${")
        });
        let unseen = s.open || s.condition_key.is_some() && s.conditions.is_empty() && !s.complete;
        if is_saml && !pinned && !unseen {
            out.push(
                cx.at_statement(
                    ids::SAML_MISSING_AUD,
                    s,
                    "SAML assertions issued for another service are accepted",
                )
                .primary(item.value.span, "no condition on `SAML:aud`")
                .principals([item.value.display()])
                .remedies(narrowing::saml_audience(cx, &s)),
            );
        }
    });
}

fn allows_action_literally(s: &Statement, action: &str) -> bool {
    s.action.as_ref().is_some_and(|a| {
        !a.negated
            && a.items
                .iter()
                .any(|i| i.text.known().is_some_and(|t| t.eq_ignore_ascii_case(action)))
    })
}

/// Every federated principal of an Allow in a trust policy.
fn each_federated<'a>(cx: &Context<'a>, f: &mut dyn FnMut(StatementRef<'a>, &'a PrincipalItem)) {
    for s in cx.statements() {
        if s.document.kind != PolicyKind::Trust || !s.allows() {
            continue;
        }
        let Some(clause) = s.statement.principal.as_ref().filter(|c| !c.negated) else {
            continue;
        };
        for item in &clause.items {
            f(s, item);
        }
    }
}
