//! The parallel walk: each worker chooses by name, reads, judges and keeps or drops.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use ignore::{WalkBuilder, WalkState};
use rayon::iter::{ParallelBridge as _, ParallelIterator as _};

use super::ignored::Ignored;
use super::inside::is_repository;
use super::names::{NameHint, folder_skipped, hint_from_name, names_parameters};
use super::read::Content;
use super::tree::EntryKind;
use super::{Discovery, SearchRequest, SkipReason, SourceTree};
use crate::unjudged::{Unjudged, UnjudgedReason};

/// What one worker found; handed over when the worker ends.
struct Worker<'w, 's> {
    ignored: Option<&'w Ignored<'w>>,
    search: &'w SearchRequest<'s>,
    how: WalkOptions<'w>,
    entries: &'w AtomicUsize,
    found: Discovery,
    all: &'w Mutex<Vec<Discovery>>,
    /// Files of a Git tree, which are read together when the walk ends.
    chosen: Vec<ChosenFile>,
}

/// A file that is to be read.
struct ChosenFile {
    absolute: PathBuf,
    shown: String,
    promised: NameHint,
}

/// What a walk meets.
struct Visited<'p> {
    path: &'p Path,
    name: &'p str,
    kind: EntryKind,
}

impl Drop for Worker<'_, '_> {
    fn drop(&mut self) {
        if let Ok(mut all) = self.all.lock() {
            all.push(std::mem::take(&mut self.found));
        }
    }
}

/// Files of a Git tree that are read before one of them is judged.
const READ_AHEAD: usize = 64;

/// How folders are walked.
#[derive(Clone, Copy)]
pub(super) struct WalkOptions<'w> {
    pub(super) in_scope: bool,
    /// `.gitignore` and exclusions count.
    pub(super) filtered: bool,
    /// Folders that are left out, absolute.
    pub(super) except: &'w [String],
    /// If there are more entries, nothing is added.
    pub(super) max_entries: Option<usize>,
}

/// Adds what lies under `folders`; whether it did.
pub(super) fn walk(
    search: &SearchRequest<'_>,
    folders: &[PathBuf],
    how: WalkOptions<'_>,
    found: &mut Discovery,
) -> bool {
    let entries = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    let ignored = Ignored::new(&search.cwd, search.tree);
    let worker = || Worker {
        ignored: (search.gitignore && how.filtered).then_some(&ignored),
        search,
        how,
        entries: &entries,
        found: Discovery::default(),
        all: &all,
        chosen: Vec::new(),
    };
    match search.tree {
        SourceTree::Disk { .. } => builder(search, folders).build_parallel().run(|| {
            let mut worker = worker();
            Box::new(move |entry| worker.entry(entry))
        }),
        SourceTree::Git(_) => {
            let mut worker = worker();
            folders.iter().for_each(|folder| worker.folder_of_git(folder));
            worker.read_chosen();
        }
    }
    if how.max_entries.is_some_and(|max| entries.load(Ordering::Relaxed) > max) {
        return false;
    }
    for part in all.into_inner().unwrap_or_default() {
        found.merge(part);
    }
    if search.only_lists {
        found.listed.folders.extend(folders.iter().map(|f| search.absolute(f)));
    }
    true
}

fn builder(search: &SearchRequest<'_>, folders: &[PathBuf]) -> WalkBuilder {
    let mut builder = WalkBuilder::empty();
    for folder in folders {
        builder.add(folder);
    }
    builder
        // Ignoring is ours: the walker would wait for a `.gitignore` that is a pipe.
        .standard_filters(false)
        .follow_links(false)
        .threads(search.jobs);
    builder
}

