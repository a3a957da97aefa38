//! `overgrant init`: a first overgrant.toml, and the files that run overgrant in CI and before commits.

mod starters;
mod yaml_list;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use self::starters::StarterFile;
use super::input::InputArgs;
use super::repositories;
use super::run::{self, RunOptions};
use super::{CliFailure, terminal};
use crate::contracts::propose;
use crate::discover;
use crate::iam::{ContractReach, ContractTerms};
use crate::project::Effects;
use crate::settings::Settings;
use crate::source::{join_path, relative_path};

/// Create overgrant.toml, a CI workflow, or a pre-commit hook
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Create .github/workflows/overgrant.yml
    #[arg(long)]
    github: bool,
    /// Create .gitlab-ci.yml, or add to it
    #[arg(long)]
    gitlab: bool,
    /// Create .pre-commit-config.yaml, or add the hook to it
    #[arg(long)]
    pre_commit: bool,
    /// Print what would be written
    #[arg(long)]
    print: bool,
}

const SETTINGS: &str = "overgrant.toml";

const NEXT: &str = "
Next:
  overgrant check             show the findings
  overgrant baseline create   accept the current findings for now
  overgrant init --github     check in GitHub Actions; also --gitlab and --pre-commit
";

/// What becomes of a file.
enum PlannedWrite {
    Create(String),
    /// The whole text, in which only lines of overgrant are new.
    Extend(String),
    /// Nothing: why, and lines for the user to add.
    Keep(&'static str, Option<String>),
}

impl Init {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let cwd = run::working_directory()?;
        let root = discover::git_root(&cwd).unwrap_or_else(|| cwd.clone());
        let chosen = [
            (self.github, StarterFile::Github),
            (self.gitlab, StarterFile::Gitlab),
            (self.pre_commit, StarterFile::PreCommit),
        ];
        let mut files: Vec<StarterFile> = chosen
            .iter()
            .filter(|(is_chosen, _)| *is_chosen)
            .map(|(_, f)| *f)
            .collect();
        if files.is_empty() {
            files.push(StarterFile::Settings);
        }
        let mut page = String::new();
        for file in files {
            let (absolute, fresh) = match file {
                StarterFile::Settings => (join_path(&cwd, SETTINGS), None),
                _ => (join_path(&root, file.path()), Some(file.text())),
            };
            let shown = relative_path(&cwd, &absolute);
            let existing = existing_text(&absolute, &shown)?;
            let plan = match (fresh, existing) {
                (None, Some(_)) => PlannedWrite::Keep("exists", None),
                (None, None) => PlannedWrite::Create(settings(&FirstLook::new()?)),
                (Some(fresh), None) => PlannedWrite::Create(fresh),
                (Some(fresh), Some(existing)) => file.plan(&fresh, &existing),
            };
            if self.print {
                page.push_str(&preview(&shown, plan));
            } else {
                let is_kept = matches!(plan, PlannedWrite::Keep(..));
                page.push_str(&perform(&shown, &absolute, plan)?);
                // What comes after the settings is the same for those that were there.
                if !is_kept || file == StarterFile::Settings {
                    page.push_str(file.next());
                }
            }
        }
        terminal::print_text(&page)
    }
}

/// What stands at a path now, if anything does.
fn existing_text(absolute: &str, shown: &str) -> Result<Option<String>, CliFailure> {
    let unreadable = |source| CliFailure::Io {
        what: format!("cannot read {shown}"),
        source,
    };
    match std::fs::symlink_metadata(absolute) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(unreadable(e)),
        Ok(_) => discover::read_text(Path::new(absolute), run::MAX_SETTINGS)
            .map(Some)
            .map_err(unreadable),
    }
}

fn preview(shown: &str, plan: PlannedWrite) -> String {
    match plan {
        PlannedWrite::Create(text) | PlannedWrite::Extend(text) => format!("# {shown}\n{text}"),
        PlannedWrite::Keep(why, lines) => kept(&format!("# {shown}"), why, lines),
    }
}

fn kept(shown: &str, why: &str, lines: Option<String>) -> String {
    match lines {
        Some(lines) => format!("{shown} {why}; it was not changed. Add these lines:\n\n{lines}\n"),
        None => format!("{shown} {why}; it was not changed\n"),
    }
}

