//! What the claims of a GitHub Actions token bind.
//! GitHub Docs, "OpenID Connect reference" and "Customizing the subject claims for an organization or repository".

use crate::iam::condition::OperatorFamily;
use crate::iam::{ClauseItem, Condition};

/// What a value of a claim names, the widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ClaimScope {
    /// No owner: workflows of any repository can have it.
    Nothing,
    /// Owners by a pattern, which others can match.
    SomeOwners,
    /// All repositories of one owner.
    Owner,
    /// Some repositories of one owner.
    SomeRepositories,
    /// One repository, and every ref and environment of it.
    Repository,
    /// One repository and something of it; or more than can be determined.
    Ref,
}

/// A value of a claim.
pub(super) struct ClaimValue<'c> {
    pub value: &'c ClauseItem,
    pub binds: ClaimScope,
    /// The owner, or `owner/name`.
    pub name: String,
}

/// Claims of which every value names an owner or a repository.
const NAMES_OWNER: [&str; 8] = [
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "job_workflow_ref",
    "workflow_ref",
    "enterprise",
    "enterprise_id",
];

/// The values of one line; nothing where it does not say whose workflow it is.
pub(super) fn claim_values<'c>(c: &'c Condition, claim: &str, own: &[String]) -> Vec<ClaimValue<'c>> {
    let Some(operator) = c.parsed else {
        // Not known: nothing can be said against it.
        return c.values.iter().map(|value| ref_of(value)).collect();
    };
    if operator.negated || operator.family == OperatorFamily::Null {
        return Vec::new();
    }
    let judge: fn(&str, bool) -> (ClaimScope, String) = match claim {
        "sub" => subject,
        "repository" | "job_workflow_ref" | "workflow_ref" => path,
        name if NAMES_OWNER.contains(&name) => |text, wildcards| match wildcards && has_wildcard(text) {
            true => (ClaimScope::Nothing, String::new()),
            false => (ClaimScope::Ref, String::new()),
        },
        name if name.contains("${") => |_, _| (ClaimScope::Ref, String::new()),
        _ => return Vec::new(),
    };
    if c.values.is_empty() {
        return Vec::new();
    }
    let ours = |name: &str| own.iter().any(|o| o.eq_ignore_ascii_case(name));
    let values = c.values.iter().map(|value| {
        let (binds, name) = judge(&value.text.display(), operator.wildcards);
        let binds = match binds {
            ClaimScope::Owner | ClaimScope::SomeRepositories if ours(&name) => ClaimScope::Ref,
            binds => binds,
        };
        ClaimValue { value, binds, name }
    });
    values.collect()
}

fn ref_of(value: &ClauseItem) -> ClaimValue<'_> {
    ClaimValue {
        value,
        binds: ClaimScope::Ref,
        name: String::new(),
    }
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Only wildcards, or nothing that tells one from another.
fn is_only_wildcards(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'*' | b'?' | b':' | b'/'))
}

/// The parts between colons; those inside `${…}` do not separate.
fn parts(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut from, mut depth) = (0, 0_u32);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                out.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    out.push(&text[from..]);
    out
}

/// A subject: `repo:OWNER/NAME:ref:refs/heads/main`, or pairs of claim and value where the owner has a template of its own.
fn subject(text: &str, wildcards: bool) -> (ClaimScope, String) {
    let parts = parts(text);
    // Without a wildcard operator `*` is literal, and in no subject.
    if text.starts_with("${") || !wildcards && has_wildcard(text) {
        return (ClaimScope::Ref, String::new());
    }
    // What stands before the first wildcard names claims; after it, any claim may be.
    for (n, part) in parts.iter().enumerate() {
        let value = parts.get(n + 1).copied().unwrap_or_default();
        match *part {
            "repo" | "repository" if !value.is_empty() => {
                let (binds, name) = path(value, wildcards);
                let rest = parts.get(n + 2..).unwrap_or_default();
                let any = wildcards && !rest.is_empty() && rest.iter().all(|p| is_only_wildcards(p));
                return match binds {
                    ClaimScope::Ref if any && *part == "repo" => (ClaimScope::Repository, name),
                    binds => (binds, name),
                };
            }
            name if NAMES_OWNER.contains(&name) && !value.is_empty() => {
                let judged = if name.ends_with("_ref") {
                    path(value, wildcards).0
                } else {
                    ClaimScope::Ref
                };
                let wild = wildcards && is_only_wildcards(value.split('*').next().unwrap_or_default());
                return (if wild { ClaimScope::Nothing } else { judged }, String::new());
            }
            part if part.contains("${") => return (ClaimScope::Ref, String::new()),
            _ => {}
        }
    }
    (ClaimScope::Nothing, String::new())
}

