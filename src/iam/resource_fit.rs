//! Which actions the ARNs of a statement fit.
//! Service Authorization Reference, "Resource types" of each service.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::arn::{self, Arn, ArnField, ArnShape, Breadth};
use super::arn_format::ArnFormat;
use super::catalogue::{AccessLevel, Action, ResourceType, Service};
use super::pattern::{self, Pattern};
use super::{ActionSet, Clause, ClauseItem, Truth};
use crate::source::Text;

/// The ARNs of one statement, and what was asked of all of them together: once for each type and service.
pub struct Resources<'a> {
    items: &'a [ClauseItem],
    texts: Vec<Cow<'a, Text>>,
    arns: Vec<Pattern>,
    fits: BTreeMap<usize, bool>,
    checked: BTreeMap<Action, bool>,
    star_only: BTreeMap<Service, StarOnly>,
}

/// What the ARNs are to an action of a service without resource types.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StarOnly {
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
    /// `None` where any action may fit: what begins with a hole may be any ARN. `named` tells the ARN, up to names, of what
    /// refers to a resource.
    pub fn new(clause: &'a Clause, named: impl Fn(&Text) -> Option<Text>) -> Option<Self> {
        // An item with a hole in it makes the clause incomplete, and is one ARN all the same.
        let open = !clause.complete && clause.items.iter().all(|i| i.text.is_known());
        if clause.negated || open || clause.items.is_empty() {
            return None;
        }
        let text = |r: &'a ClauseItem| {
            let text = match r.text.is_known() {
                true => Cow::Borrowed(&r.text),
                false => named(&r.text).map_or(Cow::Borrowed(&r.text), Cow::Owned),
            };
            let whole = !pattern::is_star(&text) && matches!(arn::arn_shape(&text), ArnShape::Arn(_));
            whole.then_some(text)
        };
        let texts: Vec<Cow<'a, Text>> = clause.items.iter().map(text).collect::<Option<_>>()?;
        Some(Self {
            items: &clause.items,
            arns: texts.iter().map(|t| Pattern::resource(t)).collect(),
            texts,
            fits: BTreeMap::new(),
            checked: BTreeMap::new(),
            star_only: BTreeMap::new(),
        })
    }

    /// As written.
    pub fn items(&self) -> &'a [ClauseItem] {
        self.items
    }

    /// The ARNs of the items, in order.
    pub fn texts(&self) -> &[Cow<'a, Text>] {
        &self.texts
    }

    /// Whether the statement may be about a request for this action.
    pub fn may_match(&mut self, action: Action) -> bool {
        let fits = match self.star_only(action) {
            Some(star_only) => star_only.may_match(action),
            None => action.resource_types().any(|t| self.has_type(t)),
        };
        fits || self.is_checked(action)
    }

    /// [`Self::fits`] by AWS's reference alone, for what is counted: an action without resource types needs `*`, which an ARN of
    /// one account does not match.
    pub fn fits_reference(&mut self, action: Action) -> bool {
        let wide = |r: &Cow<'_, Text>| match arn::breadth_of(r) {
            Breadth::Everything => true,
            // `arn:aws:s3:::*` is everything there is of a service that has no accounts in its ARNs.
            Breadth::WholeService => Arn::parse(r).is_some_and(|a| a.account() == ArnField::Empty),
            _ => false,
        };
        self.may_match(action)
            && (action.resource_types().len() > 0 || self.texts.iter().any(wide) || self.is_checked(action))
    }

    /// [`Self::fits`], or AWS may ask for more than its reference says: that one is to be believed where the action
    /// lists things, which no request names, where something else says the same, or where the ARNs are another service's.
    pub fn may_fit(&mut self, action: Action) -> bool {
        let certain = action.level() == AccessLevel::List || action.certainly_star_only();
        let documented = certain || requires_literal_star(action.service());
        let own = |s: StarOnly| s != StarOnly::Foreign && !documented;
        self.may_match(action) || self.star_only(action).is_some_and(own)
    }

    /// Whether one of them may be of the type.
    pub fn has_type(&mut self, kind: ResourceType) -> bool {
        let any = || {
            let mut all = self.texts.iter().zip(&self.arns);
            all.any(|(text, arn)| {
                let formats = kind.formats().iter().filter(|f| may_be_in_location(f, text));
                formats.map(|f| f.matches(arn)).any(Truth::may_be)
            })
        };
        *self.fits.entry(kind.number()).or_insert_with(any)
    }

    /// Whether AWS may check the action against one of them, whatever its reference says.
    fn is_checked(&mut self, action: Action) -> bool {
        let any = || self.arns.iter().any(|arn| action.is_checked_against(arn).may_be());
        *self.checked.entry(action).or_insert_with(any)
    }

    /// `None` for an action that has resource types.
    pub fn star_only(&mut self, action: Action) -> Option<StarOnly> {
        if action.resource_types().len() > 0 {
            return None;
        }
        let (texts, service) = (&self.texts, action.service());
        let star_only = self.star_only.entry(service);
        Some(*star_only.or_insert_with(|| StarOnly::of(service, || texts.iter().map(|text| &**text))))
    }
}

