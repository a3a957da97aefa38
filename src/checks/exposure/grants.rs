//! Resource-based policies that grant too much: changes to the policy, access by other accounts, whole VPC endpoints.

use crate::finding::Severity;
use crate::iam::access::{Audience, OWN_ACTIONS, audience};
use crate::iam::actions::ActionSet;
use crate::iam::condition::strength;
use crate::iam::pattern::Pattern;
use crate::iam::principal::{IdentityType, PrincipalOrigin, is_open};
use crate::iam::resource_fit::may_be_resource_of;
use crate::iam::{Clause, ClauseItem, DocumentOrigin, PolicyKind, catalogue, pattern};
use crate::phrase;
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if s.document.origin != DocumentOrigin::Written {
            continue;
        }
        if s.document.service.as_deref() == Some("iot") && s.document.kind == PolicyKind::Identity && s.allows() {
            iot(cx, out, s);
        }
        if s.document.kind == PolicyKind::Identity && s.allows() {
            escalation(cx, out, s);
        }
        if s.document.kind != PolicyKind::Resource {
            continue;
        }
        unsupported(cx, out, s);
        wrong_arn(cx, out, s);
        if s.denies() {
            lockout(cx, out, s);
        }
        if !s.allows() {
            continue;
        }
        if s.document.service.as_deref() != Some("ec2") {
            escalation(cx, out, s);
            cross_account(cx, out, s);
        }
    }
}

fn wildcard_item(items: &[ClauseItem]) -> Option<&ClauseItem> {
    items.iter().find(|i| pattern::is_star(&i.text))
}

/// AWS IoT Core Developer Guide, "AWS IoT Core policies": a device may use topics and client IDs that `Resource` matches.
fn iot(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let positive = |c: &Option<Clause>| c.clone().filter(|c| !c.negated);
    let (Some(actions), Some(resources)) = (positive(&s.action), positive(&s.resource)) else {
        return;
    };
    let everywhere = wildcard_item(&resources.items);
    let is_everything = |item: &ClauseItem| {
        pattern::is_star(&item.text) || item.text.known().is_some_and(|t| t.eq_ignore_ascii_case("iot:*"))
    };
    if let Some(a) = actions.items.iter().find(|item| is_everything(item)) {
        let message = "the policy allows every AWS IoT action";
        let f = cx
            .at_statement(ids::IOT_POLICY_STAR_ACTION, s, message)
            .primary(a.span, "every action")
            .actions([a.display().to_lowercase()]);
        out.push(match everywhere {
            Some(r) => f.secondary(r.span, "on every topic and client ID"),
            // Of all actions, few apply to one topic or client ID.
            None => f.severity(Severity::Low),
        });
        return;
    }
    let Some(r) = everywhere else { return };
    let of_devices = |item: &ClauseItem| {
        let text = item.display().to_lowercase();
        text.strip_prefix("iot:").is_some_and(|name| {
            let first = name.split('*').next().unwrap_or_default();
            DEVICE_ACTIONS.iter().any(|a| a.starts_with(first))
        })
    };
    if actions.items.iter().any(of_devices) {
        out.push(
            cx.at_statement(
                ids::IOT_POLICY_STAR_RESOURCE,
                s,
                "the policy allows every topic and client ID",
            )
            .primary(r.span, "every resource")
            .resources([r.display()]),
        );
    }
}

/// Actions of AWS IoT Core on topics, client IDs, and things. AWS IoT Core Developer Guide, "AWS IoT Core policy actions".
const DEVICE_ACTIONS: [&str; 9] = [
    "connect",
    "deletethingshadow",
    "getretainedmessage",
    "getthingshadow",
    "publish",
    "receive",
    "retainpublish",
    "subscribe",
    "updatethingshadow",
];

/// Permission to write the policy, ACL, or lifecycle of a bucket, which gives control over the rest.
fn escalation(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let identity = s.document.kind == PolicyKind::Identity;
    if !identity && s.document.service.as_deref() != Some("s3") || strength(&s).narrows() {
        return;
    }
    // On every bucket, other rules report it.
    if s.resource
        .as_ref()
        .is_some_and(|r| r.negated || r.items.iter().any(|i| i.breadth().is_star_like()))
        && identity
    {
        return;
    }
    let Some(clause) = s.action.as_ref().filter(|c| !c.negated) else {
        return;
    };
    let denied = cx.project.granted(s.document_id).denied.as_ref();
    let grants = |name: &str| {
        let action = catalogue().action(name)?;
        let item = clause.item_naming(action)?;
        let mut resources = s.resource.iter().filter(|r| !r.negated).flat_map(|r| &r.items);
        let about =
            s.resource.as_ref().is_none_or(|r| r.negated) || resources.any(|r| may_be_resource_of(&r.text, action));
        (about && denied.is_none_or(|d| !d.contains(action.id()))).then_some(item)
    };
    if grants("s3:GetObject").is_some() && grants("s3:PutObject").is_some() {
        return;
    }
    // A lifecycle configuration can delete objects, but grants no further access, so it does not count in an
    // identity-based policy.
    let indirect = ["s3:PutBucketPolicy", "s3:PutBucketAcl", "s3:PutLifecycleConfiguration"];
    for name in &indirect[..if identity { 2 } else { 3 }] {
        // A grant of the whole service has a finding of its own.
        if let Some(item) = grants(name).filter(|item| !identity || !item.display().ends_with(":*")) {
            let mut f = cx
                .at_statement(
                    ids::RESOURCE_POLICY_GRANTS_ESCALATION,
                    s,
                    format!("`{name}` lets the holder do more with the bucket than this policy grants"),
                )
                .primary(item.span, "gives indirect access to the bucket")
                .actions([item.display().to_lowercase()]);
            if identity {
                f.steps_down += 1;
                f = f.help("Leave these actions to the bucket's administrators.");
            }
            out.push(f);
            return;
        }
    }
}

