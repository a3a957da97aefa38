//! What a rule file's examples say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::options::OptionValues;
use crate::terms::PolicyKind;

/// A rule's proof: what it reports, and what it leaves alone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Examples {
    pub bad: Vec<RuleExample>,
    pub good: Vec<RuleExample>,
}

/// Files, or a bare policy that is wrapped into every format. `«…»` marks a primary span, `‹…›` a secondary.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct RuleExample {
    pub title: String,
    pub files: BTreeMap<String, String>,
    pub policy: Option<String>,
    pub kind: Option<PolicyKind>,
    pub service: Option<String>,
    /// A good example that is almost bad.
    pub near: bool,
    /// The same example, corrected: what `explain` shows as "Use instead".
    pub fixed: Option<Fixed>,
    /// What the user's configuration says is theirs.
    pub own: OwnTable,
    /// What it gives for the rule's options.
    #[cfg_attr(rule_schema, schemars(skip))]
    pub options: OptionValues,
}

/// A bad example, corrected.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[cfg_attr(rule_schema, schemars(untagged))]
pub enum Fixed {
    /// Of a bare policy: the whole policy.
    Policy(String),
    /// Of files: those that change, with their whole text.
    Files(BTreeMap<String, String>),
}

impl RuleExample {
    /// The example with its correction in place, without marks to expect.
    #[must_use]
    pub fn corrected(&self) -> Option<Self> {
        let mut corrected = Self {
            fixed: None,
            title: format!("{}, fixed", self.title),
            ..self.clone()
        };
        match self.fixed.as_ref()? {
            Fixed::Policy(text) => corrected.policy = Some(text.clone()),
            Fixed::Files(files) => corrected.files.extend(files.clone()),
        }
        // Files that stay as they are have marks, and nothing is to be reported in them.
        for text in corrected.files.values_mut() {
            text.retain(|c| !['«', '»', '‹', '›'].contains(&c));
        }
        Some(corrected)
    }
}

/// The `[own]` table, for examples that depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct OwnTable {
    pub accounts: BTreeMap<String, String>,
    pub organization: Option<String>,
    pub github: Vec<String>,
    pub trusted_accounts: BTreeMap<String, String>,
}
