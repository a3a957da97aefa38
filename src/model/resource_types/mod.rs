//! What is known of AWS resource types: the names that formats have for them, and what their properties hold.
//!
//! The tables are `rules/facts/hand/resource-types.txt`, which the build script checks and writes as Rust. They are sorted, and
//! nothing is read when overgrant runs.

#[cfg(test)]
mod generate;

use crate::iam::PolicyKind;
use crate::source::{Span, Text};

/// What is known of a type.
#[derive(Debug)]
pub struct TypeFacts {
    /// CloudFormation's name, or one of [`super::kinds`].
    pub name: &'static str,
    /// The IAM prefix of the service, where its namespace does not say it.
    service: Option<&'static str>,
    /// Properties that hold policies: `Policies[]/PolicyDocument`.
    pub policies: &'static [(&'static str, PolicyKind)],
    pub arn: Option<ArnForm>,
    pub roles: &'static [RoleProperty],
    /// Where environment variables are: a map, or a list of names and values, `X[]`.
    pub environments: &'static [(EnvironmentOwner, &'static [&'static str])],
    /// Where user data is; the first is CloudFormation's.
    pub user_data: &'static [&'static [&'static str]],
    /// A password that the service can manage itself, and the property that turns this on.
    pub password: Option<(&'static str, &'static str)>,
    examples: &'static [PolicyExample],
}

/// The ARN of a type, and the attributes that say it: the empty one is the resource itself, CloudFormation's `Ref`.
#[derive(Debug)]
pub struct ArnForm {
    /// IAM's prefix.
    pub service: &'static str,
    /// Between the account and the name.
    pub before: &'static str,
    /// The property of the name, where it makes the ARN.
    pub property: Option<&'static str>,
    /// Attributes that are the name, the ARN, and the URL, which says as much as the ARN.
    pub names: &'static [&'static str],
    pub arns: &'static [&'static str],
    pub urls: &'static [&'static str],
}

impl ArnForm {
    /// What an attribute is where the ARN is this one. CloudFormation's ARN of a log group is that of its streams.
    /// CloudFormation User Guide, "AWS::Logs::LogGroup", "Return values".
    pub fn attribute(&self, attribute: &str, mut arn: Text) -> Text {
        if (self.service, attribute) == ("logs", "Arn") {
            let span = arn.span_of(0..arn.len()).unwrap_or(Span::NOWHERE);
            arn.append(&Text::synthetic(":*", span));
        }
        arn
    }
}

/// A property that names a role.
#[derive(Debug)]
pub struct RoleProperty {
    pub path: &'static [&'static str],
    /// Services that assume it, without `.amazonaws.com`; empty where nothing is known of them.
    pub services: &'static [&'static str],
    /// It names the instance profile of the role.
    pub instance_profile: bool,
    /// It accepts the ARN of a role but not its name.
    pub arn_only: bool,
    pub holder: RoleHolder,
}

/// Who acts as the role of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleHolder {
    /// A service, for the resource.
    Other,
    /// What runs in the resource.
    Runs,
    /// What is started from the resource: tasks, instances.
    Launches,
}

/// Whose environment it is.
#[derive(Clone, Copy, Debug)]
pub enum EnvironmentOwner {
    CodeBuild,
    Ecs,
    Lambda,
}

/// How an example writes a resource with a policy.
#[derive(Clone, Copy, Debug)]
pub enum PolicyExample {
    /// Further properties, as JSON.
    Cloudformation(&'static [(&'static str, &'static str)]),
    /// The Terraform type, the argument of the policy, and further arguments.
    Terraform(&'static str, &'static str, &'static [(&'static str, &'static str)]),
    /// The client, and the call with the policy in `POLICY`.
    Boto3(&'static str, &'static str),
}

/// A type of Terraform.
#[derive(Debug)]
pub struct TerraformType {
    /// `aws_sqs_queue`, `data.aws_iam_policy`.
    pub name: &'static str,
    /// The name of its [`TypeFacts`].
    pub kind: &'static str,
    /// Arguments that CloudFormation names otherwise, and its property: `a.b` is an argument of a nested block, `X/Y` a
    /// property in a property, `X[]` one that is always a list.
    pub arguments: &'static [(&'static str, &'static str)],
}

/// A method of boto3 that makes or changes a resource, or is kept as a call.
#[derive(Debug)]
pub struct LoweredOperation {
    /// The name of its [`TypeFacts`].
    pub kind: &'static str,
    /// boto3's service names; empty for any.
    pub services: &'static [&'static str],
    /// Of the client, or `Type.method` of the resource API.
    pub method: &'static str,
    /// One of these keywords stands in the call; empty for any call of a known client.
    pub keys: &'static [&'static str],
    pub makes: CallOutput,
}

