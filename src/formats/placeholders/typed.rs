//! Which spellings stand for a value of a type: a region, an account, an address.

use crate::iam::catalogue::catalogue;
use crate::iam::principal::is_unique_id;
use crate::source::Text;
use crate::syntax::placeholder::is_capital;

/// Longest text that stands for a value, in bytes.
const MAX_LENGTH: usize = 80;

/// Words of a text that stands for an address.
const ADDRESS_WORDS: [&str; 12] = [
    "address", "addr", "block", "cidr", "cidrs", "host", "ip", "ips", "my", "network", "range", "your",
];

/// What the value of an element or of a condition key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExpectedValue {
    /// Anything; where it is an ARN, its fields have types.
    Text,
    Partition,
    Region,
    Account,
    /// An IP address, or a range.
    Address,
    /// A VPC or an endpoint of one.
    Vpc,
    /// An organization, or a path in one.
    Organization,
    Date,
}

impl ExpectedValue {
    pub(super) fn from_operator(operator: &str) -> Self {
        if operator.contains("IpAddress") {
            Self::Address
        } else if operator.contains("Date") {
            Self::Date
        } else {
            Self::Text
        }
    }

    /// IAM User Guide, "AWS global condition context keys"; keys of services have the same last words: `ec2:Region`.
    pub(super) fn from_key(key: &str) -> Self {
        let key = key.to_ascii_lowercase();
        let name = key.rsplit(':').next().unwrap_or_default();
        match name {
            _ if key.contains('/') => Self::Text,
            "vpcsourceip" | "sourceip" => Self::Address,
            "currenttime" | "tokenissuetime" | "epochtime" => Self::Date,
            _ if name.ends_with("region") => Self::Region,
            _ if name.ends_with("account") || name.ends_with("accountid") => Self::Account,
            _ if name.ends_with("vpc") || name.ends_with("vpce") => Self::Vpc,
            _ if name.ends_with("orgid") || name.ends_with("orgpaths") => Self::Organization,
            _ => Self::Text,
        }
    }

    /// Words that name the type, or a part of them.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Text | Self::Address => &[],
            Self::Partition => &["partition"],
            Self::Region => &["region"],
            Self::Account => &["account", "acct"],
            Self::Vpc => &["endpoint"],
            Self::Organization => &["org"],
            Self::Date => &["date", "time"],
        }
    }
}

/// Whether a whole text stands for a value of a type: it names the type, is in capitals, or masks a value with `x`.
pub(super) fn is_placeholder_for(text: &str, wanted: ExpectedValue) -> bool {
    let known = text.chars().all(|c| Text::placeholder(c).is_none());
    if wanted == ExpectedValue::Text || !known || text.is_empty() || text.len() > MAX_LENGTH {
        return false;
    }
    if text == "…" || text.len() > 1 && text.bytes().all(|b| b == b'.') {
        return true;
    }
    // No partition, region, or account has any of these.
    let marked = text.contains(['$', '%', '@', '{', '<', '#', '|', '&']) && !text.contains("${");
    if marked
        && matches!(
            wanted,
            ExpectedValue::Partition | ExpectedValue::Region | ExpectedValue::Account
        )
        && !text.contains(['*', '?', '/'])
    {
        return true;
    }
    let text = without_brackets(text);
    let lower = text.to_ascii_lowercase();
    let letters = lower
        .bytes()
        .all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b' '));
    if is_mask(&lower) || is_uppercase_name(text) && !resembles_value(&lower, wanted) {
        return true;
    }
    if letters && (wanted.words().iter().any(|w| lower.contains(w)) || lower.starts_with("your")) {
        return !resembles_value(&lower, wanted);
    }
    match wanted {
        ExpectedValue::Text | ExpectedValue::Partition => false,
        // `us-west-X`, `xx-xxxx-1`.
        ExpectedValue::Region => {
            let parts: Vec<&str> = lower.split('-').collect();
            parts.len() >= 3 && parts.iter().any(|p| is_mask(p) || matches!(*p, "n" | "x"))
        }
        // `1234xxxx5678`.
        ExpectedValue::Account => lower.bytes().all(|b| b.is_ascii_digit() || b == b'x') && lower.contains('x'),
        ExpectedValue::Address => is_address(&lower),
        // Hexadecimal digits have none of these letters.
        ExpectedValue::Vpc => prefixed(text, &["vpc-", "vpce-"]).is_some_and(|id| {
            let lower = id.to_ascii_lowercase();
            is_uppercase_name(id)
                || is_mask(&lower)
                || ["id", "example", "your", "point"].iter().any(|w| lower.contains(w))
        }),
        ExpectedValue::Organization => prefixed(text, &["o-"]).is_some_and(|id| {
            let id = id.split('/').next().unwrap_or_default();
            let lower = id.to_ascii_lowercase();
            let named = || lower == "id" || ["org", "your"].iter().any(|w| lower.contains(w));
            is_uppercase_name(id) || is_mask(&lower) || named() && !resembles_value(text, wanted)
        }),
        ExpectedValue::Date => ["yyyy", "mm-dd"].iter().any(|form| lower.contains(form)),
    }
}

