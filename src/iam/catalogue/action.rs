//! Services, actions, resource types and condition keys.

use std::fmt;
use std::ops::Range;

use super::layout::{
    Action as Column, CALLED_PERMISSIONS, GONE, Key as KeyColumn, REQUIRED, Service as ServiceColumn,
    Type as TypeColumn, WordRange, name_hash,
};
use super::{Catalogue, compare, store, tables};
use crate::terms::AccessLevel;

/// A service, by its IAM prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Service(u32);

impl Service {
    /// `s3`, `execute-api`.
    pub fn prefix(self) -> &'static str {
        store::text(self.0, ServiceColumn::Prefix)
    }

    pub(in crate::iam) fn action_range(self) -> Range<u32> {
        range(self.0, ServiceColumn::FirstAction, ServiceColumn::Actions)
    }

    /// Every action, retired ones too, in the order of their names.
    pub fn actions(self) -> impl Iterator<Item = Action> {
        self.action_range().map(Action)
    }

    pub fn resource_types(self) -> impl Iterator<Item = ResourceType> {
        range(self.0, ServiceColumn::FirstType, ServiceColumn::Types).map(|row| ResourceType { row, required: false })
    }

    /// Every key that some action or resource type of the service takes, global ones (`aws:…`) included.
    pub fn condition_keys(self) -> impl Iterator<Item = ConditionKey> {
        self.key_range().map(ConditionKey)
    }

    /// The key with this name. Keys with a free part (`s3:ExistingObjectTag/<key>`, `aws:ResourceTag/${TagKey}`) are found
    /// by any text in its place.
    pub fn condition_key(self, name: &str) -> Option<ConditionKey> {
        store::search(self.key_range(), KeyColumn::Name, |key| compare(key, name))
            .map(ConditionKey)
            .or_else(|| self.condition_keys().find(|k| k.matches(name)))
    }

    /// Some action or resource type takes `aws:ResourceTag`: tags on resources can be a condition here.
    fn supports_resource_tags(self) -> bool {
        self.condition_key("aws:ResourceTag/${TagKey}").is_some()
    }

    /// Every action of it is retired.
    pub fn is_retired(self) -> bool {
        self.actions().all(Action::is_retired)
    }

    fn key_range(self) -> Range<u32> {
        range(self.0, ServiceColumn::FirstKey, ServiceColumn::Keys)
    }
}

fn range(row: u32, first: ServiceColumn, count: ServiceColumn) -> Range<u32> {
    let start = store::cell(row, first);
    start..start + store::cell(row, count)
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix())
    }
}

/// An action's number in the catalogue: its place in the order of the names. Good within one build only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(pub(in crate::iam) u16);

impl ActionId {
    pub fn action(self) -> Action {
        Action(u32::from(self.0))
    }
}

/// An action.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action(pub(in crate::iam) u32);

impl Action {
    pub fn id(self) -> ActionId {
        ActionId(u16::try_from(self.0).expect("the packer refuses more actions"))
    }

