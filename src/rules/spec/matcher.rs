//! `match:`: what a rule is about, and the tests of the language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::short::Many;
use crate::terms::{
    AccessLevel, Effect, IdentityKind, OperatorFamily, PolicyKind, PrincipalType, SourceFormat, TextForm,
};

/// `match:`: exactly one subject.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
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
    /// One line of a condition block.
    pub condition: Option<Box<LineTest>>,
    /// A deviation from the grammar of policies.
    pub defect: Option<Box<DefectTest>>,
}

/// A policy document.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct DocumentTest {
    #[serde(rename = "in")]
    pub kinds: Many<PolicyKind>,
    pub service: Many<String>,
    pub written: Option<bool>,
    /// It has one of these elements.
    pub has: Many<String>,
    /// It has none of these elements.
    pub lacks: Many<String>,
    pub version: Option<Box<ClauseTest>>,
    pub statement: Option<Box<StatementsTest>>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// The statements of one document.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct StatementsTest {
    pub any: Option<Box<StatementTest>>,
    pub all: Option<Box<StatementTest>>,
    pub none: Option<Box<StatementTest>>,
}

/// One statement. What is given must all hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct StatementTest {
    #[serde(rename = "in")]
    pub kinds: Many<PolicyKind>,
    /// IAM prefix of the service whose resource policy it is.
    pub service: Many<String>,
    pub effect: Option<Effect>,
    /// It stands in the repository, rather than in a policy of AWS or a template of SAM.
    pub written: Option<bool>,
    /// What the policy is used as is known, rather than likely.
    pub known_use: Option<bool>,
    /// Its principal is everyone, and no condition limits that.
    pub public: Option<bool>,
    /// It has one of these elements.
    pub has: Many<String>,
    /// It has none of these elements.
    pub lacks: Many<String>,
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
    /// Names the token that says Allow or Deny.
    pub effect_as: Option<String>,
}

/// An element with items. `as` names the items that made it true, `key` the element's key, `value` all of its value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
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
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(remote = "Self", deny_unknown_fields, default, rename_all = "kebab-case")]
#[cfg_attr(rule_schema, schemars(rename = "ItemTest", transform = super::schema::or_word))]
pub struct ItemTest {
    pub is: Many<String>,
    pub glob: Many<String>,
    pub covers: Many<String>,
    pub covered_by: Many<String>,
    pub one_of: Many<String>,
    pub access_level: Many<AccessLevel>,
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
    pub principal: Many<PrincipalType>,
    pub identity: Many<PrincipalIdentity>,
    pub form: Many<TextForm>,
    /// It has a policy variable, `${aws:username}`.
    pub variable: Option<bool>,
    pub matches: Option<String>,
    pub all: Vec<Self>,
    pub any: Vec<Self>,
    pub none: Vec<Self>,
    pub not: Option<Box<Self>>,
}

/// Whose account an ARN or principal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Account {
    /// The one deployed to, or one that the configuration calls ours.
    Same,
    Other,
    /// `*`, or none.
    Any,
}

/// What kind of principal an ARN or ID of the type `aws` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalIdentity {
    Root,
    Role,
    User,
    RoleSession,
    FederatedUser,
    /// Something of an account that cannot be a principal.
    Other,
    /// The unique ID that AWS shows in place of a user that is deleted.
    DeletedUser,
    /// The same of a role.
    DeletedRole,
}

