//! Credentials in any text: what looks like an AWS key, and which of them belong together.
//!
//! **Invariant:** lexical only, so that it works on files that no parser reads; time is linear in the text; a range that
//! is returned covers the secret itself, as it is written or encoded there, and nothing else. What starts a credential is
//! one table ([`MARKS`]), which the prefilter of [`crate::classify`] shares.

mod account;
mod adjacent;
mod encoded;
mod letters;
mod logged;
mod marks;
mod mask;
mod name;
mod quality;
mod shape;

pub use account::account_of;
pub use adjacent::joined;
pub use encoded::decoded;
pub use letters::unescaped;
pub use logged::{contradicts, is_logged};
pub use marks::{MARKS, Mark};
pub use mask::Mask;
pub use name::{NamedSecret, slot_of};
pub use quality::{Quality, is_guessable, is_placeholder, is_plausible, is_wordy};

use std::ops::Range;

use name::Claim;

/// What a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
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
    pub kind: SecretKind,
    /// Its bytes in the text.
    pub range: Range<usize>,
    pub quality: Quality,
    /// The 12-digit account ID that is part of an access key ID, where it is.
    pub account: Option<String>,
    /// The text has base64 of the secret.
    pub encoded: bool,
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

    pub fn has(&self, kind: SecretKind) -> bool {
        self.parts.iter().any(|p| p.kind == kind)
    }

    /// A key id and its secret.
    pub fn is_pair(&self) -> bool {
        self.has(SecretKind::SecretAccessKey)
            && (self.has(SecretKind::AccessKeyId) || self.has(SecretKind::TemporaryAccessKeyId))
    }

    /// The ID of a key, and nothing that it signs in with.
    pub fn is_id(&self) -> bool {
        self.parts.len() == 1 && is_id(self.first().kind)
    }

    /// AWS's own example: all of it.
    pub fn is_example(&self) -> bool {
        self.parts.iter().all(|p| p.quality == Quality::Example)
    }
}

/// Whether anything in `text` is a credential that [`scan`] finds.
pub fn has_secrets(text: &str) -> bool {
    !scan(text).is_empty()
}

/// Every secret of `text`, in order, none inside another. Placeholders are not among them.
pub fn scan(text: &str) -> Vec<Secret> {
    scan_to(text, 0)
}

/// How deep base64 inside base64 is decoded.
const MAX_DEPTH: u32 = 2;

fn scan_to(text: &str, depth: u32) -> Vec<Secret> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    // What is a secret only if AWS is near.
    let mut doubtful = Vec::new();
    let mut decoded_to = 0;
    for (mark, hit) in marks::marks(bytes) {
        let at = hit.start;
        let secret = match mark {
            Mark::KeyId => {
                let id = shape::key_id(bytes, at);
                if id.as_ref().is_some_and(|id| id.quality == Quality::Real) {
                    found.extend(shape::secret_following_id(bytes, at + 20));
                }
                id
            }
            Mark::SecretName | Mark::SecretWord => match name::secret_after(bytes, hit) {
                Some((secret, Claim::Aws)) => Some(secret),
                Some(other) => {
                    doubtful.push(other);
                    None
                }
                None => None,
            },
            Mark::TokenName => match name::token_after(bytes, hit) {
                Some((token, Claim::Aws)) => Some(token),
                Some(other) => {
                    doubtful.push(other);
                    None
                }
                None => None,
            },
            Mark::Token => shape::session_token(bytes, at),
            Mark::Bedrock => shape::bedrock(bytes, at),
            Mark::Mws => shape::mws(bytes, at),
            Mark::AppSync => shape::appsync(bytes, at),
            Mark::Pem => shape::pem(bytes, hit),
            Mark::Putty => shape::putty(bytes, at),
            Mark::Encoded if depth < MAX_DEPTH && at >= decoded_to => {
                let (inner, end) = encoded::decode_around(bytes, hit);
                decoded_to = end;
                if let Some(inner) = inner {
                    found.extend(scan_to(&inner.text, depth + 1).into_iter().map(|s| Secret {
                        range: inner.source(s.range.clone()),
                        encoded: true,
                        ..s
                    }));
                }
                None
            }
            Mark::Encoded | Mark::IdName => None,
        };
        found.extend(secret);
    }
    let ids = ids_of(&found);
    found.extend(
        doubtful
            .into_iter()
            .filter(|(s, claim)| is_confirmed(bytes, s, *claim, &ids))
            .map(|(s, _)| s),
    );
    secrets_near_ids(bytes, &mut found);
    // Of two that overlap, the longer one: base64 around a key, not what looks like a key inside it.
    found.sort_by_key(|s| (s.range.start, std::cmp::Reverse(s.range.end), s.kind));
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

/// The places and qualities of the key IDs, in order.
fn ids_of(found: &[Secret]) -> Vec<(usize, Quality)> {
    let mut ids: Vec<_> = found
        .iter()
        .filter(|s| is_id(s.kind))
        .map(|s| (s.range.start, s.quality))
        .collect();
    ids.sort_unstable();
    ids
}

/// Whether a value whose name does not say AWS is a credential of AWS: a real key ID is near, or, for names that AWS
/// uses too, AWS is mentioned near.
fn is_confirmed(bytes: &[u8], secret: &Secret, claim: Claim, ids: &[(usize, Quality)]) -> bool {
    let (from, to) = window(bytes, secret.range.start);
    let first = ids.partition_point(|(at, _)| *at < from);
    let near = ids[first..]
        .iter()
        .take_while(|(at, _)| *at < to)
        .any(|(_, q)| *q == Quality::Real);
    near || claim == Claim::WithAws && name::mentions_aws(&bytes[from..to])
}

/// How far from a key id its secret may stand.
const NEAR_BYTES: usize = 600;
const NEAR_LINES: usize = 8;

/// Secrets without a telling name next to a key ID. The secret of AWS's example ID is an example, too.
fn secrets_near_ids(bytes: &[u8], found: &mut Vec<Secret>) {
    // Windows of IDs that are close to each other are read once.
    let mut done = 0;
    for (at, quality) in ids_of(found) {
        let (from, to) = window(bytes, at);
        let from = from.max(done);
        if from < to {
            let near = shape::unnamed_secrets(bytes, from..to);
            found.extend(
                near.into_iter()
                    .filter(|s| quality == Quality::Real || s.quality == Quality::Example),
            );
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

fn is_id(kind: SecretKind) -> bool {
    matches!(kind, SecretKind::AccessKeyId | SecretKind::TemporaryAccessKeyId)
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
            for kind in [SecretKind::SecretAccessKey, SecretKind::SessionToken] {
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
