//! OLD and NEW: files, folders, revisions of Git, the work tree, and standard input.

use std::path::{Path, PathBuf};

use super::super::input::InputArgs;
use super::super::run::{self, Loaded, RunOptions};
use super::super::{CliFailure, repositories};
use crate::discover::{self, GitFailure, GitRepository};
use crate::settings::Settings;
use crate::source::{is_within, join_path, relative_path};

/// What one argument names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum DiffArgument {
    Stdin,
    Path(PathBuf),
    Revision {
        reference: String,
        /// As it is written behind the colon.
        path: Option<String>,
    },
    /// The other side of a single revision, with its path.
    WorkTree {
        path: Option<String>,
    },
}

/// One side, ready to be read.
pub(super) struct DiffOperand {
    /// As the command line names it.
    pub(super) name: String,
    /// Absolute: paths are matched below it.
    pub(super) base: String,
    path: PathBuf,
    run_options: RunOptions,
}

impl DiffArgument {
    fn new(argument: &Path) -> Self {
        if argument == Path::new("-") {
            return Self::Stdin;
        }
        if argument.symlink_metadata().is_ok() {
            return Self::Path(argument.to_path_buf());
        }
        let text = argument.to_string_lossy();
        let parts = text.split_once(':').filter(|(reference, _)| !reference.is_empty());
        let (reference, path) = parts.map_or((&*text, None), |(reference, path)| (reference, Some(path)));
        Self::Revision {
            reference: reference.to_owned(),
            path: path.map(str::to_owned),
        }
    }

    fn is_of_git(&self) -> bool {
        matches!(self, Self::Revision { .. } | Self::WorkTree { .. })
    }
}

/// The two sides that the arguments name.
pub(super) fn operands(arguments: &[PathBuf]) -> Result<[DiffOperand; 2], CliFailure> {
    let usage = |text: &str| Err(CliFailure::Usage(text.to_owned()));
    let (old, new) = match arguments {
        [old, new] => (DiffArgument::new(old), DiffArgument::new(new)),
        [one] => match DiffArgument::new(one) {
            DiffArgument::Revision { reference, path } => {
                let new = DiffArgument::WorkTree { path: path.clone() };
                (DiffArgument::Revision { reference, path }, new)
            }
            _ => return usage("one argument is a Git revision to compare the work tree with: name OLD and NEW"),
        },
        _ => return usage("diff compares two sides: OLD NEW, or a Git revision with the work tree"),
    };
    if old == DiffArgument::Stdin && new == DiffArgument::Stdin {
        return usage("standard input cannot be both OLD and NEW");
    }
    let cwd = run::working_directory()?;
    let resolver = OperandResolver::new(&cwd, [&old, &new])?;
    Ok([resolver.side(&old, &new)?, resolver.side(&new, &old)?])
}

/// Finds what operands name.
struct OperandResolver<'c> {
    cwd: &'c str,
    /// Of the revisions.
    repository: Option<GitRepository>,
}

impl<'c> OperandResolver<'c> {
    fn new(cwd: &'c str, sides: [&DiffArgument; 2]) -> Result<Self, CliFailure> {
        let mut out = Self { cwd, repository: None };
        let Some(revision) = sides.iter().find(|side| side.is_of_git()) else {
            return Ok(out);
        };
        let path = sides.iter().find_map(|side| match side {
            DiffArgument::Path(path) => Some(out.absolute(path)),
            _ => None,
        });
        let around = match path {
            // A file that lies elsewhere is compared with what a revision has here.
            Some(path) => match GitRepository::around(cwd, &[path]) {
                Err(GitFailure::NoRepository(_)) => GitRepository::around(cwd, &[]),
                found => found,
            },
            None => GitRepository::around(cwd, &[]),
        };
        out.repository = Some(around.map_err(|failure| no_such(revision, &failure))?);
        Ok(out)
    }

    fn absolute(&self, path: &Path) -> String {
        join_path(self.cwd, &discover::with_forward_slashes(path))
    }