/// The condition block. The words `absent`, `present` and `narrowing` are short for the usual tests.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(remote = "Self", deny_unknown_fields, default)]
#[cfg_attr(rule_schema, schemars(rename = "ConditionsTest", transform = super::schema::or_word))]
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
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(remote = "Self", deny_unknown_fields, default, rename_all = "kebab-case")]
#[cfg_attr(rule_schema, schemars(rename = "ConditionTest", transform = super::schema::or_word))]
pub struct ConditionTest {
    pub operator: Option<Box<ItemTest>>,
    /// What the operator compares.
    pub family: Many<OperatorFamily>,
    pub set: Many<SetName>,
    /// `...Not...`.
    pub negated: Option<bool>,
    /// `*` in a value is a wildcard for it.
    pub wildcards: Option<bool>,
    pub if_exists: Option<bool>,
    pub known_operator: Option<bool>,
    pub key: Option<Box<ItemTest>>,
    /// AWS documents that the key has several values in one request.
    pub multivalued: Option<bool>,
    /// Every request has the key.
    pub always_present: Option<bool>,
    /// AWS documents it as a global condition key.
    pub global: Option<bool>,
    /// The operator can compare values of the key's type.
    pub fits_type: Option<bool>,
    /// The type of the key, as AWS documents it.
    pub key_type: Many<String>,
    pub value: Option<Box<ClauseTest>>,
    /// It has more than one value.
    pub several: Option<bool>,
    /// It narrows who, from where or on what, rather than being decoration.
    pub narrowing: Option<bool>,
    /// It asks for multi-factor authentication.
    pub mfa: Option<bool>,
}

/// The prefix of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SetName {
    ForAnyValue,
    ForAllValues,
    None,
}

/// A condition as the subject, with its statement.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LineTest {
    pub line: ConditionTest,
    pub statement: Option<Box<StatementTest>>,
}

/// A deviation from the grammar, as IAM would reject it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DefectTest {
    pub kind: Many<DefectName>,
    /// The element that is wrong.
    pub element: Option<Box<ItemTest>>,
    /// What stands there, where the value is wrong; else the element.
    pub text: Option<Box<ItemTest>>,
    /// The kinds of document.
    #[serde(rename = "in")]
    pub kinds: Many<PolicyKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DefectName {
    UnknownElement,
    DuplicateKey,
    WrongType,
    Missing,
    InvalidEffect,
    InvalidVersion,
    Conflict,
    Empty,
    DuplicateSid,
    UnknownPrincipalType,
}

/// A role, user, group or permission set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct IdentityTest {
    pub kind: Many<IdentityKind>,
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
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct AttachmentTest {
    pub to: Many<IdentityKind>,
    pub policy: Option<Box<ItemTest>>,
    pub aws_managed: Option<bool>,
    pub inline: Option<bool>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// A resource by its CloudFormation type and property names, whatever the format.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ResourceTest {
    pub kind: Many<String>,
    pub format: Many<SourceFormat>,
    /// Property path (`Environment.Variables`) to test.
    #[serde(rename = "where")]
    pub properties: BTreeMap<String, ValueTest>,
    /// Tags by their key.
    pub tag: BTreeMap<String, ValueTest>,
    pub all: Vec<Self>,
    pub any: Vec<Self>,
    pub none: Vec<Self>,
    pub not: Option<Box<Self>>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// A boto3 call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CallTest {
    pub service: Many<String>,
    pub operation: Many<String>,
    #[serde(rename = "where")]
    pub arguments: BTreeMap<String, ValueTest>,
    pub all: Vec<Self>,
    pub any: Vec<Self>,
    pub none: Vec<Self>,
    pub not: Option<Box<Self>>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// The value of a property. For a list, `is`, `one-of`, `glob` and `matches` ask for one item that fits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(remote = "Self", deny_unknown_fields, default, rename_all = "kebab-case")]
#[cfg_attr(rule_schema, schemars(rename = "ValueTest", transform = super::schema::or_word))]
pub struct ValueTest {
    pub present: Option<bool>,
    pub truthy: Option<bool>,
    pub known: Option<bool>,
    pub is: Many<String>,
    pub one_of: Many<String>,
    pub glob: Many<String>,
    pub matches: Option<String>,
    pub less_than: Option<f64>,
    pub at_most: Option<f64>,
    pub more_than: Option<f64>,
    pub at_least: Option<f64>,
    /// The text, read as an ARN or a name.
    pub item: Option<Box<ItemTest>>,
    /// Another property of the same resource has the same value.
    pub same_as: Option<String>,
    /// It refers to a resource of the repository.
    pub refers_to: Option<Box<ResourceTest>>,
    pub all: Vec<Self>,
    pub any: Vec<Self>,
    pub none: Vec<Self>,
    pub not: Option<Box<Self>>,
    #[serde(rename = "as")]
    pub capture: Option<String>,
    /// Names the property's key.
    pub key: Option<String>,
}
