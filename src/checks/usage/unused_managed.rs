//! AWS managed policies on roles that grant more than the code needs.

use std::collections::BTreeMap;

use super::platform;
use super::roles::UsedActions;
use super::templates;
use super::unused::{MAX_LISTED, actions, count_used, label_used_code, names};
use super::words::actor;
use crate::checks::hygiene::managed::broad_grant;
use crate::finding::{Remedy, Severity};
use crate::iam::ActionSet;
use crate::phrase;
use crate::project::{IdentityId, IdentityUse, PolicySource, PolicyUse};
use crate::rules::{Context, FindingSink, ids};

/// AWS managed policies on a role that grant more than its code calls.
pub(super) fn check(cx: &Context<'_>, role: IdentityId, used: &UsedActions<'_>, out: &mut FindingSink<'_>) {
    let project = cx.project;
    if !out.is_selected(ids::UNUSED_MANAGED_GRANT) {
        return;
    }
    let effective = cx.effects.of(role);
    let actor = actor(project, used);
    let mut policies: BTreeMap<&str, (&PolicyUse, ActionSet)> = BTreeMap::new();
    for grant in &effective.grants {
        if let PolicySource::AwsManaged(name) = grant.source {
            let (_, set) = policies
                .entry(name)
                .or_insert_with(|| (grant.through, ActionSet::empty()));
            set.union_with(&grant.actions);
        }
    }
    let recorded = project.recorded().of(role).map(IdentityUse::used_actions);
    let recorded = recorded.unwrap_or_else(ActionSet::empty);
    let (mut possibly_used, mut needed) = (used.possibly_used(), used.needed.clone());
    let unseen = recorded.difference(&possibly_used);
    possibly_used.union_with(&recorded);
    needed.union_with(&recorded);
    // What one finding says to detach is no reason to detach another one.
    let mut detached: Vec<&str> = Vec::new();
    for (policy, (through, granted)) in policies {
        if platform::is_platform_policy(policy) || granted.is_subset(&possibly_used) {
            continue;
        }
        let mut possible = granted.clone();
        possible.intersect(&possibly_used);
        possible.subtract(&used.platform);
        let mut called = granted.clone();
        called.intersect(&needed);
        let n = granted.len();
        // The actions that the code calls may be allowed without this policy.
        let mut others = ActionSet::empty();
        for grant in &effective.grants {
            if !matches!(grant.source, PolicySource::AwsManaged(name) if name == policy || detached.contains(&name)) {
                others.union_with(&grant.actions);
            }
        }
        let doubled = !called.is_empty() && called.is_subset(&others);
        let is_needless = called.is_empty() && possible.is_empty() || doubled;
        if is_needless {
            detached.push(policy);
        }
        let called = names(&called);
        let remedy = is_needless.then(|| Remedy::risky(format!("detach `{policy}`")).remove(through.span));
        let message = match is_needless && !doubled {
            true => format!("`{policy}` grants {}, but {actor} calls none of them", actions(n)),
            false => {
                let used = count_used(called.len(), possible.len(), actor);
                format!("`{policy}` grants {}; {used}", actions(n))
            }
        };
        let kept = match called.is_empty() {
            true => names(&possible),
            false => called.clone(),
        };
        let help = match templates::narrower_policy(policy, &possible) {
            _ if doubled => format!("Detach the policy: another policy of the role allows what {actor} calls."),
            _ if is_needless => "Detach the policy.".to_owned(),
            _ if kept.len() <= MAX_LISTED => {
                format!("Use a statement that allows only {} instead.", phrase::all_of(&kept))
            }
            Some(narrower) => format!("Use `{narrower}` instead."),
            None if called.is_empty() => "Use a statement that allows only what may be used.".to_owned(),
            None => format!(
                "Use a statement that allows only the {} actions that are called.",
                called.len()
            ),
        };
        let identity = &project.identities[role];
        let severity = if fully_grants(&granted) || broad_grant(policy).is_some() {
            Severity::Medium
        } else {
            Severity::Low
        };
        let mut f = cx
            .at_resource(
                ids::UNUSED_MANAGED_GRANT,
                through.by.unwrap_or(identity.resource),
                message,
            )
            .primary(through.span, format!("grants {}", actions(n)))
            .severity(severity)
            .actions([policy.to_lowercase()]);
        if unseen.intersects(&granted) {
            f = f.note("some of it is used in the logs, without a call that can be seen");
        }
        out.push(label_used_code(project, f, used, &called).help(help).remedies(remedy));
    }
}

/// Whether a policy grants every action of a service, including writes.
fn fully_grants(granted: &ActionSet) -> bool {
    granted.services().into_iter().any(|service| {
        let all = ActionSet::expand(&format!("{service}:*"));
        all.iter().any(|a| a.level().changes()) && all.is_subset(granted)
    })
}
