//! Secrets that show by themselves what they are.

use std::ops::Range;

use super::quality::{self, Quality};
use super::{Secret, SecretKind, account_of, letters};

pub(super) const SECRET_LEN: usize = 40;
/// How far a run of characters is followed: longer ones are no secrets.
const LONGEST: usize = 4096;

/// AWS does not document how long session tokens are. None is shorter.
pub(super) const SHORTEST_TOKEN: usize = 100;

pub(super) fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'+' || b == b'/'
}

pub(super) fn text(bytes: &[u8], range: Range<usize>) -> &str {
    bytes.get(range).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or("")
}

/// The end of the run of bytes that satisfy `f` from `at` on, at most `most` of them.
pub(super) fn run(bytes: &[u8], at: usize, most: usize, f: impl Fn(u8) -> bool) -> usize {
    let mut end = at;
    while end < bytes.len() && end - at < most && f(bytes[end]) {
        end += 1;
    }
    end
}

/// Longest part of an ARN that is looked at (the longest that AWS has is 2,048).
const LONGEST_ARN: usize = 2048;

/// The start of the run of bytes that satisfy `f` before `at`.
fn run_back(bytes: &[u8], at: usize, most: usize, f: impl Fn(u8) -> bool) -> usize {
    let mut start = at;
    while start > 0 && at - start < most && f(bytes[start - 1]) {
        start -= 1;
    }
    start
}

fn make_secret(kind: SecretKind, range: Range<usize>) -> Option<Secret> {
    Some(Secret {
        kind,
        range,
        quality: Quality::Real,
        account: None,
        encoded: false,
    })
}

/// Nothing that makes what begins at `at` a part of a longer word: an escape (`\n`, `%3D`) is no letter.
fn starts_word(bytes: &[u8], at: usize) -> bool {
    let Some(&before) = at.checked_sub(1).and_then(|i| bytes.get(i)) else {
        return true;
    };
    if !(before.is_ascii_alphanumeric() || before == b'_' || before >= 0x80) {
        return true;
    }
    let two = at.checked_sub(2).map(|i| bytes[i]);
    let three = at.checked_sub(3).map(|i| bytes[i]);
    let unicode = at.checked_sub(6).and_then(|i| bytes.get(i..i + 2)) == Some(b"\\u");
    (two == Some(b'\\') && matches!(before, b'n' | b't' | b'r'))
        || (unicode && before.is_ascii_hexdigit())
        || (three == Some(b'%') && before.is_ascii_hexdigit() && two.is_some_and(|b| b.is_ascii_hexdigit()))
}

fn ends(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(at)
        .is_none_or(|&b| !(b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80))
}

/// IAM User Guide, "IAM identifiers", "Understanding unique ID prefixes".
pub(super) fn key_id(bytes: &[u8], at: usize) -> Option<Secret> {
    let end = at + 20;
    let id = text(bytes, at..end);
    if id.len() != 20 || !starts_word(bytes, at) || !ends(bytes, end) {
        return None;
    }
    if !id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return None;
    }
    // Inside base64 a `/` or `+` looks like a border.
    let joins = |b: Option<&u8>| b.is_some_and(|b| matches!(b, b'/' | b'+'));
    let left = at.checked_sub(1).and_then(|i| bytes.get(i));
    if joins(left) && at - run_back(bytes, at, 64, is_base64) >= 20 {
        return None;
    }
    if joins(bytes.get(end)) && run(bytes, end, 64, is_base64) - end >= 24 && secret_following_id(bytes, end).is_none()
    {
        return None;
    }
    if is_in_arn(bytes, at) && secret_following_id(bytes, end).is_none() {
        return None;
    }
    let quality = quality::key_id_quality(id)?;
    Some(Secret {
        kind: if id.starts_with("AKIA") {
            SecretKind::AccessKeyId
        } else {
            SecretKind::TemporaryAccessKeyId
        },
        range: at..end,
        quality,
        account: if quality == Quality::Real { account_of(id) } else { None },
        encoded: false,
    })
}

/// Whether what stands at `at` is a part of an ARN, which names a resource and never an access key.
fn is_in_arn(bytes: &[u8], at: usize) -> bool {
    let from = run_back(bytes, at, LONGEST_ARN, |b| {
        !b.is_ascii_whitespace() && !b"\"'`<>,;|&=()[]{}\\".contains(&b)
    });
    let before = &bytes[from..at];
    ["arn:aws", "arn%3Aaws", "arn%3aaws"]
        .iter()
        .any(|arn| memchr::memmem::find(before, arn.as_bytes()).is_some())
}

