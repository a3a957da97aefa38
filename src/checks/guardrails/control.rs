//! AWS Organizations User Guide, "SCP syntax" and "Resource control policy syntax".

use std::collections::BTreeSet;

use crate::iam::actions::ActionSet;
use crate::iam::catalogue::catalogue;
use crate::iam::condition::needs_key;
use crate::iam::pattern;
use crate::iam::service::RCP_SERVICES;
use crate::iam::{Condition, DocumentOrigin, PolicyKind, PrincipalType};
use crate::phrase;
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if s.document.origin != DocumentOrigin::Written {
            continue;
        }
        match s.document.kind {
            PolicyKind::Scp => scp(cx, out, s),
            PolicyKind::Rcp => rcp(cx, out, s),
            _ => {}
        }
    }
}

fn scp(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    if s.denies() {
        for c in &s.conditions {
            check_tag_support(cx, out, s, c);
        }
    }
}

/// A tag that some of the services cannot see: where the key is absent, the condition is false and nothing is denied.
fn check_tag_support(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, c: &Condition) {
    let key = c.key.display().to_lowercase();
    let on_resource = key.starts_with("aws:resourcetag/");
    if !needs_key(c) || !(on_resource || key.starts_with("aws:requesttag/")) {
        return;
    }
    let Some(clause) = s.action.as_ref().filter(|a| a.complete) else {
        return;
    };
    let known: Option<Vec<_>> = clause.items.iter().map(|a| a.text.known()).collect();
    let Some(known) = known else { return };
    let named = ActionSet::expand_all(known.iter().map(|k| &**k));
    let set = if clause.negated { named.complement() } else { named };
    let mut seeing = BTreeSet::new();
    let mut blind = BTreeSet::new();
    for prefix in set.services() {
        let sees = set
            .iter()
            .filter(|a| a.service().prefix() == prefix)
            .any(|a| a.supports_key(&key));
        if sees {
            seeing.insert(prefix);
        } else if catalogue().service(prefix).is_some() {
            blind.insert(prefix);
        }
    }
    // Where none sees it, another rule says that the Deny never applies.
    if blind.is_empty() || seeing.is_empty() {
        return;
    }
    let some = phrase::list(blind.iter().take(3));
    let more = phrase::and_more(3, blind.len().saturating_sub(3));
    out.push(
        cx.at_statement(
            ids::SCP_DENY_INEFFECTIVE,
            s,
            format!("actions of {some}{more} are not denied"),
        )
        .primary(c.key.span, "these services do not support the tag")
        .secondary(clause.span, "not denied")
        .other_evidence(key),
    );
}

/// Starts of the keys of tags that services put on sessions themselves. Amazon EKS User Guide, "Grant Pods access to AWS
/// resources based on tags"; IAM Roles Anywhere User Guide, "Trust model".
const TAGGED_BY_SERVICES: [&str; 3] = ["eks-", "kubernetes-", "x509"];

/// Whether a condition is false in each request that a service of AWS makes by itself: it asks for what only a session, a user
/// or a role has. IAM User Guide, "AWS global condition context keys", "Properties of the principal".
fn never_matches_services(c: &Condition) -> bool {
    if !needs_key(c) {
        return false;
    }
    let key = &c.lower_key;
    let values = || c.values.iter().map(|v| v.text.known());
    match key.as_str() {
        "aws:tagkeys" => values().all(|v| {
            v.is_some_and(|v| {
                let start = v.split(['*', '?']).next().unwrap_or_default().to_ascii_lowercase();
                !start.is_empty()
                    && !TAGGED_BY_SERVICES
                        .iter()
                        .any(|own| start.starts_with(own) || own.starts_with(&start))
            })
        }),
        "aws:principalarn" => values().all(|v| v.is_some_and(|v| v.contains(":role/") || v.contains(":user/"))),
        key if key.starts_with("aws:principaltag/") => true,
        // Claims of SAML and OpenID Connect, whose keys start with the host of the provider.
        key => key.starts_with("saml:") || key.split_once(':').is_some_and(|(host, _)| host.contains('.')),
    }
}

fn rcp(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let at = |message: &str| cx.at_statement(ids::RCP_SHAPE, s, message.to_owned());
    if s.allows()
        && let Some(e) = &s.effect
    {
        out.push(at("a resource control policy can only deny").primary(e.span, "must be `Deny`"));
        return;
    }
    if let Some(p) = &s.principal {
        let everybody = !p.negated && p.items.len() == 1 && p.items.iter().all(|x| x.kind == PrincipalType::Everyone);
        if !everybody {
            out.push(at("the principal of a resource control policy must be `*`").primary(p.span, "must be `\"*\"`"));
        }
    }
    for a in s.action.iter().filter(|a| a.negated) {
        out.push(
            at("a resource control policy cannot have `NotAction`").primary(a.key, "list the actions in `Action`"),
        );
    }
    for item in s.action.iter().filter(|a| !a.negated).flat_map(|a| &a.items) {
        let Some(text) = item.text.known() else { continue };
        if pattern::is_star(&item.text) {
            out.push(
                at("actions of a resource control policy need a service prefix")
                    .primary(item.span, "`*` is not supported"),
            );
        } else if let Some((service, _)) = text.split_once(':')
            && !service.contains(['*', '?'])
            && !RCP_SERVICES.contains(&service.to_ascii_lowercase().as_str())
        {
            out.push(
                at("this service does not support resource control policies")
                    .primary(item.span, "the Deny never applies"),
            );
        }
    }
    if !s.denies() || s.open {
        return;
    }
    if s.condition_key.is_none() && s.conditions.is_empty() {
        return;
    }
    let keys: Vec<&str> = s.conditions.iter().map(|c| c.lower_key.as_str()).collect();
    let boundary = s.conditions.iter().find(|c| {
        let key = &c.lower_key;
        matches!(
            key.as_str(),
            "aws:principalorgid" | "aws:principalorgpaths" | "aws:principalaccount"
        ) && c.parsed.is_some_and(|o| o.negated)
    });
    if let Some(c) = boundary
        && !keys.contains(&"aws:principalisawsservice")
        && !s.conditions.iter().any(never_matches_services)
    {
        out.push(
            cx.at_statement(
                ids::RCP_MISSING_SERVICE_CARVEOUT,
                s,
                "this Deny also applies to AWS services",
            )
            .primary(c.key.span, "services belong to no organization")
            .other_evidence("aws:principalisawsservice"),
        );
    }
}
