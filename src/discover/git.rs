//! Asks Git about a repository: with fixed arguments, and so that nothing is written, fetched, or run.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::git_tree::{GitEntry, GitEntryKind, GitTree};
use super::tree::SourceTree;
use super::{git_root, with_forward_slashes};
use crate::edit_distance::nearest_word;
use crate::source::{is_within, parent_path};

/// Why Git cannot say what is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitFailure {
    #[error("git is not installed, or not on the PATH: --since and --staged need it")]
    NotInstalled,
    #[error("not in a git repository: {0}")]
    NoRepository(String),
    #[error("the paths are in several repositories ({0} and {1}): run once for each")]
    SeveralRepositories(String, String),
    #[error("{0} is a bare repository: --since and --staged need a work tree")]
    Bare(String),
    #[error("the root is not in the repository {0}")]
    RootOutside(String),
    #[error("`{0}` is not a revision: one does not begin with `-`")]
    OptionLike(String),
    #[error("unknown revision `{reference}`{}{}", suggestion(near.as_deref()), history(*shallow))]
    UnknownRevision {
        reference: String,
        near: Option<String>,
        shallow: bool,
    },
    #[error("the repository has no commit yet: there is nothing to compare with")]
    NoCommit,
    #[error("`{reference}` and HEAD have no common commit{}", history(*shallow))]
    NoMergeBase { reference: String, shallow: bool },
    #[error("{0} has merge conflicts in the index: resolve and stage it first")]
    Unmerged(String),
    #[error("an object of the repository is missing here{}", history(true))]
    MissingObject,
    #[error("git: {0}")]
    Failed(String),
}

fn suggestion(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

fn history(is_incomplete: bool) -> &'static str {
    match is_incomplete {
        true => "; the clone is shallow or partial: fetch more history, for example with `fetch-depth: 0`",
        false => "",
    }
}

/// A repository with a work tree.
#[derive(Clone, Debug)]
pub struct GitRepository {
    /// The top of the work tree, absolute, as it was named.
    pub(super) top: String,
    /// With its links resolved.
    pub(super) real_top: PathBuf,
    /// Where commands run.
    cwd: PathBuf,
    is_shallow: bool,
}

impl GitRepository {
    /// The one repository that all these paths lie in. They and `cwd` are absolute. What the environment of a hook says (`GIT_DIR`,
    /// `GIT_WORK_TREE`, `GIT_INDEX_FILE`) holds.
    pub fn around(cwd: &str, paths: &[String]) -> Result<Self, GitFailure> {
        let first = paths.first().map_or(cwd, String::as_str);
        let folder = |path: &str| match Path::new(path).is_dir() {
            true => path.to_owned(),
            false => parent_path(path).to_owned(),
        };
        let is_given = std::env::var_os("GIT_DIR").is_some();
        let named_top = git_root(&folder(first));
        let at = match (&named_top, git_root(cwd)) {
            // Relative paths in the environment start at the working directory.
            _ if is_given => cwd.to_owned(),
            (Some(top), around) if around.as_ref() != Some(top) => top.clone(),
            (Some(_), _) => cwd.to_owned(),
            (None, _) => match folder(first) {
                folder if Path::new(&folder).is_dir() => folder,
                _ => cwd.to_owned(),
            },
        };
        let asked = command(Path::new(&at))
            .args([
                "rev-parse",
                "--is-bare-repository",
                "--is-shallow-repository",
                "--show-toplevel",
            ])
            .output()
            .map_err(|e| start_failure(&e))?;
        let text = String::from_utf8_lossy(&asked.stdout);
        let mut lines = text.splitn(3, '\n');
        let (bare, shallow) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let top = lines.next().unwrap_or_default().trim_end_matches(['\n', '\r']);
        if !asked.status.success() || top.is_empty() {
            return Err(match (bare, complaint(&asked.stderr)) {
                ("true", _) => GitFailure::Bare(at),
                (_, said) if bare.is_empty() && said.contains("not a git repository") => {
                    GitFailure::NoRepository(first.to_owned())
                }
                ("false", said) if said.contains("work tree") => GitFailure::NoRepository(first.to_owned()),
                (_, said) => GitFailure::Failed(said),
            });
        }
        let real = |path: &str| std::fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
        let real_top = real(top);
        let top = match named_top.filter(|named| real(named) == real_top) {
            Some(named) => named,
            None => with_forward_slashes(Path::new(top)),
        };
        for path in paths {
            let other = git_root(&folder(path));
            let is_inside = match &other {
                Some(other) => real(other) == real_top || is_given && real(path).starts_with(&real_top),
                None => is_given && is_within(path, &top),
            };
            if !is_inside {
                return Err(match other {
                    Some(other) => GitFailure::SeveralRepositories(top, other),
                    None => GitFailure::NoRepository(path.clone()),
                });
            }
        }
        Ok(Self {
            top,
            real_top,
            cwd: PathBuf::from(at),
            is_shallow: shallow == "true",
        })
    }

