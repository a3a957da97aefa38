//! The ARN formats of the catalogue's resource types, as patterns.
//! Service Authorization Reference, "Resource types defined by …": `arn:${Partition}:s3:::${BucketName}/${ObjectName}`.
//!
//! **Invariant:** a format is compiled once in a run, when someone first asks about its resource type.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::Truth;
use super::catalogue::{Action, ResourceType, catalogue, tables};
use super::glob::CaseSensitivity;
use super::pattern::Pattern;

/// The formats of one type, once someone has asked.
type Formats = OnceLock<Box<[ArnFormat]>>;

/// What ARNs of one resource type look like.
#[derive(Debug)]
pub struct ArnFormat {
    pattern: Pattern,
    /// What every resource of it begins with: `role/`.
    head: &'static str,
    /// Its ARNs have a region.
    pub region: bool,
    /// Its ARNs have an account.
    pub account: bool,
}

impl ArnFormat {
    fn new(text: &'static str) -> Self {
        let has = |n: usize| text.split(':').nth(n).is_some_and(|field| !field.is_empty());
        Self {
            pattern: Pattern::format(text),
            head: text
                .splitn(6, ':')
                .nth(5)
                .and_then(|r| r.split("${").next())
                .unwrap_or(""),
            region: has(3),
            account: has(4),
        }
    }

    /// Whether a resource that begins like this is likely of the format: worth to be asked first.
    pub fn is_likely(&self, resource: &str) -> bool {
        !self.head.is_empty() && resource.starts_with(self.head)
    }

    /// Whether some ARN of this format is one that `arn`, a pattern of resources, means. Holes fit anything; case counts.
    pub fn matches(&self, arn: &Pattern) -> Truth {
        arn.overlaps(&self.pattern)
    }
}

impl ResourceType {
    pub fn formats(self) -> &'static [ArnFormat] {
        static TYPES: OnceLock<Box<[Formats]>> = OnceLock::new();
        let types = TYPES.get_or_init(|| {
            (0..catalogue().resource_type_count())
                .map(|_| OnceLock::new())
                .collect()
        });
        types.get(self.number()).map_or(&[], |formats| {
            formats.get_or_init(|| {
                let own = self.arn_formats().map(ArnFormat::new);
                own.chain(owned_by_aws(self).map(ArnFormat::new)).collect()
            })
        })
    }

    /// Whether some resource of the type is one that `arn` means.
    pub fn matches(self, arn: &Pattern) -> Truth {
        let formats = self.formats().iter();
        formats.map(|f| f.matches(arn)).fold(Truth::No, Truth::or)
    }
}

/// An ARN that an action is checked against although AWS's reference does not have it, as it is written and as a pattern.
type CheckedArn = (&'static str, Pattern);

impl Action {
    /// Whether AWS checks the action against something that `arn` means and that its reference does not have.
    pub fn is_checked_against(self, arn: &Pattern) -> Truth {
        let known = self.checked().iter();
        known.map(|(_, known)| arn.overlaps(known)).fold(Truth::No, Truth::or)
    }

    /// The ARNs that AWS checks the action against although its reference does not have them.
    pub fn checked_arns(self) -> impl Iterator<Item = &'static str> {
        self.checked().iter().map(|(written, _)| *written)
    }

    fn checked(self) -> &'static [CheckedArn] {
        static ACTIONS: OnceLock<BTreeMap<Action, Vec<CheckedArn>>> = OnceLock::new();
        let actions = ACTIONS.get_or_init(|| {
            let mut out: BTreeMap<Self, Vec<CheckedArn>> = BTreeMap::new();
            for fields in tables::fields("checked-arns") {
                let [name, arns, ..] = fields.as_slice() else { continue };
                let actions: Vec<Self> = match name.strip_suffix(":*").and_then(|s| catalogue().service(s)) {
                    Some(service) => service.actions().collect(),
                    None => catalogue().action(name).into_iter().collect(),
                };
                for action in actions {
                    let patterns = arns
                        .split(", ")
                        .map(|a| (a, Pattern::plain(a, CaseSensitivity::Sensitive)));
                    out.entry(action).or_default().extend(patterns);
                }
            }
            out
        });
        actions.get(&self).map_or(&[], Vec::as_slice)
    }
}

