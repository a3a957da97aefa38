//! What is known of AWS resource types: the names that formats have for them, and what their properties hold.
//!
//! The tables are `rules/facts/hand/resource-types.txt`, which the build script checks and writes as Rust. They are sorted, and
//! nothing is read when overgrant runs.

#[cfg(test)]
mod generate;

use crate::iam::PolicyKind;

/// What is known of a type.
#[derive(Debug)]
pub struct TypeFacts {
    /// CloudFormation's name, or one of [`super::kinds`].
    pub name: &'static str,
    /// The IAM prefix of the service, where its namespace does not say it.
    service: Option<&'static str>,
    /// Properties that hold policies: `Policies[]/PolicyDocument`.
    pub policies: &'static [(&'static str, PolicyKind)],
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

/// The Terraform type with this name.
pub fn terraform(name: &str) -> Option<&'static TerraformType> {
    let at = TERRAFORM.binary_search_by(|t| t.name.cmp(name)).ok()?;
    TERRAFORM.get(at)
}

/// Whether an argument of Terraform names another resource: a reference there stays a reference.
pub fn is_link(argument: &str) -> bool {
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
            error("# a comment\n\n  policy P resource\n").1,
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
        let twice = "AWS::A::A\n  terraform aws_b\nAWS::A::B\n  terraform aws_b\n";
        assert_eq!(error(twice), (4, "`aws_b` is listed twice".to_owned()));
    }
}
