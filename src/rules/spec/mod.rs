//! What a rule file says. The build script compiles this file too.
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
    pub id: String,
    pub title: String,
    pub severity: Severity,
    pub confidence: Confidence,
    #[serde(default)]
    pub profile: Profile,
    pub since: String,
    #[serde(default)]
    pub cwe: Vec<u32>,
    #[serde(default)]
    pub refs: Vec<String>,
    #[serde(default)]
    pub peers: Vec<String>,
    #[serde(default)]
    pub supersedes: Vec<String>,
    #[serde(default)]
    pub same_token: Vec<String>,
    #[serde(default)]
    pub one_per: Option<OnePer>,
    #[serde(default)]
    pub fix: Option<FixKind>,
    #[serde(default)]
    pub absence: bool,
    #[serde(default)]
    pub closed: bool,
    /// Names that the rule had before: settings, ignores, and baselines that hold one are followed to this rule.
    #[serde(default)]
    pub renamed_from: Vec<String>,
    /// New and not yet in any profile: it runs where it is selected by its name.
    #[serde(default)]
    pub preview: bool,
    /// On its way out; the text says what to use instead.
    #[serde(default)]
    pub deprecated: Option<String>,
    pub why: String,
    #[serde(rename = "do")]
    pub remedy: String,
    /// Of a check in code only.
    #[serde(default)]
    #[cfg_attr(rule_schema, schemars(skip))]
    pub options: Vec<OptionSpec>,
    /// A function in `src/checks`: of built-in rules only.
    #[serde(default)]
    #[cfg_attr(rule_schema, schemars(skip))]
    pub check: Option<String>,
    #[serde(default, rename = "match")]
    pub matcher: Option<Match>,
    #[serde(default)]
    pub report: Option<ReportSpec>,
    /// Several pairs of `match` and `report`, in place of one.
    #[serde(default)]
    pub cases: Vec<RuleCase>,
    pub examples: Examples,
}

/// What a rule's findings may offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FixKind {
    /// `overgrant fix` makes it.
    Safe,
    /// `overgrant fix --unsafe` makes it.
    Unsafe,
    /// As the case may be.
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

/// Of what a rule has one finding, whatever the number of places that it objects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnePer {
    /// The items of a list of one statement.
    Statement,
    /// The same, and their fixes are one fix.
    List,
    /// A value, such as an account ID or a key, that is written several times in one file.
    Value,
    /// All places of one file, and their fixes are one fix.
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

/// What a run needs of a rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleMetadata {
    pub id: String,
    /// The folder.
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
    /// It objects to something that is not there.
    pub absence: bool,
    /// It objects to something that another value of an input would change: see [`crate::rules::Rule::closed`].
    pub closed: bool,
    /// Names that the rule had before.
    pub renamed_from: Vec<String>,
    /// In no profile: it runs where it is selected by its name.
    pub preview: bool,
    /// On its way out, and what to use instead.
    pub deprecated: Option<String>,
    /// What to do instead: the rule file's `do`, on one line a paragraph.
    pub help: String,
    pub options: Vec<OptionSpec>,
    pub logic: Logic,
}

/// What `explain` and the tests need of a rule in addition to its [`RuleMetadata`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Docs {
    pub since: String,
    pub refs: Vec<String>,
    pub peers: Vec<String>,
    pub why: String,
    pub remedy: String,
    pub examples: Examples,
}

/// How a rule finds what it objects to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Logic {
    /// A function of `checks::table`.
    Check(String),
    /// In the order of the file; what an earlier case reports, a later one does not report again.
    Match(Vec<RuleCase>),
}

/// One way in which a rule finds what it objects to, and what it says then.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RuleCase {
    #[serde(rename = "match")]
    pub matcher: Match,
    pub report: ReportSpec,
}

/// Sets of rules: each holds the ones before it.
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
