//! `config`, `man`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Subcommand};

use super::{Cli, CliFailure, run, terminal};
use crate::discover;
use crate::report;
use crate::settings::{Governing, Settings, json_schema, to_toml};
use crate::source::{join_path, parent_path, pretty_json};

/// Show, check, or describe the configuration
#[derive(Debug, Args)]
pub(super) struct Config {
    #[command(subcommand)]
    what: ConfigAction,
}

#[derive(Debug, Subcommand)]
enum ConfigAction {
    /// Show the settings for a path and where each is set
    Show {
        /// [default: .]
        path: Option<PathBuf>,
    },
    /// Print the JSON Schema of overgrant.toml, or of an output
    Schema {
        /// Print the schema of this format
        #[arg(value_enum, default_value = "settings")]
        of: SchemaOf,
    },
    /// Check that configuration files are valid
    Check {
        /// Check this configuration file, or the one for this path [default: .]
        path: Option<PathBuf>,
    },
}

/// What has a schema.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SchemaOf {
    /// overgrant.toml.
    Settings,
    /// `check --format json` and `jsonl`.
    Report,
    /// `policies --format json`.
    Policies,
    /// `needs --format json`.
    Needs,
    /// `workloads --format json`.
    Workloads,
    /// `diff --format json`.
    Diff,
    /// `paths --format json`.
    Paths,
    /// `graph --format json`.
    Graph,
    /// `can --format json` about a repository.
    Can,
    /// `who-can --format json`.
    WhoCan,
    /// `contracts --format json`.
    Contracts,
    /// `evidence report --format json`.
    Evidence,
    /// A file of a rule.
    Rule,
}

impl Config {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        match &self.what {
            ConfigAction::Show { path } => with_settings(path.as_ref(), |settings| {
                let from = settings
                    .path
                    .as_deref()
                    .unwrap_or("no configuration file found: defaults");
                terminal::print_text(&format!("# {from}\n{}", to_toml(settings)))
            }),
            ConfigAction::Schema { of } => {
                let schema = match of {
                    SchemaOf::Settings => json_schema(),
                    SchemaOf::Report => report::report_schema(),
                    SchemaOf::Policies => report::policies_schema(),
                    SchemaOf::Needs => report::needs_schema(),
                    SchemaOf::Workloads => report::workloads_schema(),
                    SchemaOf::Diff => report::diff_schema(),
                    SchemaOf::Paths => report::paths_schema(),
                    SchemaOf::Graph => report::graph_schema(),
                    SchemaOf::Can => report::access_schema(),
                    SchemaOf::WhoCan => report::who_can_schema(),
                    SchemaOf::Contracts => report::contracts_schema(),
                    SchemaOf::Evidence => report::evidence_schema(),
                    SchemaOf::Rule => crate::rules::rule_schema(),
                };
                terminal::print_text(&pretty_json(&schema))
            }
            ConfigAction::Check { path } => with_settings(path.as_ref(), |settings| {
                let from = settings
                    .path
                    .as_deref()
                    .unwrap_or("no configuration file found: defaults");
                terminal::print_text(&format!("{from}: valid\n"))
            }),
        }
    }
}

fn with_settings(
    path: Option<&PathBuf>,
    then: impl FnOnce(&Settings) -> Result<ExitCode, CliFailure>,
) -> Result<ExitCode, CliFailure> {
    let cwd = run::working_directory()?;
    let path = path.map_or_else(|| ".".to_owned(), |p| discover::with_forward_slashes(p));
    let absolute = join_path(&cwd, &path);
    let meta = std::fs::metadata(&absolute).map_err(|source| CliFailure::Io {
        what: format!("cannot read {path}"),
        source,
    })?;
    let over = |_: &mut Settings| {};
    let dir = if meta.is_dir() {
        absolute.as_str()
    } else {
        parent_path(&absolute)
    };
    let mut governing = Governing::new(&cwd, discover::git_root(dir), &over);
    if absolute.ends_with(".toml") {
        governing.force(&path).map_err(CliFailure::Settings)?;
    }
    governing.load(dir).map_err(CliFailure::Settings)?;
    let ruleset = super::rules::ruleset(governing.all())?;
    governing.resolve(&ruleset).map_err(CliFailure::Settings)?;
    then(governing.load(dir).map_err(CliFailure::Settings)?)
}

/// Print the manual page as roff
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Print the manual page of this command
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

impl Man {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let mut root = Cli::command();
        root.build();
        let page = match &self.command {
            Some(name) => {
                let found = root.find_subcommand(name).cloned();
                let command = found.ok_or_else(|| CliFailure::Usage(format!("no command `{name}`")))?;
                command.display_name(format!("overgrant-{name}"))
            }
            None => root,
        };
        let mut out = Vec::new();
        clap_mangen::Man::new(page)
            .render(&mut out)
            .map_err(|source| CliFailure::Io {
                what: "cannot write the page".to_owned(),
                source,
            })?;
        terminal::print_page(&out)
    }
}