/// The secret that follows a key ID at `end` as in a URL or a path: `s3n://ID:SECRET@bucket`, `sqs://ID:SECRET@`,
/// `ID/SECRET`.
pub(super) fn secret_following_id(bytes: &[u8], end: usize) -> Option<Secret> {
    let rest = bytes.get(end..)?;
    let separator = if rest.starts_with(b"%3A") || rest.starts_with(b"%3a") {
        3
    } else if matches!(rest.first(), Some(b':' | b'/' | b'|' | b',' | b';')) {
        1
    } else {
        return None;
    };
    let start = end + separator;
    let (stop, count) = letters::run(bytes, start, SECRET_LEN + 1);
    (count == SECRET_LEN && ends(bytes, stop)).then(|| secret(bytes, start..stop, 4.0))?
}

/// A token of STS by how it begins.
pub(super) fn session_token(bytes: &[u8], at: usize) -> Option<Secret> {
    let end = run(bytes, at, LONGEST, |b| {
        is_base64(b) || matches!(b, b'=' | b'%' | b'_' | b'-')
    });
    if end - at < SHORTEST_TOKEN || !starts_word(bytes, at) {
        return None;
    }
    token(bytes, at..end)
}

pub(super) fn token(bytes: &[u8], range: Range<usize>) -> Option<Secret> {
    let value = text(bytes, range.clone());
    let quality = if value.contains("EXAMPLE") {
        Quality::Example
    } else if quality::entropy(value.as_bytes()) >= 3.5 && !quality::is_placeholder(value) {
        Quality::Real
    } else {
        return None;
    };
    Some(Secret {
        kind: SecretKind::SessionToken,
        range,
        quality,
        account: None,
        encoded: false,
    })
}

/// Amazon Bedrock User Guide, "API keys": long-lived ones begin with `ABSK`, short-lived ones with `bedrock-api-key-`.
pub(super) fn bedrock(bytes: &[u8], at: usize) -> Option<Secret> {
    let long = bytes[at..].starts_with(b"ABSK");
    let body = if long { at + 4 } else { at + "bedrock-api-key-".len() };
    let end = run(bytes, body, LONGEST, |b| is_base64(b) || b == b'=');
    let fits = if long {
        (109..=271).contains(&(end - body))
    } else {
        end - body >= 60 && bytes[body..].starts_with(b"YmVkcm9jay5hbWF6b25hd3MuY29t")
    };
    let value = &bytes[body..end];
    (fits && starts_word(bytes, at) && ends(bytes, end) && quality::entropy(value) >= 3.5)
        .then(|| make_secret(SecretKind::BedrockApiKey, at..end))?
}

/// `amzn.mws.` and a UUID.
pub(super) fn mws(bytes: &[u8], at: usize) -> Option<Secret> {
    let body = at + "amzn.mws.".len();
    let end = body + 36;
    let uuid = text(bytes, body..end);
    let dashes = [8, 13, 18, 23];
    let fits = uuid.len() == 36
        && uuid.bytes().enumerate().all(|(i, b)| {
            if dashes.contains(&i) {
                b == b'-'
            } else {
                b.is_ascii_hexdigit()
            }
        });
    (fits && starts_word(bytes, at) && ends(bytes, end) && quality::entropy(uuid.as_bytes()) >= 2.0)
        .then(|| make_secret(SecretKind::MwsToken, at..end))?
}