/// What a call becomes.
#[derive(Clone, Copy, Debug)]
pub enum CallOutput {
    /// A resource; keyword arguments keep their names but for the pairs `(keyword, property)`.
    Resource(&'static [(&'static str, &'static str)]),
    /// The keyword argument is a document that is read without its resource.
    Document(&'static str, PolicyKind),
    /// [`super::kinds::BOTO3_CALL`].
    Call,
    /// `Attributes={"Policy": …}`: a resource with `PolicyDocument`, and this property listing the keyword's value.
    Attributes(&'static str, &'static str),
    /// `AttributeName="Policy", AttributeValue=…`
    Attribute(&'static str, &'static str),
    /// A resource with all that stands at these paths of keywords and keys, lists included, at this path of properties.
    Shares(&'static [&'static str], &'static [&'static [&'static str]]),
}

include!(concat!(env!("OUT_DIR"), "/resource_types.rs"));

/// What is known of a type with this name.
pub fn find(kind: &str) -> Option<&'static TypeFacts> {
    let at = TYPES.binary_search_by(|t| t.name.cmp(kind)).ok()?;
    TYPES.get(at)
}

/// The properties of a type that name roles.
pub fn roles(kind: &str) -> &'static [RoleProperty] {
    find(kind).map_or(&[], |t| t.roles)
}

/// How examples write resources with a resource policy of a service, with their types.
pub fn examples(service: &str) -> impl Iterator<Item = (&'static TypeFacts, PolicyExample)> {
    let types = TYPES.iter().filter(|t| !t.examples.is_empty());
    types
        .filter(move |t| service_of(t.name).as_deref() == Some(service))
        .flat_map(|t| t.examples.iter().map(move |e| (t, *e)))
}

/// The Terraform type with this name.
pub fn terraform(name: &str) -> Option<&'static TerraformType> {
    let at = TERRAFORM.binary_search_by(|t| t.name.cmp(name)).ok()?;
    TERRAFORM.get(at)
}

/// Whether an argument of Terraform names another resource: a reference there stays a reference.
pub fn is_reference_argument(argument: &str) -> bool {
    LINKS.binary_search(&argument).is_ok()
}

/// The IAM prefix of the service that a type belongs to.
pub fn service_of(kind: &str) -> Option<String> {
    // A Terraform type without a counterpart is no type of AWS's: `aws_s3control_bucket_policy`.
    let namespace = kind.strip_prefix("AWS::")?.split("::").next()?;
    if namespace == "Serverless" {
        return None;
    }
    let listed = || {
        NAMESPACES
            .iter()
            .find(|(n, _)| *n == namespace)
            .map(|(_, prefix)| *prefix)
    };
    let known = find(kind).and_then(|t| t.service).or_else(listed);
    Some(known.map_or_else(|| namespace.to_ascii_lowercase(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::generate::tables;

    #[test]
    fn a_malformed_line_is_named() {
        let error = |text: &str| tables(text).unwrap_err();
        assert_eq!(error("AWS::A::B\n  polisy P resource\n").0, 2);
        assert_eq!(
            error(
                r"# a comment

  policy P resource
"
            )
            .1,
            "a fact before the first type"
        );
        assert_eq!(
            error("AWS::B::B\nAWS::A::B\n").1,
            "`AWS::A::B` must stand before `AWS::B::B`: types are sorted"
        );
        assert_eq!(
            error("AWS::A::B\n  policy P\n").1,
            "`policy` needs a property and a kind"
        );
        assert_eq!(
            error("AWS::A::B\n  policy P resourc\n").1,
            "`resourc` is not a kind of policy"
        );
        assert_eq!(
            error("AWS::A::B\n  policy P//Q resource\n").1,
            "`P//Q` is not the path of a property"
        );
        assert_eq!(
            error("AWS::A::B\n  terraform aws_b name\n").1,
            "`name` must be `NAME=VALUE`"
        );
        assert_eq!(
            error("AWS::A::B\n  boto3 b\n").1,
            "`boto3` needs a service and a method"
        );
        assert_eq!(error("AWS::A::B\n  name N\n").1, "`arn` must stand before it");
        assert_eq!(error("AWS::A::B\n  arn b/NAME\n").1, "`b/NAME` must be `SERVICE:…NAME`");
        assert_eq!(
            error("AWS::A::B\n  role Role lambda\n").1,
            "`lambda` does not belong here"
        );
        let twice = r"AWS::A::A
  terraform aws_b
AWS::A::B
  terraform aws_b
";
        assert_eq!(error(twice), (4, "`aws_b` is listed twice".to_owned()));
    }
}