impl StarOnly {
    fn of<'t, I: Iterator<Item = &'t Text>>(service: Service, texts: impl Fn() -> I) -> Self {
        let own = || texts().filter(|r| may_be_arn_of_service(service, r));
        let everything = texts().any(|r| arn::breadth_of(r) == Breadth::Everything);
        if everything || own().any(|r| arn::breadth_of(r) <= Breadth::AccountWide) {
            Self::Fits
        } else if own().any(|r| arn::breadth_of(r) <= Breadth::WholeType) {
            Self::Every
        } else if own().next().is_some() {
            Self::Own
        } else {
            Self::Foreign
        }
    }

    /// Whether a statement with these ARNs may be about a request for the action, by the reference: every resource of a type
    /// counts where AWS may ask for more than the reference says.
    fn may_match(self, action: Action) -> bool {
        let documented = requires_literal_star(action.service()) || action.certainly_star_only();
        self == Self::Fits || self == Self::Every && !documented
    }
}

/// Whether a resource that `action` is checked against may be among those that `resource` means: `s3:PutBucketPolicy` is not
/// about `bucket/*`. What works on `*` only is about its service's own.
pub fn may_be_resource_of(resource: &Text, action: Action) -> bool {
    if pattern::is_star(resource) {
        return true;
    }
    let arn = Pattern::resource(resource);
    match action.resource_types().len() {
        0 => may_be_arn_of_service(action.service(), resource),
        _ => action.resource_types().any(|t| t.matches(&arn).may_be()) || action.is_checked_against(&arn).may_be(),
    }
}

/// Whether an ARN, by its known beginning, may be of the type: `listener/net/*` is not a load balancer, though a name with colons
/// in it would fit both forms.
pub fn may_be_of(resource: &Text, kind: ResourceType) -> bool {
    let Some(arn) = Arn::parse(resource) else {
        return true;
    };
    let prefix = arn.resource.prefix();
    let head = prefix.split(['*', '?', '$']).next().unwrap_or_default();
    kind.arn_formats().any(|format| {
        let form = format.splitn(6, ':').nth(5).unwrap_or_default();
        let form = form.split("${").next().unwrap_or_default();
        form.starts_with(head) || head.starts_with(form)
    })
}

/// The actions of `set` for which `resource` is as wide as `*`: it is everything, or every resource of a type that the action
/// is checked against. `arn:aws:s3:::*/*` is every object, and not one bucket.
pub fn unlimited_actions(resource: &Text, set: &ActionSet) -> ActionSet {
    let breadth = arn::breadth_of(resource);
    if breadth == Breadth::Everything {
        return set.clone();
    }
    if !breadth.is_star_like() {
        return ActionSet::empty();
    }
    let whole = arn::fully_covered_types(resource);
    let covered = |a: &Action| match a.resource_types().len() {
        0 => may_be_arn_of_service(a.service(), resource),
        _ => a
            .resource_types()
            .any(|t| whole.iter().any(|w| w.number() == t.number())),
    };
    set.iter()
        .filter(|a| covered(a) || whole.is_empty() && may_be_resource_of(resource, *a))
        .collect()
}

/// Services of which AWS says that actions without resource types are checked against `*` itself. Amazon EC2 User Guide,
/// "IAM policies for Amazon EC2"; Amazon ECR User Guide, "Private registry authentication".
fn requires_literal_star(service: Service) -> bool {
    ["ec2", "ecr", "ecr-public"].contains(&service.prefix())
}

/// Whether a resource with this format can be among what `text` means, by its region and account alone. What an unknown name
/// may be does not put a bucket into a region: `arn:aws:s3:::${bucket}` is no access point.
fn may_be_in_location(format: &ArnFormat, text: &Text) -> bool {
    let Some(parts) = Arn::parse(text).filter(|_| !text.is_known()) else {
        return true;
    };
    !(format.region && parts.region() == ArnField::Empty || format.account && parts.account() == ArnField::Empty)
}