    fn side(&self, side: &DiffArgument, other: &DiffArgument) -> Result<DiffOperand, CliFailure> {
        let mut run_options = RunOptions::without_findings();
        let mut is_absent = false;
        let (name, base) = match side {
            DiffArgument::Stdin => ("-".to_owned(), self.cwd.to_owned()),
            DiffArgument::Path(path) => (path.display().to_string(), self.absolute(path)),
            DiffArgument::Revision { reference, path } => {
                let repository = self.repository(side)?;
                let commit = repository
                    .named_commit(reference)
                    .map_err(|failure| no_such(side, &failure))?;
                run_options.tree = repository.revision(&commit)?;
                let base = match (path, other) {
                    (Some(path), _) => self.in_repository(repository, path),
                    // A path of the other side is meant here too.
                    (None, DiffArgument::Path(path)) if is_within(&self.absolute(path), repository.top()) => {
                        self.absolute(path)
                    }
                    (None, _) => repository.top().to_owned(),
                };
                if !run_options.tree.exists(Path::new(&base)) && path.is_none() {
                    // What the other side names is new.
                    run_options.tree = repository.nothing_of(&commit);
                    is_absent = true;
                } else if !run_options.tree.exists(Path::new(&base)) {
                    let what = relative_path(repository.top(), &base);
                    return Err(CliFailure::Usage(format!("`{reference}` has no `{what}`")));
                }
                let name = match path {
                    Some(path) => format!("{reference}:{path}"),
                    None => reference.clone(),
                };
                (name, base)
            }
            DiffArgument::WorkTree { path } => {
                let repository = self.repository(side)?;
                run_options.tree = repository.work_tree()?;
                let base = match path {
                    Some(path) => self.in_repository(repository, path),
                    None => repository.top().to_owned(),
                };
                if !Path::new(&base).exists() {
                    let what = relative_path(repository.top(), &base);
                    return Err(CliFailure::Usage(format!("the work tree has no `{what}`")));
                }
                let name = path.clone().unwrap_or_else(|| "the work tree".to_owned());
                (name, base)
            }
        };
        if let Some(repository) = self.repository.as_ref().filter(|r| is_within(&base, r.top())) {
            run_options.top = (*side != DiffArgument::Stdin).then(|| repository.top().to_owned());
        }
        let existing = match &self.repository {
            Some(repository) if is_absent => repository.top(),
            _ => &base,
        };
        let path = match side {
            DiffArgument::Stdin => PathBuf::from("-"),
            DiffArgument::Path(path) => path.clone(),
            DiffArgument::Revision { .. } | DiffArgument::WorkTree { .. } => match relative_path(self.cwd, existing) {
                here if here.is_empty() => PathBuf::from("."),
                there => PathBuf::from(there),
            },
        };
        Ok(DiffOperand {
            name,
            base,
            path,
            run_options,
        })
    }

    fn repository(&self, side: &DiffArgument) -> Result<&GitRepository, CliFailure> {
        let missing = || no_such(side, &GitFailure::NoRepository(self.cwd.to_owned()));
        self.repository.as_ref().ok_or_else(missing)
    }

    /// As Git reads `REF:path`: from the top, unless it begins with a dot.
    fn in_repository(&self, repository: &GitRepository, path: &str) -> String {
        let from = match path.starts_with("./") || path.starts_with("../") {
            true => self.cwd,
            false => repository.top(),
        };
        join_path(from, path.trim_end_matches('/'))
    }
}

/// An argument that is neither a path nor a revision.
fn no_such(side: &DiffArgument, failure: &GitFailure) -> CliFailure {
    match side {
        DiffArgument::Revision { reference, path } => {
            let name = match path {
                Some(path) => format!("{reference}:{path}"),
                None => reference.clone(),
            };
            CliFailure::Usage(format!("`{name}` is not a file or folder here: {failure}"))
        }
        _ => failure.clone().into(),
    }
}

impl DiffOperand {
    pub(super) fn run_options(&self) -> &RunOptions {
        &self.run_options
    }

    /// A file was named, and not a folder.
    pub(super) fn is_file(&self) -> bool {
        self.path == Path::new("-") || self.run_options.tree.is_file(Path::new(&self.base))
    }

    pub(super) fn read<'a>(
        &self,
        input: &InputArgs,
        over: &'a dyn Fn(&mut Settings),
    ) -> Result<Loaded<'a>, CliFailure> {
        let mut all = repositories::read(&input.with_path(self.path.clone()), over, &self.run_options)?;
        let read = all.pop();
        match read.filter(|_| all.is_empty()) {
            Some(read) => Ok(read),
            None => Err(CliFailure::Usage(format!(
                "`{}` holds several repositories: compare them one by one",
                self.name
            ))),
        }
    }
}