    /// In AWS's own case, with the prefix: `s3:GetObject`.
    pub fn name(self) -> &'static str {
        store::text(self.0, Column::Name)
    }

    /// Without the prefix: `GetObject`.
    pub fn short_name(self) -> &'static str {
        let name = self.name();
        memchr::memchr(b':', name.as_bytes()).map_or("", |colon| &name[colon + 1..])
    }

    pub fn service(self) -> Service {
        Service(store::cell(self.0, Column::Service))
    }

    pub fn level(self) -> AccessLevel {
        AccessLevel::from_code(self.flags() & 7)
    }

    /// The further class of an action that AWS puts in two: `Tagging, Write`.
    pub fn second_level(self) -> Option<AccessLevel> {
        (self.flags() >> 4 & 7).checked_sub(1).map(AccessLevel::from_code)
    }

    /// AWS calls it a write action, reviewers call it permissions management: `iam:PassRole`, `iam:CreateAccessKey`.
    pub fn called_permissions_management(self) -> bool {
        self.flags() & CALLED_PERMISSIONS != 0
    }

    /// The resource types it can be scoped to. None: only `*` is valid.
    pub fn resource_types(self) -> impl ExactSizeIterator<Item = ResourceType> {
        store::list(self.0, Column::Types).map(|item| ResourceType {
            row: item & !REQUIRED,
            required: item & REQUIRED != 0,
        })
    }

    /// Takes `*` only, for certain: no parameter of its request names a resource, so that AWS has no ARN to check it against, or
    /// AWS says so outside its reference.
    pub fn certainly_star_only(self) -> bool {
        tables::has("star-only", self.name())
    }

    /// The action's own keys. Those of its resource types and the global keys that every action takes come in addition.
    pub fn condition_keys(self) -> impl ExactSizeIterator<Item = ConditionKey> {
        store::list(self.0, Column::Keys).map(ConditionKey)
    }

    /// Actions that are needed in addition, as AWS documents.
    pub fn dependent(self) -> impl ExactSizeIterator<Item = Self> {
        store::list(self.0, Column::Needs).map(Self)
    }

    /// Retired by AWS: the name is no longer in the reference.
    pub fn is_retired(self) -> bool {
        self.flags() & GONE != 0
    }

    /// Has a resource type, so a statement can name resources for it.
    pub fn scopable(self) -> bool {
        self.resource_types().len() > 0
    }

    /// The action or one of its resource types takes this key. The tags of a request are keys of the action alone: a type of
    /// resource lists them for the actions that create or tag it, and `ec2:DeleteVolume` sends none. Service Authorization
    /// Reference, "Actions, resources, and condition keys for Amazon EC2".
    pub fn supports_key(self, name: &str) -> bool {
        let prefix = |p: &str| name.get(..p.len()).is_some_and(|n| n.eq_ignore_ascii_case(p));
        let of_request = prefix("aws:RequestTag/") || name.eq_ignore_ascii_case("aws:TagKeys");
        self.condition_keys().any(|k| k.matches(name))
            || !(of_request && self.condition_keys().len() > 0)
                && self
                    .resource_types()
                    .any(|t| t.condition_keys().any(|k| k.matches(name)))
    }

    /// Its requests may have a tag of the resource: it takes the key, or the reference has a gap, since it is on a type that
    /// actions for tagging are on, in a service that supports tags of other types.
    pub fn may_see_tag(self, key: &str) -> bool {
        let tags = |a: &Self| a.level() == AccessLevel::Tagging || a.second_level() == Some(AccessLevel::Tagging);
        let is_tagged = |kind: &str| {
            let tagging = self.service().actions().filter(tags);
            tagging.flat_map(Self::resource_types).any(|t| t.name() == kind)
        };
        self.supports_key(key)
            || self.service().supports_resource_tags() && self.resource_types().any(|t| is_tagged(t.name()))
    }

    /// How many actions are graver: what reviewers fear most comes first (`rules/facts/hand/notable-actions.txt`), then
    /// permissions management before writes before reads, and what destroys before what makes.
    pub fn severity_rank(self) -> u32 {
        store::at(WordRange::Gravity, self.0 as usize)
    }

    fn flags(self) -> u32 {
        store::cell(self.0, Column::Flags)
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A resource type of a service; of an action, when it came from [`Action::resource_types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceType {
    row: u32,
    /// AWS marks it as required for the action: a statement must name such a resource (or `*`).
    pub required: bool,
}

impl ResourceType {
    /// Its place in the catalogue.
    pub fn number(self) -> usize {
        self.row as usize
    }

    /// `bucket`, `stream group`.
    pub fn name(self) -> &'static str {
        store::text(self.row, TypeColumn::Name)
    }

    /// `arn:${Partition}:s3:::${BucketName}`. The first one, of the types that have several.
    pub fn arn_format(self) -> &'static str {
        self.arn_formats().next().unwrap_or("")
    }

    pub fn arn_formats(self) -> impl ExactSizeIterator<Item = &'static str> {
        store::texts(self.row, TypeColumn::Arns)
    }

    pub fn condition_keys(self) -> impl ExactSizeIterator<Item = ConditionKey> {
        store::list(self.row, TypeColumn::Keys).map(ConditionKey)
    }
}

/// A condition key as a service documents it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ConditionKey(u32);

impl ConditionKey {
    /// `s3:prefix`, `aws:ResourceTag/${TagKey}`.
    pub fn name(self) -> &'static str {
        store::text(self.0, KeyColumn::Name)
    }

    /// AWS's word: `String`, `ARN`, `Bool`, `Numeric`, `Date`, `IPAddress`, or one of these after `ArrayOf`.
    pub fn type_name(self) -> &'static str {
        store::text(self.0, KeyColumn::Type)
    }

    /// Several values in one request.
    pub fn is_multivalued(self) -> bool {
        self.type_name().starts_with("ArrayOf")
    }

    /// `name` is this key, in any case, with any text for its free part.
    pub fn matches(self, name: &str) -> bool {
        free_part_matches(self.name(), name)
    }
}

impl fmt::Debug for ConditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.type_name())
    }
}

/// Whether `name` is `key`, in any case, where `<…>`, `${…}` and the tag's key of `ssm:resourceTag/tag-key` and
/// `glacier:ResourceTag/` stand for some text.
pub(super) fn free_part_matches(key: &str, name: &str) -> bool {
    let tag = || {
        key.strip_suffix("tag-key")
            .unwrap_or(key)
            .ends_with("Tag/")
            .then(|| key.rfind('/').map_or(0, |i| i + 1))
    };
    let Some(open) = memchr::memchr2(b'<', b'$', key.as_bytes()).or_else(tag) else {
        return key.eq_ignore_ascii_case(name);
    };
    let close = key
        .get(open..)
        .and_then(|rest| memchr::memchr2(b'>', b'}', rest.as_bytes()))
        .map_or(key.len(), |i| open + i + 1);
    let (head, tail) = (key.get(..open).unwrap_or(""), key.get(close..).unwrap_or(""));
    name.len() > head.len() + tail.len()
        && name.get(..head.len()).is_some_and(|n| n.eq_ignore_ascii_case(head))
        && name
            .get(name.len() - tail.len()..)
            .is_some_and(|n| n.eq_ignore_ascii_case(tail))
}

impl Catalogue {
    pub fn services(&self) -> impl ExactSizeIterator<Item = Service> + use<> {
        (0..store::rows::<ServiceColumn>()).map(Service)
    }

    /// The service with this prefix, in any case.
    pub fn service(&self, prefix: &str) -> Option<Service> {
        let rows = 0..store::rows::<ServiceColumn>();
        let lower = |s: &'static str| s.bytes().chain(*b":");
        let wanted = || prefix.bytes().map(|b| b.to_ascii_lowercase()).chain(*b":");
        store::search(rows, ServiceColumn::Prefix, |key| lower(key).cmp(wanted())).map(Service)
    }

    /// Every action, retired ones too.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = Action> + use<> {
        (0..store::rows::<Column>()).map(Action)
    }

    /// How many resource types there are, of all services.
    pub(in crate::iam) fn resource_type_count(&self) -> usize {
        store::rows::<TypeColumn>() as usize
    }

    /// The action with this name (`s3:GetObject`), in any case; retired ones too.
    pub fn action(&self, name: &str) -> Option<Action> {
        let mask = store::len(WordRange::ActionIndex) - 1;
        let mut places = name_hash(name)..;
        places.find_map(|place| {
            let row = store::at(WordRange::ActionIndex, place & mask).checked_sub(1);
            match row.map(Action) {
                Some(action) => action.name().eq_ignore_ascii_case(name).then_some(Some(action)),
                None => Some(None),
            }
        })?
    }

    /// The actions whose names begin with `prefix` in any case, as a range of rows.
    pub(in crate::iam) fn actions_with_prefix(&self, prefix: &str) -> Range<u32> {
        let head = |key: &'static str| {
            let take = prefix.len().min(key.len());
            key.bytes()
                .take(take)
                .map(|b| b.to_ascii_lowercase())
                .cmp(prefix.bytes().map(|b| b.to_ascii_lowercase()))
        };
        let rows = store::rows::<Column>();
        let start = store::lower_bound(0..rows, Column::Name, |key| head(key).is_lt());
        let end = store::lower_bound(start..rows, Column::Name, |key| head(key).is_le());
        start..end
    }
}
