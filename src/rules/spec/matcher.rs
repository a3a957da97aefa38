//! `match:`: the subject of a rule, and the tests of the language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::short::Many;
use crate::terms::{
    AccessLevel, Effect, IdentityKind, OperatorFamily, PolicyKind, PrincipalType, SourceFormat, TextForm,
};

/// `match:`, with exactly one subject.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Match {
    /// A policy document as a whole.
    pub document: Option<Box<DocumentTest>>,
    /// A statement of a policy document.
    pub statement: Option<Box<StatementTest>>,
    /// A statement of a role's trust policy.
    pub trust: Option<Box<StatementTest>>,
    /// A role, user, group, or permission set.
    pub identity: Option<Box<IdentityTest>>,
    /// A policy that is attached to an identity.
    pub attachment: Option<Box<AttachmentTest>>,
    /// A resource, by its CloudFormation type.
    pub resource: Option<Box<ResourceTest>>,
    /// A boto3 call that is analyzed and creates no resource.
    pub call: Option<Box<CallTest>>,
    /// One line of a `Condition` block.
    pub condition: Option<Box<LineTest>>,
    /// A violation of the IAM policy grammar.
    pub defect: Option<Box<DefectTest>>,
}

/// Tests of a policy document.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct DocumentTest {
    /// The document is one of these kinds of policy.
    #[serde(rename = "in")]
    pub kinds: Many<PolicyKind>,
    /// The document is a resource policy of one of these services (IAM prefix).
    pub service: Many<String>,
    /// The document is written in the repository, not an AWS managed policy or a SAM policy template.
    pub written: Option<bool>,
    /// The document has one of these elements.
    pub has: Many<String>,
    /// The document has none of these elements.
    pub lacks: Many<String>,
    /// Tests the `Version` element.
    pub version: Option<Box<ClauseTest>>,
    /// Tests the statements of the document.
    pub statement: Option<Box<StatementsTest>>,
    /// Names the document, for `report`.
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// Tests of the statements of one document.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct StatementsTest {
    /// At least one statement passes this test.
    pub any: Option<Box<StatementTest>>,
    /// Every statement passes this test.
    pub all: Option<Box<StatementTest>>,
    /// No statement passes this test.
    pub none: Option<Box<StatementTest>>,
}

/// Tests of one statement, which must all hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct StatementTest {
    /// The document is one of these kinds of policy.
    #[serde(rename = "in")]
    pub kinds: Many<PolicyKind>,
    /// The document is a resource policy of one of these services (IAM prefix).
    pub service: Many<String>,
    /// The `Effect` is `allow` or `deny`.
    pub effect: Option<Effect>,
    /// The statement is written in the repository, not in an AWS managed policy or a SAM policy template.
    pub written: Option<bool>,
    /// The kind of policy is known, not inferred from its statements.
    pub known_use: Option<bool>,
    /// The principal is everyone, and no condition limits access.
    pub public: Option<bool>,
    /// The statement has one of these elements.
    pub has: Many<String>,
    /// The statement has none of these elements.
    pub lacks: Many<String>,
    /// Tests the `Sid` element.
    pub sid: Option<Box<ClauseTest>>,
    /// Tests the `Action` element.
    pub action: Option<Box<ClauseTest>>,
    /// Tests the `NotAction` element.
    pub not_action: Option<Box<ClauseTest>>,
    /// Tests the `Resource` element.
    pub resource: Option<Box<ClauseTest>>,
    /// Tests the `NotResource` element.
    pub not_resource: Option<Box<ClauseTest>>,
    /// Tests the `Principal` element.
    pub principal: Option<Box<ClauseTest>>,
    /// Tests the `NotPrincipal` element.
    pub not_principal: Option<Box<ClauseTest>>,
    /// Tests the `Condition` block.
    pub condition: Option<Box<ConditionsTest>>,
    /// All of these tests hold.
    pub all: Vec<Self>,
    /// At least one of these tests holds.
    pub any: Vec<Self>,
    /// None of these tests holds.
    pub none: Vec<Self>,
    /// This test does not hold.
    pub not: Option<Box<Self>>,
    /// Names the statement, for `report`.
    #[serde(rename = "as")]
    pub capture: Option<String>,
    /// Names the token `Allow` or `Deny`, for `report`.
    pub effect_as: Option<String>,
}

