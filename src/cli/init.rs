//! `overgrant init`: a first overgrant.toml, and what to paste elsewhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::input::InputArgs;
use super::repositories;
use super::run::RunOptions;
use super::{CliFailure, terminal};
use crate::settings::Settings;

/// Create overgrant.toml; print hook and CI snippets
#[derive(Debug, Args)]
pub(super) struct Init {}

const FILE: &str = "overgrant.toml";

const SNIPPETS: &str = r#"
pre-commit, in .pre-commit-config.yaml:

  - repo: REPOSITORY
    rev: vVERSION
    hooks:
      - id: overgrant

GitHub Actions, as a step after the checkout:

  - run: overgrant check --output sarif=overgrant.sarif
  - uses: github/codeql-action/upload-sarif@v3
    if: always()
    with: { sarif_file: overgrant.sarif }

GitLab, in .gitlab-ci.yml:

  overgrant:
    script: overgrant check --output gitlab=gl-code-quality-report.json
    artifacts: { when: always, reports: { codequality: gl-code-quality-report.json } }

To accept the current findings for now: overgrant baseline create
"#;

impl Init {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        if Path::new(FILE).exists() {
            return Err(CliFailure::Usage(format!("{FILE} already exists; it was not changed")));
        }
        let over = |_: &mut Settings| {};
        let input = InputArgs::from_path(".".into());
        let all = repositories::read(
            &input,
            &over,
            &RunOptions {
                is_confined: true,
                ..RunOptions::default()
            },
        )?;
        let mut accounts: BTreeMap<String, usize> = BTreeMap::new();
        for f in all.iter().flat_map(|read| &read.found.files) {
            for id in account_ids(&f.text) {
                *accounts.entry(id.to_owned()).or_default() += 1;
            }
        }
        let mut ranked: Vec<(String, usize)> = accounts.into_iter().collect();
        ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let text = settings(&ranked);
        std::fs::write(FILE, &text).map_err(|source| CliFailure::Io {
            what: format!("cannot write {FILE}"),
            source,
        })?;
        let snippets = SNIPPETS
            .replace("REPOSITORY", env!("CARGO_PKG_REPOSITORY"))
            .replace("VERSION", env!("CARGO_PKG_VERSION"));
        terminal::print_page(&format!("wrote {FILE}\n{snippets}"))
    }
}

fn settings(accounts: &[(String, usize)]) -> String {
    let mut out = String::from(
        "schema = 1\n\n# Lowest severity that makes the command fail.\nfail-on = \"medium\"\n\n# exclude = [\"**/testdata/**\"]\n\n\
         # Your accounts and organizations: access from others is reported with certainty.\n[own]\n",
    );
    if accounts.is_empty() {
        out.push_str("# accounts = { prod = \"111122223333\" }\n");
    } else {
        out.push_str(
            "# Accounts in the ARNs of this repository; keep and name those that are yours.\n# accounts = [\n",
        );
        for (id, n) in accounts.iter().take(10) {
            out.push_str(&format!("#   \"{id}\",  # {n} times\n"));
        }
        out.push_str("# ]\n");
    }
    out.push_str("# github = [\"your-organization\"]\n");
    out.push_str("\n# Python code in containers or on instances, and its role: its calls are compared with the grants of the role.\n");
    out.push_str("# [[workload]]\n# code = \"svc/\"\n# role = \"aws_iam_role.task\"\n");
    out
}

/// Account ids of the ARNs in `text`.
fn account_ids(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("arn:aws").filter_map(|(i, _)| {
        let arn = text.get(i..)?.lines().next()?;
        let id = arn.split(':').nth(4)?;
        (id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit())).then_some(id)
    })
}
