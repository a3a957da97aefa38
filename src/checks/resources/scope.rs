//! Actions on everything that could be on less.

use crate::checks::allow_statements::{identity_allow_statements, managing_actions, names, writing_actions};
use crate::checks::holders::{IS_ADMINISTRATOR, are_administrators, is_for_aws_backup};
use crate::checks::references;
use crate::finding::Severity;
use crate::iam::class::class;
use crate::iam::condition::{Grade, Strength};
use crate::iam::{Action, ActionSet};
use crate::rules::{Context, FindingSink, ids};

/// What pulls images, which the account keeps to run them: AWS's own policies give it on `*`.
/// Amazon ECS Developer Guide, "Amazon ECS task execution IAM role".
const PULLING: [&str; 3] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
];

/// What code needs to write its log and to be in a VPC. It changes nothing that others keep, and AWS's own policies give it on
/// `*`. AWS Lambda Developer Guide, "Defining Lambda function permissions with an execution role".
pub(super) const LOGGING: [&str; 6] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
];

/// What puts a network interface that the service uses into a VPC, as AWS's guides write it for roles of services. The interface
/// has no name beforehand. Amazon MSK Developer Guide, AWS IoT Core Developer Guide, "Virtual private cloud (VPC) destinations".
const INTERFACES: [&str; 3] = [
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
];

/// What the agent of Systems Manager says of the instance that it runs on, as in `AmazonSSMManagedInstanceCore`.
const AGENT: [&str; 8] = [
    "ec2messages:*",
    "ssm:PutComplianceItems",
    "ssm:PutConfigurePackageResult",
    "ssm:PutInventory",
    "ssm:UpdateAssociationStatus",
    "ssm:UpdateInstanceAssociationStatus",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:*",
];

/// Services whose descriptions are of the account or the organization itself, of what happens in it, of who may do what, or of
/// what people make there at run time, such as dashboards: no one can name these beforehand, and AWS's own policies for reading
/// give them on `*`.
const OF_THE_ACCOUNT: [&str; 20] = [
    "account",
    "aws-portal",
    "billing",
    "budgets",
    "ce",
    "cloudtrail",
    "cloudwatch",
    "config",
    "controltower",
    "cur",
    "health",
    "iam",
    "organizations",
    "quicksight",
    "resource-explorer-2",
    "resource-groups",
    "servicequotas",
    "support",
    "tag",
    "trustedadvisor",
];

/// What shows the content of something, rather than a description of it.
const CONTENT: [&str; 5] = ["content", "data", "secrets", "credentials", "lambda-env"];

/// Descriptions that cannot sensibly be given on less than everything.
fn is_account_level(a: Action) -> bool {
    !a.level().changes()
        && OF_THE_ACCOUNT.contains(&a.service().prefix())
        && !CONTENT.iter().any(|name| class(name).contains(a.id()))
}

