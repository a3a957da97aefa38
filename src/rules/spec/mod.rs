//! The content of a rule file. The build script compiles this file too.
//!
//! **Invariant:** these types are read from YAML with their short forms and from the compiled blob without; both give the
//! same values. They know nothing of how a test is answered (`eval`).

mod example;
mod matcher;
mod report;
#[cfg(rule_schema)]
pub(crate) mod schema;
mod short;

use serde::{Deserialize, Serialize};

#[allow(unused_imports, reason = "the build script uses only some")]
pub use example::{Examples, Fixed, OwnTable, RuleExample};
#[allow(unused_imports, reason = "the build script uses only some")]
pub use matcher::{
    Account, AttachmentTest, CallTest, ClauseTest, ConditionTest, ConditionsTest, DefectName, DefectTest, DocumentTest,
    IdentityTest, ItemTest, LineTest, Match, PrincipalIdentity, ResourceTest, SetName, StatementTest, StatementsTest,
    ValueTest,
};
#[allow(unused_imports, reason = "the build script uses only some")]
pub use report::{Adjust, Also, DeclaredEvidence, DeclaredFix, Narrowed, ReportSpec};
pub use short::Many;

use super::options::OptionSpec;
use crate::grade::{Confidence, Severity};

/// A rule file as written.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleFile {
    /// The rule's ID: the name of the file, with a prefix for your own rules.
    pub id: String,
    /// A noun phrase that names the defect, at most 80 characters, in lower case.
    pub title: String,
    /// The severity of the findings.
    pub severity: Severity,
    /// How likely it is that a finding is correct.
    pub confidence: Confidence,
    /// The smallest profile that includes the rule.
    #[serde(default)]
    pub profile: Profile,
    /// The first version that has the rule.
    pub since: String,
    /// CWE numbers of the weakness.
    #[serde(default)]
    pub cwe: Vec<u32>,
    /// Addresses of the documentation that the rule is based on.
    #[serde(default)]
    pub refs: Vec<String>,
    /// Rules of other tools for the same defect, each with the name of the tool.
    #[serde(default)]
    pub peers: Vec<String>,
    /// Rules whose findings about the same thing are merged into the finding of this rule.
    #[serde(default)]
    pub supersedes: Vec<String>,
    /// Rules whose findings about the same token are merged into the finding of this rule.
    #[serde(default)]
    pub same_token: Vec<String>,
    /// Merges the findings of one statement, list, value, or file into one finding.
    #[serde(default)]
    pub one_per: Option<OnePer>,
    /// The kind of fix that findings offer.
    #[serde(default)]
    pub fix: Option<FixKind>,
    /// Why no fix is offered, in one sentence.
    #[serde(default)]
    pub no_fix: Option<String>,
    /// The rule reports something that is missing; it is silent if a broken file may contain it.
    #[serde(default)]
    pub absence: bool,
    /// The defect depends on an input: at its default value the severity is low and no fix is safe.
    #[serde(default)]
    pub closed: bool,
    /// Earlier IDs of the rule, which settings, suppressions, and baselines may still use.
    #[serde(default)]
    pub renamed_from: Vec<String>,
    /// The rule is new and in no profile; it runs only if it is selected by ID.
    #[serde(default)]
    pub preview: bool,
    /// The rule will be removed; the text says what to use instead.
    #[serde(default)]
    pub deprecated: Option<String>,
    /// Why the defect matters, in at least two sentences.
    pub why: String,
    /// What to do instead; this is the help of the finding.
    #[serde(rename = "do")]
    pub remedy: String,
    /// Options of a check in code.
    #[serde(default)]
    #[cfg_attr(rule_schema, schemars(skip))]
    pub options: Vec<OptionSpec>,
    /// The function in `src/checks` that finds the defect, for built-in rules only.
    #[serde(default)]
    #[cfg_attr(rule_schema, schemars(skip))]
    pub check: Option<String>,
    /// What the rule matches.
    #[serde(default, rename = "match")]
    pub matcher: Option<Match>,
    /// What the rule reports.
    #[serde(default)]
    pub report: Option<ReportSpec>,
    /// Several pairs of `match` and `report`, in place of one.
    #[serde(default)]
    pub cases: Vec<RuleCase>,
    /// Examples that prove the rule.
    pub examples: Examples,
}

