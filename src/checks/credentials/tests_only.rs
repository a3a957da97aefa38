//! Credentials that a repository says are for tests or for a developer's own machine.
//!
//! **Invariant:** it lowers private keys and passwords, which open what a developer runs. Keys of AWS open an account, whatever
//! is written beside them.

use crate::rules::Context;
use crate::source::Span;

/// Folders with what a developer's machine serves itself with.
const FOLDERS: [&str; 9] = [
    "dev-certs",
    "dev-ssl",
    "local-certs",
    "local-dev",
    "local-ssl",
    "local_certs",
    "local_ssl",
    "localdev",
    "localhost",
];

/// What comments say of such a credential, in lower case.
const SAID: [&str; 9] = [
    "dev only",
    "development only",
    "for local dev",
    "local dev key",
    "local development",
    "local testing",
    "test only",
    "testing only",
    "throwaway",
];

/// detect-secrets, "Inline allowlisting".
const ALLOWLISTED: &str = "pragma: allowlist secret";
const NEXT_ALLOWLISTED: &str = "pragma: allowlist nextline secret";

/// Why a credential at `span` is for tests, for a note.
pub(super) fn reason(cx: &Context<'_>, span: Span) -> Option<&'static str> {
    let path = cx.project.sources.path(span.file).to_ascii_lowercase();
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    if parts.any(|folder| FOLDERS.contains(&folder)) {
        return Some("the name of the folder says that it is for local development");
    }
    let text = cx.project.sources.text(span.file);
    let start = span.range().start;
    let head = text.get(..start)?;
    let mut before = head.rsplit('\n').map(str::to_ascii_lowercase);
    let rest = text.get(start..)?.split('\n').next().unwrap_or_default();
    let line = before.next().unwrap_or_default() + &rest.to_ascii_lowercase();
    // What is written about a key in PEM stands before its first line.
    let above = before.find(|l| !l.contains("private key-----")).unwrap_or_default();
    if line.contains(ALLOWLISTED) || above.contains(NEXT_ALLOWLISTED) {
        return Some("a comment of detect-secrets allows it");
    }
    let says = |line: &str| {
        let comment = ["#", "//", "/*", "--", "<!--"]
            .iter()
            .filter_map(|mark| line.find(mark));
        let comment = comment.min().and_then(|at| line.get(at..));
        comment.is_some_and(|c| SAID.iter().any(|words| c.contains(words)))
    };
    if says(&line) || says(&above) {
        return Some("a comment says that it is for tests or local development");
    }
    let composes = is_yaml && (name.starts_with("docker-compose") || name.starts_with("compose."));
    composes.then_some("Docker Compose mostly runs what is for local development")
}

/// The same for the property of a resource, which an example for people to try has, too.
pub(super) fn reason_for_property(cx: &Context<'_>, span: Span) -> Option<&'static str> {
    let path = cx.project.sources.path(span.file);
    let is_example = |folder: &str| matches!(folder, "example" | "examples");
    let shows = path.rsplit('/').skip(1).any(is_example);
    shows
        .then_some("it is part of an example for people to try")
        .or_else(|| reason(cx, span))
}
