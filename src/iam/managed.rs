//! References to AWS managed policies.

use crate::source::Text;

/// `job-function/ViewOnlyAccess` of `arn:aws:iam::aws:policy/job-function/ViewOnlyAccess`, in any partition, known or not.
/// `None` where the text is no ARN of an AWS managed policy, or its name is not wholly known.
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
        .then(|| name.to_owned())
}