    /// The top of the work tree, absolute.
    pub fn top(&self) -> &str {
        &self.top
    }

    /// The commit from which `HEAD` and `reference` went separate ways.
    pub fn merge_base(&self, reference: &str) -> Result<String, GitFailure> {
        if reference.starts_with('-') {
            return Err(GitFailure::OptionLike(reference.to_owned()));
        }
        let Some(head) = self.commit("HEAD")? else {
            return Err(GitFailure::NoCommit);
        };
        let other = self.named_commit(reference)?;
        let asked = self.command().args(["merge-base", &head, &other]).output();
        let asked = asked.map_err(|e| start_failure(&e))?;
        match first_id(&asked.stdout) {
            Some(base) => Ok(base),
            None if asked.status.code() == Some(1) => Err(GitFailure::NoMergeBase {
                reference: reference.to_owned(),
                shallow: self.is_shallow,
            }),
            None => Err(GitFailure::Failed(complaint(&asked.stderr))),
        }
    }

    /// The commit that `reference` names; it is a failure if it names none.
    pub fn named_commit(&self, reference: &str) -> Result<String, GitFailure> {
        if reference.starts_with('-') {
            return Err(GitFailure::OptionLike(reference.to_owned()));
        }
        self.commit(reference)?.ok_or_else(|| GitFailure::UnknownRevision {
            near: self.near_name(reference),
            reference: reference.to_owned(),
            shallow: self.is_shallow,
        })
    }

    /// The commit that `reference` names.
    fn commit(&self, reference: &str) -> Result<Option<String>, GitFailure> {
        let peeled = format!("{reference}^{{commit}}");
        let asked = self
            .command()
            .args(["rev-parse", "--verify", "--quiet", &peeled])
            .output();
        let answer = asked.map_err(|e| start_failure(&e))?.stdout;
        // A range of commits has two lines.
        let is_one = answer.iter().filter(|b| **b == b'\n').count() == 1;
        Ok(first_id(&answer).filter(|_| is_one))
    }

    /// A branch or tag that was probably meant.
    fn near_name(&self, reference: &str) -> Option<String> {
        let format = "--format=%(refname:short)";
        let asked = self.command().args(["for-each-ref", format]).output().ok()?;
        let text = String::from_utf8_lossy(&asked.stdout);
        let of_remote = |name: &&str| name.strip_suffix(reference).is_some_and(|rest| rest.ends_with('/'));
        let name = (text.lines().find(of_remote)).or_else(|| nearest_word(reference, text.lines()))?;
        Some(name.to_owned())
    }

