//! The parallel walk: each worker chooses by name, reads, judges and keeps or drops.

use std::path::PathBuf;
use std::sync::Mutex;

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::names::{Promise, folder_skipped, promise};
use super::{Found, Search, Trouble, read};
use crate::source::ProblemKind;

/// What one worker found; handed over when the worker ends.
struct Worker<'w, 's> {
    search: &'w Search<'s>,
    in_scope: bool,
    found: Found,
    all: &'w Mutex<Vec<Found>>,
}

impl Drop for Worker<'_, '_> {
    fn drop(&mut self) {
        if let Ok(mut all) = self.all.lock() {
            all.push(std::mem::take(&mut self.found));
        }
    }
}

/// Adds what lies under `folders`.
pub(super) fn walk(search: &Search<'_>, folders: &[PathBuf], in_scope: bool, found: &mut Found) {
    let all = Mutex::new(Vec::new());
    builder(search, folders, search.gitignore).build_parallel().run(|| {
        let mut worker = Worker {
            search,
            in_scope,
            found: Found::default(),
            all: &all,
        };
        Box::new(move |entry| worker.visit(entry))
    });
    for part in all.into_inner().unwrap_or_default() {
        found.take(part);
    }
    if search.tell && search.gitignore {
        tell_ignored(search, folders, found);
    }
}

fn builder(search: &Search<'_>, folders: &[PathBuf], gitignore: bool) -> WalkBuilder {
    let mut builder = WalkBuilder::empty();
    for folder in folders {
        builder.add(folder);
    }
    builder
        .standard_filters(false)
        .git_ignore(gitignore)
        .git_exclude(gitignore)
        .git_global(gitignore)
        .parents(gitignore)
        .require_git(false)
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
        let name = entry.file_name().to_string_lossy();
        if kind.is_dir() {
            return self.folder(&entry, &name);
        }
        let tell = self.search.tell;
        if !kind.is_file() {
            if tell || promise(&name).is_ok() {
                let shown = self.shown(&entry);
                self.found.skip(tell, &shown, "link or special file");
            }
            return WalkState::Continue;
        }
        let promised = match promise(&name) {
            Ok(promised) => promised,
            Err(why) => {
                let absolute = self.search.absolute(entry.path());
                if !self.search.included(&absolute) {
                    let shown = if tell {
                        self.search.shown(&absolute)
                    } else {
                        String::new()
                    };
                    self.found.skip(tell, &shown, why);
                    return WalkState::Continue;
                }
                Promise::Iam
            }
        };
        self.file(&entry, promised);
        WalkState::Continue
    }

    fn shown(&self, entry: &DirEntry) -> String {
        self.search.shown(&self.search.absolute(entry.path()))
    }

    fn folder(&mut self, entry: &DirEntry, name: &str) -> WalkState {
        let tell = self.search.tell;
        if let Some(why) = folder_skipped(name) {
            let shown = self.shown(entry);
            self.found.skip(tell, &shown, why);
            return WalkState::Skip;
        }
        if !self.search.exclude.is_empty() && self.search.excluded(&self.search.absolute(entry.path())) {
            let shown = self.shown(entry);
            self.found.skip(tell, &shown, "excluded");
            return WalkState::Skip;
        }
        WalkState::Continue
    }

    fn file(&mut self, entry: &DirEntry, promised: Promise) {
        let absolute = self.search.absolute(entry.path());
        let shown = self.search.shown(&absolute);
        if self.search.excluded(&absolute) {
            return self.found.skip(self.search.tell, &shown, "excluded");
        }
        match read::read(entry.path(), self.search.max_file_size) {
            Ok(content) => self.search.keep(&shown, content, false, self.in_scope, &mut self.found),
            Err(e) => {
                let kind = match promised {
                    Promise::Iam => ProblemKind::Input,
                    Promise::Text => ProblemKind::NotEvaluated,
                };
                self.found.troubles.push(Trouble {
                    path: shown,
                    kind,
                    message: format!("cannot open: {}", e.kind()),
                });
            }
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
            let path = self.search.shown(&self.search.absolute(path));
            self.found.troubles.push(Trouble {
                path,
                kind: ProblemKind::NotEvaluated,
                message: format!("cannot open: {}", e.kind()),
            });
        }
    }
}

/// The walk does not show what `.gitignore` hides; a second one without it does.
fn tell_ignored(search: &Search<'_>, folders: &[PathBuf], found: &mut Found) {
    let mut seen: Vec<String> = Vec::new();
    for entry in builder(search, folders, true).build().flatten() {
        seen.push(search.shown(&search.absolute(entry.path())));
    }
    seen.sort();
    let mut walk = builder(search, folders, false);
    let hidden = std::sync::Arc::new(Mutex::new(Vec::new()));
    let sink = std::sync::Arc::clone(&hidden);
    let cwd = search.cwd.clone();
    walk.filter_entry(move |entry| {
        if entry.depth() == 0 {
            return true;
        }
        let absolute = crate::source::join_path(&cwd, &super::slashed(entry.path()));
        let shown = crate::source::relative_path(&cwd, &absolute);
        if seen.binary_search(&shown).is_err() {
            if let Ok(mut sink) = sink.lock() {
                sink.push(shown);
            }
            return false;
        }
        !entry.file_type().is_some_and(|t| t.is_dir()) || folder_skipped(&entry.file_name().to_string_lossy()).is_none()
    });
    for entry in walk.build() {
        drop(entry);
    }
    let hidden = hidden.lock().map(|mut h| std::mem::take(&mut *h)).unwrap_or_default();
    for path in hidden {
        found.skip(true, &path, "ignored by .gitignore");
    }
}
