//! The examples of a rule file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::options::OptionValues;
use crate::terms::PolicyKind;

/// The examples that prove a rule.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Examples {
    /// Examples that are reported, at least two.
    pub bad: Vec<RuleExample>,
    /// Examples that are not reported, at least two, one of them a near miss.
    pub good: Vec<RuleExample>,
}

/// Files or a policy; `«…»` marks what is reported, `‹…›` what another label marks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct RuleExample {
    /// What is special about the example.
    pub title: String,
    /// Whole files, by name.
    pub files: BTreeMap<String, String>,
    /// A policy that is tested in every format.
    pub policy: Option<String>,
    /// The kind of policy that `policy` is.
    pub kind: Option<PolicyKind>,
    /// The service of a resource policy (IAM prefix).
    pub service: Option<String>,
    /// A good example that is almost bad.
    pub near: bool,
    /// The same example, corrected; `explain` shows it as "Use instead".
    pub fixed: Option<Fixed>,
    /// The `[own]` table of the configuration.
    pub own: OwnTable,
    /// Values of the rule's options.
    #[cfg_attr(rule_schema, schemars(skip))]
    pub options: OptionValues,
}

/// A corrected bad example.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[cfg_attr(rule_schema, schemars(untagged))]
pub enum Fixed {
    /// The corrected policy.
    Policy(String),
    /// The files that change, with their whole text.
    Files(BTreeMap<String, String>),
}

impl RuleExample {
    /// The example with its correction applied and without marks.
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

/// The `[own]` table of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct OwnTable {
    /// Your account IDs, each with a name.
    pub accounts: BTreeMap<String, String>,
    /// The ID of your organization.
    pub organization: Option<String>,
    /// Your GitHub organizations or repositories.
    pub github: Vec<String>,
    /// IDs of accounts that you trust, each with a name.
    pub trusted_accounts: BTreeMap<String, String>,
}
