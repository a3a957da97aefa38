//! What a rule file says. The build script compiles this file too.
//!
//! **Invariant:** these types are read from YAML with their short forms and from the compiled blob without; both give the
//! same values. They know nothing of how a test is answered (`eval`).

mod example;
mod short;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[allow(unused_imports, reason = "the build script uses only some")]
pub use example::{Examples, Fixed, OwnTable, RuleExample};
pub use short::Many;

use super::options::OptionSpec;
use crate::grade::{Confidence, Severity};

/// A rule file as written.
#[derive(Clone, Debug, Deserialize)]
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
    #[serde(default)]
    pub options: Vec<OptionSpec>,
    #[serde(default)]
    pub check: Option<String>,
    #[serde(default, rename = "match")]
    pub matcher: Option<Match>,
    #[serde(default)]
    pub report: Option<ReportSpec>,
    pub examples: Examples,
}

/// What a rule's findings may offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    Match(Box<Match>, Box<ReportSpec>),
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

/// What a document is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DocKind {
    Identity,
    Trust,
    Resource,
    Boundary,
    Session,
    Scp,
    Rcp,
}

impl DocKind {
    pub const ALL: [Self; 7] = [
        Self::Identity,
        Self::Trust,
        Self::Resource,
        Self::Boundary,
        Self::Session,
        Self::Scp,
        Self::Rcp,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Trust => "trust",
            Self::Resource => "resource",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::Scp => "scp",
            Self::Rcp => "rcp",
        }
    }

    pub fn has_principal(self) -> bool {
        matches!(self, Self::Trust | Self::Resource | Self::Rcp)
    }
}

/// `match:`: exactly one subject.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Match {
    pub document: Option<Box<DocumentTest>>,
    pub statement: Option<Box<StatementTest>>,
    /// A statement of a trust policy.
    pub trust: Option<Box<StatementTest>>,
    pub identity: Option<Box<IdentityTest>>,
    pub attachment: Option<Box<AttachmentTest>>,
    pub resource: Option<Box<ResourceTest>>,
    pub call: Option<Box<CallTest>>,
}

/// A policy document.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct DocumentTest {
    #[serde(rename = "in")]
    pub kinds: Many<DocKind>,
    pub service: Many<String>,
    pub version: Option<Box<ClauseTest>>,
    pub statement: Option<Box<StatementsTest>>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// The statements of one document.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatementsTest {
    pub any: Option<Box<StatementTest>>,
    pub all: Option<Box<StatementTest>>,
    pub none: Option<Box<StatementTest>>,
}

/// One statement. What is given must all hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct StatementTest {
    #[serde(rename = "in")]
    pub kinds: Many<DocKind>,
    /// IAM prefix of the service whose resource policy it is.
    pub service: Many<String>,
    pub effect: Option<EffectName>,
    pub sid: Option<Box<ClauseTest>>,
    pub action: Option<Box<ClauseTest>>,
    pub not_action: Option<Box<ClauseTest>>,
    pub resource: Option<Box<ClauseTest>>,
    pub not_resource: Option<Box<ClauseTest>>,
    pub principal: Option<Box<ClauseTest>>,
    pub not_principal: Option<Box<ClauseTest>>,
    pub condition: Option<Box<ConditionsTest>>,
    pub all: Vec<Self>,
    pub any: Vec<Self>,
    pub none: Vec<Self>,
    pub not: Option<Box<Self>>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectName {
    Allow,
    Deny,
}

/// An element with items. `as` names the items that made it true, `key` the element's key, `value` all of its value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClauseTest {
    pub present: Option<bool>,
    pub any: Option<Box<ItemTest>>,
    pub all: Option<Box<ItemTest>>,
    pub none: Option<Box<ItemTest>>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
    pub key: Option<String>,
    pub value: Option<String>,
}

/// One item: an action, a resource, a principal, a value. Several words of one test mean any of them, several tests all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ItemTest {
    pub is: Many<String>,
    pub glob: Many<String>,
    pub covers: Many<String>,
    pub covered_by: Many<String>,
    pub one_of: Many<String>,
    pub access_level: Many<AccessLevelName>,
    pub known: Option<bool>,
    pub wildcard: Option<bool>,
    pub granted: Option<bool>,
    pub one_operation: Option<bool>,
    pub mostly_granted: Option<bool>,
    pub partly_denied: Option<bool>,
    pub own_service: Option<bool>,
    pub whole_type: Option<bool>,
    pub service: Many<String>,
    pub account: Many<Account>,
    #[serde(rename = "type")]
    pub principal: Many<PrincipalName>,
    pub matches: Option<String>,
    pub all: Vec<Self>,
    pub any: Vec<Self>,
    pub none: Vec<Self>,
    pub not: Option<Box<Self>>,
}

