//! Names that say that what follows is a credential, and the value that is assigned to them: in code, JSON, YAML, HCL,
//! environment files, shell, XML.

use std::ops::Range;

use super::shape::{self, SECRET_LEN, is_base64, is_standalone, run, text};
use super::{Secret, SecretKind, encoded, letters, quality};

/// What a name says that its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamedSecret {
    AccessKeyId,
    SecretAccessKey,
    SessionToken,
}

impl NamedSecret {
    pub fn kind(self) -> SecretKind {
        match self {
            Self::AccessKeyId => SecretKind::AccessKeyId,
            Self::SecretAccessKey => SecretKind::SecretAccessKey,
            Self::SessionToken => SecretKind::SessionToken,
        }
    }
}

/// Whether a variable, argument or environment name says AWS credential by itself.
pub fn slot_of(name: &str) -> Option<NamedSecret> {
    let flat = normalize(name);
    if !flat.contains("aws") || flat.ends_with("arn") || flat.ends_with("name") || flat.ends_with("path") {
        return None;
    }
    let has = |words: &[&str]| words.iter().any(|w| flat.contains(w));
    if has(&["secretaccesskey", "awssecretkey", "awssecret", "secretkey"]) {
        Some(NamedSecret::SecretAccessKey)
    } else if has(&["sessiontoken", "securitytoken"]) {
        Some(NamedSecret::SessionToken)
    } else if has(&["accesskeyid", "awsaccesskey", "awskeyid", "accesskey"]) {
        Some(NamedSecret::AccessKeyId)
    } else {
        None
    }
}

/// Lower case, without `_`, `-` and `.`.
fn normalize(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// How certainly a name says that its value is a credential of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The name says so itself.
    Aws,
    /// AWS's SDKs use the name, and others do: it counts where AWS is mentioned near.
    WithAws,
    /// Others use the name: it counts next to a key ID only.
    WithId,
}

/// Words of a name that say AWS.
const AWS_WORDS: &[&str] = &[
    "aws",
    "amazon",
    "amz",
    "s3",
    "s3a",
    "s3n",
    "s3fs",
    "sqs",
    "sns",
    "ses",
    "ec2",
    "iam",
    "dynamodb",
    "dynamo",
    "kinesis",
    "cloudwatch",
    "cloudfront",
    "redshift",
    "athena",
];

/// What the name of a secret says. Django and Flask call their signing key `SECRET_KEY`, Twitter and JWT libraries have
/// an `ACCESS_TOKEN_SECRET`.
fn classify_name(name: &str) -> Option<Claim> {
    let flat = normalize(name);
    let words = split_words(name);
    let says_aws = flat.contains("aws") || words.iter().any(|w| AWS_WORDS.contains(&w.as_str()));
    if says_aws || flat.contains("secretaccesskey") || flat.contains("amazonsecret") {
        return Some(Claim::Aws);
    }
    if !flat.contains("secretkey") {
        return None;
    }
    let shouted = !name.bytes().any(|b| b.is_ascii_lowercase());
    Some(if shouted || words.len() > 2 {
        Claim::WithId
    } else {
        Claim::WithAws
    })
}

/// The words of `SOME_NAME`, `some-name`, `some.name`, and `someName`, in lower case.
fn split_words(name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in name.chars() {
        let starts = !before.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && before.is_ascii_lowercase());
        if c.is_ascii_alphanumeric() {
            match out.last_mut() {
                Some(last) if !starts => last.push(c.to_ascii_lowercase()),
                _ => out.push(c.to_ascii_lowercase().to_string()),
            }
        }
        before = c;
    }
    out
}

/// Whether a text speaks of AWS.
pub(super) fn mentions_aws(bytes: &[u8]) -> bool {
    [&b"aws"[..], b"AWS", b"Aws", b"amazon", b"Amazon", b"boto", b"s3"]
        .iter()
        .any(|w| memchr::memmem::find(bytes, w).is_some())
}

/// A secret access key assigned to the name around `hit` (`secret`), plain or in base64.
pub(super) fn secret_after(bytes: &[u8], hit: Range<usize>) -> Option<(Secret, Claim)> {
    let name = spaced_name(bytes, whole_name(bytes, hit));
    let claim = classify_name(text(bytes, name.clone()))?;
    let range = value_after(bytes, name.end, |range, count| {
        (count == SECRET_LEN && is_standalone(bytes, range.clone())) || encoded_secret(bytes, range).is_some()
    })?;
    let found = match encoded_secret(bytes, &range) {
        Some(found) => found,
        None => shape::secret(bytes, range, 3.5)?,
    };
    Some((found, claim))
}

