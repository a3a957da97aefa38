//! Every resource of one type in the account.

use super::scope::LOGGING;
use crate::checks::allow_statements::{AllowStatement, identity_allow_statements, names, writing_actions};
use crate::checks::holders::{IS_ADMINISTRATOR, are_administrators};
use crate::finding::Severity;
use crate::iam::arn::{Arn, fully_covered_types};
use crate::iam::catalogue::{AccessLevel, ResourceType};
use crate::iam::{Action, ActionSet, ClauseItem, pattern};
use crate::rules::{Context, FindingSink, ids};

/// Service, type as the catalogue names it, what one of them is. Types whose names are chosen by people, so that a policy can
/// name them beforehand, and whose content matters.
const TYPES: &[(&str, &str, &str)] = &[
    ("codebuild", "project", "project"),
    ("dynamodb", "table", "table"),
    ("ecr", "repository", "repository"),
    ("events", "event-bus", "event bus"),
    ("firehose", "deliverystream", "delivery stream"),
    ("iam", "group", "group"),
    ("iam", "policy", "policy"),
    ("iam", "role", "role"),
    ("iam", "user", "user"),
    ("kinesis", "stream", "stream"),
    ("kms", "key", "key"),
    ("lambda", "function", "function"),
    ("rds", "cluster", "cluster"),
    ("rds", "db", "database"),
    ("secretsmanager", "Secret", "secret"),
    ("sns", "topic", "topic"),
    ("sqs", "queue", "queue"),
    ("ssm", "parameter", "parameter"),
    ("states", "statemachine", "state machine"),
];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for g in identity_allow_statements(cx) {
        let Some(clause) = g.statement.resource.as_ref().filter(|c| !c.negated) else {
            continue;
        };
        // Beside a plain star nothing is narrower; what is as wide as one is another rule's.
        if clause.items.iter().any(|r| pattern::is_star(&r.text)) {
            continue;
        }
        for item in clause.items.iter().filter(|r| !r.breadth().is_star_like()) {
            if let Some(f) = check_item(cx, &g, item) {
                out.push(match are_administrators(cx, g.statement) {
                    true => f.severity(Severity::Low).note(IS_ADMINISTRATOR),
                    false => f,
                });
            }
        }
    }
}

fn check_item(cx: &Context<'_>, g: &AllowStatement<'_>, item: &ClauseItem) -> Option<crate::finding::Finding> {
    let whole = fully_covered_types(&item.text);
    let arn = Arn::parse(&item.text)?;
    let service = arn.service()?;
    let (kind, matters) = TYPES
        .iter()
        .filter(|(s, name, _)| *s == service && whole.iter().any(|t| t.name() == *name))
        .map(|(_, name, what)| ((*what).to_owned(), actions_worth_scoping(&g.actions, &service, name)))
        .find(|(_, matters)| !matters.is_empty())
        .or_else(|| unlisted_types(g, &service, &whole))?;
    let single = matters.len() == 1;
    let mut f = cx
        .at_statement(
            ids::RESOURCE_WILDCARD_ID_TOO_BROAD,
            g.statement,
            format!(
                "{} {} allowed on every {kind} in {}",
                names(&matters, 2),
                if single { "is" } else { "are" },
                arn.wildcard_reach()
            ),
        )
        .primary(item.span, format!("every {kind}"))
        .actions(g.items_granting(&matters).iter().map(|i| i.display().to_lowercase()))
        .resources([item.display()]);
    if let Some(span) = g.span_granting(&matters) {
        f = f.secondary(
            span,
            if single {
                "allowed on all of these resources"
            } else {
                "one of the actions that are allowed on all of them"
            },
        );
    }
    f.evidence.expanded_actions = Some(matters.len());
    f.steps_down += u8::from(g.strength.narrows());
    Some(g.adjust_severity(cx, &matters, f))
}

/// Of the types that are not in the table, many of which AWS names: one of which everything may be changed, and the actions
/// that do it. What they make is new, and has no name beforehand.
fn unlisted_types(g: &AllowStatement<'_>, service: &str, whole: &[ResourceType]) -> Option<(String, ActionSet)> {
    if g.strength.narrows() {
        return None;
    }
    let makes = ["Create", "Run", "Allocate", "Request", "Register"];
    let mut all = writing_actions(&g.actions.scopable());
    all.subtract(&ActionSet::expand_all(LOGGING));
    whole.iter().find_map(|kind| {
        let on = |a: &Action| {
            a.service().prefix() == service
                && a.resource_types().any(|t| t.name() == kind.name())
                && !makes.iter().any(|verb| a.short_name().starts_with(verb))
        };
        let of_type: ActionSet = all.iter().filter(on).collect();
        (!of_type.is_empty()).then(|| (type_phrase(kind.name()), of_type))
    })
}

/// The name of a type; one that is a case of a more common one (`rule-on-custom-event-bus`) has the name of that.
fn type_phrase(name: &str) -> String {
    format!("`{}`", name.split("-on-").next().unwrap_or(name))
}

/// What of the actions on a type is worth naming the resource for: all that changes, and reads of what is kept there.
fn actions_worth_scoping(actions: &ActionSet, service: &str, kind: &str) -> ActionSet {
    let reads = matches!(service, "secretsmanager" | "ssm" | "dynamodb" | "kms" | "sqs");
    actions
        .scopable()
        .iter()
        .filter(|a| {
            let own = a.service().prefix() == service || service == "iam" && a.name() == "sts:AssumeRole";
            own && a.resource_types().any(|t| t.name() == kind)
                && (a.level().changes() || reads && a.level() == AccessLevel::Read)
                && !a.short_name().starts_with("Describe")
                && !a.short_name().starts_with("List")
                && !matches!(
                    a.name(),
                    "kms:CreateGrant" | "sqs:GetQueueAttributes" | "sqs:GetQueueUrl"
                )
        })
        .collect()
}
