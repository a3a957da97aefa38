//! Credentials that the repository marks as for tests or local development.
//!
//! **Invariant:** only private keys and passwords get a lower severity, because they open what a developer runs
//! locally. AWS keys open an account, whatever a comment says.

use crate::rules::Context;
use crate::source::Span;

/// Folders with certificates and keys for local development.
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

/// Phrases in comments on such a credential, in lower case.
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

/// What says that a credential is for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TestEvidence {
    Folder,
    /// A comment for detect-secrets.
    Allowlisted,
    Comment,
    DockerCompose,
    Example,
}

impl TestEvidence {
    /// For a note.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Folder => "the folder name says that it is for local development",
            Self::Allowlisted => "a detect-secrets comment allows it",
            Self::Comment => "a comment says that it is for tests or local development",
            Self::DockerCompose => "Docker Compose is mostly used for local development",
            Self::Example => "it is part of an example",
        }
    }
}

/// What says that a credential at `span` is for tests.
pub(super) fn evidence(cx: &Context<'_>, span: Span) -> Option<TestEvidence> {
    let path = cx.project.sources.path(span.file).to_ascii_lowercase();
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    if parts.any(|folder| FOLDERS.contains(&folder)) {
        return Some(TestEvidence::Folder);
    }
    let text = cx.project.sources.text(span.file);
    let start = span.range().start;
    let head = text.get(..start)?;
    let mut before = head.rsplit('\n').map(str::to_ascii_lowercase);
    let rest = text.get(start..)?.split('\n').next().unwrap_or_default();
    let line = before.next().unwrap_or_default() + &rest.to_ascii_lowercase();
    // The comment on a PEM key is before its first line.
    let above = before.find(|l| !l.contains("private key-----")).unwrap_or_default();
    if line.contains(ALLOWLISTED) || above.contains(NEXT_ALLOWLISTED) {
        return Some(TestEvidence::Allowlisted);
    }
    let says = |line: &str| {
        let comment = ["#", "//", "/*", "--", "<!--"]
            .iter()
            .filter_map(|mark| line.find(mark));
        let comment = comment.min().and_then(|at| line.get(at..));
        comment.is_some_and(|c| SAID.iter().any(|words| c.contains(words)))
    };
    if says(&line) || says(&above) {
        return Some(TestEvidence::Comment);
    }
    let composes = is_yaml && (name.starts_with("docker-compose") || name.starts_with("compose."));
    composes.then_some(TestEvidence::DockerCompose)
}

/// The same for the property of a resource, which can also be part of an example.
pub(super) fn evidence_for_property(cx: &Context<'_>, span: Span) -> Option<TestEvidence> {
    let path = cx.project.sources.path(span.file);
    let is_example = |folder: &str| matches!(folder, "example" | "examples");
    let shows = path.rsplit('/').skip(1).any(is_example);
    shows.then_some(TestEvidence::Example).or_else(|| evidence(cx, span))
}