/// Tests of an element that has items, such as `Action`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ClauseTest {
    /// The element is present (`true`) or absent (`false`).
    pub present: Option<bool>,
    /// At least one item passes this test.
    pub any: Option<Box<ItemTest>>,
    /// Every item passes this test.
    pub all: Option<Box<ItemTest>>,
    /// No item passes this test.
    pub none: Option<Box<ItemTest>>,
    /// Names the items that pass the test in `any`, or all items, for `report`.
    #[serde(rename = "as")]
    pub capture: Option<String>,
    /// Names the key of the element, for `report`.
    pub key: Option<String>,
    /// Names the whole value of the element, for `report`.
    pub value: Option<String>,
}

/// Tests of one item, such as an action or a principal; all must hold, each for at least one of its words.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(remote = "Self", deny_unknown_fields, default, rename_all = "kebab-case")]
#[cfg_attr(rule_schema, schemars(rename = "ItemTest", transform = super::schema::or_word))]
pub struct ItemTest {
    /// The item equals one of these words; case matters except for actions and condition keys.
    pub is: Many<String>,
    /// The item, as written, matches one of these patterns with `*` and `?`.
    pub glob: Many<String>,
    /// The item, read as a pattern, matches everything that one of these words matches.
    pub covers: Many<String>,
    /// One of these patterns matches everything that the item matches.
    pub covered_by: Many<String>,
    /// The item equals one of these words; `"@NAME"` stands for a list.
    pub one_of: Many<String>,
    /// The item matches an action with one of these access levels.
    pub access_level: Many<AccessLevel>,
    /// The whole text is known before deployment.
    pub known: Option<bool>,
    /// The item contains a wildcard, `*` or `?`.
    pub wildcard: Option<bool>,
    /// At least one action that the item matches is effectively granted.
    pub granted: Option<bool>,
    /// The pattern matches one changing action, or a few related ones without permissions management.
    pub one_operation: Option<bool>,
    /// Denies and boundaries remove at most half of the changing actions that the item matches.
    pub mostly_granted: Option<bool>,
    /// A Deny or boundary removes some of the actions, or removes them on some resources.
    pub partly_denied: Option<bool>,
    /// The actions belong to the only service that can assume the roles, and none is sensitive.
    pub own_service: Option<bool>,
    /// The ARN matches every resource of a type, or more.
    pub whole_type: Option<bool>,
    /// The item names one of these services.
    pub service: Many<String>,
    /// The account that the ARN or principal names.
    pub account: Many<Account>,
    /// The principal has one of these types.
    #[serde(rename = "type")]
    pub principal: Many<PrincipalType>,
    /// The `AWS` principal is one of these kinds of identity.
    pub identity: Many<PrincipalIdentity>,
    /// The text has one of these forms.
    pub form: Many<TextForm>,
    /// The text contains a policy variable, such as `${aws:username}`.
    pub variable: Option<bool>,
    /// The text matches this regular expression.
    pub matches: Option<String>,
    /// All of these tests hold.
    pub all: Vec<Self>,
    /// At least one of these tests holds.
    pub any: Vec<Self>,
    /// None of these tests holds.
    pub none: Vec<Self>,
    /// This test does not hold.
    pub not: Option<Box<Self>>,
}

/// The account that an ARN or a principal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Account {
    /// The account that is deployed to, or an account listed under `[own]`.
    Same,
    /// Another account.
    Other,
    /// A wildcard, or no account ID.
    Any,
}

/// The identity that an ARN or a unique ID in an `AWS` principal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalIdentity {
    /// The account, or its root user.
    Root,
    /// An IAM role.
    Role,
    /// An IAM user.
    User,
    /// A session of an assumed role.
    RoleSession,
    /// An AWS STS federated user session.
    FederatedUser,
    /// An ARN that cannot be a principal.
    Other,
    /// The unique ID that AWS shows in place of the ARN of a deleted user.
    DeletedUser,
    /// The unique ID that AWS shows in place of the ARN of a deleted role.
    DeletedRole,
}

