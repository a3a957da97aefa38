//! Credentials in any text: what looks like an AWS key, and which of them belong together.
//!
//! **Invariant:** lexical only, so that it works on files that no parser reads; time is linear in the text; a range that
//! is returned covers the secret itself and nothing else.

mod account;
mod name;
mod quality;
mod shape;

pub use account::account_of;
pub use name::{Slot, slot_of};
pub use quality::{Quality, is_placeholder, key_id_quality};

use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

/// What a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `AKIA…`: of a user, valid until it is deleted.
    AccessKeyId,
    /// `ASIA…`, `ABIA…`, `ACCA…`: of a session.
    TemporaryAccessKeyId,
    SecretAccessKey,
    SessionToken,
    BedrockApiKey,
    MwsToken,
    AppSyncApiKey,
    /// The body of a PEM block.
    PrivateKey,
}

/// One secret of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    pub kind: Kind,
    /// Its bytes in the text.
    pub range: Range<usize>,
    pub quality: Quality,
    /// The account that an access key id belongs to, twelve digits, where the id tells.
    pub account: Option<String>,
}

/// Secrets that make up one credential: a key id with its secret and its session token, or one alone. Never empty; the
/// first is the one to point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub parts: Vec<Secret>,
}

impl Credential {
    pub fn first(&self) -> &Secret {
        &self.parts[0]
    }

    pub fn has(&self, kind: Kind) -> bool {
        self.parts.iter().any(|p| p.kind == kind)
    }

    /// A key id and its secret.
    pub fn is_pair(&self) -> bool {
        self.has(Kind::SecretAccessKey) && (self.has(Kind::AccessKeyId) || self.has(Kind::TemporaryAccessKeyId))
    }

    /// AWS's own example: all of it.
    pub fn is_example(&self) -> bool {
        self.parts.iter().all(|p| p.quality == Quality::Example)
    }
}

/// What a secret of each kind begins with, or is assigned to.
const TRIGGERS: &[(&str, Trigger)] = &[
    ("AKIA", Trigger::KeyId),
    ("ASIA", Trigger::KeyId),
    ("ABIA", Trigger::KeyId),
    ("ACCA", Trigger::KeyId),
    ("secret", Trigger::SecretName),
    ("session_token", Trigger::TokenName),
    ("session-token", Trigger::TokenName),
    ("sessiontoken", Trigger::TokenName),
    ("security_token", Trigger::TokenName),
    ("security-token", Trigger::TokenName),
    ("securitytoken", Trigger::TokenName),
    ("IQoJb3JpZ2lu", Trigger::Token),
    ("FwoGZXIvYXdz", Trigger::Token),
    ("FQoGZXIvYXdz", Trigger::Token),
    ("AQoDYXdz", Trigger::Token),
    ("ABSK", Trigger::Bedrock),
    ("bedrock-api-key-", Trigger::Bedrock),
    ("amzn.mws.", Trigger::Mws),
    ("da2-", Trigger::AppSync),
    ("PRIVATE KEY-----", Trigger::Pem),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trigger {
    KeyId,
    SecretName,
    TokenName,
    Token,
    Bedrock,
    Mws,
    AppSync,
    Pem,
}

fn automaton() -> &'static AhoCorasick {
    static AUTOMATON: OnceLock<AhoCorasick> = OnceLock::new();
    AUTOMATON.get_or_init(|| {
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(TRIGGERS.iter().map(|(t, _)| t))
            .expect("a few short patterns always build")
    })
}

/// Whether anything in `bytes` may be a credential: one pass, no false no.
pub fn may_have_secrets(bytes: &[u8]) -> bool {
    automaton().is_match(bytes)
}

