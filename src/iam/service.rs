//! Service principals, and values that are compared with them.
//! IAM User Guide, "AWS JSON policy elements: Principal", "AWS service principals".

use super::catalogue::catalogue;
use super::glob::{self, CaseSensitivity};
use super::pattern::has_wildcard;
use crate::source::{HoleKind, Text};

const SUFFIX: &str = "amazonaws.com";

/// Services that resource control policies reach. AWS Organizations User Guide, "Resource control policies (RCPs)".
pub const RCP_SERVICES: [&str; 12] = [
    "s3",
    "sts",
    "kms",
    "sqs",
    "secretsmanager",
    "cognito-idp",
    "cognito-identity",
    "ecr",
    "aoss",
    "dynamodb",
    "logs",
    "s3express",
];

/// Whether a value that service principals are compared with lets one through that `is`. `wildcards`: `*` and `?` are
/// wildcards in it.
pub fn admits_service(value: &Text, wildcards: bool, is: impl Fn(&str) -> bool) -> bool {
    if !wildcards || !has_wildcard(value) {
        return is(&service(value));
    }
    let value = value.filled(HoleKind::UrlSuffix, SUFFIX);
    let Some(pattern) = value.known() else { return false };
    let mut all = catalogue().service_principals();
    all.any(|name| is(name) && glob::matches(&pattern, name, CaseSensitivity::Sensitive))
}

/// Whether a pattern of service principals fits each of them: `*`, `*.amazonaws.com`.
pub fn is_any_service(value: &Text) -> bool {
    let value = value.filled(HoleKind::UrlSuffix, SUFFIX);
    // Nothing but a wildcard matches this name.
    let name = format!("{}.{SUFFIX}", "\u{1}".repeat(61));
    let matches = |pattern: &str| glob::matches(pattern, &name, CaseSensitivity::Sensitive);
    value
        .known()
        .is_some_and(|pattern| matches(pattern.strip_suffix(".cn").unwrap_or(&pattern)))
}

/// Host name of a service principal without the region in its middle and with the commercial suffix.
pub fn service(text: &Text) -> String {
    let text = &text.filled(HoleKind::UrlSuffix, SUFFIX);
    let flat = text.display().to_ascii_lowercase();
    let mut labels: Vec<&str> = Vec::new();
    let mut rest = flat.as_str();
    // Dots inside `${…}` do not separate.
    while !rest.is_empty() {
        let mut end = rest.len();
        let mut inside = false;
        for (i, c) in rest.char_indices() {
            match c {
                '$' if rest[i..].starts_with("${") => inside = true,
                '}' => inside = false,
                '.' if !inside => {
                    end = i;
                    break;
                }
                _ => {}
            }
        }
        labels.push(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    let name = labels.first().copied().unwrap_or_default();
    if labels.len() < 2 || !flat.contains(SUFFIX) {
        return flat;
    }
    // `delivery.logs.amazonaws.com` and the like keep their first label; a region in the middle goes.
    let middle: Vec<&str> = labels[1..]
        .iter()
        .copied()
        .take_while(|l| *l != "amazonaws" && !l.starts_with("${"))
        .filter(|l| !is_region(l))
        .collect();
    if middle.is_empty() {
        format!("{name}.amazonaws.com")
    } else {
        format!("{name}.{}.amazonaws.com", middle.join("."))
    }
}

/// `us-east-1`, `us-gov-west-1`, `cn-north-1`.
pub fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    (3..=4).contains(&parts.len())
        && parts[0].len() >= 2
        && parts[0].len() <= 5
        && parts[..parts.len() - 1]
            .iter()
            .all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase()))
        && parts[parts.len() - 1].len() == 1
        && parts[parts.len() - 1].bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::pattern::tests::text;
    use super::*;

    #[test]
    fn values_that_services_are_compared_with() {
        let lambda = |name: &str| name == "lambda.amazonaws.com";
        for (value, wildcards, admits, any) in [
            ("lambda.amazonaws.com", false, true, false),
            ("lambda.amazonaws.com.cn", false, true, false),
            ("lambda.‹suffix›", false, true, false),
            ("lambda.‹suffix›", true, true, false),
            ("lambda*", true, true, false),
            ("lambda*", false, false, false),
            ("lambda.*", true, true, false),
            ("l?mbda.‹suffix›", true, true, false),
            ("lambda-*", true, false, false),
            ("ec2.*", true, false, false),
            ("*.amazonaws.com", true, true, true),
            ("*.‹suffix›", true, true, true),
            ("?*.amazonaws.com", true, true, true),
            ("*amazonaws.com", true, true, true),
            ("*.*.com", true, true, true),
            ("*.com", true, true, true),
            ("*.amazonaws.com.cn", true, false, true),
            ("*", true, true, true),
            ("*.aws.internal", true, false, false),
            ("‹v›", true, false, false),
            ("‹v›.amazonaws.com", false, false, false),
        ] {
            let text = text(value);
            assert_eq!(admits_service(&text, wildcards, lambda), admits, "{value}");
            assert_eq!(is_any_service(&text), any, "{value}");
        }
    }
}