impl Worker<'_, '_> {
    fn entry(&mut self, entry: Result<ignore::DirEntry, ignore::Error>) -> WalkState {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                self.unreachable(&e);
                return WalkState::Continue;
            }
        };
        match entry.file_type() {
            Some(kind) if entry.depth() > 0 => self.visit(&Visited {
                path: entry.path(),
                name: &entry.file_name().to_string_lossy(),
                kind: kind.into(),
            }),
            _ => WalkState::Continue,
        }
    }

    /// Visits what is below a folder of a Git tree.
    fn folder_of_git(&mut self, folder: &Path) {
        let mut left = vec![folder.to_path_buf()];
        while let Some(folder) = left.pop() {
            for (name, kind) in self.search.tree.list(&folder).unwrap_or_default() {
                let path = folder.join(&name);
                let visited = Visited {
                    path: &path,
                    name: &name,
                    kind,
                };
                match self.visit(&visited) {
                    WalkState::Continue if kind == EntryKind::Folder => left.push(path),
                    WalkState::Continue | WalkState::Skip => {}
                    WalkState::Quit => return,
                }
            }
        }
    }

    /// Reads what was chosen, one file after the other, and judges it on all threads.
    fn read_chosen(&mut self) {
        let chosen = std::mem::take(&mut self.chosen);
        let paths: Vec<&Path> = chosen.iter().map(|c| &*c.absolute).collect();
        let (search, how) = (self.search, self.how);
        let (send, receive) = mpsc::sync_channel::<(usize, io::Result<Content>)>(READ_AHEAD);
        let found = std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                search.tree.read_all(&paths, search.max_file_size, &mut |i, content| {
                    // The receiver lives as long as this thread.
                    let _ = send.send((i, content));
                });
            });
            let judge = |mut found: Discovery, (i, content): (usize, io::Result<Content>)| {
                let ChosenFile { shown, promised, .. } = &chosen[i];
                match content {
                    Ok(content) => search.add_content(shown, content, false, how.in_scope, &mut found),
                    Err(e) => found.note_unopened(shown, *promised, &e),
                }
                found
            };
            let merged = |mut a: Discovery, b| {
                a.merge(b);
                a
            };
            let judged = receive.into_iter().par_bridge().fold(Discovery::default, judge);
            let found = judged.reduce(Discovery::default, merged);
            // A thread that is left alone while it ends crashes some versions of the C library (glibc bug 19951).
            if let Err(panic) = reading.join() {
                std::panic::resume_unwind(panic);
            }
            found
        });
        self.found.merge(found);
    }

    fn visit(&mut self, entry: &Visited<'_>) -> WalkState {
        let (kind, name) = (entry.kind, entry.name);
        let is_folder = matches!(kind, EntryKind::Folder | EntryKind::Submodule);
        if let Some(max) = self.how.max_entries
            && self.entries.fetch_add(1, Ordering::Relaxed) >= max
        {
            return WalkState::Quit;
        }
        if is_folder && !self.how.except.is_empty() {
            let absolute = self.search.absolute(entry.path);
            if self.how.except.contains(&absolute) {
                return WalkState::Skip;
            }
        }
        if let Some(ignored) = self.ignored {
            let absolute = self.search.absolute(entry.path);
            if ignored.is_hidden(Path::new(&absolute), is_folder) {
                if is_folder && name == "cdk.out" {
                    self.skip_synthesized(entry);
                }
                let shown = self.display_path(entry);
                self.found
                    .skip(self.search.report_skipped, &shown, SkipReason::Gitignored);
                return WalkState::Skip;
            }
        }
        if is_folder {
            return self.folder(entry);
        }
        let report_skipped = self.search.report_skipped;
        if kind != EntryKind::File {
            if kind == EntryKind::Link {
                self.link(entry);
            }
            if report_skipped || hint_from_name(name).is_ok() {
                let shown = self.display_path(entry);
                self.found.skip(report_skipped, &shown, SkipReason::NotRegular);
            }
            return WalkState::Continue;
        }
        let promised = match hint_from_name(name) {
            Ok(promised) => promised,
            Err(why) => {
                let absolute = self.search.absolute(entry.path);
                if !self.search.included(&absolute) {
                    let shown = if report_skipped {
                        self.search.display_path(&absolute)
                    } else {
                        String::new()
                    };
                    self.found.skip(report_skipped, &shown, why);
                    return WalkState::Continue;
                }
                NameHint::Iam
            }
        };
        if self.how.in_scope || promised == NameHint::Iam || names_parameters(name) {
            self.file(entry, promised);
        }
        WalkState::Continue
    }

    fn display_path(&self, entry: &Visited<'_>) -> String {
        self.search.display_path(&self.search.absolute(entry.path))
    }

    fn folder(&mut self, entry: &Visited<'_>) -> WalkState {
        let name = entry.name;
        let report_skipped = self.search.report_skipped;
        let is_left_out = || self.search.tree.leaves_out(&self.search.absolute(entry.path));
        if entry.kind == EntryKind::Submodule || is_left_out() {
            let shown = self.display_path(entry);
            self.found.skip(report_skipped, &shown, SkipReason::Submodule);
            return WalkState::Skip;
        }
        if let Some(why) = folder_skipped(name) {
            let shown = self.display_path(entry);
            self.found.skip(report_skipped, &shown, why);
            return WalkState::Skip;
        }
        if self.how.filtered
            && !self.search.exclude.is_empty()
            && self.search.excluded(&self.search.absolute(entry.path))
        {
            let shown = self.display_path(entry);
            self.found.skip(report_skipped, &shown, SkipReason::Excluded);
            if name == "cdk.out" {
                self.skip_synthesized(entry);
            }
            return WalkState::Skip;
        }
        if self.search.leaves_repositories {
            let absolute = self.search.absolute(entry.path);
            if is_repository(&absolute) {
                self.found.repositories.push(absolute);
                return WalkState::Skip;
            }
        }
        if self.search.only_lists {
            let absolute = self.search.absolute(entry.path);
            self.found.listed.folders.push(absolute);
        }
        WalkState::Continue
    }

    /// A link is not followed: what it leads to is met by itself, except outside the repository. Where it leads is kept.
    fn link(&mut self, entry: &Visited<'_>) {
        let name = entry.name;
        let absolute = self.search.absolute(entry.path);
        let may_matter = || match self.search.tree.kind(entry.path) {
            Ok(kind) => kind == EntryKind::Folder || hint_from_name(name) == Ok(NameHint::Iam),
            Err(_) => false,
        };
        let left_out = || self.how.filtered && self.search.excluded(&absolute) || folder_skipped(name).is_some();
        if let Some(to) = self.search.inside.link_target(&absolute) {
            self.found
                .links
                .push((self.search.display_path(&absolute), self.search.display_path(&to)));
        }
        if self.how.in_scope && may_matter() && !left_out() && self.search.inside.leaves_repository(&absolute) {
            let shown = self.search.display_path(&absolute);
            self.found
                .unjudged
                .push(Unjudged::whole(shown, UnjudgedReason::Outside));
        }
    }

    /// A folder of templates that the CDK made is left out.
    fn skip_synthesized(&mut self, entry: &Visited<'_>) {
        if self.how.in_scope {
            let shown = self.display_path(entry);
            self.found
                .unjudged
                .push(Unjudged::whole(shown, UnjudgedReason::Ignored));
        }
    }

    fn file(&mut self, entry: &Visited<'_>, promised: NameHint) {
        let absolute = self.search.absolute(entry.path);
        let shown = self.search.display_path(&absolute);
        if self.how.filtered && self.search.excluded(&absolute) {
            return self
                .found
                .skip(self.search.report_skipped, &shown, SkipReason::Excluded);
        }
        if self.search.only_lists {
            return self.found.listed.files.push(absolute);
        }
        if matches!(self.search.tree, SourceTree::Git(_)) {
            return self.chosen.push(ChosenFile {
                absolute: entry.path.to_path_buf(),
                shown,
                promised,
            });
        }
        match self.search.tree.read(entry.path, self.search.max_file_size) {
            Ok(content) => self
                .search
                .add_content(&shown, content, false, self.how.in_scope, &mut self.found),
            Err(e) => self.found.note_unopened(&shown, promised, &e),
        }
    }

    /// A folder that cannot be listed, or an entry that vanished.
    fn unreachable(&mut self, error: &ignore::Error) {
        let mut error = error;
        let mut path = None;
        loop {
            match error {
                ignore::Error::WithPath { path: p, err } => {
                    path = Some(p);
                    error = err;
                }
                ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error = err,
                _ => break,
            }
        }
        if let (Some(path), ignore::Error::Io(e)) = (path, error) {
            let path = self.search.display_path(&self.search.absolute(path));
            if self.how.in_scope && e.kind() != std::io::ErrorKind::NotFound {
                self.found.note_unlisted_folder(path, e);
            }
        }
    }
}