/// `da2-` and 26 letters and digits.
pub(super) fn appsync(bytes: &[u8], at: usize) -> Option<Secret> {
    let end = run(bytes, at + 4, 64, |b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let value = &bytes[at + 4..end];
    let digits = value.iter().any(u8::is_ascii_digit);
    (end - at == 30 && digits && starts_word(bytes, at) && ends(bytes, end) && quality::entropy(value) >= 3.0)
        .then(|| make_secret(SecretKind::AppSyncApiKey, at..end))?
}

/// The body of a PEM block that is no certificate and not encrypted. `hit` is `PRIVATE KEY-----`.
pub(super) fn pem(bytes: &[u8], hit: Range<usize>) -> Option<Secret> {
    let head = run_back(bytes, hit.start, 32, |b| b != b'\n');
    let head = text(bytes, head..hit.start);
    let label = head
        .rsplit("-----BEGIN ")
        .next()
        .filter(|_| head.contains("-----BEGIN "))?;
    if label.contains("ENCRYPTED") || label.contains("PUBLIC") {
        return None;
    }
    let end = run(bytes, hit.end, LONGEST, |b| {
        is_base64(b)
            || matches!(
                b,
                b'=' | b'\n' | b'\r' | b'\\' | b' ' | b'\t' | b'"' | b',' | b':' | b'-'
            )
    });
    // The last dashes are those of the END line.
    let body = text(bytes, hit.end..end);
    let body = &body[..body.find("-----").unwrap_or(body.len())];
    let key: usize = body.bytes().filter(|b| is_base64(*b)).count();
    // The header `Proc-Type: 4,ENCRYPTED` is part of the body.
    if body.contains("ENCRYPTED") || key < 100 || quality::entropy(body.as_bytes()) < 4.0 {
        return None;
    }
    let start = hit.end + (body.len() - body.trim_start().len());
    let mut found = make_secret(SecretKind::PrivateKey, start..start + body.trim().len())?;
    if body.contains("EXAMPLE") {
        found.quality = Quality::Example;
    }
    Some(found)
}

/// How far from the start of a key file of PuTTY its private part is looked for: the public one has no more than this.
const LONGEST_HEAD: usize = 8192;

/// The private part of a key file of PuTTY that is not encrypted (PuTTY User Manual, "PPK file format").
pub(super) fn putty(bytes: &[u8], at: usize) -> Option<Secret> {
    const PRIVATE: &[u8] = b"Private-Lines:";
    let head = &bytes[at..bytes.len().min(at + LONGEST_HEAD)];
    let lines = memchr::memmem::find(head, PRIVATE)?;
    memchr::memmem::find(&head[..lines], b"Encryption: none")?;
    let count = run(bytes, at + lines + PRIVATE.len(), 8, |b| {
        b == b' ' || b.is_ascii_digit()
    });
    let blank = |b: u8| matches!(b, b'\n' | b'\r' | b'\\' | b' ' | b'\t');
    let start = run(bytes, count, 64, blank);
    let end = run(bytes, start, LONGEST, |b| is_base64(b) || b == b'=' || blank(b));
    // The name of the line that follows.
    let body = text(bytes, start..end);
    let body = match bytes.get(end..end + 5) {
        Some(b"-MAC:") => body.rsplit_once("Private").map_or(body, |(body, _)| body),
        _ => body,
    };
    let body = body.trim_end();
    let key = body.bytes().filter(|b| is_base64(*b)).count();
    if key < 40 || quality::entropy(body.as_bytes()) < 4.0 {
        return None;
    }
    let mut found = make_secret(SecretKind::PrivateKey, start..start + body.len())?;
    if body.contains("EXAMPLE") {
        found.quality = Quality::Example;
    }
    Some(found)
}

/// Forty characters that look random and stand by themselves: within `window` only.
pub(super) fn unnamed_secrets(bytes: &[u8], window: Range<usize>) -> Vec<Secret> {
    let mut out = Vec::new();
    let mut at = window.start;
    while at < window.end {
        if !is_base64(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        let (end, count) = letters::run(bytes, start, LONGEST);
        at = end;
        if count == SECRET_LEN
            && (start == 0 || !is_base64(bytes[start - 1]))
            && is_standalone(bytes, start..at)
            && !is_hash_name(bytes, start)
        {
            out.extend(secret(bytes, start..at, 4.2));
        }
    }
    out
}

/// Not a part of a longer token, a host name or a path.
pub(super) fn is_standalone(bytes: &[u8], range: Range<usize>) -> bool {
    let before = range.start.checked_sub(1).map(|i| bytes[i]);
    let after = bytes.get(range.end).copied();
    !before.is_some_and(|b| matches!(b, b'.' | b'-' | b'_' | b'%' | b'$' | b'@') || b >= 0x80)
        && !after.is_some_and(|b| matches!(b, b'=' | b'-' | b'_' | b'(' | b'.' | b'@') || b >= 0x80)
}

/// What it is assigned to says that it is a hash.
fn is_hash_name(bytes: &[u8], start: usize) -> bool {
    let from = run_back(bytes, start, 48, |b| b != b'\n');
    let before = text(bytes, from..start).to_ascii_lowercase();
    [
        "sha",
        "hash",
        "digest",
        "commit",
        "checksum",
        "integrity",
        "etag",
        "revision",
        "md5",
        "signature",
        "nonce",
    ]
    .iter()
    .any(|w| before.contains(w))
}

pub(super) fn secret(bytes: &[u8], range: Range<usize>, least_entropy: f64) -> Option<Secret> {
    let quality = quality::secret_quality(&letters::plain(bytes, range.clone()), least_entropy)?;
    Some(Secret {
        kind: SecretKind::SecretAccessKey,
        range,
        quality,
        account: None,
        encoded: false,
    })
}
