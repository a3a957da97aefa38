//! How single settings are written. Each type reads itself, so that a setting is a field of its type.

use std::collections::BTreeMap;
use std::ops::Range;

use ignore::gitignore::Gitignore;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Date;
use crate::finding::Severity;
use crate::iam::glob::{self, CaseSensitivity};
use crate::phrase;
pub use crate::ranged::{NonEmptyText, OneOrMany, RangedValue};
pub(super) use crate::ranged::{Shape, not_a_list, table};

/// The version of the layout of the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct SchemaVersion;

impl<'de> Deserialize<'de> for SchemaVersion {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match i64::deserialize(from)? {
            1 => Ok(Self),
            n => Err(D::Error::custom(format!("unknown schema {n}; this version supports 1"))),
        }
    }
}

/// A switch that is on unless it is turned off.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OnByDefault(pub bool);

impl Default for OnByDefault {
    fn default() -> Self {
        Self(true)
    }
}

/// What makes the exit code 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    Low,
    #[default]
    Medium,
    High,
    Critical,
    Never,
}

impl FailOn {
    /// The lowest severity that fails, if any does.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Low => Some(Severity::Low),
            Self::Medium => Some(Severity::Medium),
            Self::High => Some(Severity::High),
            Self::Critical => Some(Severity::Critical),
            Self::Never => None,
        }
    }
}

/// A rule name, a family, or a pattern with `*` or `?` over rule names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Selector {
    pub name: String,
    /// In the settings; `None` on the command line.
    #[serde(skip)]
    pub range: Option<Range<usize>>,
}

impl From<&str> for Selector {
    fn from(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            range: None,
        }
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let RangedValue { value: name, range } = RangedValue::deserialize(from)?;
        Ok(Self {
            name,
            range: Some(range),
        })
    }
}

impl Selector {
    /// Whether it covers rule `name` of `family`.
    pub fn covers(&self, family: &str, name: &str) -> bool {
        let s = self.name.as_str();
        s == name
            || s == family
            || s == "all"
            || (glob::is_pattern(s) && glob::matches(s, name, CaseSensitivity::Sensitive))
    }
}

/// A pattern in the manner of `.gitignore`, relative to a folder.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Glob {
    pub written: String,
    /// In the settings.
    #[serde(skip)]
    pub(super) range: Range<usize>,
    #[serde(skip)]
    matcher: Gitignore,
}

impl Glob {
    pub fn new(written: &str) -> Result<Self, String> {
        match crate::discover::patterns("", &[written.to_owned()]) {
            Ok(Some(matcher)) => Ok(Self {
                written: written.to_owned(),
                range: 0..0,
                matcher,
            }),
            Ok(None) => Err("empty pattern".to_owned()),
            Err(e) => Err(e.why),
        }
    }

    /// Whether it covers the file at the absolute path `file`, relative to the absolute folder `dir`.
    pub fn matches(&self, dir: &str, file: &str) -> bool {
        let rest = file.strip_prefix(dir.trim_end_matches('/'));
        rest.and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|inside| crate::discover::matches(&self.matcher, inside))
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let RangedValue { value: text, range } = RangedValue::<String>::deserialize(from)?;
        let wrong = |e| D::Error::custom(format!("cannot read the pattern `{text}`: {e}"));
        let glob = Self::new(&text).map_err(wrong)?;
        Ok(Self { range, ..glob })
    }
}

/// What the suppression comments of other tools begin with.
pub(crate) mod markers {
    pub(crate) const GITLEAKS: &str = "gitleaks:allow";
    pub(crate) const DETECT_SECRETS: &str = "pragma: allowlist secret";
    pub(crate) const CHECKOV: &str = "checkov:skip";
    pub(crate) const TRIVY: &str = "trivy:ignore";
    pub(crate) const BANDIT: &str = "nosec";
    pub(crate) const ALL: &[&str] = &[GITLEAKS, DETECT_SECRETS, BANDIT, CHECKOV, TRIVY];
}

/// One of the markers of other tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ForeignMarker(pub String);

impl<'de> Deserialize<'de> for ForeignMarker {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let marker = String::deserialize(from)?;
        if markers::ALL.contains(&&*marker) {
            return Ok(Self(marker));
        }
        let known = phrase::list(markers::ALL);
        Err(D::Error::custom(format!(
            "unknown marker `{marker}`; expected one of {known}"
        )))
    }
}

/// AWS accounts, id to name: `{ prod = "111122223333" }`, or a list of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts(pub BTreeMap<String, String>);

impl Serialize for Accounts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.keys())
    }
}

impl<'de> Deserialize<'de> for Accounts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let unnamed = |AccountId(id)| (id, String::new());
        match Shape::<AccountId, AccountId>::deserialize(from)? {
            Shape::Word(id) => {
                let id = AccountId::try_from(id).map_err(D::Error::custom)?;
                Ok(Self(BTreeMap::from([unnamed(id)])))
            }
            Shape::List(ids) => Ok(Self(ids.into_iter().map(unnamed).collect())),
            Shape::Table(named) => Ok(Self(named.into_iter().map(|(n, id)| (id.0, n.value)).collect())),
            _ => Err(not_a_list()),
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct AccountId(String);

impl TryFrom<String> for AccountId {
    type Error = String;

    fn try_from(id: String) -> Result<Self, String> {
        if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(id))
        } else {
            Err(format!("`{id}` is not a 12-digit account ID"))
        }
    }
}

/// A TOML date or a string `YYYY-MM-DD`.
impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(from)?;
        let date = match &value {
            toml::Value::Datetime(d) => d.date.and_then(|d| Self::new(d.year, d.month, d.day)),
            toml::Value::String(text) => Self::parse(text),
            _ => None,
        };
        let expected = || format!("expected a date, YYYY-MM-DD, found {}", value.type_str());
        date.ok_or_else(|| D::Error::custom(expected()))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_families_and_patterns_cover() {
        let covers = |s: &str| Selector::from(s).covers("trust", "trust-account-root");
        for s in ["trust", "trust-account-root", "trust-*", "*-root", "all"] {
            assert!(covers(s), "{s}");
        }
        for s in ["actions", "trust-account", "trust-?"] {
            assert!(!covers(s), "{s}");
        }
    }
}
