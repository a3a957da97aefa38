//! Actions and resources that do not fit.
//! Service Authorization Reference, "Resource types" of each service.

use std::collections::BTreeMap;

use crate::checks::validity::fits_nothing;
use crate::finding::{Confidence, Severity};
use crate::iam::arn::{self, Arn, Breadth, Shape};
use crate::iam::catalogue::{AccessLevel, Action, ResourceType, Service, catalogue};
use crate::iam::pattern::{self, Pattern};
use crate::iam::{Clause, Item, Origin, PolicyKind, glob};
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
        let mut resources = Resources::new(resources);
        for (item, set) in actions.items.iter().zip(actions.sets()) {
            if item.text.known().is_some_and(|name| glob::is_pattern(&name)) {
                part_of_service(cx, out, (id, i), item, &mut resources);
            } else if let Some(action) = set.iter().next() {
                one(cx, out, (id, i), item, action, &mut resources);
            }
        }
    }
}

/// The ARNs of one statement, and what was asked of all of them together: once for each type and service.
struct Resources<'a> {
    clause: &'a Clause,
    arns: Vec<Pattern>,
    fits: BTreeMap<usize, bool>,
    checked: BTreeMap<Action, bool>,
    star_only: BTreeMap<Service, StarOnly>,
}

/// What the ARNs are to an action of a service without resource types.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StarOnly {
    /// One of them is as good as `*`: `*` itself, `arn:aws:s3:::*`.
    Fits,
    /// One of them is every resource of a type of the service, which AWS asks for though its reference does not say so.
    Every,
    /// One of them is the service's own, or may be.
    Own,
    /// All of them are other services'.
    Foreign,
}

impl<'a> Resources<'a> {
    fn new(clause: &'a Clause) -> Self {
        Self {
            clause,
            arns: clause.items.iter().map(|r| Pattern::resource(&r.text)).collect(),
            fits: BTreeMap::new(),
            checked: BTreeMap::new(),
            star_only: BTreeMap::new(),
        }
    }

    /// Whether one of them may be of the type.
    fn has(&mut self, kind: ResourceType) -> bool {
        let any = || self.arns.iter().any(|arn| kind.fits(arn).may_be());
        *self.fits.entry(kind.number()).or_insert_with(any)
    }

    /// Whether AWS may check the action against one of them, whatever its reference says.
    fn is_checked(&mut self, action: Action) -> bool {
        let any = || self.arns.iter().any(|arn| action.is_checked_against(arn).may_be());
        *self.checked.entry(action).or_insert_with(any)
    }

    fn star_only(&mut self, service: Service) -> StarOnly {
        let items = &self.clause.items;
        *self.star_only.entry(service).or_insert_with(|| {
            let own = || items.iter().filter(|r| is_own(service, r));
            let everything = items.iter().any(|r| arn::widest(&r.text) == Breadth::Everything);
            if everything || own().any(|r| arn::widest(&r.text) <= Breadth::AccountWide) {
                StarOnly::Fits
            } else if own().any(|r| arn::widest(&r.text) <= Breadth::WholeType || is_every(service, r)) {
                StarOnly::Every
            } else if own().next().is_some() {
                StarOnly::Own
            } else {
                StarOnly::Foreign
            }
        })
    }

    fn shown(&self) -> impl Iterator<Item = String> {
        self.clause.items.iter().map(Item::display)
    }
}