/// The ARN is one of the service's own, or may be.
fn may_be_arn_of_service(service: Service, resource: &Text) -> bool {
    let Some(name) = Arn::parse(resource).and_then(|a| a.service()) else {
        return true;
    };
    let formats = service.resource_types().flat_map(|t| t.arn_formats());
    name == service.prefix() || formats.filter_map(|f| f.split(':').nth(2)).any(|s| s == name)
}

#[cfg(test)]
mod tests {
    use super::super::pattern::tests::text;
    use super::*;

    #[test]
    fn a_pattern_is_as_wide_as_a_star_for_the_types_that_it_covers() {
        for (resource, actions, wide) in [
            (
                "*",
                "s3:ListBucket s3:GetObject sqs:SendMessage",
                "s3:GetObject s3:ListBucket sqs:SendMessage",
            ),
            (
                "arn:aws:*:*:*:*",
                "s3:ListBucket sqs:SendMessage",
                "s3:ListBucket sqs:SendMessage",
            ),
            (
                "arn:aws:s3:::*",
                "s3:ListBucket s3:GetObject sqs:SendMessage",
                "s3:GetObject s3:ListBucket",
            ),
            ("arn:aws:s3:::*/*", "s3:ListBucket s3:GetObject", "s3:GetObject"),
            ("arn:aws:s3:::?*/*", "s3:PutBucketPolicy s3:PutObject", "s3:PutObject"),
            ("arn:aws:s3:*", "s3:ListBucket sqs:SendMessage", "s3:ListBucket"),
            ("arn:aws:sqs:*:*:*", "sqs:SendMessage s3:GetObject", "sqs:SendMessage"),
            // Of one account, or a part of the names.
            ("arn:aws:sqs:*:111122223333:*", "sqs:SendMessage", ""),
            ("arn:aws:s3:::reports/*", "s3:GetObject", ""),
        ] {
            let set = ActionSet::expand_all(actions.split(' '));
            let found: Vec<_> = unlimited_actions(&text(resource), &set)
                .iter()
                .map(|a| a.name())
                .collect();
            assert_eq!(found.join(" "), wide, "{resource}");
        }
    }

    #[test]
    fn what_an_arn_reaches_and_of_which_type_it_may_be() {
        let of = |name: &str| super::super::catalogue::catalogue().action(name).unwrap();
        for (resource, action, reaches_it) in [
            ("arn:aws:es:eu-west-1:111122223333:domain/logs/*", "es:ESHttpGet", true),
            (
                "arn:aws:es:eu-west-1:111122223333:domain/logs/*",
                "es:DeleteDomain",
                false,
            ),
            ("arn:aws:es:eu-west-1:111122223333:domain/logs", "es:DeleteDomain", true),
            ("arn:aws:es:eu-west-1:111122223333:domain/*", "es:DeleteDomain", true),
            ("arn:aws:s3:::reports/*", "s3:PutBucketPolicy", false),
        ] {
            assert_eq!(
                may_be_resource_of(&text(resource), of(action)),
                reaches_it,
                "{resource} {action}"
            );
        }
        for (resource, action, may_be) in [
            (
                "arn:aws:elasticloadbalancing:*:*:listener/app/*/*/*",
                "elasticloadbalancing:DeleteLoadBalancer",
                false,
            ),
            (
                "arn:aws:elasticloadbalancing:*:*:loadbalancer/app/*/*",
                "elasticloadbalancing:DeleteLoadBalancer",
                true,
            ),
            ("arn:aws:ec2:*:*:network-interface/*", "ec2:TerminateInstances", false),
            ("arn:aws:ec2:*:*:*/*", "ec2:TerminateInstances", true),
            ("arn:aws:rds:*:*:snapshot:*", "rds:DeleteDBInstance", false),
            ("arn:aws:rds:*:*:db:app-*", "rds:DeleteDBInstance", true),
            ("*", "rds:DeleteDBInstance", true),
        ] {
            let found = of(action).resource_types().any(|t| may_be_of(&text(resource), t));
            assert_eq!(found, may_be, "{resource} {action}");
        }
    }

    #[test]
    fn what_is_certain_to_take_a_star_only() {
        let of = |name: &str| super::super::catalogue::catalogue().action(name).unwrap();
        assert!(of("kms:GenerateRandom").certainly_star_only());
        assert!(of("dynamodb:DescribeLimits").certainly_star_only());
        assert!(!of("kms:Decrypt").certainly_star_only());
        assert!(!of("kinesis:UpdateShardCount").certainly_star_only());
    }
}
