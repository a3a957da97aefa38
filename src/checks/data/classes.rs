//! Classes of actions that are worse on everything than other actions are.

use std::sync::OnceLock;

use crate::checks::grants::{Granting, class, granting, names};
use crate::iam::actions::ActionSet;
use crate::iam::arn::{Breadth, widest};
use crate::iam::catalogue::{AccessLevel, Action, catalogue};
use crate::iam::condition::Grade;
use crate::rules::{Context, Out};

/// Rule, its actions, what the message says they do, what the label says.
type Class = (&'static str, ActionSet, &'static str, &'static str);

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for g in granting(cx) {
        if g.strength.narrows() || g.actions.is_all() {
            continue;
        }
        for (rule, set, does, label) in classes() {
            if out.wants(rule) {
                one(cx, out, &g, (rule, set, does, label));
            }
        }
    }
}

/// Made when a statement first asks: two of them look at every action there is.
fn classes() -> &'static [Class] {
    static CLASSES: OnceLock<Vec<Class>> = OnceLock::new();
    CLASSES.get_or_init(all_classes)
}

fn all_classes() -> Vec<Class> {
    let kms: ActionSet = ["kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey"]
        .iter()
        .filter_map(|a| catalogue().action(a))
        .collect();
    vec![
        (
            "secrets-read-star",
            class("secrets").clone(),
            "every secret of the account",
            "reads secrets",
        ),
        (
            "kms-decrypt-star",
            kms,
            "what any key of the account protects",
            "decrypts",
        ),
        (
            "data-exfiltration",
            class("data").clone(),
            "the data of every resource of its kind",
            "reads data",
        ),
        (
            "credentials-exposure",
            class("credentials").clone(),
            "credentials of others",
            "answers with credentials",
        ),
        (
            "resource-exposure",
            sharing(),
            "who may use any resource",
            "shares or opens resources",
        ),
        (
            "audit-tampering",
            class("audit").clone(),
            "the trail of what was done",
            "blinds those who watch",
        ),
        (
            "destructive-on-star",
            destroying(),
            "everything of its kind",
            "destroys",
        ),
        (
            "org-account-control",
            class("account").clone(),
            "the account or the organisation itself",
            "ends accounts",
        ),
        (
            "s3-replication-exfil",
            class("replication").clone(),
            "where any bucket's data goes",
            "sends data elsewhere",
        ),
        (
            "snapshot-share-exfil",
            class("snapshot").clone(),
            "any snapshot or image",
            "shares with other accounts",
        ),
        (
            "passable-secret-via-lambda-env",
            class("lambda-env").clone(),
            "any function's environment",
            "shows secrets in it",
        ),
    ]
}

/// Resource policies, ACLs and grants: what changes who may use a resource.
fn sharing() -> ActionSet {
    let words = ["Policy", "Permission", "Acl", "Grant", "Share", "PublicAccessBlock"];
    let verbs = [
        "Put", "Add", "Create", "Set", "Update", "Modify", "Attach", "Delete", "Remove",
    ];
    let iam = ["iam", "organizations", "sso", "scp"];
    catalogue()
        .actions()
        .filter(|a: &Action| {
            let name = a.short_name();
            !a.is_gone()
                && a.scopable()
                && manages(*a)
                && !iam.contains(&a.service().prefix())
                && verbs.iter().any(|v| name.starts_with(v))
                && words.iter().any(|w| name.contains(w))
        })
        .collect()
}

fn manages(a: Action) -> bool {
    a.level() == AccessLevel::PermissionsManagement
        || a.second_level() == Some(AccessLevel::PermissionsManagement)
        || a.called_permissions_management()
}

/// What deletes, terminates or ends for good.
fn destroying() -> ActionSet {
    let verbs = ["Delete", "Terminate", "ScheduleKeyDeletion", "Purge", "Destroy"];
    let small = [
        "DeleteMessage",
        "DeleteTags",
        "DeleteItem",
        "DeleteNetworkInterface",
        "DeleteAlarms",
        "DeleteNetworkInterfacePermission",
    ];
    catalogue()
        .actions()
        .filter(|a: &Action| {
            let name = a.short_name();
            !a.is_gone()
                && a.scopable()
                && verbs.iter().any(|v| name.starts_with(v))
                && !small.contains(&name)
                && !name.contains("Tag")
        })
        .collect()
}

fn one(
    cx: &Context<'_>,
    out: &mut Out<'_>,
    g: &Granting<'_>,
    (rule, set, what, label): (&'static str, &ActionSet, &str, &str),
) {
    let mut hit = g.actions.clone();
    hit.intersect(set);
    if hit.is_empty() {
        return;
    }
    let Some(resource) = g.statement.resource.as_ref().filter(|r| !r.negated) else {
        return;
    };
    let Some(wide) = g.star().or_else(|| {
        // Every secret or key of the account is as good as every one there is.
        let whole = matches!(rule, "secrets-read-star" | "kms-decrypt-star" | "audit-tampering");
        resource
            .items
            .iter()
            .find(|r| whole && matches!(widest(&r.text), Breadth::WholeType | Breadth::AccountWide))
    }) else {
        return;
    };
    if rule == "kms-decrypt-star"
        && g.strength.bounds.iter().any(|b| {
            b.grade >= Grade::Narrows && (b.key == "kms:viaservice" || b.key.starts_with("kms:encryptioncontext"))
        })
    {
        return;
    }
    let verb = match rule {
        "secrets-read-star" | "kms-decrypt-star" | "data-exfiltration" | "passable-secret-via-lambda-env" => "reads",
        "credentials-exposure" => "gives out",
        "resource-exposure" | "s3-replication-exfil" => "changes",
        "audit-tampering" => "cuts off",
        "destructive-on-star" => "may destroy",
        "snapshot-share-exfil" => "shares",
        _ => "controls",
    };
    let verb = if hit.len() > 1 { plural(verb) } else { verb };
    let action = names(&hit, 1);
    let Some(span) = g.span_granting(&hit) else { return };
    let mut f = cx
        .at_statement(rule, g.document, g.index, format!("{action} {verb} {what}"))
        .primary(span, label.to_owned())
        .secondary(wide.span, "on every resource")
        .actions(g.items_granting(&hit).iter().map(|i| i.display().to_lowercase()))
        .resources([wide.display()]);
    f.evidence.expanded_actions = Some(hit.len());
    out.push(f);
}

/// "reads" of one, "read" of several.
fn plural(verb: &'static str) -> &'static str {
    match verb {
        "gives out" => "give out",
        "cuts off" => "cut off",
        _ => verb.strip_suffix('s').unwrap_or(verb),
    }
}