/// Every secret of `text`, in order, none inside another. Placeholders are not among them.
pub fn scan(text: &str) -> Vec<Secret> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for hit in automaton().find_iter(bytes) {
        let (word, trigger) = TRIGGERS[hit.pattern().as_usize()];
        let exact = &bytes[hit.range()] == word.as_bytes();
        let at = hit.start();
        let secret = match trigger {
            Trigger::KeyId if exact => shape::key_id(bytes, at),
            Trigger::SecretName => name::secret_after(bytes, hit.range()),
            Trigger::TokenName => name::token_after(bytes, hit.range()),
            Trigger::Token if exact => shape::session_token(bytes, at),
            Trigger::Bedrock if exact => shape::bedrock(bytes, at),
            Trigger::Mws => shape::mws(bytes, at),
            Trigger::AppSync if exact => shape::appsync(bytes, at),
            Trigger::Pem if exact => shape::pem(bytes, hit.range()),
            _ => None,
        };
        found.extend(secret);
    }
    beside_ids(bytes, &mut found);
    found.sort_by_key(|s| (s.range.start, s.kind));
    let mut end = 0;
    found.retain(|s| {
        let keep = s.range.start >= end;
        if keep {
            end = s.range.end;
        }
        keep
    });
    found
}

/// How far from a key id its secret may stand.
const NEAR_BYTES: usize = 600;
const NEAR_LINES: usize = 8;

/// Secrets without a telling name, beside a key id.
fn beside_ids(bytes: &[u8], found: &mut Vec<Secret>) {
    let ids: Vec<usize> = found.iter().filter(|s| is_id(s.kind)).map(|s| s.range.start).collect();
    // Windows of ids that stand close to each other are read once.
    let mut done = 0;
    for at in ids {
        let (from, to) = window(bytes, at);
        let from = from.max(done);
        if from < to {
            found.extend(shape::unnamed_secrets(bytes, from..to));
            done = to;
        }
    }
}

fn window(bytes: &[u8], at: usize) -> (usize, usize) {
    let mut from = at;
    let mut lines = 0;
    while from > 0 && at - from < NEAR_BYTES {
        if bytes[from - 1] == b'\n' {
            lines += 1;
            if lines > NEAR_LINES {
                break;
            }
        }
        from -= 1;
    }
    let mut to = at;
    lines = 0;
    while to < bytes.len() && to - at < NEAR_BYTES {
        if bytes[to] == b'\n' {
            lines += 1;
            if lines > NEAR_LINES {
                break;
            }
        }
        to += 1;
    }
    (from, to)
}

fn is_id(kind: Kind) -> bool {
    matches!(kind, Kind::AccessKeyId | Kind::TemporaryAccessKeyId)
}

/// Puts together what belongs together: with each key id the nearest free secret and session token within
/// [`NEAR_LINES`] lines. `secrets` as [`scan`] gives them.
pub fn credentials(text: &str, secrets: Vec<Secret>) -> Vec<Credential> {
    let bytes = text.as_bytes();
    let mut taken = vec![false; secrets.len()];
    let mut with: Vec<Vec<usize>> = vec![Vec::new(); secrets.len()];
    // First what no other id stands between; then, for tables with the ids in front, whatever is still free.
    for crossing in [false, true] {
        for (i, s) in secrets.iter().enumerate().filter(|(_, s)| is_id(s.kind)) {
            let (from, to) = window(bytes, s.range.start);
            for kind in [Kind::SecretAccessKey, Kind::SessionToken] {
                if with[i].iter().any(|j| secrets[*j].kind == kind) {
                    continue;
                }
                let own = |j: &usize| crossing || !is_id(secrets[*j].kind);
                let near = |j: &usize| secrets[*j].kind == kind && !taken[*j];
                // What follows an id is likelier its own than what stands before it.
                let found = (i + 1..secrets.len())
                    .take_while(|j| secrets[*j].range.start < to)
                    .take_while(own)
                    .find(near)
                    .or_else(|| {
                        (0..i)
                            .rev()
                            .take_while(|j| secrets[*j].range.end > from)
                            .take_while(own)
                            .find(near)
                    });
                if let Some(j) = found {
                    taken[j] = true;
                    with[i].push(j);
                }
            }
        }
    }
    let mut out = Vec::new();
    for i in 0..secrets.len() {
        if taken[i] {
            continue;
        }
        let mut parts = vec![secrets[i].clone()];
        parts.extend(with[i].iter().map(|j| secrets[*j].clone()));
        out.push(Credential { parts });
    }
    out
}

#[cfg(test)]
mod tests;