/// `s3:*` on some ARNs takes in actions that none of them fits. That is nothing to mend by itself: it is said beside the
/// finding about the wildcard.
fn part_of_service(
    cx: &Context<'_>,
    out: &mut Out<'_>,
    (id, i): (DocumentId, usize),
    item: &Item,
    resources: &mut Resources<'_>,
) {
    let d = &cx.project.documents[id as usize];
    let said = d.statements[i].allows() && out.wants("service-wildcard") && d.kind != PolicyKind::Boundary;
    let text = item.text.known().filter(|_| said);
    let prefix = text.as_deref().and_then(|name| name.strip_suffix(":*"));
    let Some(service) = prefix.and_then(|prefix| catalogue().service(prefix)) else {
        return;
    };
    let mut fits = |a: &Action| a.resource_types().any(|t| resources.has(t));
    let unfit = service.actions().filter(|a| !a.is_gone() && !fits(a)).count();
    if unfit == 0 {
        return;
    }
    out.push(
        cx.at_statement(
            "resource-action-mismatch",
            id,
            i,
            format!(
                "no resource of this statement fits {unfit} of the actions of `{}`",
                item.display()
            ),
        )
        .primary(item.span, "some are never allowed by this statement")
        .severity(Severity::Low)
        .actions([item.display().to_lowercase()])
        .resources(resources.shown()),
    );
}

/// Services of which AWS says that these actions are checked against `*` itself. Amazon EC2 User Guide, "IAM policies for
/// Amazon EC2"; Amazon ECR User Guide, "Private registry authentication".
const TO_THE_LETTER: [&str; 3] = ["ec2", "ecr", "ecr-public"];

fn one(
    cx: &Context<'_>,
    out: &mut Out<'_>,
    (id, i): (DocumentId, usize),
    item: &Item,
    action: Action,
    resources: &mut Resources<'_>,
) {
    let name = action.name();
    let clause = resources.clause;
    let first = clause.items.first().map(|r| r.span).unwrap_or(clause.span);
    let denies = cx.project.documents[id as usize].statements[i].denies();
    let never = match denies {
        true => "never denied by this statement",
        false => "never allowed by this statement",
    };
    let to_the_letter = TO_THE_LETTER.contains(&action.service().prefix());
    let star_only = (action.resource_types().len() == 0).then(|| resources.star_only(action.service()));
    let fits = match star_only {
        Some(star_only) => star_only == StarOnly::Fits || (star_only == StarOnly::Every && !to_the_letter),
        None => action.resource_types().any(|t| resources.has(t)),
    };
    if fits || resources.is_checked(action) {
        return;
    }
    if let Some(star_only) = star_only {
        // AWS's reference is to be believed where the action lists things, which no request names, or where the ARNs are
        // another service's.
        let documented = to_the_letter || star_only == StarOnly::Foreign || action.level() == AccessLevel::List;
        let f = cx
            .at_statement(
                "star-only-action-on-arn",
                id,
                i,
                format!("`{name}` works on `*` only, and is given on an ARN"),
            )
            .secondary(first, "must be `*` for this action")
            .actions([item.display().to_lowercase()])
            .resources(resources.shown());
        out.push(match documented {
            true => f.primary(item.span, never),
            false => f
                .primary(item.span, "AWS documents no ARNs for this action")
                .note("its request names such a thing, so AWS may check it against the ARN all the same")
                .confidence(Confidence::Low),
        });
        return;
    }
    let wants: Vec<&str> = action.resource_types().map(|t| t.name()).take(3).collect();
    let is = |kind: &str| wants.contains(&kind);
    let s3 = name.starts_with("s3:");
    if s3 && is("object") && clause.items.iter().any(|r| r.text.with_placeholders().ends_with(":*")) {
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
            .resources(resources.shown()),
    );
}

/// The ARN is one of the service's own, or may be.
fn is_own(service: Service, resource: &Item) -> bool {
    let Some(name) = Arn::parse(&resource.text).and_then(|a| a.service()) else {
        return true;
    };
    let formats = service.resource_types().flat_map(|t| t.arn_formats());
    name == service.prefix() || formats.filter_map(|f| f.split(':').nth(2)).any(|s| s == name)
}

/// `…:agent-space*` is every agent space.
fn is_every(service: Service, resource: &Item) -> bool {
    Arn::parse(&resource.text).is_some_and(|arn| {
        let named = Pattern::resource(&arn.resource.to_text());
        let mut formats = service.resource_types().flat_map(|t| t.arn_formats());
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