/// `*` where some of the actions can be given on single resources. One statement gives one finding: the most severe that fits;
/// the rule files say which covers which.
pub(super) fn star(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for g in identity_allow_statements(cx) {
        let Some((everywhere, written, actions)) = g.allowed_on_every_resource() else {
            continue;
        };
        let scopable: ActionSet = actions.scopable().iter().filter(|a| !is_account_level(*a)).collect();
        if g.actions.is_all() || scopable.is_empty() {
            continue;
        }
        let held = condition_limit(g.strength, &scopable);
        if held == StatementScope::Narrowed {
            continue;
        }
        let writes = writing_actions(&scopable);
        // Descriptions give nothing away that is kept there.
        let shows = CONTENT.iter().any(|name| class(name).intersects(&scopable));
        let reads = writes.is_empty() && (scopable.is_subset(&ActionSet::expand_all(PULLING)) || !shows);
        let mut own = ActionSet::expand_all(LOGGING);
        own.union_with(&ActionSet::expand_all(["ec2:DeleteNetworkInterface"]));
        own.union_with(&ActionSet::expand_all(AGENT));
        let interfaces = ActionSet::expand_all(INTERFACES);
        if interfaces.is_subset(&g.actions) {
            own.union_with(&interfaces);
        }
        let logs = !writes.is_empty() && writes.is_subset(&own);
        let managing = managing_actions(&scopable);
        let joins = !managing.is_empty() && interfaces.is_subset(&g.actions) && managing.is_subset(&interfaces);
        let cases = [
            (
                ids::PERMISSIONS_MANAGEMENT_ON_STAR,
                managing,
                "manages permissions on every resource",
            ),
            (ids::WRITE_ACTIONS_ON_STAR, writes, "writes to every resource"),
            (
                ids::RESOURCE_STAR_ON_SCOPABLE_ACTION,
                scopable,
                "allowed on every resource",
            ),
        ];
        for (rule, set, what) in cases {
            let wide = rule == ids::RESOURCE_STAR_ON_SCOPABLE_ACTION;
            if set.is_empty() || !out.is_selected(rule) || (held == StatementScope::ByOwner && !wide) {
                continue;
            }
            // Most of what `ec2:Describe*` matches works on `*` only: to scope the rest is to write two statements.
            let few = wide
                && set.len() * 2 < g.actions.len()
                && g.items_granting(&set).iter().all(|i| i.display().contains('*'));
            let one = set.len() == 1;
            let subject = if one {
                names(&set, 1)
            } else {
                format!("{} actions", set.len())
            };
            let message = match rule {
                ids::PERMISSIONS_MANAGEMENT_ON_STAR => {
                    format!(
                        "{subject} change{} permissions on every resource",
                        if one { "s" } else { "" }
                    )
                }
                ids::WRITE_ACTIONS_ON_STAR => format!("{subject} can write to every resource"),
                _ => format!(
                    "{subject} can be restricted to resources but {} allowed on `*`",
                    if one { "is" } else { "are" }
                ),
            };
            let mut f = cx
                .at_statement(rule, g.statement, message)
                .primary(
                    everywhere,
                    match written.as_str() {
                        "NotResource" => "every resource except these",
                        star if star.bytes().all(|b| b == b'*') => "every resource",
                        _ => "as broad as `*`",
                    },
                )
                .actions(g.items_granting(&set).iter().map(|i| i.display().to_lowercase()))
                .resources([written.clone()]);
            f.evidence.expanded_actions = Some(set.len());
            f.remedies
                .extend(references::only_resource(cx, g.statement, &g.actions));
            if let Some(span) = g.span_granting(&set) {
                f = f.secondary(span, what);
            }
            if !one {
                f = f.note(format!(
                    "these actions support resource-level permissions: {}",
                    names(&set, 3)
                ));
            }
            let usual = match rule {
                ids::PERMISSIONS_MANAGEMENT_ON_STAR => joins,
                ids::WRITE_ACTIONS_ON_STAR => logs,
                _ => logs && !shows || is_for_aws_backup(cx, g.statement.document_id),
            };
            if few || (wide && reads) || usual || held == StatementScope::ByOwner {
                f = f.severity(Severity::Low);
            }
            if are_administrators(cx, g.statement) {
                f = f.severity(Severity::Low).note(IS_ADMINISTRATOR);
            }
            out.push(g.adjust_severity(cx, &set, f));
        }
    }
}

/// What a statement's conditions leave of "every resource".
#[derive(Clone, Copy, PartialEq, Eq)]
enum StatementScope {
    /// All of it.
    Not,
    /// What one account or organization has: still every resource of its kind there.
    ByOwner,
    Narrowed,
}

fn condition_limit(strength: &Strength, actions: &ActionSet) -> StatementScope {
    const OWNERS: [&str; 3] = ["aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"];
    // A tag that none of the actions can see holds nothing.
    let holds = |key: &str| !key.contains(":resourcetag/") || actions.iter().any(|a| a.supports_key(key));
    let mut bounds = strength
        .bounds
        .iter()
        .filter(|b| b.grade >= Grade::Narrows && holds(&b.key))
        .peekable();
    if bounds.peek().is_none() && !strength.unknown {
        StatementScope::Not
    } else if !strength.unknown && bounds.all(|b| OWNERS.contains(&b.key.as_str())) {
        StatementScope::ByOwner
    } else {
        StatementScope::Narrowed
    }
}
