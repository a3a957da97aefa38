//! Log groups have two ARNs. Amazon CloudWatch Logs User Guide, "Identity and access management", "Resource ARNs": with `:*`
//! for every action but those about tags, without it for these.

use std::cell::LazyCell;

use super::mismatch::rewritten;
use crate::iam::arn::Arn;
use crate::iam::{ClauseItem, Document, DocumentOrigin, PolicyKind, SourceFormat, glob, pattern};
use crate::rules::{Context, FindingSink, ids};

/// What takes the ARN without `:*`.
const TAGGING: [&str; 3] = ["logs:listtagsforresource", "logs:tagresource", "logs:untagresource"];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if s.document.origin != DocumentOrigin::Written
            || matches!(s.document.kind, PolicyKind::Resource | PolicyKind::Trust)
        {
            continue;
        }
        let (Some(actions), Some(resources)) = (&s.action, &s.resource) else {
            continue;
        };
        if actions.negated || resources.negated || !resources.complete {
            continue;
        }
        // Any ARN that is not one of a log group may be the one that is meant.
        let starred = LazyCell::new(|| resources.items.iter().all(is_group_with_wildcard));
        let bare = LazyCell::new(|| resources.items.iter().all(|r| is_bare_group(s.document, r)));
        for (item, set) in actions.items.iter().zip(actions.item_actions()) {
            let Some(name) = item.text.known() else { continue };
            let on_groups = set.iter().next().filter(|_| !glob::is_pattern(&name)).is_some_and(|a| {
                a.name().starts_with("logs:")
                    && a.resource_types()
                        .any(|t| matches!(t.name(), "log-group" | "log-stream"))
            });
            if !on_groups || resources.items.is_empty() {
                continue;
            }
            let name = name.to_ascii_lowercase();
            let tagging = TAGGING.contains(&name.as_str());
            let wrong = if tagging { *starred } else { *bare };
            let Some(first) = resources.items.first().filter(|_| wrong) else {
                continue;
            };
            let (message, label) = if tagging {
                (
                    format!("`{}` needs the log group ARN without `:*`", item.display()),
                    "remove `:*`",
                )
            } else {
                (
                    format!("`{}` needs the log group ARN with `:*`", item.display()),
                    "add `:*`",
                )
            };
            out.push(
                cx.at_statement(ids::MISSING_ARN_SUFFIX_LOG_GROUP, s, message)
                    .primary(first.span, label)
                    .secondary(item.span, "never matches this ARN")
                    .actions([name])
                    .resources([first.display()])
                    .remedies(match (tagging, resources.items.as_slice()) {
                        (false, [only]) => rewritten(cx, only, |text| Some(format!("{text}:*"))),
                        _ => None,
                    }),
            );
            break;
        }
    }
}

/// The ARN of a log group as it is, without anything that could be its streams.
fn is_bare_group(d: &Document, r: &ClauseItem) -> bool {
    if let Some(hole) = r.text.as_hole() {
        // AWS provider, `aws_cloudwatch_log_group`: the suffix is taken off its `arn`.
        return d.format == SourceFormat::Terraform
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

/// With `:*` after its name; `log-group:*` itself is every group.
fn is_group_with_wildcard(r: &ClauseItem) -> bool {
    is_group(r) && Arn::parse(&r.text).is_some_and(|a| a.resource_id().with_placeholders().ends_with(":*"))
}

fn is_group(r: &ClauseItem) -> bool {
    Arn::parse(&r.text).is_some_and(|a| {
        a.service().as_deref() == Some("logs")
            && a.resource_type() == "log-group"
            && !a.resource.with_placeholders().contains(":log-stream:")
    })
}