/// Base64 of a secret access key, as in `data` of a Kubernetes Secret.
fn encoded_secret(bytes: &[u8], range: &Range<usize>) -> Option<Secret> {
    // 40 bytes, or 41 with the line break that `echo` adds.
    if !(54..=55).contains(&range.len()) {
        return None;
    }
    let decoded = encoded::decoded(text(bytes, range.clone()))?;
    let inner = decoded.trim_end();
    let quality =
        (inner.len() == SECRET_LEN && inner.bytes().all(is_base64)).then(|| quality::secret_quality(inner, 3.5))??;
    Some(Secret {
        kind: SecretKind::SecretAccessKey,
        range: range.clone(),
        quality,
        account: None,
        encoded: true,
    })
}

/// A session token assigned to the name around `hit`. Session tokens of other systems have the same names.
pub(super) fn token_after(bytes: &[u8], hit: Range<usize>) -> Option<(Secret, Claim)> {
    let name = whole_name(bytes, hit);
    let says_aws = split_words(text(bytes, name.clone()))
        .iter()
        .any(|w| matches!(w.as_str(), "aws" | "amz" | "amazon") || w.starts_with("aws"));
    let range = value_after(bytes, name.end, |_, count| count >= 64)?;
    // Padding and what the percent-encoding of a URL makes of it.
    let end = run(bytes, range.end, 4096, |b| is_base64(b) || matches!(b, b'=' | b'%'));
    let token = shape::token(bytes, range.start..end)?;
    Some((token, if says_aws { Claim::Aws } else { Claim::WithId }))
}

/// `Secret access key` and `secret key` in prose: the name goes on after a blank.
fn spaced_name(bytes: &[u8], name: Range<usize>) -> Range<usize> {
    let mut end = name.end;
    for word in [&b" access"[..], b" key"] {
        if bytes
            .get(end..end + word.len())
            .is_some_and(|b| b.eq_ignore_ascii_case(word))
        {
            end += word.len();
        }
    }
    let whole = bytes.get(end).is_none_or(|b| !b.is_ascii_alphanumeric());
    name.start..if whole { end } else { name.end }
}

fn whole_name(bytes: &[u8], hit: Range<usize>) -> Range<usize> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let mut start = hit.start;
    while start > 0 && hit.start - start < 64 && is_name(bytes[start - 1]) {
        start -= 1;
    }
    start..run(bytes, hit.end, 64, is_name)
}

/// Words that may stand between a name and its value.
const BETWEEN: &[&str] = &[
    "value",
    "default",
    "defaultvalue",
    "type",
    "plaintext",
    "string",
    "str",
    "optional",
    "securestring",
    "sensitive",
    "true",
    "false",
    "noecho",
    "const",
    "name",
    "export",
    "byte",
    "char",
    "var",
    "let",
    "new",
    "environment",
    "to",
    "is",
    "set",
    // XML and property lists: `<add key="…" value="…"/>`, `<key>…</key><string>…</string>`.
    "key",
    "entry",
    "property",
];

/// The first run of base64 letters after a name that `fits` by its place and the number of its letters, with nothing between but quotes, brackets, a separator
/// and such words as `value` and `default`.
fn value_after(bytes: &[u8], end: usize, fits: impl Fn(&Range<usize>, usize) -> bool) -> Option<Range<usize>> {
    const MOST_BETWEEN: usize = 80;
    let skips = |b: u8| {
        matches!(
            b,
            b' ' | b'\t'
                | b'\r'
                | b'\n'
                | b'"'
                | b'\''
                | b'`'
                | b'\\'
                | b']'
                | b')'
                | b'}'
                | b'>'
                | b'='
                | b':'
                | b','
                | b'|'
                | b'('
                | b'['
                | b'{'
                | b'-'
                | b'<'
        )
    };
    let mut at = end;
    for _ in 0..6 {
        let mut start = at;
        // A backslash may be the start of the value: `\u002f`.
        while start - at < MOST_BETWEEN
            && bytes.get(start).is_some_and(|b| skips(*b))
            && (bytes[start] != b'\\' || letters::letter(bytes, start).is_none())
        {
            start += 1;
        }
        if start == at {
            return None;
        }
        // `\n`, `\t` inside a string: the letter belongs to the escape.
        let start = if start > 0
            && bytes[start - 1] == b'\\'
            && bytes.get(start).is_some_and(|b| matches!(b, b'n' | b't' | b'r'))
        {
            start + 1
        } else {
            start
        };
        let (stop, count) = letters::run(bytes, start, 4096);
        if stop == start {
            return None;
        }
        if fits(&(start..stop), count) {
            return Some(start..stop);
        }
        let word = normalize(text(bytes, start..stop.min(start + 24)));
        if !BETWEEN.contains(&word.as_str()) {
            return None;
        }
        at = stop;
    }
    None
}
