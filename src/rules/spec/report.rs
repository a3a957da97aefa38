//! `report:`: what a rule reports.

use serde::{Deserialize, Serialize};

use super::matcher::{ItemTest, StatementTest};
use crate::grade::{Confidence, Severity};

/// The report of a match, with one finding for each item that `at` names.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReportSpec {
    /// The capture that is reported.
    pub at: String,
    /// The label of the reported capture, at most 60 characters.
    #[serde(default)]
    pub label: String,
    /// Labels of other captures.
    #[serde(default)]
    pub also: Vec<Also>,
    /// What is wrong, in lower case, at most 100 characters, with names in backticks.
    pub message: String,
    /// Why the defect matters here.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Other severities for some statements or items; the last one that matches applies.
    #[serde(default)]
    pub adjust: Vec<Adjust>,
    /// What happens to a finding about an Allow statement with a narrowing condition.
    #[serde(default)]
    pub narrowed: Narrowed,
    /// Reports only the first item that `at` names.
    #[serde(default)]
    pub first: bool,
    /// Replaces the rule's severity.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Replaces the rule's confidence.
    #[serde(default)]
    pub confidence: Option<Confidence>,
    /// Replaces the rule's `do`.
    #[serde(default)]
    pub help: Option<String>,
    /// What distinguishes the findings of the rule; the default is every action, resource, and principal in the match.
    #[serde(default)]
    pub evidence: Option<DeclaredEvidence>,
    /// The fix that the finding offers.
    #[serde(default)]
    pub fix: Option<DeclaredFix>,
}

/// The evidence that distinguishes the findings of a rule.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DeclaredEvidence {
    /// Captures of actions.
    pub actions: Vec<String>,
    /// Captures of resources.
    pub resources: Vec<String>,
    /// Captures of principals.
    pub principals: Vec<String>,
    /// Texts, with captures in braces.
    pub other: Vec<String>,
}

/// A change of one capture, offered only where the capture is written literally.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DeclaredFix {
    /// What the fix does.
    pub title: String,
    /// The fix never changes meaning and never removes a permission that is in use.
    pub safe: bool,
    /// The capture that changes; the default is the `at` of the report.
    pub at: Option<String>,
    /// The text that replaces the capture.
    pub write: Option<String>,
    /// A text to put after the capture, as a further item of the list.
    pub add: Option<String>,
    /// Removes the capture with its comma and its line.
    pub remove: bool,
    /// What the fix is for may be access that the policy does not grant yet, such as a corrected name.
    pub grants: bool,
}

/// A label of another capture.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Also {
    /// The capture that is labeled.
    pub at: String,
    /// The text of the label, at most 60 characters.
    pub label: String,
}

/// Another severity for some statements or items.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Adjust {
    /// Tests of the statement.
    #[serde(default)]
    pub when: StatementTest,
    /// Tests of the item that is reported.
    #[serde(default)]
    pub item: Option<Box<ItemTest>>,
    /// The severity if the tests hold.
    pub severity: Severity,
}

/// What a narrowing condition does to the severity of a finding about an Allow statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Narrowed {
    /// Lowers the severity by one step.
    #[default]
    Lower,
    /// Keeps the severity.
    Keep,
}
