//! The files that `init` writes, apart from the settings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::yaml_list::with_item;
use super::{NEXT, PlannedWrite, SETTINGS};

/// A file that `init` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StarterFile {
    Settings,
    Github,
    Gitlab,
    PreCommit,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// Where the hooks are that install a wheel instead of compiling.
const HOOKS: &str = "https://github.com/overgrant/overgrant-pre-commit";

/// The commit of the release, where this binary was built for one.
const COMMIT: Option<&str> = option_env!("OVERGRANT_COMMIT");

/// The component of GitLab, as it is at the tag of this version.
const GITLAB_TEMPLATE: &str = "packaging/gitlab/templates/overgrant/template.yml";
const GITLAB_TEMPLATE_TEXT: &str = include_str!("../../../packaging/gitlab/templates/overgrant/template.yml");

impl StarterFile {
    /// From the root of the repository.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Settings => SETTINGS,
            Self::Github => ".github/workflows/overgrant.yml",
            Self::Gitlab => ".gitlab-ci.yml",
            Self::PreCommit => ".pre-commit-config.yaml",
        }
    }

    /// What to do after it was written.
    pub(super) fn next(self) -> &'static str {
        match self {
            Self::Settings => NEXT,
            Self::Github if COMMIT.is_some() => {
                "  Commit it. Code scanning gets the findings, and pull requests a comment.\n"
            }
            Self::Github => "  Commit it. Code scanning gets the findings.\n",
            Self::Gitlab => "  Commit it. Merge requests show the findings as code quality.\n",
            Self::PreCommit => "  Run `pre-commit install`, then `pre-commit run overgrant --all-files`.\n",
        }
    }

    /// A new file. Of a file that can be added to, the key of its list and one item.
    pub(super) fn text(self) -> String {
        match self {
            Self::Settings => String::new(),
            Self::Github => github_workflow(COMMIT),
            Self::Gitlab | Self::PreCommit => self.list().map_or_else(String::new, |(key, item)| {
                let item: String = item.iter().map(|line| format!("  {line}\n")).collect();
                format!("{key}:\n{item}")
            }),
        }
    }

    /// The key of the list that has our item, and the lines of the item.
    fn list(self) -> Option<(&'static str, Vec<String>)> {
        match self {
            Self::Settings | Self::Github => None,
            Self::Gitlab => {
                let raw = REPOSITORY.replace("github.com", "raw.githubusercontent.com");
                let hash = STANDARD.encode(Sha256::digest(GITLAB_TEMPLATE_TEXT));
                let item = vec![
                    format!("- remote: {raw}/v{VERSION}/{GITLAB_TEMPLATE}"),
                    format!("  integrity: sha256-{hash}"),
                ];
                Some(("include", item))
            }
            Self::PreCommit => {
                let item = vec![
                    format!("- repo: {HOOKS}"),
                    format!("  rev: v{VERSION}"),
                    "  hooks:".to_owned(),
                    "    - id: overgrant".to_owned(),
                ];
                Some(("repos", item))
            }
        }
    }

    /// What is done to a file that exists.
    pub(super) fn plan(self, fresh: &str, existing: &str) -> PlannedWrite {
        if existing.replace("\r\n", "\n") == fresh {
            return PlannedWrite::Keep("is up to date", None);
        }
        let Some((key, item)) = self.list() else {
            return PlannedWrite::Keep("differs from what this version writes (--print shows it)", None);
        };
        let mentions = existing
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .any(|line| line.contains("overgrant"));
        if mentions {
            return PlannedWrite::Keep("has overgrant", None);
        }
        match with_item(existing, key, &item) {
            Some(text) => PlannedWrite::Extend(text),
            None => PlannedWrite::Keep("cannot be added to safely", Some(fresh.to_owned())),
        }
    }
}

/// The workflow, pinned to the commit of the release. A binary of no release does not know one, and installs the version.
fn github_workflow(commit: Option<&str>) -> String {
    let (comments, depth) = match commit {
        Some(_) => (
            "      pull-requests: write # To comment on pull requests.\n",
            "          # With the base of a pull request, to report what is new.\n          fetch-depth: 2\n",
        ),
        None => ("", ""),
    };
    let steps = match commit {
        Some(commit) => format!("      - uses: overgrant/overgrant@{commit} # v{VERSION}\n"),
        None => format!(
            "      - run: pipx run overgrant=={VERSION} check --output sarif=overgrant.sarif
      - uses: github/codeql-action/upload-sarif@8aad20d150bbac5944a9f9d289da16a4b0d87c1e # v4.36.2
        if: ${{{{ !cancelled() }}}}
        with:
          sarif_file: overgrant.sarif
          category: overgrant
"
        ),
    };
    format!(
        "name: overgrant

on:
  push:
    branches: [main, master]
  pull_request:

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.ref }}}}
  cancel-in-progress: true

jobs:
  overgrant:
    name: AWS least privilege
    runs-on: ubuntu-latest
    permissions:
      actions: read # To upload SARIF in a private repository.
      contents: read # To check out the repository.
{comments}      security-events: write # To upload SARIF.
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
{depth}          persist-credentials: false
{steps}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_names_its_commit() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let workflow = github_workflow(Some(commit));
        assert!(workflow.contains(&format!("uses: overgrant/overgrant@{commit} # v{VERSION}\n")));
        assert!(workflow.contains("pull-requests: write") && workflow.contains("fetch-depth: 2"));
        assert!(!github_workflow(None).contains("overgrant/overgrant@"));
    }
}
