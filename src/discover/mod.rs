//! Finds the files of a run and reads them: the only reader of user files.
//!
//! **Invariant:** what is kept is ours by name and by content; nothing in the tree (loops, pipes, unreadable or binary
//! files, folders named like files) stops the walk; the result does not depend on the order of the walk.

mod context;
mod edited;
mod git;
mod git_tree;
mod ignored;
mod inside;
mod names;
mod patterns;
mod read;
mod sealed;
mod skipped;
mod tree;
mod unread;
mod walk;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::gitignore::Gitignore;

use crate::rules::user::RuleMistake;
use crate::source::{ProblemKind, file_name, is_within, join_path, parent_path, relative_path};
use crate::unjudged::{Seal, Unjudged, UnjudgedReason};

pub use git::{GitFailure, GitRepository};
use ignored::Ignored;
pub use inside::{AnalysisRoot, Repositories, RunFolders};
pub use patterns::{matches, patterns};
pub use read::text as read_text;
use sealed::{has_sealed_values, strip_encryption_suffix};
pub use skipped::{SkipReason, Skipped};
use tree::EntryKind;
pub use tree::SourceTree;

pub use names::{NameHint, hint_from_requested_name};

/// Larger files are not read, and are said not to be.
pub const MAX_FILE_SIZE: u64 = 16 << 20;

/// What the content of a file is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputInterest {
    None,
    /// Python that does not mention AWS: read when other Python does, which may import it or be imported by it.
    Code,
    /// May hold credentials.
    Text,
    /// One of our formats.
    Iam,
}

/// Judges `(path, text)`.
pub type Classifier<'a> = dyn Fn(&str, &str) -> InputInterest + Sync + 'a;

/// What to look for and where.
pub struct SearchRequest<'a> {
    /// Absolute, `/` between the parts.
    pub cwd: String,
    pub tree: &'a SourceTree,
    pub inside: &'a RunFolders,
    pub paths: Vec<PathBuf>,
    /// What came on standard input, under this name.
    pub stdin: Option<(String, Vec<u8>)>,
    /// Patterns in the manner of `.gitignore`: files to read whatever their name says.
    pub include: Option<Gitignore>,
    /// Not searched for; paths named by the user only with `force_exclude`. What a linted file
    /// names (`file("policy.json")`) is read nevertheless, since it is part of that file.
    pub exclude: Vec<Gitignore>,
    pub force_exclude: bool,
    pub gitignore: bool,
    pub max_file_size: u64,
    /// Read what may take part in what the named files say.
    pub context: bool,
    /// The folders that are analyzed as a whole: what is not named in them is context. Sorted.
    pub roots: Vec<AnalysisRoot>,
    /// What is named lies in no repository: those that a walk meets are not entered, but listed.
    pub leaves_repositories: bool,
    /// Nothing is read: the files that would be are listed.
    pub only_lists: bool,
    /// 0: as many as there are cores.
    pub jobs: usize,
    /// Keep the reason of everything that was skipped.
    pub report_skipped: bool,
    pub judge: &'a Classifier<'a>,
}

impl std::fmt::Debug for SearchRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search")
            .field("paths", &self.paths)
            .finish_non_exhaustive()
    }
}

/// Files that would be read, and the folders that would be walked. Absolute.
#[derive(Debug, Default)]
pub struct ListedPaths {
    pub files: Vec<String>,
    pub folders: Vec<String>,
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputFile {
    /// As in `SourceFile::path`.
    pub path: String,
    pub text: Arc<str>,
    pub in_scope: bool,
}

/// Something about a file that the user should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadProblem {
    pub path: String,
    pub kind: ProblemKind,
    pub message: String,
}