    /// The files of the index.
    pub fn index(&self) -> Result<SourceTree, GitFailure> {
        let mut entries = Vec::new();
        for record in self.records(&["ls-files", "--stage", "-z", "--full-name", ":/"])? {
            let (mode, rest) = record.split_once(' ').ok_or_else(unexpected)?;
            let (id, rest) = rest.split_once(' ').ok_or_else(unexpected)?;
            let (stage, path) = rest.split_once('\t').ok_or_else(unexpected)?;
            if stage != "0" {
                return Err(GitFailure::Unmerged(path.to_owned()));
            }
            entries.push((path.to_owned(), GitEntry::new(mode, id)));
        }
        Ok(GitTree::new(self.clone(), "the index".to_owned(), entries).into())
    }

    /// The files of a commit.
    pub fn revision(&self, commit: &str) -> Result<SourceTree, GitFailure> {
        let mut entries = Vec::new();
        for record in self.records(&["ls-tree", "-r", "-z", "--full-tree", commit])? {
            let (head, path) = record.split_once('\t').ok_or_else(unexpected)?;
            let mut words = head.split(' ');
            let (Some(mode), Some(_), Some(id)) = (words.next(), words.next(), words.next()) else {
                return Err(unexpected());
            };
            entries.push((path.to_owned(), GitEntry::new(mode, id)));
        }
        Ok(GitTree::new(self.clone(), commit.to_owned(), entries).into())
    }

    /// A revision of which no files count: what it has of a folder that is not in it.
    pub fn nothing_of(&self, commit: &str) -> SourceTree {
        GitTree::new(self.clone(), commit.to_owned(), Vec::new()).into()
    }

    /// The files on disk, without those of submodules, which are in no tree of this repository.
    pub fn work_tree(&self) -> Result<SourceTree, GitFailure> {
        let mut without = std::collections::BTreeSet::new();
        for record in self.records(&["ls-files", "--stage", "-z", "--full-name", ":/"])? {
            let (mode, rest) = record.split_once(' ').ok_or_else(unexpected)?;
            let (_, path) = rest.split_once('\t').ok_or_else(unexpected)?;
            if GitEntry::new(mode, "").kind == GitEntryKind::Submodule {
                without.insert(crate::source::join_path(&self.top, path));
            }
        }
        Ok(SourceTree::Disk {
            without: without.into(),
            unsaved: std::sync::Arc::default(),
        })
    }

    /// What a command lists, separated by NUL.
    fn records(&self, args: &[&str]) -> Result<Vec<String>, GitFailure> {
        let asked = self.command().args(args).output().map_err(|e| start_failure(&e))?;
        if !asked.status.success() {
            return Err(GitFailure::Failed(complaint(&asked.stderr)));
        }
        let records = asked.stdout.split(|b| *b == 0).filter(|r| !r.is_empty());
        Ok(records.map(|r| String::from_utf8_lossy(r).into_owned()).collect())
    }

    pub(super) fn command(&self) -> Command {
        command(&self.cwd)
    }
}

/// Git that only reads: no pager, no locks, no hook of file watching, no download of objects, and commits as they were made.
fn command(cwd: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .args(["--no-pager", "--no-replace-objects", "-c", "core.fsmonitor=false"])
        .current_dir(cwd)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .env_remove("GIT_LITERAL_PATHSPECS")
        .stdin(Stdio::null());
    command
}

pub(super) fn start_failure(error: &io::Error) -> GitFailure {
    match error.kind() {
        io::ErrorKind::NotFound => GitFailure::NotInstalled,
        _ => GitFailure::Failed(error.to_string()),
    }
}

fn unexpected() -> GitFailure {
    GitFailure::Failed("unexpected output".to_owned())
}

/// The id of an object on the first line.
fn first_id(output: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(output).ok()?.lines().next()?;
    let is_id = text.len() >= 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then(|| text.to_owned())
}

/// The line in which Git says what is wrong.
fn complaint(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let fatal = text.lines().find_map(|l| l.strip_prefix("fatal: "));
    fatal.or_else(|| text.lines().last()).unwrap_or("failed").to_owned()
}