/// The kind of fix that the findings of a rule offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FixKind {
    /// `overgrant fix` applies it.
    Safe,
    /// `overgrant fix --unsafe` applies it.
    Unsafe,
    /// Some fixes are safe, others unsafe.
    Both,
}

impl FixKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
            Self::Both => "both",
        }
    }
}

/// Which findings of a rule are merged into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnePer {
    /// The items of one statement.
    Statement,
    /// The items of one list, with one fix for all.
    List,
    /// All places in one file where the same value, such as an account ID, is written.
    Value,
    /// All places in one file, with one fix for all.
    File,
}

impl OnePer {
    pub fn name(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::List => "list",
            Self::Value => "value",
            Self::File => "file",
        }
    }
}

/// What a run needs to know about a rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleMetadata {
    pub id: String,
    /// The folder of the rule file.
    pub family: String,
    pub title: String,
    pub severity: Severity,
    pub confidence: Confidence,
    pub profile: Profile,
    pub cwe: Vec<u32>,
    pub supersedes: Vec<String>,
    pub same_token: Vec<String>,
    pub one_per: Option<OnePer>,
    pub fix: Option<FixKind>,
    /// Why there is no fix.
    pub no_fix: Option<String>,
    /// The rule reports something that is missing.
    pub absence: bool,
    /// The defect depends on the value of an input: see [`crate::rules::Rule::closed`].
    pub closed: bool,
    /// Earlier IDs of the rule.
    pub renamed_from: Vec<String>,
    /// The rule is in no profile and runs only if it is selected by ID.
    pub preview: bool,
    /// What to use instead, if the rule will be removed.
    pub deprecated: Option<String>,
    /// The rule file's `do`, with each paragraph on one line.
    pub help: String,
    pub options: Vec<OptionSpec>,
    pub logic: Logic,
}

/// What `explain` and the tests need in addition to [`RuleMetadata`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Docs {
    pub since: String,
    pub refs: Vec<String>,
    pub peers: Vec<String>,
    pub why: String,
    pub remedy: String,
    pub examples: Examples,
}

/// How a rule finds defects.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Logic {
    /// A function of `checks::table`.
    Check(String),
    /// Cases, in the order of the file; a later case does not repeat what an earlier one reported.
    Match(Vec<RuleCase>),
}

/// One of several pairs of `match` and `report`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RuleCase {
    /// What this case matches.
    #[serde(rename = "match")]
    pub matcher: Match,
    /// What this case reports.
    pub report: ReportSpec,
}

/// Sets of rules; each includes the ones before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    #[default]
    Default,
    Strict,
    Audit,
}

impl Profile {
    pub const ALL: [Self; 3] = [Self::Default, Self::Strict, Self::Audit];

    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Strict => "strict",
            Self::Audit => "audit",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::PolicyKind;

    #[test]
    fn short_forms_survive_the_blob() {
        let yaml = "{in: identity, effect: allow, action: {any: '*', as: a}, condition: {none: narrowing}}";
        let test: StatementTest = serde_yaml::from_str(yaml).unwrap();
        let blob = postcard::to_stdvec(&test).unwrap();
        let back: StatementTest = postcard::from_bytes(&blob).unwrap();
        assert_eq!(format!("{test:?}"), format!("{back:?}"));
        assert_eq!(*back.kinds, [PolicyKind::Identity]);
        assert_eq!(*back.action.unwrap().any.unwrap().is, ["*"]);
        assert_eq!(back.condition.unwrap().none.unwrap().narrowing, Some(true));
    }
}