/// Types of which AWS has resources of its own, whose ARNs have no account, though the reference gives one form only. AWS Systems
/// Manager User Guide, "Troubleshooting Systems Manager Run Command" and "Working with public parameters"; AWS Security Hub
/// User Guide, "Product ARNs".
const OWNED_BY_AWS: [(&str, &str); 4] = [
    (
        "arn:${Partition}:ssm:${Region}:${Account}:document/",
        "arn:${Partition}:ssm:${Region}::document/${DocumentName}",
    ),
    (
        "arn:${Partition}:ssm:${Region}:${Account}:automation-definition/",
        "arn:${Partition}:ssm:${Region}::automation-definition/${AutomationDefinitionName}",
    ),
    (
        "arn:${Partition}:ssm:${Region}:${Account}:parameter/",
        "arn:${Partition}:ssm:${Region}::parameter/aws/${ParameterName}",
    ),
    (
        "arn:${Partition}:securityhub:${Region}:${Account}:product/",
        "arn:${Partition}:securityhub:${Region}::product/${Company}/${ProductId}",
    ),
];

/// What ARNs of AWS's own resources of this type look like.
fn owned_by_aws(kind: ResourceType) -> impl Iterator<Item = &'static str> {
    let is = move |start: &str| kind.arn_formats().any(|f| f.starts_with(start));
    OWNED_BY_AWS
        .iter()
        .filter(move |(start, _)| is(start))
        .map(|(_, format)| *format)
}

/// The types whose ARNs name this service; `None` where no ARN does. The prefixes of actions are there too, without types.
pub fn types_of(service: &str) -> Option<&'static [ResourceType]> {
    static SERVICES: OnceLock<BTreeMap<&'static str, Vec<ResourceType>>> = OnceLock::new();
    let services = SERVICES.get_or_init(|| {
        let mut out: BTreeMap<&'static str, Vec<ResourceType>> = BTreeMap::new();
        for service in catalogue().services() {
            out.entry(service.prefix()).or_default();
            for kind in service.resource_types() {
                for name in kind.arn_formats().filter_map(|f| f.split(':').nth(2)) {
                    let types = out.entry(name).or_default();
                    if types.last() != Some(&kind) {
                        types.push(kind);
                    }
                }
            }
        }
        out
    });
    services.get(service).map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::super::pattern::tests::text;
    use super::*;

    #[test]
    fn fitting_the_formats_of_the_catalogue() {
        use Truth::{No, Unknown as Maybe, Yes};
        let bucket = "arn:${Partition}:s3:::${BucketName}";
        let object = "arn:${Partition}:s3:::${BucketName}/${ObjectName}";
        let stream = "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}:log-stream:${LogStreamName}";
        let group = "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}";
        let user = "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}";
        for (arn, format, expected) in [
            ("arn:aws:s3:::b", bucket, Yes),
            ("arn:aws:s3:::b/*", bucket, No),
            ("arn:aws:s3:::b*", bucket, Yes),
            ("arn:aws:s3:::b", object, No),
            ("arn:aws:s3:::b*", object, Yes),
            ("arn:aws:s3:::b/x/y", object, Yes),
            ("arn:aws:S3:::b/x", object, No),
            ("*", object, Yes),
            ("‹v›/*", object, Maybe),
            ("‹v›/*", bucket, No),
            ("‹v›", bucket, Maybe),
            ("arn:aws:s3:::‹v›", bucket, Yes),
            ("arn:aws:s3:::‹v›", object, Maybe),
            ("arn:aws:logs:*:*:*", stream, Yes),
            ("arn:aws:logs:us-east-1:‹account›:log-group:g", stream, No),
            ("arn:aws:logs:us-east-1:‹account›:log-group:g:*", stream, Yes),
            ("arn:aws:logs:us-east-1:123456789012:log-group:/aws/x:*", group, Yes),
            ("arn:aws:iam::‹account›:user/${aws:username}", user, Yes),
            ("arn:aws:iam::123456789012:role/x", user, No),
            ("arn:‹partition›:iam::‹account›:user/a/b", user, Yes),
        ] {
            let pattern = Pattern::resource(&text(arn));
            assert_eq!(
                ArnFormat::new(format).matches(&pattern),
                expected,
                "{arn} fits {format}"
            );
        }
    }
}