/// Tests of the `Condition` block, or one of the words `absent`, `present`, and `narrowing`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(remote = "Self", deny_unknown_fields, default)]
#[cfg_attr(rule_schema, schemars(rename = "ConditionsTest", transform = super::schema::or_word))]
pub struct ConditionsTest {
    /// The statement has a `Condition` block (`true`) or none (`false`).
    pub present: Option<bool>,
    /// At least one line passes this test.
    pub any: Option<Box<ConditionTest>>,
    /// Every line passes this test.
    pub all: Option<Box<ConditionTest>>,
    /// No line passes this test.
    pub none: Option<Box<ConditionTest>>,
    /// Names the lines that pass the test in `any`, for `report`.
    #[serde(rename = "as")]
    pub capture: Option<String>,
    /// Names the key `Condition`, for `report`.
    pub key: Option<String>,
}

/// Tests of one line of a `Condition` block, or the word `narrowing`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(remote = "Self", deny_unknown_fields, default, rename_all = "kebab-case")]
#[cfg_attr(rule_schema, schemars(rename = "ConditionTest", transform = super::schema::or_word))]
pub struct ConditionTest {
    /// Tests the operator as written, without regard to case.
    pub operator: Option<Box<ItemTest>>,
    /// The operator compares values of one of these types.
    pub family: Many<OperatorFamily>,
    /// The operator has one of these prefixes, or `none`.
    pub set: Many<SetName>,
    /// The operator is negated, such as `StringNotEquals`.
    pub negated: Option<bool>,
    /// The operator expands `*` and `?` in values.
    pub wildcards: Option<bool>,
    /// The operator ends in `IfExists`.
    pub if_exists: Option<bool>,
    /// IAM has this operator.
    pub known_operator: Option<bool>,
    /// Tests the condition key, without regard to case.
    pub key: Option<Box<ItemTest>>,
    /// The key can have several values in one request.
    pub multivalued: Option<bool>,
    /// Every request has the key.
    pub always_present: Option<bool>,
    /// The key is a global condition key.
    pub global: Option<bool>,
    /// The operator can compare values of the key's type.
    pub fits_type: Option<bool>,
    /// The key has one of these types in the AWS documentation.
    pub key_type: Many<String>,
    /// Tests the values.
    pub value: Option<Box<ClauseTest>>,
    /// The line has more than one value.
    pub several: Option<bool>,
    /// The line restricts who can act, from where, or on what.
    pub narrowing: Option<bool>,
    /// The conditions of the statement require multi-factor authentication.
    pub mfa: Option<bool>,
}

/// The set operator that prefixes an operator, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SetName {
    ForAnyValue,
    ForAllValues,
    None,
}

/// Tests of one line of a `Condition` block and of its statement.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LineTest {
    /// Tests the line.
    pub line: ConditionTest,
    /// Tests the statement that contains the line.
    pub statement: Option<Box<StatementTest>>,
}

/// Tests of a violation of the IAM policy grammar.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DefectTest {
    /// The violation is one of these kinds.
    pub kind: Many<DefectName>,
    /// Tests the name of the invalid element.
    pub element: Option<Box<ItemTest>>,
    /// Tests the invalid value, or the name of the element if the value is not at fault.
    pub text: Option<Box<ItemTest>>,
    /// The document is one of these kinds of policy.
    #[serde(rename = "in")]
    pub kinds: Many<PolicyKind>,
}

/// A kind of violation of the IAM policy grammar.
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

