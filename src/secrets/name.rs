//! Names that say that what follows is a credential, and the value that is assigned to them: in code, JSON, YAML, HCL,
//! environment files, shell, XML.

use std::ops::Range;

use super::shape::{self, SECRET_LEN, is_base64, run, stands_alone, text};
use super::{Kind, Secret};

/// What a name says that its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    AccessKeyId,
    SecretAccessKey,
    SessionToken,
}

impl Slot {
    pub fn kind(self) -> Kind {
        match self {
            Self::AccessKeyId => Kind::AccessKeyId,
            Self::SecretAccessKey => Kind::SecretAccessKey,
            Self::SessionToken => Kind::SessionToken,
        }
    }

    /// "access key id", for messages.
    pub fn noun(self) -> &'static str {
        match self {
            Self::AccessKeyId => "access key id",
            Self::SecretAccessKey => "secret access key",
            Self::SessionToken => "session token",
        }
    }
}

/// Whether a variable, argument or environment name says AWS credential by itself.
pub fn slot_of(name: &str) -> Option<Slot> {
    let flat = flat(name);
    if !flat.contains("aws") || flat.ends_with("arn") || flat.ends_with("name") || flat.ends_with("path") {
        return None;
    }
    let has = |words: &[&str]| words.iter().any(|w| flat.contains(w));
    if has(&["secretaccesskey", "awssecretkey", "awssecret", "secretkey"]) {
        Some(Slot::SecretAccessKey)
    } else if has(&["sessiontoken", "securitytoken"]) {
        Some(Slot::SessionToken)
    } else if has(&["accesskeyid", "awsaccesskey", "awskeyid", "accesskey"]) {
        Some(Slot::AccessKeyId)
    } else {
        None
    }
}

/// Lower case, without `_`, `-` and `.`.
fn flat(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// A secret access key assigned to the name around `hit` (`secret`).
pub(super) fn secret_after(bytes: &[u8], hit: Range<usize>) -> Option<Secret> {
    let name = whole_name(bytes, hit);
    let flat = flat(text(bytes, name.clone()));
    let telling = flat.contains("aws")
        || flat.contains("access")
        || flat.contains("secretkey")
        || flat.contains("s3secret")
        || flat.contains("amazon");
    if !telling {
        return None;
    }
    let range = value_after(bytes, name.end, |r| r.len() == SECRET_LEN && stands_alone(bytes, r))?;
    shape::secret(bytes, range, 3.5)
}

/// A session token assigned to the name around `hit`.
pub(super) fn token_after(bytes: &[u8], hit: Range<usize>) -> Option<Secret> {
    let name = whole_name(bytes, hit);
    let range = value_after(bytes, name.end, |r| r.len() >= 64)?;
    // Padding and what the percent-encoding of a URL makes of it.
    let end = run(bytes, range.end, 4096, |b| is_base64(b) || matches!(b, b'=' | b'%'));
    shape::token(bytes, range.start..end)
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
];

/// The first run of base64 characters after a name that `fits`, with nothing between but quotes, brackets, a separator
/// and such words as `value` and `default`.
fn value_after(bytes: &[u8], end: usize, fits: impl Fn(Range<usize>) -> bool) -> Option<Range<usize>> {
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
        let start = run(bytes, at, MOST_BETWEEN, skips);
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
        let stop = run(bytes, start, 4096, is_base64);
        if stop == start {
            return None;
        }
        if fits(start..stop) {
            return Some(start..stop);
        }
        let word = flat(text(bytes, start..stop.min(start + 24)));
        if !BETWEEN.contains(&word.as_str()) {
            return None;
        }
        at = stop;
    }
    None
}
