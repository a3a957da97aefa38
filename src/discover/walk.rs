//! The parallel walk: each worker chooses by name, reads, judges and keeps or drops.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::ignored::Ignored;
use super::inside::is_repository;
use super::names::{NameHint, folder_skipped, hint_from_name};
use super::{Discovery, SearchRequest, SkipReason, read};
use crate::unjudged::{Unjudged, UnjudgedReason};

/// What one worker found; handed over when the worker ends.
struct Worker<'w, 's> {
    ignored: Option<&'w Ignored>,
    search: &'w SearchRequest<'s>,
    how: WalkOptions<'w>,
    entries: &'w AtomicUsize,
    found: Discovery,
    all: &'w Mutex<Vec<Discovery>>,
}

impl Drop for Worker<'_, '_> {
    fn drop(&mut self) {
        if let Ok(mut all) = self.all.lock() {
            all.push(std::mem::take(&mut self.found));
        }
    }
}

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
    let ignored = Ignored::new(&search.cwd);
    builder(search, folders).build_parallel().run(|| {
        let mut worker = Worker {
            ignored: (search.gitignore && how.filtered).then_some(&ignored),
            search,
            how,
            entries: &entries,
            found: Discovery::default(),
            all: &all,
        };
        Box::new(move |entry| worker.visit(entry))
    });
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
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                self.unreachable(&e);
                return WalkState::Continue;
            }
        };
        let Some(kind) = entry.file_type() else {
            return WalkState::Continue;
        };
        if entry.depth() == 0 {
            return WalkState::Continue;
        }
        if let Some(max) = self.how.max_entries
            && self.entries.fetch_add(1, Ordering::Relaxed) >= max
        {
            return WalkState::Quit;
        }
        if kind.is_dir() && !self.how.except.is_empty() {
            let absolute = self.search.absolute(entry.path());
            if self.how.except.contains(&absolute) {
                return WalkState::Skip;
            }
        }
        let name = entry.file_name().to_string_lossy();
        if let Some(ignored) = self.ignored {
            let absolute = self.search.absolute(entry.path());
            if ignored.is_hidden(std::path::Path::new(&absolute), kind.is_dir()) {
                if kind.is_dir() && name == "cdk.out" {
                    self.skip_synthesized(&entry);
                }
                let shown = self.display_path(&entry);
                self.found
                    .skip(self.search.report_skipped, &shown, SkipReason::Gitignored);
                return WalkState::Skip;
            }
        }
        if kind.is_dir() {
            return self.folder(&entry, &name);
        }
        let report_skipped = self.search.report_skipped;
        if !kind.is_file() {
            if kind.is_symlink() {
                self.link(&entry, &name);
            }
            if report_skipped || hint_from_name(&name).is_ok() {
                let shown = self.display_path(&entry);
                self.found.skip(report_skipped, &shown, SkipReason::NotRegular);
            }
            return WalkState::Continue;
        }
        let promised = match hint_from_name(&name) {
            Ok(promised) => promised,
            Err(why) => {
                let absolute = self.search.absolute(entry.path());
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
        self.file(&entry, promised);
        WalkState::Continue
    }

    fn display_path(&self, entry: &DirEntry) -> String {
        self.search.display_path(&self.search.absolute(entry.path()))
    }

    fn folder(&mut self, entry: &DirEntry, name: &str) -> WalkState {
        let report_skipped = self.search.report_skipped;
        if let Some(why) = folder_skipped(name) {
            let shown = self.display_path(entry);
            self.found.skip(report_skipped, &shown, why);
            return WalkState::Skip;
        }
        if self.how.filtered
            && !self.search.exclude.is_empty()
            && self.search.excluded(&self.search.absolute(entry.path()))
        {
            let shown = self.display_path(entry);
            self.found.skip(report_skipped, &shown, SkipReason::Excluded);
            if name == "cdk.out" {
                self.skip_synthesized(entry);
            }
            return WalkState::Skip;
        }
        if self.search.leaves_repositories {
            let absolute = self.search.absolute(entry.path());
            if is_repository(&absolute) {
                self.found.repositories.push(absolute);
                return WalkState::Skip;
            }
        }
        if self.search.only_lists {
            let absolute = self.search.absolute(entry.path());
            self.found.listed.folders.push(absolute);
        }
        WalkState::Continue
    }

    /// A link is not followed: what it leads to is met by itself, except outside the repository. Where it leads is kept.
    fn link(&mut self, entry: &DirEntry, name: &str) {
        let absolute = self.search.absolute(entry.path());
        let may_matter = || match std::fs::metadata(entry.path()) {
            Ok(meta) => meta.is_dir() || hint_from_name(name) == Ok(NameHint::Iam),
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
    fn skip_synthesized(&mut self, entry: &DirEntry) {
        if self.how.in_scope {
            let shown = self.display_path(entry);
            self.found
                .unjudged
                .push(Unjudged::whole(shown, UnjudgedReason::Ignored));
        }
    }

    fn file(&mut self, entry: &DirEntry, promised: NameHint) {
        let absolute = self.search.absolute(entry.path());
        let shown = self.search.display_path(&absolute);
        if self.how.filtered && self.search.excluded(&absolute) {
            return self
                .found
                .skip(self.search.report_skipped, &shown, SkipReason::Excluded);
        }
        if self.search.only_lists {
            return self.found.listed.files.push(absolute);
        }
        match read::read(entry.path(), self.search.max_file_size) {
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
