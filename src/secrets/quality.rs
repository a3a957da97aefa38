//! Is it a secret, AWS's example, or what someone writes where a secret would stand?

use super::SecretKind;
use super::shape::{SECRET_LEN, SHORTEST_TOKEN, is_base64};

/// What a key-shaped string is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// AWS's documentation uses it: `AKIAIOSFODNN7EXAMPLE`.
    Example,
    Real,
}

/// Words in what is no secret; compared in lower case.
const WORDS: &[&str] = &[
    "example",
    "your",
    "dummy",
    "fake",
    "placeholder",
    "sample",
    "replace",
    "changeme",
    "change_me",
    "change-me",
    "redacted",
    "insert",
    "xxxx",
    "abcdefgh",
    "12345678",
    "todo",
    "mock",
];

/// The key id of twenty characters: `None` for a placeholder.
pub fn key_id_quality(id: &str) -> Option<Quality> {
    let tail = id.get(4..)?;
    if tail.contains("EXAMPLE") {
        return Some(Quality::Example);
    }
    // The alphabet of real ids; AWS's examples alone have other digits.
    if !tail.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7')) {
        return None;
    }
    let lower = tail.to_ascii_lowercase();
    let wordy = WORDS.iter().any(|w| lower.contains(w))
        || ["accesskey", "testtest", "secret", "awskey"]
            .iter()
            .any(|w| lower.contains(w));
    (!wordy && entropy(tail.as_bytes()) >= 2.5 && count_successors(tail.as_bytes()) < 8).then_some(Quality::Real)
}

/// A secret access key of forty characters: `None` for a placeholder, a hash, a path.
pub(super) fn secret_quality(secret: &str, least_entropy: f64) -> Option<Quality> {
    let bytes = secret.as_bytes();
    if secret.contains("EXAMPLE") {
        return Some(Quality::Example);
    }
    let has = |f: fn(&u8) -> bool| bytes.iter().any(f);
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
    let hex = bytes.iter().all(u8::is_ascii_hexdigit);
    let path = bytes.iter().filter(|b| **b == b'/').count() > 6;
    let lower = secret.to_ascii_lowercase();
    let wordy = WORDS.iter().any(|w| lower.contains(w))
        || ["secretkey", "accesskey", "secret/", "access/"]
            .iter()
            .any(|w| lower.contains(w));
    (mixed && !hex && !path && !wordy && entropy(bytes) >= least_entropy && count_successors(bytes) < 14)
        .then_some(Quality::Real)
}

/// Whether a literal has the form of what the slot asks for: key IDs have 20 characters and a prefix, secret access keys have 40
/// characters, session tokens are long. Keys of other stores with the same API (MinIO, LocalStack) are words or of other lengths.
pub fn is_plausible(kind: SecretKind, value: &str) -> bool {
    let base64 = value.bytes().all(is_base64);
    match kind {
        SecretKind::AccessKeyId | SecretKind::TemporaryAccessKeyId => {
            value.len() == 20
                && ["AKIA", "ASIA", "ABIA", "ACCA"].iter().any(|p| value.starts_with(p))
                && value.bytes().all(|b| b.is_ascii_alphanumeric())
        }
        SecretKind::SecretAccessKey => value.len() == SECRET_LEN && base64,
        SecretKind::SessionToken => value.len() >= SHORTEST_TOKEN && value.bytes().all(|b| is_base64(b) || b == b'='),
        SecretKind::BedrockApiKey | SecretKind::MwsToken | SecretKind::AppSyncApiKey | SecretKind::PrivateKey => true,
    }
}

/// Passwords that are guessed first; compared in lower case.
const GUESSED: &[&str] = &[
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "password1",
    "password123",
    "passwort",
    "admin",
    "admin123",
    "administrator",
    "root",
    "toor",
    "master",
    "mysql",
    "postgres",
    "postgresql",
    "oracle",
    "secret",
    "secret123",
    "test",
    "test123",
    "test1234",
    "testing",
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "default",
    "letmein",
    "welcome",
    "welcome1",
    "welcome123",
    "qwerty",
    "qwerty123",
    "iloveyou",
    "monkey",
    "dragon",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "111111",
    "abc123",
    "abcd1234",
    "guest",
    "user",
    "foobar",
    "pass",
    "pass123",
    "mypassword",
    "dbpassword",
    "masterpassword",
];

/// Whether a password is one of those that are guessed first. It is worse than a random literal, not a placeholder.
pub fn is_guessable(password: &str) -> bool {
    GUESSED.contains(&&*password.to_ascii_lowercase())
}