/// The outcome of a search, sorted by path.
#[derive(Debug, Default)]
pub struct Discovery {
    pub files: Vec<InputFile>,
    /// See [`InputInterest::Code`].
    code: Vec<InputFile>,
    /// Some of the files are Python that mentions AWS.
    python: bool,
    pub troubles: Vec<ReadProblem>,
    /// Filled when [`SearchRequest::report_skipped`] is set.
    pub skipped: Vec<Skipped>,
    pub skipped_count: usize,
    /// Bytes read, kept or not.
    pub bytes: u64,
    /// What was met and not read, though it may hold policies.
    pub unjudged: Vec<Unjudged>,
    /// Files whose text is not byte for byte what is on disk: never to be written.
    pub altered: BTreeSet<String>,
    /// Symbolic links to files and folders of the repository, and what each leads to.
    pub links: Vec<(String, String)>,
    /// Repositories that were met and not entered, absolute. See [`SearchRequest::leaves_repositories`].
    pub repositories: Vec<String>,
    /// Filled when [`SearchRequest::only_lists`] is set.
    pub listed: ListedPaths,
    /// Users' rule files that cannot be read.
    pub broken_rules: Vec<RuleMistake>,
}

impl Discovery {
    /// Takes what another search, or a part of this one, found.
    fn merge(&mut self, part: Self) {
        self.files.extend(part.files);
        self.code.extend(part.code);
        self.python |= part.python;
        self.troubles.extend(part.troubles);
        self.skipped.extend(part.skipped);
        self.skipped_count += part.skipped_count;
        self.bytes += part.bytes;
        self.unjudged.extend(part.unjudged);
        self.altered.extend(part.altered);
        self.links.extend(part.links);
        self.repositories.extend(part.repositories);
        self.listed.files.extend(part.listed.files);
        self.listed.folders.extend(part.listed.folders);
    }

    /// A file that cannot be opened, walked or named.
    fn note_unopened(&mut self, path: &str, promised: NameHint, error: &io::Error) {
        let message = format!("cannot open: {error}");
        match promised {
            NameHint::Iam => self.troubles.push(ReadProblem {
                path: path.to_owned(),
                kind: ProblemKind::Input,
                message,
            }),
            NameHint::Text => self
                .unjudged
                .push(Unjudged::whole(path, UnjudgedReason::Unread(message))),
        }
    }

    /// A folder that cannot be listed.
    fn note_unlisted_folder(&mut self, path: String, error: &io::Error) {
        let why = UnjudgedReason::Unread(format!("cannot list the folder: {error}"));
        self.unjudged.push(Unjudged::whole(path, why));
    }

    /// Decides about [`InputInterest::Code`].
    fn decide_about_code(&mut self, report_skipped: bool) {
        for input in std::mem::take(&mut self.code) {
            if self.python {
                self.files.push(input);
            } else {
                self.skip(report_skipped, &input.path, SkipReason::NothingFound);
            }
        }
    }

    fn sort(&mut self) {
        self.files
            .sort_by(|a, b| a.path.cmp(&b.path).then(b.in_scope.cmp(&a.in_scope)));
        self.files.dedup_by(|b, a| a.path == b.path);
        self.troubles.sort_by(|a, b| a.path.cmp(&b.path));
        self.troubles.dedup();
        self.skipped
            .sort_by(|a, b| (&a.path, a.why.text()).cmp(&(&b.path, b.why.text())));
        self.skipped.dedup();
        self.repositories.sort();
        self.repositories.dedup();
    }

    /// Leaves to another run what lies at these absolute paths, of which `cwd` makes those that are shown: it stays as context.
    pub fn leave(&mut self, cwd: &str, paths: &[String]) {
        let is_left = |path: &str| {
            let absolute = join_path(cwd, path);
            paths.iter().any(|left| is_within(&absolute, left))
        };
        for file in self.files.iter_mut().filter(|f| is_left(&f.path)) {
            file.in_scope = false;
        }
        self.troubles.retain(|t| !is_left(&t.path));
        self.unjudged.retain(|u| !is_left(&u.path));
        let listed = self.skipped.len();
        self.skipped.retain(|s| !is_left(&s.path));
        self.skipped_count -= listed - self.skipped.len();
    }

    fn skip(&mut self, report_skipped: bool, path: &str, why: SkipReason) {
        self.skipped_count += 1;
        if report_skipped {
            self.skipped.push(Skipped {
                path: path.to_owned(),
                why,
            });
        }
    }
}

/// A path that the user named and that leads to nothing that can be read: ends the run.
#[derive(Debug, thiserror::Error)]
pub enum PathFailure {
    #[error("no such file or folder{}: {path}{hint}", tree.as_ref().map(|tree| format!(" in {tree}")).unwrap_or_default())]
    Missing {
        path: String,
        /// If it is not the disk.
        tree: Option<String>,
        /// What was meant, or what to do.
        hint: String,
    },
    #[error("{path} is neither a file nor a folder; for a pipe, use `-`")]
    Special { path: String },
}

