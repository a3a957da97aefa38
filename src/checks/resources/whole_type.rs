//! Every resource of one type in the account.

use crate::checks::grants::{Granting, granting, names};
use crate::iam::ActionSet;
use crate::iam::Item;
use crate::iam::arn::{Arn, Breadth, widest};
use crate::iam::catalogue::AccessLevel;
use crate::rules::{Context, Out};

/// Service, type as its ARNs begin, what one of them is. Types whose names are chosen by people, so that a policy can name
/// them beforehand, and whose content matters.
const TYPES: &[(&str, &str, &str)] = &[
    ("dynamodb", "table", "table"),
    ("iam", "group", "group"),
    ("iam", "policy", "policy"),
    ("iam", "role", "role"),
    ("iam", "user", "user"),
    ("kms", "key", "key"),
    ("lambda", "function", "function"),
    ("secretsmanager", "secret", "secret"),
    ("ssm", "parameter", "parameter"),
    ("states", "stateMachine", "state machine"),
];

/// Services whose ARNs have no type before the name.
const UNTYPED: &[(&str, &str)] = &[("sns", "topic"), ("sqs", "queue")];

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for g in granting(cx) {
        if g.star().is_some() {
            continue;
        }
        let Some(clause) = g.statement.resource.as_ref().filter(|c| !c.negated) else {
            continue;
        };
        for item in &clause.items {
            if let Some(f) = one(cx, &g, item) {
                out.push(f);
            }
        }
    }
}

fn one(cx: &Context<'_>, g: &Granting<'_>, item: &Item) -> Option<crate::finding::Finding> {
    let breadth = widest(&item.text);
    if !matches!(breadth, Breadth::WholeType | Breadth::AccountWide) {
        return None;
    }
    let arn = Arn::parse(&item.text)?;
    let service = arn.service()?;
    let kind = if breadth == Breadth::AccountWide {
        UNTYPED.iter().find(|(s, _)| *s == service).map(|(_, what)| *what)?
    } else {
        let written = arn.resource_type();
        let (_, _, what) = TYPES.iter().find(|(s, t, _)| *s == service && *t == written)?;
        what
    };
    let matters = matters(&g.actions, &service);
    if matters.is_empty() {
        return None;
    }
    let single = matters.len() == 1;
    let mut f = cx
        .at_statement(
            "resource-wildcard-id-too-broad",
            g.document,
            g.index,
            format!("{} on every {kind} of the account", names(&matters, 2)),
        )
        .primary(item.span, format!("every {kind}"))
        .actions(g.items_granting(&matters).iter().map(|i| i.display().to_lowercase()))
        .resources([item.display()]);
    if let Some(span) = g.span_granting(&matters) {
        f = f.secondary(
            span,
            if single {
                "allowed on all of them"
            } else {
                "among what is allowed on all of them"
            },
        );
    }
    f.evidence.expanded_actions = Some(matters.len());
    f.steps_down += u8::from(g.strength.narrows());
    Some(f)
}

/// What of a service's actions is worth naming the resource for: all that changes, and reads of what is kept there.
fn matters(actions: &ActionSet, service: &str) -> ActionSet {
    let reads = matches!(service, "secretsmanager" | "ssm" | "dynamodb" | "kms" | "sqs");
    actions
        .scopable()
        .iter()
        .filter(|a| {
            let own = a.service().prefix() == service || service == "iam" && a.name() == "sts:AssumeRole";
            own && (a.level().changes() || reads && a.level() == AccessLevel::Read)
                && !a.short_name().starts_with("Describe")
                && !a.short_name().starts_with("List")
                && !matches!(
                    a.name(),
                    "kms:CreateGrant" | "sqs:GetQueueAttributes" | "sqs:GetQueueUrl"
                )
        })
        .collect()
}