/// Tests of a role, user, group, or permission set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct IdentityTest {
    /// The identity is one of these kinds.
    pub kind: Many<IdentityKind>,
    /// Tests the name.
    pub name: Option<Box<ClauseTest>>,
    /// The identity has a permissions boundary.
    pub boundary: Option<bool>,
    /// Tests the statements of the trust policy.
    pub trust: Option<Box<StatementsTest>>,
    /// Tests the policies that are attached to the identity.
    pub policy: Option<Box<ClauseTest>>,
    /// All of these tests hold.
    pub all: Vec<Self>,
    /// At least one of these tests holds.
    pub any: Vec<Self>,
    /// None of these tests holds.
    pub none: Vec<Self>,
    /// This test does not hold.
    pub not: Option<Box<Self>>,
    /// Names the identity, for `report`.
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// Tests of a policy that is attached to an identity.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct AttachmentTest {
    /// The policy is attached to one of these kinds of identity.
    pub to: Many<IdentityKind>,
    /// Tests the name of an AWS managed policy, or the ARN or address of any other policy.
    pub policy: Option<Box<ItemTest>>,
    /// The policy is an AWS managed policy.
    pub aws_managed: Option<bool>,
    /// The policy is an inline policy.
    pub inline: Option<bool>,
    /// Names the attachment, for `report`.
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// Tests of a resource, with CloudFormation type and property names in every format.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ResourceTest {
    /// The CloudFormation type, such as `AWS::S3::Bucket`; `*` is a wildcard.
    pub kind: Many<String>,
    /// The resource is written in one of these formats.
    pub format: Many<SourceFormat>,
    /// Tests of properties by path, such as `Environment.Variables`.
    #[serde(rename = "where")]
    pub properties: BTreeMap<String, ValueTest>,
    /// Tests of tag values by tag key.
    pub tag: BTreeMap<String, ValueTest>,
    /// All of these tests hold.
    pub all: Vec<Self>,
    /// At least one of these tests holds.
    pub any: Vec<Self>,
    /// None of these tests holds.
    pub none: Vec<Self>,
    /// This test does not hold.
    pub not: Option<Box<Self>>,
    /// Names the resource, for `report`.
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// Tests of a boto3 call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CallTest {
    /// The boto3 client is for one of these services.
    pub service: Many<String>,
    /// The call is one of these API operations, such as `CreateAccessKey`; `*` is a wildcard.
    pub operation: Many<String>,
    /// Tests of arguments by path.
    #[serde(rename = "where")]
    pub arguments: BTreeMap<String, ValueTest>,
    /// All of these tests hold.
    pub all: Vec<Self>,
    /// At least one of these tests holds.
    pub any: Vec<Self>,
    /// None of these tests holds.
    pub none: Vec<Self>,
    /// This test does not hold.
    pub not: Option<Box<Self>>,
    /// Names the call, for `report`.
    #[serde(rename = "as")]
    pub capture: Option<String>,
}

/// Tests of the value of a property; for a list, `is`, `one-of`, `glob`, and `matches` need one item that fits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(rule_schema, derive(schemars::JsonSchema))]
#[serde(remote = "Self", deny_unknown_fields, default, rename_all = "kebab-case")]
#[cfg_attr(rule_schema, schemars(rename = "ValueTest", transform = super::schema::or_word))]
pub struct ValueTest {
    /// The property is present (`true`) or absent (`false`).
    pub present: Option<bool>,
    /// The value is true, or not empty and not zero.
    pub truthy: Option<bool>,
    /// The value is known before deployment.
    pub known: Option<bool>,
    /// The value equals one of these words, without regard to case.
    pub is: Many<String>,
    /// The value equals one of these words, without regard to case; `"@NAME"` stands for a list.
    pub one_of: Many<String>,
    /// The value matches one of these patterns with `*` and `?`.
    pub glob: Many<String>,
    /// The value matches this regular expression.
    pub matches: Option<String>,
    /// The value is less than this number.
    pub less_than: Option<f64>,
    /// The value is less than or equal to this number.
    pub at_most: Option<f64>,
    /// The value is greater than this number.
    pub more_than: Option<f64>,
    /// The value is greater than or equal to this number.
    pub at_least: Option<f64>,
    /// Tests the text as an ARN or a name.
    pub item: Option<Box<ItemTest>>,
    /// The property at this path of the same resource has the same value.
    pub same_as: Option<String>,
    /// The value refers to a resource in the repository that passes this test.
    pub refers_to: Option<Box<ResourceTest>>,
    /// All of these tests hold.
    pub all: Vec<Self>,
    /// At least one of these tests holds.
    pub any: Vec<Self>,
    /// None of these tests holds.
    pub none: Vec<Self>,
    /// This test does not hold.
    pub not: Option<Box<Self>>,
    /// Names the value, for `report`.
    #[serde(rename = "as")]
    pub capture: Option<String>,
    /// Names the property's key, for `report`.
    pub key: Option<String>,
}