fn perform(shown: &str, absolute: &str, plan: PlannedWrite) -> Result<String, CliFailure> {
    let path = Path::new(absolute);
    let (written, done) = match plan {
        PlannedWrite::Keep(why, lines) => return Ok(kept(shown, why, lines)),
        PlannedWrite::Create(text) => (create(path, &text), format!("wrote {shown}\n")),
        PlannedWrite::Extend(text) => (std::fs::write(path, text), format!("added overgrant to {shown}\n")),
    };
    written.map_err(|source| CliFailure::Io {
        what: format!("cannot write {shown}"),
        source,
    })?;
    Ok(done)
}

/// Never writes over a file that came in between.
fn create(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// What the first settings are made from.
struct FirstLook {
    /// Accounts in the ARNs of what is checked here, the most frequent first.
    accounts: Vec<(String, usize)>,
    /// Contracts that are kept.
    contracts: Vec<ContractTerms>,
}

impl FirstLook {
    fn new() -> Result<Self, CliFailure> {
        let over = |_: &mut Settings| {};
        let input = InputArgs::from_path(".".into());
        let all = repositories::read(&input, &over, &RunOptions::confined())?;
        let mut accounts: BTreeMap<String, usize> = BTreeMap::new();
        for f in all.iter().flat_map(|read| &read.found.files) {
            for id in account_ids(&f.text) {
                *accounts.entry(id.to_owned()).or_default() += 1;
            }
        }
        let mut ranked: Vec<(String, usize)> = accounts.into_iter().collect();
        ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let proposed = repositories::each(all, |_, analysis| {
            let project = &analysis.project;
            propose(project, &Effects::new(project))
        });
        Ok(Self {
            accounts: ranked,
            contracts: proposed.into_iter().next().unwrap_or_default(),
        })
    }
}

fn settings(look: &FirstLook) -> String {
    let mut out = String::from(
        "schema = 1\n\n# Lowest severity that makes the command fail.\nfail-on = \"medium\"\n\n# Settings like these stand above the first table.\n# exclude = [\"**/testdata/**\"]\n# rule-dirs = [\"policies/rules\"]\n\n\
         # Your accounts and organizations: access from others is reported with certainty.\n[own]\n",
    );
    if look.accounts.is_empty() {
        out.push_str("# accounts = { prod = \"111122223333\" }\n");
    } else {
        out.push_str(
            "# Accounts in the ARNs of this repository; keep and name those that are yours.\n# accounts = [\n",
        );
        for (id, n) in look.accounts.iter().take(10) {
            out.push_str(&format!("#   \"{id}\",  # {n} times\n"));
        }
        out.push_str("# ]\n");
    }
    out.push_str("# github = [\"your-organization\"]\n");
    out.push_str("\n# Python code in containers or on instances, and its role: its calls are compared with the grants of the role.\n");
    out.push_str("# [[workload]]\n# code = \"svc/\"\n# role = \"aws_iam_role.task\"\n");
    if look.contracts.is_empty() {
        out.push_str("\n# Access that is promised: `overgrant contracts` says whether it is so.\n");
        out.push_str("# [[contract]]\n# name = \"CI manages no identities\"\n# who = [\"aws_iam_role.ci\"]\n# never = [\"iam:*\"]\n");
    } else {
        out.push_str("\n# Access that this repository keeps to now: keep what should stay so.\n");
        let entries: Vec<String> = look.contracts.iter().map(contract_entry).collect();
        out.push_str(&entries.join("\n"));
    }
    out
}

fn contract_entry(terms: &ContractTerms) -> String {
    let mut out = String::from("[[contract]]\n");
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    out.push_str(&format!("name = {}\n", quoted(&terms.name.value.0)));
    for (key, names) in [
        ("who", &terms.who),
        ("never", &terms.never),
        ("actions", &terms.actions),
        ("resources", &terms.resources),
        ("only", &terms.only),
    ] {
        if let Some(names) = names {
            let all: Vec<String> = names.iter().map(|n| quoted(&n.value.0)).collect();
            out.push_str(&format!("{key} = [{}]\n", all.join(", ")));
        }
    }
    if terms.reach == ContractReach::AnyPath {
        out.push_str("reach = \"any path\"\n");
    }
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
