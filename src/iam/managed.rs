//! References to AWS managed policies.

use super::arn;
use super::catalogue::catalogue;
use super::glob::CaseSensitivity;
use super::pattern;
use crate::source::{HoleKind, Text};

/// AWS managed policies with which an identity can give itself any permission: they allow to attach or write policies on
/// every resource, without a condition. AWS Managed Policy Reference.
pub const ADMINISTRATORS: [&str; 3] = ["AdministratorAccess", "AdministratorAccess-Amplify", "IAMFullAccess"];

/// Whether a value that is compared with the ARN of a policy fits one of [`ADMINISTRATORS`], in any partition. `wildcards`:
/// `*` and `?` are wildcards in it.
pub fn matches_administrator(value: &Text, policy: &str, wildcards: bool, case: CaseSensitivity) -> super::Truth {
    let value = value.filled(HoleKind::Partition, "aws");
    let partition = match arn::Arn::parse(&value).map(|a| a.partition()) {
        Some(arn::ArnField::Literal(partition)) => partition.into_owned(),
        _ => "aws".to_owned(),
    };
    let full = format!("arn:{partition}:iam::aws:policy/{policy}");
    match value.known() {
        Some(known) if !wildcards && case == CaseSensitivity::Sensitive => (known == full).into(),
        Some(known) if !wildcards => known.eq_ignore_ascii_case(&full).into(),
        _ => pattern::matches(&value, &full, case),
    }
}

/// `job-function/ViewOnlyAccess` of `arn:aws:iam::aws:policy/job-function/ViewOnlyAccess`, in any partition, known or not.
/// `None` where the text is no ARN of an AWS managed policy, or its name is not wholly known. IAM finds managed policies without
/// regard to case: a name that differs in nothing else from one of the catalogue is that one, as AWS writes it.
/// IAM User Guide, "AWS managed policies".
pub fn aws_managed_name(text: &Text) -> Option<String> {
    let flat = text.with_placeholders();
    let mut parts = flat.splitn(6, ':');
    let arn = parts.next()?;
    let _partition = parts.next()?;
    let service = parts.next()?;
    let region = parts.next()?;
    let account = parts.next()?;
    let name = parts.next()?.strip_prefix("policy/")?;
    let known = name.chars().all(|c| Text::placeholder(c).is_none());
    (arn == "arn" && service == "iam" && region.is_empty() && account == "aws" && known && !name.is_empty())
        .then(|| published_name(name).unwrap_or(name).to_owned())
}

/// The path and name, as AWS writes them, of the managed policy that differs from `name` in case at most.
fn published_name(name: &str) -> Option<&'static str> {
    let policy = catalogue().managed_policy(name)?;
    let published = policy
        .arn
        .split_once(":policy/")
        .map_or(policy.name, |(_, published)| published);
    published.eq_ignore_ascii_case(name).then_some(published)
}
