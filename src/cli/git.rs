//! What a run takes from Git: the index instead of the work tree, and what an earlier revision has.

use std::path::{Path, PathBuf};

use clap::Args;

use super::CliFailure;
use super::input::InputArgs;
use super::repositories;
use super::run::{self, RunOptions};
use crate::discover::{self, GitRepository, SourceTree};
use crate::settings::Settings;
use crate::source::join_path;
use crate::triage::ComparedRevision;

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Git")]
pub(super) struct GitArgs {
    /// Check the files of the git index instead of the work tree
    #[arg(long)]
    pub(super) staged: bool,
    #[command(flatten)]
    pub(super) since: SinceArg,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Git")]
pub(super) struct SinceArg {
    /// Leave out findings that the merge base of this revision and HEAD has too
    #[arg(long = "since", value_name = "REF", allow_hyphen_values = true)]
    pub(super) reference: Option<String>,
}

/// The earlier revision of a run.
pub(super) struct EarlierTree {
    tree: SourceTree,
    revision: ComparedRevision,
}

impl GitArgs {
    /// Lets the run read what was asked for. Returns the input with all its paths, and what to compare with.
    pub(super) fn prepare(
        &self,
        input: &InputArgs,
        run_options: &mut RunOptions,
    ) -> Result<(InputArgs, Option<EarlierTree>), CliFailure> {
        let mut input = input.clone();
        let reference = self.since.reference.as_ref();
        if !self.staged && reference.is_none() {
            return Ok((input, None));
        }
        if input.paths.iter().any(|p| p == Path::new("-")) {
            let why = "--since and --staged compare files of a repository: standard input is not one";
            return Err(CliFailure::Usage(why.to_owned()));
        }
        let paths = input.targets()?.paths;
        let cwd = run::working_directory()?;
        let absolute = |p: &PathBuf| join_path(&cwd, &discover::with_forward_slashes(p));
        let repository = GitRepository::around(&cwd, &paths.iter().map(absolute).collect::<Vec<_>>())?;
        let base = reference
            .map(|reference| repository.merge_base(reference))
            .transpose()?;
        run_options.tree = match self.staged {
            true => repository.index()?,
            false => repository.work_tree()?,
        };
        run_options.top = Some(repository.top().to_owned());
        run_options.staged = self.staged;
        input.listed = Some(paths);
        let earlier = match (base, reference) {
            (Some(merge_base), Some(reference)) => Some(EarlierTree {
                tree: repository.revision(&merge_base)?,
                revision: ComparedRevision {
                    reference: reference.clone(),
                    merge_base,
                },
            }),
            _ => None,
        };
        Ok((input, earlier))
    }
}

impl EarlierTree {
    /// Finds what this revision has; the run leaves it out.
    pub(super) fn leave_out(
        self,
        input: &InputArgs,
        over: &dyn Fn(&mut Settings),
        run_options: &mut RunOptions,
    ) -> Result<(), CliFailure> {
        let of_earlier = RunOptions {
            ignores: run_options.ignores,
            strict_ignores: run_options.strict_ignores,
            tree: self.tree,
            top: run_options.top.clone(),
            later: Some(run_options.tree.clone()),
            ..RunOptions::default()
        };
        let mut all = repositories::read(input, over, &of_earlier)?;
        let Some(mut read) = all.pop() else { return Ok(()) };
        let known = run::analyze_again(&mut read, |read, analysis| {
            let report = read.report(analysis, &of_earlier);
            read.ensure_read()?;
            Ok::<_, CliFailure>(read.known_findings(analysis.project.sources, &report))
        })?;
        run_options.earlier = Some((known, self.revision));
        Ok(())
    }
}

impl RunOptions {
    /// Leaves out paths that the tree does not have where that is no mistake: of an earlier revision all that came later, and
    /// of the index folders in which nothing is tracked. All of an earlier revision counts, since files are moved.
    pub(super) fn select_stored(&self, paths: &mut Vec<PathBuf>, cwd: &str, root: Option<&String>) {
        if !matches!(self.tree, SourceTree::Git(_)) {
            return;
        }
        let is_earlier = self.later.is_some();
        paths.retain(|path| {
            let absolute = join_path(cwd, &discover::with_forward_slashes(path));
            let absolute = Path::new(&absolute);
            self.tree.exists(absolute) || !is_earlier && !absolute.is_dir()
        });
        if let Some(root) = root.filter(|_| is_earlier) {
            paths.retain(|path| join_path(cwd, &discover::with_forward_slashes(path)) != *root);
            paths.push(PathBuf::from(root));
        }
    }
}