/// `OWNER/NAME`, with or without more after it; a hole may stand for both.
fn path(text: &str, wildcards: bool) -> (ClaimScope, String) {
    let Some((owner, rest)) = text.split_once('/') else {
        return match () {
            () if text.contains("${") => (ClaimScope::Ref, text.to_owned()),
            () if wildcards && has_wildcard(text) => (owners(text), String::new()),
            () => (ClaimScope::Ref, text.to_owned()),
        };
    };
    if !wildcards {
        return (ClaimScope::Ref, text.to_owned());
    }
    // `OWNER@ID/NAME@ID` is the form with IDs that never change; no name has an `@`.
    let owner = owner.split('@').next().unwrap_or(owner);
    if has_wildcard(owner) {
        return (owners(owner), String::new());
    }
    let name = rest.split(['/', ':', '@']).next().unwrap_or(rest);
    match () {
        () if !has_wildcard(name) => (ClaimScope::Ref, format!("{owner}/{name}")),
        () if is_only_wildcards(name) => (ClaimScope::Owner, owner.to_owned()),
        () => (ClaimScope::SomeRepositories, owner.to_owned()),
    }
}

fn owners(pattern: &str) -> ClaimScope {
    if is_only_wildcards(pattern) {
        ClaimScope::Nothing
    } else {
        ClaimScope::SomeOwners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_subject_binds() {
        use ClaimScope::*;
        for (text, like, binds, name) in [
            ("repo:acme/app:ref:refs/heads/main", false, Ref, "acme/app"),
            ("repo:acme/app:environment:prod", true, Ref, "acme/app"),
            ("repo:acme/app:ref:refs/heads/*", true, Ref, "acme/app"),
            ("repo:acme/app:*", true, Repository, "acme/app"),
            ("repo:acme/*", true, Owner, "acme"),
            ("repo:acme/*:ref:refs/heads/main", true, Owner, "acme"),
            ("repo:acme/app*:*", true, SomeRepositories, "acme"),
            ("repo:acme*/app:*", true, SomeOwners, ""),
            ("repo:acme@*/app@*:*", true, Repository, "acme/app"),
            ("repo:${org}/${name}:*", true, Repository, "${org}/${name}"),
            ("repo:acme*", true, SomeOwners, ""),
            ("repo:*", true, Nothing, ""),
            ("repo:*/app:*", true, Nothing, ""),
            ("*", true, Nothing, ""),
            ("*:ref:refs/heads/main", true, Nothing, ""),
            ("environment:production", false, Nothing, ""),
            ("ref:refs/heads/main", false, Nothing, ""),
            ("workflow:deploy", true, Nothing, ""),
            ("repository_owner_id:1234567:environment:production", false, Ref, ""),
            ("repository_owner:acme:*", true, Ref, ""),
            ("repository_owner:*:environment:production", true, Nothing, ""),
            ("environment:production:repository_id:123", false, Ref, ""),
            (
                "job_workflow_ref:acme/flows/.github/workflows/deploy.yml@refs/heads/main",
                false,
                Ref,
                "",
            ),
            ("job_workflow_ref:*/deploy.yml@*", true, Nothing, ""),
            (
                "repo:${var.repository}:environment:prod-*",
                true,
                Ref,
                "${var.repository}",
            ),
            ("repo:${var.repository}:*", true, Repository, "${var.repository}"),
            (
                "repo:${var.owner}/${var.name}:*",
                true,
                Repository,
                "${var.owner}/${var.name}",
            ),
            ("repo:${var.owner}/*:*", true, Owner, "${var.owner}"),
            ("${var.subject}", true, Ref, ""),
        ] {
            let (found, named) = subject(text, like);
            assert_eq!((found, named.as_str()), (binds, name), "{text}");
        }
    }
}