/// Whether a text consists of words, as the names of rules, regions, and policies do: hiding it wherever it occurs would
/// take words out of a report.
pub fn is_wordy(text: &str) -> bool {
    text.split(['-', '_', '.', ':', '/', ' ']).all(|token| {
        let short = token.len() <= 3 && token.bytes().all(|b| b.is_ascii_alphanumeric());
        let letters = token.len() <= 24 && token.bytes().all(|b| b.is_ascii_alphabetic());
        // `ReadOnlyAccess`, but not random letters: a word has several small ones.
        let large = token.bytes().filter(u8::is_ascii_uppercase).count();
        short || letters && (large == token.len() || token.len() >= 4 * large)
    })
}

/// What people write where a credential would stand. For any value, key-shaped or not.
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    let bracketed = (value.starts_with('<') && value.ends_with('>'))
        || (value.starts_with('[') && value.ends_with(']'))
        || (value.starts_with("{{") && value.ends_with("}}"))
        || (value.starts_with('%') && value.ends_with('%'))
        || (value.starts_with("__") && value.ends_with("__"))
        || value.contains("${")
        || value.starts_with("$(")
        || (value.starts_with('$') && value.len() > 1);
    let word = matches!(
        lower.as_str(),
        "test"
            | "testing"
            | "tests"
            | "foo"
            | "bar"
            | "baz"
            | "foobar"
            | "mock"
            | "none"
            | "null"
            | "nil"
            | "key"
            | "secret"
            | "token"
            | "access_key"
            | "secret_key"
            | "accesskey"
            | "secretkey"
            | "local"
            | "localstack"
            | "minio"
            | "minioadmin"
            | "anything"
            | "any"
            | "x"
            | "password"
            | "string"
            | "value"
            | "a"
            | "b"
            | "id"
            | "access"
            | "unused"
            | "accesskeyid"
            | "secretaccesskey"
            | "access-key"
            | "secret-key"
            | "admin"
    );
    // Nothing that is a credential is so short.
    value.len() <= 4
        || bracketed
        || word
        || WORDS.iter().any(|w| lower.contains(w))
        || lower.starts_with("mock_")
        || lower.starts_with("test_")
        || lower.starts_with("test-")
        || lower.starts_with("my_")
        || lower.starts_with("my-")
        || (value.len() >= 3 && entropy(value.as_bytes()) < 1.0)
}

/// Shannon entropy in bits a byte.
pub(super) fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for b in bytes {
        counts[usize::from(*b)] += 1;
    }
    let total = bytes.len().max(1) as f64;
    counts
        .iter()
        .filter(|c| **c > 0)
        .map(|c| {
            let p = f64::from(*c) / total;
            -p * p.log2()
        })
        .sum()
}

/// How often a character is followed by its successor: `abcdef`, `234567`.
fn count_successors(bytes: &[u8]) -> usize {
    bytes.windows(2).filter(|w| w[1] == w[0].wrapping_add(1)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_keys_are_not() {
        for word in [
            "access-key",
            "service-wildcard",
            "ap-southeast-1",
            "ReadOnlyAccess",
            "orders of tests",
            "EU_WEST_1",
        ] {
            assert!(is_wordy(word), "{word}");
        }
        let secret = ["kR8vT2mZq1", "Xw5LpN+9sD", "fG7hJ3bVc0", "YtU/4eAoQi"].concat();
        for key in [
            "AKIAIOSFODNN7EXAMPLE",
            "kr8vt2mzq1xw5lpn9sdfg7hj3b",
            "Sommer-31-Wolke!",
            "hunter2hunter2",
            &secret,
        ] {
            assert!(!is_wordy(key), "{key}");
        }
    }

    #[test]
    fn keys_have_the_form_that_aws_gives_them() {
        let secret = ["kR8vT2mZq1", "Xw5LpN+9sD", "fG7hJ3bVc0", "YtU/4eAoQi"].concat();
        for (kind, value, expected) in [
            (SecretKind::AccessKeyId, "AKIAIOSFODNN7EXAMPLE", true),
            (SecretKind::AccessKeyId, "orders", false),
            (SecretKind::AccessKeyId, "minioadmin", false),
            (SecretKind::SecretAccessKey, &*secret, true),
            (SecretKind::SecretAccessKey, "this-is-for-tests-only", false),
            (SecretKind::SessionToken, "eu-west-1", false),
        ] {
            assert_eq!(is_plausible(kind, value), expected, "{value}");
        }
    }
}
