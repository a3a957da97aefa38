//! What marks the start of a credential: the one table that the prefilter of [`crate::classify`] and the scanner ask.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// What a mark says about what follows it, or about what it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The prefix of an access key ID.
    KeyId,
    /// A name for an access key ID. Its value is recognized by its own prefix.
    IdName,
    /// A name for a secret access key.
    SecretName,
    /// A word that many other names contain. The whole name decides.
    SecretWord,
    /// A name for a session token.
    TokenName,
    /// The prefix of a session token.
    Token,
    /// Base64 text that encodes the start of a credential or of a script.
    Encoded,
    Bedrock,
    Mws,
    AppSync,
    /// The end of the first line of a PEM block.
    Pem,
    /// The start of a key file of PuTTY.
    Putty,
}

/// Words and what they mark. Where two match at one place, the first wins. Prefixes of credentials count only as spelled
/// here, names in any case.
pub const MARKS: &[(&str, Mark)] = &[
    // IAM User Guide, "IAM identifiers", "Understanding unique ID prefixes".
    ("AKIA", Mark::KeyId),
    ("ASIA", Mark::KeyId),
    ("ABIA", Mark::KeyId),
    ("ACCA", Mark::KeyId),
    ("secret_key", Mark::SecretName),
    ("secretkey", Mark::SecretName),
    ("secret-key", Mark::SecretName),
    ("secret.key", Mark::SecretName),
    ("aws_secret", Mark::SecretName),
    ("awssecret", Mark::SecretName),
    ("aws-secret", Mark::SecretName),
    ("aws.secret", Mark::SecretName),
    ("secret", Mark::SecretWord),
    ("access_key", Mark::IdName),
    ("accesskey", Mark::IdName),
    ("access-key", Mark::IdName),
    ("access.key", Mark::IdName),
    ("session_token", Mark::TokenName),
    ("session-token", Mark::TokenName),
    ("session.token", Mark::TokenName),
    ("sessiontoken", Mark::TokenName),
    ("security_token", Mark::TokenName),
    ("security-token", Mark::TokenName),
    ("securitytoken", Mark::TokenName),
    // STS has changed how its tokens begin over the years.
    ("IQoJb3JpZ2lu", Mark::Token),
    ("FwoGZXIvYXdz", Mark::Token),
    ("FQoGZXIvYXdz", Mark::Token),
    ("AQoDYXdz", Mark::Token),
    ("FQoDYXdz", Mark::Token),
    ("AQoEXAMPLE", Mark::Token),
    ("ABSK", Mark::Bedrock),
    ("bedrock-api-key-", Mark::Bedrock),
    ("amzn.mws.", Mark::Mws),
    ("da2-", Mark::AppSync),
    ("PRIVATE KEY-----", Mark::Pem),
    ("PuTTY-User-Key-File-", Mark::Putty),
    // Base64 of `AKIA` and `ASIA` at each of the three offsets from the start of a group of three bytes.
    ("QUtJQ", Mark::Encoded),
    ("FLSU", Mark::Encoded),
    ("BS0lB", Mark::Encoded),
    ("QVNJQ", Mark::Encoded),
    ("FTSU", Mark::Encoded),
    ("BU0lB", Mark::Encoded),
    // Base64 of `-----BEGIN `, `#!/`, `#cloud-config`, `<powershell>`.
    ("LS0tLS1CRUdJTi", Mark::Encoded),
    ("IyEv", Mark::Encoded),
    ("I2Nsb3VkLWNvbmZpZ", Mark::Encoded),
    ("PHBvd2Vyc2hlbGw+", Mark::Encoded),
];

impl Mark {
    /// Whether the case of the letters counts.
    pub fn is_exact(self) -> bool {
        !matches!(
            self,
            Self::IdName | Self::SecretName | Self::SecretWord | Self::TokenName | Self::Mws
        )
    }

    /// Whether a file is worth keeping for this mark alone; otherwise what the scanner finds in the file decides.
    pub fn is_strong(self) -> bool {
        !matches!(self, Self::SecretWord | Self::Encoded)
    }
}

/// Every mark of `bytes` with its place, in order: one pass.
pub(super) fn marks(bytes: &[u8]) -> impl Iterator<Item = (Mark, std::ops::Range<usize>)> {
    static AUTOMATON: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    let automaton = AUTOMATON.get_or_init(|| {
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostFirst)
            .build(MARKS.iter().map(|(word, _)| word))
            .ok()
    });
    let hits = automaton.iter().flat_map(move |a| a.find_iter(bytes));
    hits.filter_map(move |hit| {
        let (word, mark) = MARKS[hit.pattern().as_usize()];
        (!mark.is_exact() || &bytes[hit.range()] == word.as_bytes()).then(|| (mark, hit.range()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_found_as_itself() {
        for (word, mark) in MARKS {
            let found: Vec<Mark> = marks(format!(" {word} ").as_bytes()).map(|(m, _)| m).collect();
            assert_eq!(found, [*mark], "{word}");
        }
    }

    #[test]
    fn names_count_in_any_case_and_prefixes_do_not() {
        let found = |text: &str| marks(text.as_bytes()).map(|(m, _)| m).collect::<Vec<_>>();
        assert_eq!(found("AWS_SECRET_ACCESS_KEY"), [Mark::SecretName, Mark::IdName]);
        assert_eq!(found("secretAccessKey"), [Mark::SecretWord, Mark::IdName]);
        assert_eq!(found("fs.s3a.secret.key"), [Mark::SecretName]);
        assert_eq!(found("akia asia private key-----"), []);
    }
}
