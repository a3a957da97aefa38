//! Actions and resources that do not fit.
//! Service Authorization Reference, "Resource types" of each service.

use crate::checks::validity::fits_nothing;
use crate::finding::Confidence;
use crate::iam::arn::{self, Arn, Breadth, Shape};
use crate::iam::catalogue::{AccessLevel, Action, catalogue};
use crate::iam::pattern::{self, Pattern};
use crate::iam::{Clause, Item, Origin, PolicyKind};
use crate::project::DocumentId;
use crate::rules::{Context, Out};

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, d, i, s) in cx.statements() {
        if d.origin != Origin::Written {
            continue;
        }
        if !matches!(
            d.kind,
            PolicyKind::Identity | PolicyKind::Session | PolicyKind::Boundary
        ) {
            continue;
        }
        let (Some(actions), Some(resources)) = (&s.action, &s.resource) else {
            continue;
        };
        if actions.negated || resources.negated || !resources.complete || resources.items.is_empty() {
            continue;
        }
        // What begins with a hole may be any ARN; an ARN of nothing is reported as that.
        let open = resources
            .items
            .iter()
            .any(|r| pattern::is_star(&r.text) || !matches!(arn::shape(&r.text), Shape::Arn(_)) || fits_nothing(r));
        if open {
            continue;
        }
        let arns: Vec<Pattern> = resources.items.iter().map(|r| Pattern::resource(&r.text)).collect();
        for item in &actions.items {
            let Some(name) = item.text.known() else { continue };
            if name.contains(['*', '?']) {
                continue;
            }
            if let Some(action) = catalogue().action(&name).filter(|a| !a.is_gone()) {
                one(cx, out, (id, i), item, action, (resources, &arns));
            }
        }
    }
}

fn one(
    cx: &Context<'_>,
    out: &mut Out<'_>,
    (id, i): (DocumentId, usize),
    item: &Item,
    action: Action,
    (resources, arns): (&Clause, &[Pattern]),
) {
    let name = action.name();
    let first = resources.items.first().map(|r| r.span).unwrap_or(resources.span);
    let denies = cx.project.documents[id as usize].statements[i].denies();
    let never = match denies {
        true => "never denied by this statement",
        false => "never allowed by this statement",
    };
    if arns.iter().any(|arn| action.is_checked_against(arn).may_be()) {
        return;
    }
    if action.resource_types().len() == 0 {
        let Some(documented) = star_only(action, resources) else {
            return;
        };
        let f = cx
            .at_statement(
                "star-only-action-on-arn",
                id,
                i,
                format!("`{name}` works on `*` only, and is given on an ARN"),
            )
            .secondary(first, "must be `*` for this action")
            .actions([item.display().to_lowercase()])
            .resources(resources.items.iter().map(Item::display));
        out.push(match documented {
            true => f.primary(item.span, never),
            false => f
                .primary(item.span, "AWS documents no ARNs for this action")
                .note("its request names such a thing, so AWS may check it against the ARN all the same")
                .confidence(Confidence::Low),
        });
        return;
    }
    if action
        .resource_types()
        .any(|t| arns.iter().any(|arn| t.fits(arn).may_be()))
    {
        return;
    }
    let wants: Vec<&str> = action.resource_types().map(|t| t.name()).take(3).collect();
    let is = |kind: &str| wants.contains(&kind);
    let s3 = name.starts_with("s3:");
    if s3 && resources.items.iter().any(|r| r.display().ends_with(":*")) && is("object") {
        return;
    }
    let (rule, message, label) = if s3 && is("object") {
        (
            "s3-bucket-and-object-both-needed",
            format!("`{name}` is about objects, and only a bucket is named"),
            "add `/*` to the bucket",
        )
    } else if s3 && is("bucket") {
        (
            "s3-bucket-and-object-both-needed",
            format!("`{name}` is about the bucket, and only objects are named"),
            "add the bucket without `/*`",
        )
    } else {
        (
            "resource-action-mismatch",
            format!("no resource of this statement fits `{name}`"),
            "none of these is of its type",
        )
    };
    out.push(
        cx.at_statement(rule, id, i, message)
            .primary(item.span, never)
            .secondary(first, label)
            .note(format!("`{name}` takes: {}", wants.join(", ")))
            .actions([item.display().to_lowercase()])
            .resources(resources.items.iter().map(Item::display)),
    );
}

/// Whether AWS's reference is to be believed that an action without resource types has no use for these ARNs: it lists
/// things, which no request names, or the ARNs are another service's. `None` where an ARN is as good as `*`.
fn star_only(action: Action, resources: &Clause) -> Option<bool> {
    if resources.items.iter().any(|r| as_good_as_star(action, r)) {
        return None;
    }
    Some(action.level() == AccessLevel::List || !resources.items.iter().any(|r| is_own(action, r)))
}

/// The ARN is one of the action's own service, or may be.
fn is_own(action: Action, resource: &Item) -> bool {
    let Some(name) = Arn::parse(&resource.text).and_then(|a| a.service()) else {
        return true;
    };
    let formats = action.service().resource_types().flat_map(|t| t.arn_formats());
    name == action.service().prefix() || formats.filter_map(|f| f.split(':').nth(2)).any(|s| s == name)
}

/// For an action without resource types: `*`, `arn:aws:s3:::*`, and every resource of a type of its service. AWS checks some
/// of these actions against such an ARN all the same: `logs:DescribeLogGroups` against `…:log-group:*`.
fn as_good_as_star(action: Action, resource: &Item) -> bool {
    match arn::widest(&resource.text) {
        Breadth::Everything => true,
        breadth => is_own(action, resource) && (breadth <= Breadth::WholeType || is_every(action, resource)),
    }
}

/// `…:agent-space*` is every agent space.
fn is_every(action: Action, resource: &Item) -> bool {
    Arn::parse(&resource.text).is_some_and(|arn| {
        let named = Pattern::resource(&arn.resource);
        let mut formats = action.service().resource_types().flat_map(|t| t.arn_formats());
        formats.any(|f| {
            f.splitn(6, ':')
                .nth(5)
                .is_some_and(|r| named.covers(&Pattern::format(r)).is_yes())
        })
    })
}

/// `arn:aws:s3:::bucket:*`: no object's ARN has a colon after the bucket.
pub(super) fn s3_colon(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, _, i, s) in cx.statements() {
        for item in s.resource.iter().flat_map(|c| &c.items) {
            let flat = item.text.with_placeholders();
            let Some(rest) = flat.split(":s3:::").nth(1) else {
                continue;
            };
            let Some(bucket) = rest.strip_suffix(":*") else {
                continue;
            };
            if bucket.contains('/') || bucket.is_empty() {
                continue;
            }
            out.push(
                cx.at_statement(
                    "s3-arn-colon-instead-of-slash",
                    id,
                    i,
                    format!("`{}` matches no object: they follow a slash", item.display()),
                )
                .primary(item.span, "write `/*`, not `:*`")
                .resources([item.display()]),
            );
        }
    }
}
