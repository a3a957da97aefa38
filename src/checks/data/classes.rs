//! Classes of actions that are especially dangerous on every resource.

use std::sync::OnceLock;

use crate::checks::allow_statements::{AllowStatement, identity_allow_statements, managing_actions, names};
use crate::checks::holders::is_for_aws_backup;
use crate::finding::Severity;
use crate::iam::ClauseItem;
use crate::iam::actions::ActionSet;
use crate::iam::arn::{Arn, Breadth, fully_covered_types};
use crate::iam::catalogue::{Action, catalogue};
use crate::iam::class::class;
use crate::iam::condition::Grade;
use crate::rules::{Context, FindingSink, RuleId, ids};

/// The actions of one rule.
struct DataClass {
    rule: RuleId,
    actions: ActionSet,
    /// The verb and its object, for the message.
    verb: &'static str,
    what: &'static str,
    label: &'static str,
    /// The severity, if it is lower than the rule's own.
    severity: Option<Severity>,
}

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for g in identity_allow_statements(cx) {
        if g.strength.narrows() || g.actions.is_all() {
            continue;
        }
        // Decrypting is worse than generating data keys, and disabling a trail is worse than deleting logs: one
        // finding is enough.
        let mut said = None;
        for class in classes() {
            if said != Some(class.rule) && out.is_selected(class.rule) && report_class(cx, out, &g, class) {
                said = Some(class.rule);
            }
        }
    }
}

/// Computed on first use, because two of the classes look at every AWS action.
fn classes() -> &'static [DataClass] {
    static CLASSES: OnceLock<Vec<DataClass>> = OnceLock::new();
    CLASSES.get_or_init(all_classes)
}

fn all_classes() -> Vec<DataClass> {
    let class_of = |rule, actions, verb, what, label| DataClass {
        rule,
        actions,
        verb,
        what,
        label,
        severity: None,
    };
    vec![
        class_of(
            ids::SECRETS_READ_STAR,
            class("secrets").clone(),
            "reads",
            "every secret in the account",
            "reads secrets",
        ),
        class_of(
            ids::KMS_DECRYPT_STAR,
            actions_named(&["kms:Decrypt", "kms:ReEncryptFrom"]),
            "can decrypt",
            "data encrypted under any KMS key in the account",
            "decrypts",
        ),
        class_of(
            ids::KMS_DECRYPT_STAR,
            actions_named(&["kms:GenerateDataKey"]),
            "can generate",
            "data keys under any KMS key in the account",
            "returns plaintext data keys",
        ),
        class_of(
            ids::DATA_EXFILTRATION,
            class("data").clone(),
            "reads",
            "data from every resource of its type",
            "reads data",
        ),
        class_of(
            ids::CREDENTIALS_EXPOSURE,
            class("credentials").clone(),
            "gives access to",
            "credentials of other identities",
            "returns credentials",
        ),
        class_of(
            ids::RESOURCE_EXPOSURE,
            sharing_actions(),
            "changes",
            "who can use any resource",
            "shares resources or makes them public",
        ),
        class_of(
            ids::AUDIT_TAMPERING,
            class("audit").clone(),
            "can disable",
            "audit logs or threat detection",
            "disables monitoring",
        ),
        DataClass {
            severity: Some(Severity::Medium),
            ..class_of(
                ids::AUDIT_TAMPERING,
                class("logs").clone(),
                "can delete",
                "every log in the account",
                "deletes logs",
            )
        },
        class_of(
            ids::DESTRUCTIVE_ON_STAR,
            destructive_actions(),
            "can destroy",
            "every resource of its type",
            "deletes or terminates",
        ),
        class_of(
            ids::ORG_ACCOUNT_CONTROL,
            class("account").clone(),
            "controls",
            "the account or the organization itself",
            "removes or closes accounts",
        ),
        class_of(
            ids::S3_REPLICATION_EXFIL,
            class("replication").clone(),
            "can send",
            "any bucket's data elsewhere",
            "copies data elsewhere",
        ),
        class_of(
            ids::SNAPSHOT_SHARE_EXFIL,
            class("snapshot").clone(),
            "can share",
            "any snapshot or image",
            "shares with other accounts",
        ),
        class_of(
            ids::PASSABLE_SECRET_VIA_LAMBDA_ENV,
            class("lambda-env").clone(),
            "reads",
            "every function's environment variables",
            "returns environment variables",
        ),
    ]
}

fn actions_named(names: &[&str]) -> ActionSet {
    names.iter().filter_map(|a| catalogue().action(a)).collect()
}

/// Actions on resource-based policies, ACLs, and grants: they change who can use a resource.
fn sharing_actions() -> ActionSet {
    let words = ["Policy", "Permission", "Acl", "Grant", "Share", "PublicAccessBlock"];
    let verbs = [
        "Put", "Add", "Create", "Set", "Update", "Modify", "Attach", "Delete", "Remove",
    ];
    let iam = ["iam", "organizations", "sso", "scp"];
    let managing = managing_actions(&ActionSet::all());
    catalogue()
        .actions()
        .filter(|a: &Action| {
            let name = a.short_name();
            // The names leave few.
            verbs.iter().any(|v| name.starts_with(v))
                && words.iter().any(|w| name.contains(w))
                && !a.is_retired()
                && a.scopable()
                && (managing.contains(a.id()) || a.called_permissions_management())
                && !iam.contains(&a.service().prefix())
                // For a network interface that is created for a service and holds no data.
                && !name.ends_with("NetworkInterfacePermission")
        })
        .collect()
}

