//! Log groups have two ARNs. Amazon CloudWatch Logs User Guide, "Identity and access management", "Resource ARNs": with `:*`
//! for every action but those about tags, without it for these.

use crate::iam::arn::Arn;
use crate::iam::catalogue::catalogue;
use crate::iam::{Document, Format, Item, Origin, PolicyKind, pattern};
use crate::rules::{Context, Out};

/// What takes the ARN without `:*`.
const TAGGING: [&str; 3] = ["logs:listtagsforresource", "logs:tagresource", "logs:untagresource"];

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, d, i, s) in cx.statements() {
        if d.origin != Origin::Written || matches!(d.kind, PolicyKind::Resource | PolicyKind::Trust) {
            continue;
        }
        let (Some(actions), Some(resources)) = (&s.action, &s.resource) else {
            continue;
        };
        if actions.negated || resources.negated || !resources.complete {
            continue;
        }
        let bare: Vec<bool> = resources.items.iter().map(|r| is_bare_group(d, r)).collect();
        // `log-group:*` itself is every group.
        let starred = |r: &Item| {
            is_group(r) && Arn::parse(&r.text).is_some_and(|a| a.resource_id().with_placeholders().ends_with(":*"))
        };
        for item in &actions.items {
            let Some(name) = item.text.known().map(|n| n.to_ascii_lowercase()) else {
                continue;
            };
            let tagging = TAGGING.contains(&name.as_str());
            let on_groups = name.starts_with("logs:")
                && catalogue().action(&name).is_some_and(|a| {
                    a.resource_types()
                        .any(|t| matches!(t.name(), "log-group" | "log-stream"))
                });
            if !on_groups || resources.items.is_empty() {
                continue;
            }
            // Any ARN that is none of a log group may be the one that is meant.
            let wrong = if tagging {
                resources.items.iter().all(starred)
            } else {
                bare.iter().all(|b| *b)
            };
            let Some(first) = resources.items.first().filter(|_| wrong) else {
                continue;
            };
            let (message, label) = if tagging {
                (
                    format!("`{}` is asked for the log group without `:*`", item.display()),
                    "take the `:*` away",
                )
            } else {
                (
                    format!("`{}` is asked for the log group with `:*` behind it", item.display()),
                    "add `:*`",
                )
            };
            out.push(
                cx.at_statement("missing-arn-suffix-log-group", id, i, message)
                    .primary(first.span, label)
                    .secondary(item.span, "never matched by this")
                    .actions([name])
                    .resources([first.display()]),
            );
            break;
        }
    }
}

/// The ARN of a log group as it is, without anything that could be its streams.
fn is_bare_group(d: &Document, r: &Item) -> bool {
    if let Some(hole) = r.text.as_hole() {
        // AWS provider, `aws_cloudwatch_log_group`: the suffix is taken off its `arn`.
        return d.format == Format::Terraform
            && hole
                .target
                .as_ref()
                .is_some_and(|t| &*t.attribute == "arn" && t.address.starts_with("aws_cloudwatch_log_group."));
    }
    is_group(r) && !pattern::has_wildcard(&r.text) && {
        let arn = Arn::parse(&r.text);
        arn.is_some_and(|a| {
            let name = a.resource_id();
            // What a hole ends with is not known.
            !name.with_placeholders().contains(':') && name.is_known()
        })
    }
}

fn is_group(r: &Item) -> bool {
    Arn::parse(&r.text).is_some_and(|a| {
        a.service().as_deref() == Some("logs")
            && a.resource_type() == "log-group"
            && !a.resource.with_placeholders().contains(":log-stream:")
    })
}