fn prefixed<'t>(text: &'t str, prefixes: &[&str]) -> Option<&'t str> {
    prefixes.iter().find_map(|p| text.strip_prefix(p))
}

/// Without the brackets or marks around it: `[account_id]`, `_ACCOUNT_`.
fn without_brackets(text: &str) -> &str {
    let marks = [('[', ']'), ('(', ')'), ('_', '_'), ('#', '#'), ('\'', '\'')];
    let inner = marks
        .iter()
        .find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    inner.filter(|t| !t.is_empty()).unwrap_or(text)
}

/// `xxxx`, `XX-XXXX-X`, in small letters.
fn is_mask(lower: &str) -> bool {
    lower.matches('x').count() > 1 && lower.bytes().all(|b| matches!(b, b'x' | b'-' | b'_' | b' '))
}

/// Capitals, with few digits: `ACCOUNT_ID`, `TODO`, `REGION_1`, and not the typing error `12345678901O`.
fn is_uppercase_name(text: &str) -> bool {
    let letters = text.chars().filter(char::is_ascii_uppercase).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    letters > 1 && letters > digits && text.chars().all(|c| is_capital(c) || c == '-' || c == ' ')
}

/// Whether the text has the form of a value of the type, so that it may be a mistake in one: `US-EAST-1`.
fn resembles_value(lower: &str, wanted: ExpectedValue) -> bool {
    match wanted {
        ExpectedValue::Partition => catalogue().is_partition(lower),
        ExpectedValue::Region => {
            let numbered = || {
                let (first, number) = lower.rsplit_once('-')?;
                let place = first.split('-').next().is_some_and(|p| p.len() == 2);
                Some(place && first.contains('-') && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
            };
            catalogue().region(lower).is_some() || numbered() == Some(true)
        }
        ExpectedValue::Account => {
            let upper = lower.to_ascii_uppercase();
            ["AIDA", "AROA"].iter().any(|prefix| is_unique_id(&upper, prefix))
        }
        // AWS Organizations API Reference, `Organization`: `^o-[a-z0-9]{10,32}$`.
        ExpectedValue::Organization => lower.strip_prefix("o-").is_some_and(|id| {
            let id = id.split('/').next().unwrap_or_default();
            (10..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        }),
        _ => false,
    }
}

/// `x.x.x.x/32`, `YOUR.IP.ADDRESS.HERE`, `my-ip`, in small letters.
fn is_address(lower: &str) -> bool {
    let host = lower.split('/').next().unwrap_or_default();
    let words: Vec<&str> = host.split(['.', '-', '_', ' ', ':']).collect();
    let spelled = words.iter().all(|w| w.bytes().all(|b| b.is_ascii_alphabetic()));
    if spelled && words.iter().any(|w| ADDRESS_WORDS.contains(w)) {
        return true;
    }
    let octets: Vec<&str> = host.split('.').collect();
    let letter = |o: &str| {
        let mut bytes = o.bytes();
        let first = bytes.next();
        o.len() <= 3 && first.is_some_and(|b| b.is_ascii_lowercase()) && bytes.all(|b| Some(b) == first)
    };
    let digits = |o: &str| !o.is_empty() && o.len() <= 3 && o.bytes().all(|b| b.is_ascii_digit());
    let masked = |o: &&str| letter(o) && o.starts_with(['x', 'n']);
    octets.len() == 4
        && (octets.iter().all(|o| letter(o))
            || octets.iter().any(masked) && octets.iter().all(|o| digits(o) || masked(o)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_value() {
        let cases: [(ExpectedValue, &[&str]); 7] = [
            (
                ExpectedValue::Region,
                &[
                    "region",
                    "aws-region",
                    "Region",
                    "AWS_REGION",
                    "us-west-X",
                    "us-xxxx-1",
                    "xx-xxxx-x",
                    "TODO",
                    "REPLACE_ME",
                    "REGION_1",
                    "[region]",
                    "...",
                    "your region",
                ],
            ),
            (
                ExpectedValue::Account,
                &[
                    "account",
                    "AccountID",
                    "accountId",
                    "ACCOUNT_ID",
                    "_ACCOUNT_",
                    "[account_id]",
                    "...",
                    "…",
                    "1234xxxx5678",
                    "NNNNNNNNNNNN",
                    "xxxx",
                    "TODO",
                    "my-account",
                ],
            ),
            (
                ExpectedValue::Address,
                &[
                    "x.x.x.x/32",
                    "XXX.XXX.XXX.XXX/32",
                    "YOUR.IP.ADDRESS.HERE",
                    "IP_ADDRESS",
                    "MY_CIDR",
                    "my-ip/32",
                    "10.0.x.x/16",
                    "a.b.c.d",
                ],
            ),
            (
                ExpectedValue::Vpc,
                &[
                    "vpce-id",
                    "vpce-EXAMPLE",
                    "vpc-0123456789EXAMPLE",
                    "vpc-xxx",
                    "endpoint-id",
                ],
            ),
            (
                ExpectedValue::Organization,
                &["o-yourorgid", "o-ORGID", "o-id", "org-id", "o-xxx", "o-ORGID/r-xxxx/*"],
            ),
            (
                ExpectedValue::Date,
                &["YYYY-MM-DDTHH:MM:SSZ", "yyyy-mm-dd", "2030-MM-DD", "DATE"],
            ),
            (ExpectedValue::Partition, &["PARTITION", "partition"]),
        ];
        for (wanted, spellings) in cases {
            for text in spellings {
                assert!(is_placeholder_for(text, wanted), "{text} {wanted:?}");
                assert!(!is_placeholder_for(text, ExpectedValue::Text), "{text}");
            }
        }
    }

    #[test]
    fn what_may_be_a_mistake_stays_a_value() {
        let cases: [(ExpectedValue, &[&str]); 7] = [
            (
                ExpectedValue::Region,
                &[
                    "us-west-9",
                    "US-EAST-1",
                    "us-east-l",
                    "us-east1",
                    "eu-west",
                    "*",
                    "global",
                ],
            ),
            (
                ExpectedValue::Account,
                &[
                    "12345678901",
                    "1234567890123",
                    "12345678901O",
                    "1234-5678-9012",
                    "aws",
                    "orders",
                    "*",
                    "",
                    "AROAEXAMPLEEXAMPLEABC",
                ],
            ),
            (
                ExpectedValue::Address,
                &[
                    "10.0.0.O",
                    "10.0.0",
                    "10.0.0.300",
                    "example.com",
                    "vpn.example.com",
                    "2001:db8::g",
                ],
            ),
            (
                ExpectedValue::Vpc,
                &["vpce-0123", "vpc-1a2b3c4d", "orders", "vpce-abcdefg"],
            ),
            (
                ExpectedValue::Organization,
                &["o-exampleorgid", "o-short", "a1b2c3d4e5", "o-a1b2c3d4e5"],
            ),
            (ExpectedValue::Date, &["2030-13-01", "tomorrow", "2030-01-01T00:00:00Z"]),
            (ExpectedValue::Partition, &["aws", "aws-cn", "amazon"]),
        ];
        for (wanted, values) in cases {
            for text in values {
                assert!(!is_placeholder_for(text, wanted), "{text} {wanted:?}");
            }
        }
    }
}