/// Actions that delete, terminate, or end a resource.
fn destructive_actions() -> ActionSet {
    let verbs = ["Delete", "Terminate", "ScheduleKeyDeletion", "Purge", "Destroy"];
    let small = [
        "DeleteMessage",
        "DeleteTags",
        "DeleteItem",
        "DeleteNetworkInterface",
        "DeleteAlarms",
        "DeleteChangeSet",
        "DeleteNetworkInterfacePermission",
    ];
    catalogue()
        .actions()
        .filter(|a: &Action| {
            let name = a.short_name();
            verbs.iter().any(|v| name.starts_with(v))
                && !a.is_retired()
                && a.scopable()
                && !small.contains(&name)
                && !name.contains("Tag")
        })
        .collect()
}

/// Reports one class for a statement. Returns whether there was a finding.
fn report_class(cx: &Context<'_>, out: &mut FindingSink<'_>, g: &AllowStatement<'_>, class: &DataClass) -> bool {
    let rule = class.rule;
    let mut hit = g.actions.as_ref().clone();
    hit.intersect(&class.actions);
    if hit.is_empty() {
        return false;
    }
    let Some(resource) = g.statement.resource.as_ref().filter(|r| !r.negated) else {
        return false;
    };
    // For these rules, a wildcard for the account is as wide as `*`.
    let whole = matches!(
        rule,
        ids::SECRETS_READ_STAR | ids::KMS_DECRYPT_STAR | ids::AUDIT_TAMPERING
    );
    let wide = |r: &&ClauseItem| {
        let breadth = r.breadth();
        breadth.is_star_like() || whole && breadth <= Breadth::WholeType
    };
    let mut items: Vec<_> = resource.items.iter().filter(wide).collect();
    items.sort_by_key(|r| r.breadth());
    let reaching = items.into_iter().map(|r| (r, g.reachable_actions(r, &hit)));
    let Some((wide, hit)) = reaching.into_iter().find(|(_, hit)| !hit.is_empty()) else {
        return false;
    };
    if rule == ids::KMS_DECRYPT_STAR
        && g.strength.bounds.iter().any(|b| {
            b.grade >= Grade::Narrows && (b.key == "kms:viaservice" || b.key.starts_with("kms:encryptioncontext"))
        })
    {
        return false;
    }
    let verb = if hit.len() > 1 { plural(class.verb) } else { class.verb };
    let what = match rule {
        ids::SECRETS_READ_STAR => secret_noun(&hit),
        _ => class.what,
    };
    let within = Arn::parse(&wide.text).map_or("the account", |arn| arn.wildcard_reach());
    let what = what.replace("in the account", &format!("in {within}"));
    let what = match hit.len() {
        1 => what,
        _ => what.replace("of its type", "of their types"),
    };
    let action = names(&hit, 1);
    let Some(span) = g.span_granting(&hit) else {
        return false;
    };
    let mut f = cx
        .at_statement(rule, g.statement, format!("{action} {verb} {what}"))
        .primary(span, class.label)
        .secondary(wide.span, label_of(wide, within))
        .actions(g.items_granting(&hit).iter().map(|i| i.display().to_lowercase()))
        .resources([wide.display()]);
    f.evidence.expanded_actions = Some(hit.len());
    f.severity = class.severity;
    if rule == ids::DATA_EXFILTRATION && is_for_aws_backup(cx, g.statement.document_id) {
        f = f.severity(Severity::Low);
    }
    out.push(g.adjust_severity(cx, &hit, f));
    true
}

/// The object of a message about actions of the class `secrets`.
fn secret_noun(actions: &ActionSet) -> &'static str {
    let mut services = actions.services();
    services.sort_unstable();
    match services.as_slice() {
        ["ssm"] => "every parameter in Parameter Store",
        ["secretsmanager", "ssm"] => "every secret and parameter in the account",
        _ => "every secret in the account",
    }
}

/// The label for an item of `Resource`.
fn label_of(wide: &ClauseItem, within: &str) -> String {
    match wide.breadth() {
        Breadth::Everything | Breadth::WholeService => "on every resource".to_owned(),
        Breadth::AccountWide => "on every resource in this account".to_owned(),
        _ => format!("on every `{}` in {}", arn_type(wide), within),
    }
}

fn arn_type(item: &ClauseItem) -> String {
    let kinds = fully_covered_types(&item.text);
    kinds.first().map_or_else(|| item.display(), |k| k.name().to_owned())
}

/// The plural form of a verb: "reads" for one action, "read" for several.
fn plural(verb: &'static str) -> &'static str {
    match verb {
        "gives access to" => "give access to",
        _ => verb.strip_suffix('s').unwrap_or(verb),
    }
}
