//! What the modules of this binary share.

pub(crate) mod calls;
pub(crate) mod diff;
pub(crate) mod generated;
pub(crate) mod git;
pub(crate) mod golden;
pub(crate) mod language_client;
pub(crate) mod lint;
pub(crate) mod random_policies;
pub(crate) mod repository;

/// Whether a pattern with `*` and `?` matches a text: the slow and obvious way.
pub(crate) fn glob_matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if glob_matches(rest, text) => true,
        (Some((b'*', _)), Some((_, tail))) => glob_matches(pattern, tail),
        (Some((b'?', rest)), Some((_, tail))) => glob_matches(rest, tail),
        (Some((p, rest)), Some((t, tail))) => p == t && glob_matches(rest, tail),
        _ => false,
    }
}