fn cross_account(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    if s.document.service.as_deref() != Some("sns") || strength(&s).narrows() {
        return;
    }
    for item in s.principal.iter().filter(|p| !p.negated).flat_map(|p| &p.items) {
        if cx.is_organization_account(&item.value) {
            continue;
        }
        let audience = audience(s.document, &s, item, cx.project.own);
        if let Audience::Account {
            place:
                PrincipalOrigin::OtherAccount {
                    id: account,
                    trusted: false,
                    who,
                    ..
                },
            ..
        } = audience
        {
            let one = match who {
                IdentityType::Role | IdentityType::AssumedRole => Some("a role"),
                IdentityType::User | IdentityType::FederatedUser => Some("a user"),
                IdentityType::Root | IdentityType::Any | IdentityType::Other => None,
            };
            let message = match one {
                Some(one) => format!("{one} in account {account} can use this topic"),
                None => format!("account {account} can use this topic"),
            };
            let mut f = cx
                .at_statement(ids::SNS_POLICY_CROSS_ACCOUNT, s, message)
                .primary(item.value.span, "another account, without a condition")
                .principals([item.value.display()]);
            if one.is_some() {
                f = f.note("the other account decides who can use its identities").help(
                    "If the account is yours, list it under `[own]` in the configuration. Otherwise, add a condition \
                     on `aws:SourceArn` or `aws:PrincipalOrgID`.",
                );
            }
            out.push(f);
        }
    }
}

fn unsupported(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let Some(service) = s.document.service.as_deref().filter(|s| OWN_ACTIONS.contains(s)) else {
        return;
    };
    let foreign = |item: &&ClauseItem| {
        item.text.known().is_some_and(|text| {
            text.split_once(':').is_some_and(|(prefix, name)| {
                !prefix.eq_ignore_ascii_case(service) && !prefix.contains(['*', '?']) && !name.is_empty()
            }) && !ActionSet::expand(&text).is_empty()
        })
    };
    let found: Vec<&ClauseItem> = s.action.iter().flat_map(|c| &c.items).filter(foreign).collect();
    let Some((first, rest)) = found.split_first() else {
        return;
    };
    let have = if rest.is_empty() { "has" } else { "have" };
    let more = phrase::and_more(1, rest.len());
    let message = format!(
        "`{}`{more} {have} no effect in a resource policy of `{service}`",
        first.display()
    );
    let mut f = cx
        .at_statement(ids::RESOURCE_POLICY_UNSUPPORTED_ACTION, s, message)
        .primary(first.span, "action of another service")
        .actions(found.iter().map(|item| item.display().to_lowercase()));
    for item in rest.iter().take(8) {
        f = f.secondary(item.span, "also an action of another service");
    }
    out.push(f);
}

/// Resources of a bucket policy that are not in its bucket. Compares only names that are known on both sides.
fn wrong_arn(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    if s.document.service.as_deref() != Some("s3") {
        return;
    }
    let Some(bucket) = s
        .document
        .resource
        .and_then(|r| cx.project.resources.get(r))
        .and_then(|r| r.get("Bucket"))
        .and_then(|b| b.as_str())
    else {
        return;
    };
    for item in s.resource.iter().filter(|c| !c.negated).flat_map(|c| &c.items) {
        let Some(name) = item
            .text
            .known()
            .and_then(|t| Some(t.split(":s3:::").nth(1)?.split('/').next()?.to_owned()))
        else {
            continue;
        };
        if !name.contains(['*', '?', '$']) && name != *bucket && !name.is_empty() {
            out.push(
                cx.at_statement(
                    ids::RESOURCE_POLICY_WRONG_ARN,
                    s,
                    format!("the policy of the bucket `{bucket}` names the bucket `{name}`"),
                )
                .primary(item.span, "S3 rejects the policy because of this")
                .resources([item.display()]),
            );
        }
    }
}

/// A Deny for everyone that only the account's root user can remove: it covers both actions that change the policy,
/// on the bucket itself.
/// Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
fn lockout(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    if s.document.service.as_deref() != Some("s3") || !s.conditions.is_empty() || s.condition_key.is_some() {
        return;
    }
    let everybody = s.principal.as_ref().is_some_and(|p| !p.negated && is_open(p));
    let (Some(clause), Some(resource)) = (&s.action, &s.resource) else {
        return;
    };
    let (put, delete) = ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy");
    let Some(action) = catalogue().action(put) else { return };
    let on_bucket = |r: &ClauseItem| {
        let arn = Pattern::resource(&r.text);
        action.resource_types().any(|t| t.matches(&arn).may_be())
    };
    let denied = clause
        .actions()
        .is_some_and(|set| set.contains_name(put) && set.contains_name(delete));
    if !everybody || !denied || resource.negated || !resource.items.iter().any(on_bucket) {
        return;
    }
    let span = clause
        .item_naming(action)
        .filter(|_| !clause.negated)
        .map_or(clause.key, |item| item.span);
    out.push(
        cx.at_statement(
            ids::S3_POLICY_LOCKOUT,
            s,
            "this Deny locks out everyone, including those who could remove it",
        )
        .primary(span, "denied to everyone, without a condition")
        .actions(clause.items.iter().map(|item| item.display().to_lowercase())),
    );
}
