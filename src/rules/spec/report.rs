//! `report:`: what a rule says of what it found.

use serde::{Deserialize, Serialize};

use super::matcher::{ItemTest, StatementTest};
use crate::grade::{Confidence, Severity};

/// What is said when the match holds: one finding for each item that `at` names.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReportSpec {
    /// The capture whose place is the primary label.
    pub at: String,
    #[serde(default)]
    pub label: String,
    #[serde(default)]
    pub also: Vec<Also>,
    pub message: String,
    #[serde(default)]
    pub notes: Vec<String>,
    #[serde(default)]
    pub adjust: Vec<Adjust>,
    /// What a narrowing condition does to an Allow statement's finding.
    #[serde(default)]
    pub narrowed: Narrowed,
    /// Only the first thing that `at` names.
    #[serde(default)]
    pub first: bool,
    /// In place of the rule's own.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// In place of the rule's own.
    #[serde(default)]
    pub confidence: Option<Confidence>,
    /// In place of the rule's `do`.
    #[serde(default)]
    pub help: Option<String>,
    /// What tells findings of the rule apart; without it, every action, resource, and principal that took part.
    #[serde(default)]
    pub evidence: Option<DeclaredEvidence>,
    #[serde(default)]
    pub fix: Option<DeclaredFix>,
}

/// Texts by the kind of evidence.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DeclaredEvidence {
    /// Captures of actions.
    pub actions: Vec<String>,
    pub resources: Vec<String>,
    pub principals: Vec<String>,
    /// Texts, with captures in braces.
    pub other: Vec<String>,
}

/// A fix: one change at one capture. It is offered where the capture is written out where it is used.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DeclaredFix {
    pub title: String,
    /// It never removes a permission that is in use and never changes meaning.
    pub safe: bool,
    /// The capture that changes; without it, what `at` names.
    pub at: Option<String>,
    /// The text that takes its place.
    pub write: Option<String>,
    /// It goes, with its comma and its line.
    pub remove: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Also {
    pub at: String,
    pub label: String,
}

/// Another severity for some statements; the last that holds wins.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Adjust {
    #[serde(default)]
    pub when: StatementTest,
    /// About the one item that is reported.
    #[serde(default)]
    pub item: Option<Box<ItemTest>>,
    pub severity: Severity,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Narrowed {
    /// One step down.
    #[default]
    Lower,
    Keep,
}