/// An operating system's path with `/` between the parts.
pub fn with_forward_slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text.into_owned()
    }
}

impl SearchRequest<'_> {
    fn absolute(&self, path: &Path) -> String {
        join_path(&self.cwd, &with_forward_slashes(path))
    }

    /// The path for reading: as it was named, or absolute.
    fn located(&self, path: &Path) -> PathBuf {
        match self.tree {
            SourceTree::Disk { .. } => path.to_path_buf(),
            SourceTree::Git(_) => PathBuf::from(self.absolute(path)),
        }
    }

    /// The path as it is shown.
    fn display_path(&self, absolute: &str) -> String {
        let shown = relative_path(&self.cwd, absolute);
        if shown.is_empty() { ".".to_owned() } else { shown }
    }

    fn excluded(&self, absolute: &str) -> bool {
        self.exclude.iter().any(|e| matches(e, absolute))
    }

    fn included(&self, absolute: &str) -> bool {
        self.include.as_ref().is_some_and(|i| matches(i, absolute))
    }

    /// Walks and reads. Fails only for a path that the user named.
    pub fn run(&self) -> Result<Discovery, PathFailure> {
        let mut found = Discovery::default();
        let mut folders = Vec::new();
        let mut named = Vec::new();
        for path in &self.paths {
            let absolute = self.absolute(path);
            let located = self.located(path);
            let kind = match self.tree.kind(&located) {
                Ok(kind) => kind,
                Err(e) if e.kind() == io::ErrorKind::NotFound && !self.tree.has_entry(&located) => {
                    return Err(self.path_failure(path));
                }
                Err(e) => {
                    self.note_unopened(path, &absolute, &e, &mut found);
                    continue;
                }
            };
            if self.inside.leaves_repository(&absolute) {
                found
                    .unjudged
                    .push(Unjudged::whole(self.display_path(&absolute), UnjudgedReason::Outside));
            } else if kind == EntryKind::Folder {
                if let Err(e) = self.tree.list(&located) {
                    found.note_unlisted_folder(self.display_path(&absolute), &e);
                } else if absolute.split('/').any(|part| part == ".git") {
                    found.skip(self.report_skipped, &self.display_path(&absolute), SkipReason::GitStore);
                } else {
                    folders.push(located);
                }
            } else if kind == EntryKind::Submodule {
                found.skip(
                    self.report_skipped,
                    &self.display_path(&absolute),
                    SkipReason::Submodule,
                );
            } else if kind == EntryKind::File {
                named.push(located);
            } else {
                return Err(PathFailure::Special {
                    path: with_forward_slashes(path),
                });
            }
        }
        let mut lonely = Vec::new();
        for path in &named {
            let absolute = self.absolute(path);
            if self.force_exclude && self.excluded(&absolute) {
                found.skip(self.report_skipped, &self.display_path(&absolute), SkipReason::Excluded);
                continue;
            }
            self.add_requested_file(path, &absolute, &mut found);
            lonely.push(absolute);
        }
        if let Some((name, bytes)) = &self.stdin {
            let absolute = join_path(&self.cwd, name);
            found.bytes += bytes.len() as u64;
            let content = read::classify_content(bytes.clone(), self.max_file_size);
            self.add_content(&self.display_path(&absolute), content, true, true, &mut found);
            lonely.push(absolute);
        }
        // What is named is read, though a walk around it would leave it out.
        let ignored = Ignored::new(&self.cwd, self.tree);
        let left_out = |folder: &PathBuf| {
            let absolute = self.absolute(folder);
            let name = file_name(&absolute);
            let hidden = || self.gitignore && ignored.is_hidden(Path::new(&absolute), true);
            names::is_generated(name) || hidden() || !self.force_exclude && self.excluded(&absolute)
        };
        let (named, ordinary): (Vec<PathBuf>, Vec<PathBuf>) = folders.iter().cloned().partition(left_out);
        for (folders, filtered) in [(named, false), (ordinary, true)] {
            if !folders.is_empty() {
                let how = walk::WalkOptions {
                    in_scope: true,
                    filtered,
                    except: &[],
                    max_entries: None,
                };
                walk::walk(self, &folders, how, &mut found);
            }
        }
        if self.context {
            let mut covered: Vec<String> = folders.iter().map(|f| self.absolute(f)).collect();
            covered.extend(self.add_roots(&covered, &mut found));
            lonely.sort_by(|a, b| (parent_path(a), a).cmp(&(parent_path(b), b)));
            lonely.dedup();
            lonely.retain(|file| !covered.iter().any(|c| is_within(file, c)));
            let mut known: BTreeSet<String> = found.files.iter().map(|f| f.path.clone()).collect();
            known.extend(found.troubles.iter().map(|t| t.path.clone()));
            for files in lonely.chunk_by(|a, b| parent_path(a) == parent_path(b)) {
                let dir = parent_path(&files[0]);
                let names: Vec<&str> = files.iter().map(|f| file_name(f)).collect();
                context::read_neighbors(self, dir, &names, &known, &mut found);
            }
        }
        found.decide_about_code(self.report_skipped);
        found.sort();
        Ok(found)
    }

    /// Adds, as context, what lies in the folders that are analyzed as a whole and was not `covered`. Returns those folders.
    fn add_roots(&self, covered: &[String], found: &mut Discovery) -> Vec<String> {
        let mut added = Vec::new();
        for root in &self.roots {
            if covered.iter().any(|folder| is_within(&root.path, folder)) {
                continue;
            }
            let how = walk::WalkOptions {
                in_scope: false,
                filtered: true,
                except: covered,
                max_entries: root.max_entries,
            };
            let mut context = Discovery::default();
            if !walk::walk(self, &[PathBuf::from(&root.path)], how, &mut context) {
                found.unjudged.push(Unjudged::whole(
                    self.display_path(&root.path),
                    UnjudgedReason::TooManyFiles,
                ));
                continue;
            }
            // What is only read to understand others is not asked about.
            context.unjudged.clear();
            context.troubles.clear();
            context.skipped.clear();
            context.skipped_count = 0;
            context.repositories.clear();
            found.merge(context);
            added.push(root.path.clone());
        }
        added
    }

    fn path_failure(&self, path: &Path) -> PathFailure {
        let shown = with_forward_slashes(path);
        let near = || nearest_sibling(self.tree, &self.located(path)).map(|near| path.with_file_name(near));
        let hint = match shown.contains(['*', '?', '[']) {
            true => "; the shell did not expand this pattern: it is quoted, or matches no file".to_owned(),
            false => near().map_or_else(String::new, |near| {
                format!("; did you mean {}?", with_forward_slashes(&near))
            }),
        };
        PathFailure::Missing {
            hint,
            tree: self.tree.name().map(str::to_owned),
            path: shown,
        }
    }

    fn add_requested_file(&self, path: &Path, absolute: &str, found: &mut Discovery) {
        if self.only_lists {
            return found.listed.files.push(absolute.to_owned());
        }
        match self.tree.read(path, self.max_file_size) {
            Ok(content) => self.add_content(&self.display_path(absolute), content, true, true, found),
            Err(e) => self.note_unopened(path, absolute, &e, found),
        }
    }

    /// A file that was named and cannot be opened. Its name says what is lost, as on a walk.
    fn note_unopened(&self, path: &Path, absolute: &str, error: &io::Error, found: &mut Discovery) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let promised = match self.included(absolute) {
            true => NameHint::Iam,
            false => names::hint_from_name(&name).unwrap_or(NameHint::Text),
        };
        found.note_unopened(&self.display_path(absolute), promised, error);
    }

    /// Takes what was read of the file shown as `path`, if it is ours.
    fn add_content(&self, path: &str, content: read::Content, named: bool, in_scope: bool, found: &mut Discovery) {
        let name = file_name(path);
        let trouble = |kind, message: String| ReadProblem {
            path: path.to_owned(),
            kind,
            message,
        };
        let (text, repaired, altered) = match content {
            read::Content::Text(text) => (text, false, false),
            read::Content::Converted(text) => (text, false, true),
            read::Content::Repaired(text) => (text, true, true),
            read::Content::Binary => {
                if hint_from_requested_name(name) == Some(NameHint::Iam) && in_scope {
                    let message = "binary data where text was expected".to_owned();
                    found.troubles.push(trouble(ProblemKind::Input, message));
                }
                return found.skip(self.report_skipped, path, SkipReason::BinaryContent);
            }
            read::Content::Sealed(seal) => {
                if hint_from_requested_name(strip_encryption_suffix(name)).is_some() && in_scope {
                    found.unjudged.push(Unjudged::whole(path, UnjudgedReason::Sealed(seal)));
                }
                return found.skip(self.report_skipped, path, SkipReason::Sealed(seal));
            }
            read::Content::TooLarge(size, says_policy) => {
                let message = format!("{size} bytes, more than the {} of --max-file-size", self.max_file_size);
                // A service of the Serverless Framework has a role, whatever it says of it.
                let says_policy = says_policy || name.starts_with("serverless.");
                if in_scope && says_policy && hint_from_requested_name(name) == Some(NameHint::Iam) {
                    found.troubles.push(trouble(ProblemKind::Input, message));
                } else if in_scope {
                    found
                        .unjudged
                        .push(Unjudged::whole(path, UnjudgedReason::Unread(message)));
                }
                return found.skip(self.report_skipped, path, SkipReason::TooLarge);
            }
        };
        found.bytes += text.len() as u64;
        let unknown_kind = named && hint_from_requested_name(name).is_none() && !LOCKED.contains(&name);
        let interest = match (self.judge)(path, &text) {
            InputInterest::None if unknown_kind => InputInterest::Text,
            interest => interest,
        };
        if interest == InputInterest::Iam && has_sealed_values(&text) {
            if in_scope {
                found
                    .unjudged
                    .push(Unjudged::whole(path, UnjudgedReason::Sealed(Seal::Sops)));
            }
            return found.skip(self.report_skipped, path, SkipReason::Sealed(Seal::Sops));
        }
        let as_context = matches!(interest, InputInterest::Iam | InputInterest::Code);
        let language = unread::unread_language(path, &text).filter(|_| in_scope && interest != InputInterest::Iam);
        if let Some(language) = language {
            found
                .unjudged
                .push(Unjudged::whole(path, UnjudgedReason::Language(language)));
        }
        if interest == InputInterest::None || (!in_scope && !as_context) {
            return found.skip(
                self.report_skipped,
                path,
                language.map_or(SkipReason::NothingFound, SkipReason::Language),
            );
        }
        if altered {
            found.altered.insert(path.to_owned());
        }
        if repaired && in_scope {
            let message = "not UTF-8; each invalid byte was read as `?`".to_owned();
            found.troubles.push(trouble(ProblemKind::NotEvaluated, message));
        }
        let input = InputFile {
            path: path.to_owned(),
            text: Arc::from(text),
            in_scope,
        };
        if interest == InputInterest::Code && !named {
            found.code.push(input);
            return;
        }
        found.python |= interest == InputInterest::Iam && path.ends_with(".py");
        found.files.push(input);
    }
}

/// Named or not, these hold nothing but hashes.
const LOCKED: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "composer.lock",
];

/// The entry of the same folder whose name is nearest to the missing one.
fn nearest_sibling(tree: &SourceTree, path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_string_lossy().into_owned();
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty());
    let entries = tree.list(dir.unwrap_or(Path::new("."))).ok()?;
    let names = entries.iter().take(10_000).map(|(name, _)| name.as_str());
    crate::edit_distance::nearest_word(&wanted, names.filter(|name| *name != wanted)).map(str::to_owned)
}

/// The folder that holds `.git`, at or above the absolute folder `dir`.
pub fn git_root(dir: &str) -> Option<String> {
    Path::new(dir)
        .ancestors()
        .find(|d| d.join(".git").exists())
        .map(with_forward_slashes)
}

/// A folder on the way from `top` down to the absolute `file` is one that a walk skips.
pub fn in_skipped_folder(top: &str, file: &str) -> bool {
    let below = parent_path(file).strip_prefix(top).unwrap_or("");
    below
        .split('/')
        .any(|name| !name.is_empty() && names::folder_skipped(name).is_some())
}

pub use context::read_wanted;