/// AWS's access levels (Service Authorization Reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessLevelName {
    List,
    Read,
    Write,
    Tagging,
    PermissionsManagement,
}

/// Whose account an ARN or principal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Account {
    /// The one deployed to, or one that the configuration calls ours.
    Same,
    Other,
    /// `*`, or none.
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalName {
    Everyone,
    Aws,
    Service,
    Federated,
    CanonicalUser,
}

/// The condition block. The words `absent`, `present` and `narrowing` are short for the usual tests.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, default)]
pub struct ConditionsTest {
    pub present: Option<bool>,
    pub any: Option<Box<ConditionTest>>,
    pub all: Option<Box<ConditionTest>>,
    pub none: Option<Box<ConditionTest>>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
    pub key: Option<String>,
}

/// One line of the condition block. The word `narrowing` is short for `{narrowing: true}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, default)]
pub struct ConditionTest {
    pub operator: Option<Box<ItemTest>>,
    pub key: Option<Box<ItemTest>>,
    pub value: Option<Box<ClauseTest>>,
    /// It narrows who, from where or on what, rather than being decoration.
    pub narrowing: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityName {
    Role,
    User,
    Group,
    PermissionSet,
}

/// A role, user, group or permission set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct IdentityTest {
    pub kind: Many<IdentityName>,
    pub name: Option<Box<ClauseTest>>,
    /// Has a permissions boundary.
    pub boundary: Option<bool>,
    pub trust: Option<Box<StatementsTest>>,
    pub policy: Option<Box<ClauseTest>>,
    pub all: Vec<Self>,
    pub any: Vec<Self>,
    pub none: Vec<Self>,
    pub not: Option<Box<Self>>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// A policy put on an identity. The policy's item is AWS's own name for its managed policies, else the ARN or address.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct AttachmentTest {
    pub to: Many<IdentityName>,
    pub policy: Option<Box<ItemTest>>,
    pub aws_managed: Option<bool>,
    pub inline: Option<bool>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// A resource by its CloudFormation type and property names, whatever the format.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResourceTest {
    pub kind: Many<String>,
    /// Property path (`Environment.Variables`) to test.
    #[serde(rename = "where")]
    pub properties: BTreeMap<String, ValueTest>,
    pub all: Vec<Self>,
    pub any: Vec<Self>,
    pub none: Vec<Self>,
    pub not: Option<Box<Self>>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// A boto3 call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallTest {
    pub service: Many<String>,
    pub operation: Many<String>,
    #[serde(rename = "where")]
    pub arguments: BTreeMap<String, ValueTest>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// The value of a property. For a list, `is`, `one-of`, `glob` and `matches` ask for one item that fits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ValueTest {
    pub present: Option<bool>,
    pub truthy: Option<bool>,
    pub known: Option<bool>,
    pub is: Many<String>,
    pub one_of: Many<String>,
    pub glob: Many<String>,
    pub matches: Option<String>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// What is said when the match holds: one finding for each item that `at` names.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Also {
    pub at: String,
    pub label: String,
}

/// Another severity for some statements; the last that holds wins.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[serde(rename_all = "lowercase")]
pub enum Narrowed {
    /// One step down.
    #[default]
    Lower,
    Keep,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_survive_the_blob() {
        let yaml = "{in: identity, effect: allow, action: {any: '*', as: a}, condition: {none: narrowing}}";
        let test: StatementTest = serde_yaml::from_str(yaml).unwrap();
        let blob = postcard::to_stdvec(&test).unwrap();
        let back: StatementTest = postcard::from_bytes(&blob).unwrap();
        assert_eq!(format!("{test:?}"), format!("{back:?}"));
        assert_eq!(*back.kinds, [DocKind::Identity]);
        assert_eq!(*back.action.unwrap().any.unwrap().is, ["*"]);
        assert_eq!(back.condition.unwrap().none.unwrap().narrowing, Some(true));
    }
}
