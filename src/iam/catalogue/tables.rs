//! The small tables: global condition keys, regions, partitions, service principals, names that are no actions.

use std::ops::Range;
use std::sync::OnceLock;

use super::action::free_part_matches;
use super::layout::{ApiName, Fact};
use super::{Action, Catalogue, compare, store};

/// When a request has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPresence {
    /// In every request.
    Always,
    /// In every request that is not anonymous.
    Signed,
    /// Only then: "calls through a VPC endpoint".
    Only(&'static str),
}

/// A condition key that is not one service's (IAM User Guide, "AWS global condition context keys").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalKey {
    /// `aws:SourceArn`, `aws:PrincipalTag/${TagKey}`.
    pub name: &'static str,
    /// `String`, `ARN`, `Bool`, `Numeric`, `Date` or `IPAddress`.
    pub type_name: &'static str,
    /// Several values in one request: needs `ForAnyValue` or `ForAllValues`.
    pub multivalued: bool,
    pub presence: KeyPresence,
    /// The caller chooses the value.
    pub spoofable: bool,
}

/// A region of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// `eu-west-1`.
    pub name: &'static str,
    /// `aws`, `aws-cn`.
    pub partition: &'static str,
    /// `Europe (Ireland)`.
    pub title: &'static str,
}

/// The rows of one kind of hand-kept fact.
fn kind(kind: &str) -> Range<u32> {
    let rows = store::rows::<Fact>();
    let start = store::lower_bound(0..rows, Fact::Kind, |k| k < kind);
    let end = store::lower_bound(start..rows, Fact::Kind, |k| k <= kind);
    start..end
}

fn find(kind_name: &str, key: &str) -> Option<u32> {
    store::search(kind(kind_name), Fact::Key, |k| compare(k, key))
}

fn field(row: u32, index: usize) -> &'static str {
    store::texts(row, Fact::Values).nth(index).unwrap_or("")
}

/// Whether there is a row with this key.
pub(in crate::iam) fn has(kind: &str, key: &str) -> bool {
    find(kind, key).is_some()
}

/// The actions in the second field of a row.
pub(in crate::iam) fn actions_of(kind: &str, key: &str) -> Option<Vec<&'static str>> {
    let row = find(kind, key)?;
    Some(field(row, 1).split(", ").collect())
}

/// The fields of the row with this key, the key first.
pub(in crate::iam) fn row_of(kind: &str, key: &str) -> Option<Vec<&'static str>> {
    find(kind, key).map(|row| store::texts(row, Fact::Values).collect())
}

/// The fields of a kind's rows.
pub(in crate::iam) fn fields(name: &str) -> impl Iterator<Item = Vec<&'static str>> + use<> {
    kind(name).map(|row| store::texts(row, Fact::Values).collect())
}

/// The first fields of a kind's rows.
pub(in crate::iam) fn keys(name: &str) -> impl Iterator<Item = &'static str> + use<> {
    kind(name).map(|row| field(row, 0))
}

fn global_key(row: u32) -> GlobalKey {
    GlobalKey {
        name: field(row, 0),
        type_name: field(row, 1),
        multivalued: field(row, 2) == "many",
        presence: match field(row, 3) {
            "always" => KeyPresence::Always,
            "signed" => KeyPresence::Signed,
            only => KeyPresence::Only(only),
        },
        spoofable: field(row, 4) == "spoofable",
    }
}

/// Sorted by name in lower case.
fn global_keys() -> &'static [GlobalKey] {
    static KEYS: OnceLock<Vec<GlobalKey>> = OnceLock::new();
    KEYS.get_or_init(|| kind("global-condition-keys").map(global_key).collect())
}

fn region(row: u32) -> Region {
    Region {
        name: field(row, 0),
        partition: field(row, 1),
        title: field(row, 2),
    }
}

impl Catalogue {
    /// The global key with this name, in any case; `aws:PrincipalTag/team` finds `aws:PrincipalTag/${TagKey}`.
    pub fn global_condition_key(&self, name: &str) -> Option<GlobalKey> {
        let keys = global_keys();
        let found = keys.binary_search_by(|k| compare(k.name, name));
        // Only a name with a free part is worth the walk.
        let other = || {
            name.contains('/')
                .then(|| keys.iter().find(|k| free_part_matches(k.name, name)))
        };
        found.ok().map(|i| &keys[i]).or_else(|| other()?).copied()
    }

    pub fn global_condition_keys(&self) -> impl Iterator<Item = GlobalKey> + use<> {
        global_keys().iter().copied()
    }

    pub fn region(&self, name: &str) -> Option<Region> {
        find("regions", name).map(region)
    }

    /// `aws`, `aws-cn`, `aws-us-gov` …: what may stand second in an ARN.
    pub fn is_partition(&self, name: &str) -> bool {
        kind("partitions").any(|row| field(row, 0) == name)
    }

    #[cfg(any(test, feature = "internals"))]
    pub fn partitions(&self) -> impl Iterator<Item = &'static str> + use<> {
        kind("partitions").map(|row| field(row, 0))
    }

    /// A service principal that is known to exist, also in its regional form (`logs.eu-west-1.amazonaws.com`) and in a
    /// partition's (`ec2.amazonaws.com.cn`). AWS publishes no complete list, so `false` proves nothing.
    pub fn is_service_principal(&self, name: &str) -> bool {
        if find("service-principals", name).is_some() {
            return true;
        }
        let global = kind("partitions")
            .map(|row| field(row, 1))
            .filter(|suffix| *suffix != "amazonaws.com")
            .find_map(|suffix| name.strip_suffix(suffix)?.strip_suffix('.'))
            .or_else(|| name.strip_suffix(".amazonaws.com"));
        let Some(service) = global else { return false };
        let service = match service.rsplit_once('.') {
            Some((service, last)) if self.region(last).is_some() => service,
            _ => service,
        };
        find("service-principals", &format!("{service}.amazonaws.com")).is_some()
    }

    pub fn service_principals(&self) -> impl Iterator<Item = &'static str> + use<> {
        kind("service-principals").map(|row| field(row, 0))
    }

    /// The actions that are meant by a name that is no action but looks like one: the API operation `s3:ListObjectsV2`
    /// is allowed by the action `s3:ListBucket`.
    pub fn api_name(&self, name: &str) -> Option<Vec<Action>> {
        let row = store::search(0..store::rows::<ApiName>(), ApiName::Name, |key| compare(key, name))?;
        Some(store::list(row, ApiName::Actions).map(Action).collect())
    }

    /// The day the catalogue of actions was taken: `2026-10-27`.
    pub fn data_date(&self) -> &'static str {
        find("sources", "catalogue").map_or("", |row| field(row, 1))
    }
}
